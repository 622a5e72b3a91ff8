"""Checked edits: what is not where it was is an error."""

import pytest

from sandbox.engine.errors import SandboxError
from sandbox.lanes.fork.tree import Tree


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
