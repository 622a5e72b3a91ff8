"""A server that commands running at the same time share: the first one starts it, the last one stops it."""

import contextlib
import fcntl
from collections.abc import Callable, Iterator

from sandbox.engine.places import Places


@contextlib.contextmanager
def shared(places: Places, name: str, up: Callable[[], None], down: Callable[[], None]) -> Iterator[None]:
	"""Keep a server up while inside.

	Users hold a shared lock, which the system releases even when they are killed; who can turn it into an
	exclusive one is the last.

	:param up: starts the server unless it answers already; nobody else is at this meanwhile
	:param down: stops it
	"""
	with (places.run / f"{name}.users").open("w") as users, (places.run / f"{name}.start").open("w") as start:
		fcntl.flock(start, fcntl.LOCK_EX)
		fcntl.flock(users, fcntl.LOCK_SH)
		up()
		fcntl.flock(start, fcntl.LOCK_UN)
		try:
			yield
		finally:
			fcntl.flock(start, fcntl.LOCK_EX)
			try:
				fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
			except BlockingIOError:
				pass
			else:
				down()
