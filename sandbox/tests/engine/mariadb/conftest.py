import pytest

from sandbox.engine.places import Places
from sandbox.lanes.mariadb import MariaDBLane


@pytest.fixture(scope="module")
def small(tmp_path_factory):
	"""A lane in a folder of its own, with a data directory and no site."""
	places = Places(tmp_path_factory.mktemp("a small sandbox"))
	places.make()
	lane = MariaDBLane(places)
	(step,) = lane.database_steps()
	step.act(False)
	return lane


@pytest.fixture
def server(small):
	yield small.server
	assert small.server.holder() is None, "the server outlived its users"
