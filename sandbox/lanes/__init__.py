"""Lanes: which engine runs on which database. LANE picks one; everything else is the same for all."""

import os

from sandbox.engine.errors import SandboxError
from sandbox.engine.places import Places
from sandbox.lanes.base import Lane
from sandbox.lanes.mariadb import MariaDBLane
from sandbox.lanes.sqlite import SqliteLane

LANES: dict[str, type[Lane]] = {lane.name: lane for lane in (SqliteLane, MariaDBLane)}
DEFAULT = "sqlite"


def current() -> Lane:
	"""Return the lane named by LANE (default: sqlite)."""
	name = os.environ.get("LANE") or DEFAULT
	if name not in LANES:
		raise SandboxError(f"There is no lane {name!r}; LANE may be: {', '.join(sorted(LANES))}.")
	return LANES[name](Places.of(name))
