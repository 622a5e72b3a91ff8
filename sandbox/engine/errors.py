"""Failures a person can act on: one sentence each, never a traceback."""

import os
import re
import shlex
import subprocess
from pathlib import Path


class SandboxError(Exception):
	"""Something outside the sandbox's code went wrong; the message is one clear sentence."""


# What the package managers say, and what it means. The first pattern that matches wins.
_CAUSES = (
	(
		r"No space left on device|ENOSPC|database or disk is full|Disk quota exceeded",
		"there is no disk space left",
	),
	(
		r"NewConnectionError|ConnectTimeoutError|Max retries exceeded|Temporary failure in name resolution"
		r"|Failed to establish a new connection|Network is unreachable|ReadTimeoutError|ProxyError"
		r"|ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|network request to .* failed",
		"the package registry cannot be reached",
	),
	(
		r"No matching distribution found for (?P<what>\S+)|Could not find a version that satisfies the "
		r"requirement (?P<what2>\S+)|No matching version found for (?P<what3>\S+?)\.?\s|E404.*?'(?P<what4>[^']+)'",
		"the package registry does not have {what}, a version this project pins",
	),
	(r"Permission denied|EACCES|EPERM", "a file may not be written (permission denied)"),
)


def cause_of(output: str) -> str | None:
	"""Return what a package manager's output means in plain words, or None when it is not known."""
	for pattern, meaning in _CAUSES:
		if found := re.search(pattern, output):
			what = next((v for v in found.groupdict().values() if v), "")
			return meaning.format(what=what)
	return None


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
			process = subprocess.Popen(
				list(map(str, command)),
				cwd=cwd,
				env={**os.environ, **(env or {})},
				stdin=subprocess.DEVNULL,
				stdout=out,
				stderr=subprocess.STDOUT,
				start_new_session=True,
			)
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
	import signal

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


def last_line(text: str) -> str:
	"""Return the last line that says something."""
	lines = [line.strip() for line in text.splitlines() if line.strip()]
	return lines[-1] if lines else "no output"
