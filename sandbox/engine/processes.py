"""Starting and ending other programs, so that none is left behind."""

import os
import shlex
import shutil
import signal
import subprocess
import sys
from pathlib import Path

from sandbox.engine import guard
from sandbox.engine.errors import SandboxError, cause_of, last_line

# Locks (file descriptors) that what is started goes on holding until its last process has ended
shared_locks: set[int] = set()


def start(command: list, log, *, cwd: Path | None = None, env: dict | None = None, outlive: bool = False):
	"""Start a program in a session of its own, out of reach of the terminal's Ctrl-C; return the process.

	It ends when this process does, however that ends, unless it may outlive it.
	"""
	guarded = [] if outlive else [sys.executable, "-I", "-S", guard.__file__]
	return subprocess.Popen(
		[*guarded, *map(str, command)],
		cwd=cwd,
		env=env,
		stdin=subprocess.DEVNULL,
		stdout=log,
		stderr=subprocess.STDOUT,
		start_new_session=True,
		pass_fds=() if outlive else tuple(shared_locks),
	)


def stop(*processes: subprocess.Popen) -> None:
	"""End what was started, all at once: politely first, then for good."""
	for process in processes:
		if process.poll() is None:
			process.terminate()
	for process in processes:
		try:
			process.wait(guard.PATIENCE_SECONDS + 2)
		except subprocess.TimeoutExpired:
			os.killpg(process.pid, signal.SIGKILL)
			process.wait()


def run(command: list, what: str, log: Path, *, cwd: Path | None = None, env: dict | None = None) -> str:
	"""Run a command with its output in `log`; raise one clear sentence when it fails.

	:param what: the thing being done, as in "installing the Python packages"
	:return: what the command printed
	"""
	if not shutil.which(str(command[0])):
		raise SandboxError(f"{command[0]} is missing: it is needed for {what}.")
	log.parent.mkdir(parents=True, exist_ok=True)
	with log.open("w+") as out:
		out.write("$ " + shlex.join(map(str, command)) + "\n")
		out.flush()
		process = start(command, out, cwd=cwd, env=os.environ | (env or {}))
		try:
			code = process.wait()
		finally:
			stop(process)
		out.seek(0)
		text = out.read()
	if code:
		why = cause_of(text) or last_line(text)
		raise SandboxError(f"{what[0].upper()}{what[1:]} failed: {why} (full output in {log}).")
	return text


def show(command: list, *, cwd: Path, env: dict) -> int:
	"""Run a command that needs no input, with its output on the terminal; return its exit code."""
	process = start(command, None, cwd=cwd, env=env)
	try:
		return process.wait()
	finally:
		stop(process)


def raise_on_signals() -> None:
	"""Treat the signals that end a command like Ctrl-C, so that what was started gets stopped."""

	def interrupt(signum, frame):
		raise KeyboardInterrupt

	for name in (signal.SIGTERM, signal.SIGHUP):
		signal.signal(name, interrupt)
