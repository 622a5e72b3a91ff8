"""Starting and ending other programs, so that none is left behind."""

import ctypes
import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path

from sandbox.engine.errors import SandboxError, cause_of, last_line

PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


def start(command: list, log, *, cwd: Path | None = None, env: dict | None = None, outlive: bool = False):
	"""Start a program in a session of its own, out of reach of the terminal's Ctrl-C; return the process.

	It ends with this process, however that ends (on Linux), unless it may outlive it.
	"""

	def end_with_parent():
		_libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)

	return subprocess.Popen(
		list(map(str, command)),
		cwd=cwd,
		env=env,
		stdin=subprocess.DEVNULL,
		stdout=log,
		stderr=subprocess.STDOUT,
		start_new_session=True,
		preexec_fn=end_with_parent if _libc and not outlive else None,
	)


def raise_on_signals() -> None:
	"""Treat the signals that end a command like Ctrl-C, so that what was started gets stopped."""

	def interrupt(signum, frame):
		raise KeyboardInterrupt

	for name in (signal.SIGTERM, signal.SIGHUP):
		signal.signal(name, interrupt)


def run(command: list, what: str, log: Path, *, cwd: Path | None = None, env: dict | None = None) -> str:
	"""Run a command with its output in `log`; raise one clear sentence when it fails.

	:param what: the thing being done, as in "installing the Python packages"
	:return: what the command printed
	"""
	log.parent.mkdir(parents=True, exist_ok=True)
	with log.open("w+") as out:
		out.write("$ " + shlex.join(map(str, command)) + "\n")
		out.flush()
		try:
			process = start(command, out, cwd=cwd, env=os.environ | (env or {}))
		except FileNotFoundError as e:
			raise SandboxError(f"{command[0]} is missing: it is needed for {what}.") from e
		try:
			code = process.wait()
		except BaseException:
			stop(process)
			raise
		out.seek(0)
		text = out.read()
	if code:
		why = cause_of(text) or last_line(text)
		raise SandboxError(f"{what[0].upper()}{what[1:]} failed: {why} (full output in {log}).")
	return text


def stop(process: subprocess.Popen, patience: float = 5) -> None:
	"""End a process and everything in its session: politely first, then for good."""
	for sig in (signal.SIGTERM, signal.SIGKILL):
		try:
			os.killpg(process.pid, sig)
		except (ProcessLookupError, PermissionError):
			return
		try:
			process.wait(patience)
			return
		except subprocess.TimeoutExpired:
			continue
