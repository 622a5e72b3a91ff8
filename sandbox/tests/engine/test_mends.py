"""The lane's mends all find their places in the pinned fork."""

import pytest

from sandbox.engine.errors import SandboxError


@pytest.fixture(scope="module")
def engine(lane, tmp_path_factory):
	"""The installed fork, renamed and not mended."""
	target = tmp_path_factory.mktemp("engine") / "frappe"
	lane.renamed(target)
	return target


def test_nothing_of_the_forks_names_is_left(lane, engine):
	for name, _original in lane.names:
		for path in engine.rglob("*.py"):
			assert name not in path.read_text(), path
		assert not [p for p in engine.rglob("*") if name in p.name]


def test_every_mend_finds_its_place_and_says_why(lane, engine):
	done = lane.mend(engine)
	assert done and all(file and why for file, why in done)
	for file, _why in done:
		if file.endswith(".py"):
			compile((engine / file).read_text(), file, "exec")


def test_a_mend_is_not_done_twice(lane, engine):
	with pytest.raises(SandboxError, match="The engine is not the one the sandbox was made for"):
		lane.mend(engine)
