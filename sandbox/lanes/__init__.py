"""Lanes: which engine runs on which database. LANE picks one; everything else is the same for all."""

import os

from sandbox.engine.errors import SandboxError
from sandbox.engine.places import Places
from sandbox.lanes.base import Lane
from sandbox.lanes.mariadb import MariaDBLane
from sandbox.lanes.sqlite import SqliteLane

LANES: dict[str, type[Lane]] = {lane.name: lane for lane in (SqliteLane, MariaDBLane)}
DEFAULT = "sqlite"


ALL = "all"


def current() -> Lane:
	"""Return the lane named by LANE (default: sqlite)."""
	return named(os.environ.get("LANE") or DEFAULT)


def selected() -> list[Lane]:
	"""Return the lanes named by LANE: one, or every one with LANE=all."""
	if os.environ.get("LANE") == ALL:
		return [named(name) for name in LANES]
	return [current()]


def named(name: str) -> Lane:
	"""Return a lane by its name."""
	if name == ALL:
		raise SandboxError(
			f"LANE={ALL} is for tests and for clean; choose one of: {', '.join(sorted(LANES))}."
		)
	if name not in LANES:
		raise SandboxError(f"There is no lane {name!r}; LANE may be: {', '.join(sorted(LANES))}.")
	return LANES[name](Places.of(name))
