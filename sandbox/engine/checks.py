"""Is this machine fit for it? One clear sentence when not."""

import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

from sandbox.engine.errors import SandboxError

PYTHON = (3, 11)
NODE = 18
DISK_MB = 1500
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def python() -> None:
	"""Python is new enough and can make virtual environments."""
	if sys.version_info[:2] < PYTHON:
		have = ".".join(map(str, sys.version_info[:3]))
		raise SandboxError(f"Python {PYTHON[0]}.{PYTHON[1]} or newer is needed, this is Python {have}.")
	try:
		import ensurepip  # noqa: F401
		import venv  # noqa: F401
	except ImportError as e:
		raise SandboxError(
			"Python's venv module is missing: install it (on Debian and Ubuntu the package python3-venv)."
		) from e


def node() -> str:
	"""Node and npm are there and Node is new enough; return Node's version."""
	if not shutil.which("node"):
		raise SandboxError(f"Node.js is missing: version {NODE} or newer is needed to build the desk.")
	version = subprocess.run(["node", "--version"], capture_output=True, text=True).stdout.strip()
	major = re.match(r"v(\d+)", version)
	if not major or int(major[1]) < NODE:
		raise SandboxError(
			f"Node.js {NODE} or newer is needed to build the desk, this is {version or 'unknown'}."
		)
	if not shutil.which("npm"):
		raise SandboxError(
			"npm is missing: it is needed to fetch the desk's packages and comes with Node.js."
		)
	return version


def disk(folder: Path, needed_mb: int = DISK_MB) -> None:
	"""There is room for a sandbox."""
	folder.mkdir(parents=True, exist_ok=True)
	free_mb = shutil.disk_usage(folder).free // 2**20
	if free_mb < needed_mb:
		raise SandboxError(
			f"There is not enough disk space: {folder} has {free_mb} MB free and {needed_mb} MB are needed."
		)


def find_browser() -> str | None:
	"""Return the path of Chromium, None when there is none."""
	return os.environ.get("LOYALTY_BROWSER") or next(filter(None, map(shutil.which, BROWSERS)), None)


def port_free(port: int) -> bool:
	"""Return whether a server could listen on this port of 127.0.0.1."""
	with socket.socket() as s:
		s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
		try:
			s.bind(("127.0.0.1", port))
		except OSError:
			return False
	return True


def free_port() -> int:
	"""Return a port of 127.0.0.1 that nobody uses."""
	with socket.socket() as s:
		s.bind(("127.0.0.1", 0))
		return s.getsockname()[1]
