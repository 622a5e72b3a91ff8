"""Runs a program so that nothing of it is left behind, even when whoever started it was killed.

usage: python guard.py PROGRAM ARGUMENT …    as the leader of a session (see processes.start)

When it is told to stop, or its starter is gone, the program gets time to end by itself and then the whole session is
killed: what a program starts in turn (as venv starts ensurepip) would go on writing into a folder that the next
run is setting up again.
"""

import contextlib
import os
import signal
import subprocess
import sys

POLL_SECONDS = 0.3
PATIENCE_SECONDS = 5


def main(command: list[str]) -> int:
	"""Run the program; return its exit code."""
	starter = os.getppid()
	told_to_stop = False

	def stop(signum, frame):
		nonlocal told_to_stop
		told_to_stop = True

	signal.signal(signal.SIGTERM, stop)
	program = subprocess.Popen(command)
	while program.poll() is None and not told_to_stop and os.getppid() == starter:
		with contextlib.suppress(subprocess.TimeoutExpired):
			program.wait(POLL_SECONDS)
	if program.poll() is None:
		program.terminate()
		with contextlib.suppress(subprocess.TimeoutExpired):
			program.wait(PATIENCE_SECONDS)
		os.killpg(0, signal.SIGKILL)
	return program.returncode if program.returncode >= 0 else 128 - program.returncode


if __name__ == "__main__":
	sys.exit(main(sys.argv[1:]))
