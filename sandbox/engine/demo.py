"""make demo: the demo site, served with everything a site has behind it."""

import contextlib
import fcntl
import json
import os
import subprocess
import time
import urllib.request
from collections.abc import Iterator

from sandbox.engine import redis
from sandbox.engine.checks import port_free
from sandbox.engine.errors import SandboxError, last_line
from sandbox.engine.processes import start, stop
from sandbox.engine.setup import DEMO, alone, ensure_demo, say
from sandbox.lanes.base import Lane

START_TIMEOUT = 60
LOGIN = "Administrator / admin"


def port() -> int:
	"""Return the port the desk is served on: SANDBOX_PORT or 8000."""
	text = os.environ.get("SANDBOX_PORT") or "8000"
	if not text.isdigit() or not 0 < int(text) < 65536:
		raise SandboxError(f"SANDBOX_PORT must be a port number, not {text!r}.")
	return int(text)


def reset(lane: Lane) -> int:
	"""Throw the demo site away and make it afresh."""
	lane.places.make()
	with serving_lock(lane) as mine:
		if not mine:
			raise SandboxError("The demo is being served: stop it first (Ctrl-C where `make demo` runs).")
		with alone(lane):
			lane.drop_site(DEMO)
		ensure_demo(lane)
	say("The demo site is new; `make demo` serves it.\n")
	return 0


def serve(lane: Lane) -> int:
	"""Make the demo site if need be, and serve it until interrupted."""
	address = f"http://127.0.0.1:{port()}"
	lane.places.make()
	with serving_lock(lane) as mine:
		if not mine:
			say(f"The demo is already served: {served_at(lane) or address} ({LOGIN})\n")
			return 0
		if not port_free(port()):
			raise SandboxError(
				f"Port {port()} is in use by another program: stop it, or choose another with SANDBOX_PORT=8001."
			)
		ensure_demo(lane)
		with lane.database(), redis.shared(lane.places) as url, processes(lane, DEMO, url, port()) as running:
			(lane.places.run / "demo.json").write_text(json.dumps({"address": address}))
			say(f"\n  The desk:  {address}\n  Log in:    {LOGIN}\n  Stop:      Ctrl-C\n\n")
			watch(lane, running)
			say("\nStopping … ")
		say("done\n")
		return 0


@contextlib.contextmanager
def serving_lock(lane: Lane) -> Iterator[bool]:
	"""Hold the lock of who serves the demo; yields whether it is ours."""
	with (lane.places.run / "demo.lock").open("w") as lock:
		try:
			fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
		except BlockingIOError:
			yield False
		else:
			yield True


def served_at(lane: Lane) -> str | None:
	"""Return the address the demo is served at."""
	try:
		return json.loads((lane.places.run / "demo.json").read_text())["address"]
	except (FileNotFoundError, ValueError, KeyError):
		return None


@contextlib.contextmanager
def processes(lane: Lane, site: str, redis_url: str, port: int) -> Iterator[dict[str, subprocess.Popen]]:
	"""Run a site's web server, worker and scheduler; yields them by name once the web server answers."""
	environment = os.environ | lane.environment(site, redis_url)
	# the engine would take jobs for tests
	environment.pop("CI", None)
	environment["SANDBOX_ACCESS_LOG"] = str(lane.places.logs / f"{site}-access.log")
	commands = {
		"web": ["web", str(port)],
		"worker": ["background", "worker"],
		"scheduler": ["background", "scheduler"],
	}
	running: dict[str, subprocess.Popen] = {}
	try:
		for name, (module, *arguments) in commands.items():
			command = [lane.places.python, "-m", f"sandbox.inside.{module}", *arguments]
			with (lane.places.logs / f"{site}-{name}.log").open("w") as log:
				running[name] = start(command, log, cwd=lane.places.sites, env=environment)
		wait_for_web(lane, site, running["web"], port)
		yield running
	finally:
		stop(*running.values())


def wait_for_web(lane: Lane, site: str, web: subprocess.Popen, port: int) -> None:
	"""Return when the web server answers."""
	deadline = time.monotonic() + START_TIMEOUT
	while time.monotonic() < deadline:
		if web.poll() is not None:
			break
		with contextlib.suppress(OSError):
			with urllib.request.urlopen(
				f"http://127.0.0.1:{port}/api/method/ping", timeout=START_TIMEOUT
			) as answer:
				if answer.status == 200:
					return
		time.sleep(0.1)
	log = lane.places.logs / f"{site}-web.log"
	raise SandboxError(f"The web server did not start: {last_line(log.read_text())} (full output in {log}).")


def watch(lane: Lane, running: dict[str, subprocess.Popen]) -> None:
	"""Return when interrupted; raise when a process ends by itself."""
	try:
		while True:
			for name, process in running.items():
				if process.poll() is not None:
					log = lane.places.logs / f"{DEMO}-{name}.log"
					raise SandboxError(
						f"The {name} ended: {last_line(log.read_text())} (full output in {log})."
					)
			time.sleep(0.5)
	except KeyboardInterrupt:
		return
