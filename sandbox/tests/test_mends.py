"""Mends are checked edits: what is not where it was is an error."""

import pytest

from sandbox.engine.errors import SandboxError
from sandbox.lanes.sqlite.mends import mend
from sandbox.lanes.fork.tree import Tree
from sandbox.lanes.sqlite.rename import rename


@pytest.fixture(scope="module")
def engine(lane, tmp_path_factory):
	"""The installed fork, renamed and not mended."""
	target = tmp_path_factory.mktemp("engine") / "frappe"
	rename(lane.places.site_packages() / "monoframe", target)
	return target


def test_nothing_of_the_forks_name_is_left(engine):
	for path in engine.rglob("*.py"):
		assert "monoframe" not in path.read_text().lower(), path
	assert not [p for p in engine.rglob("*") if "monoframe" in p.name]


def test_every_mend_finds_its_place_and_says_why(engine):
	done = mend(engine)
	assert len(done) > 60
	assert all(file and why for file, why in done)
	for file, _why in done:
		if file.endswith(".py"):
			compile((engine / file).read_text(), file, "exec")


def test_a_mend_is_not_done_twice(engine):
	with pytest.raises(SandboxError, match="The engine is not the one the sandbox was made for"):
		mend(engine)


@pytest.fixture
def tree(tmp_path):
	(tmp_path / "a.py").write_text(
		"import x\n\n\n@x.cached\ndef f():\n\treturn 1\n\n\ndef g():\n\treturn 2\n"
	)
	return Tree(tmp_path)


def test_a_function_goes_with_its_decorators(tree):
	tree.function("a.py", "f", "from y import f", "why")
	assert (tree.root / "a.py").read_text() == "import x\n\n\nfrom y import f\n\n\ndef g():\n\treturn 2\n"
	assert tree.done == [("a.py", "why")]


@pytest.mark.parametrize(
	"edit",
	[
		lambda tree: tree.sub("a.py", "not there", "x", "why"),
		lambda tree: tree.sub("a.py", "return", "yield", "why"),
		lambda tree: tree.sub("b.py", "x", "y", "why"),
		lambda tree: tree.function("a.py", "h", "pass", "why"),
		lambda tree: tree.create("a.py", "", "why"),
		lambda tree: tree.copy("b.py", "c.py", "why"),
	],
)
def test_a_miss_is_an_error(tree, edit):
	before = (tree.root / "a.py").read_text()
	with pytest.raises(SandboxError, match=r"\(mend: why\)"):
		edit(tree)
	assert (tree.root / "a.py").read_text() == before
