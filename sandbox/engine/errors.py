"""Failures a person can act on: one sentence each, never a traceback."""

import re


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


def last_line(text: str) -> str:
	"""Return the last line that says something."""
	lines = [line.strip() for line in text.splitlines() if line.strip()]
	return lines[-1] if lines else "no output"
