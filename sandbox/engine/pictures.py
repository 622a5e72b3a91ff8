"""make screenshots: the docs' pictures, taken of a demo site made for it."""

import subprocess

from sandbox.engine import bench, demo
from sandbox.engine.checks import find_browser, free_port
from sandbox.engine.errors import SandboxError
from sandbox.engine.places import CHECKOUT
from sandbox.engine.setup import say, set_up
from sandbox.lanes.base import Lane

FOLDER = CHECKOUT / "docs" / "images"


def take(lane: Lane) -> int:
	"""Make a demo site that nobody has worked on, go through the user guide on it, and keep the pictures."""
	executable = find_browser()
	if not executable:
		raise SandboxError("Pictures need Chromium: install it, or say where it is with LOYALTY_BROWSER.")
	set_up(lane)
	with bench.fresh_site(lane) as (name, url):
		if code := bench.call(lane, name, url, "site", "demo"):
			return code
		port = free_port()
		with demo.processes(lane, name, url, port):
			say(f"Pictures in {FOLDER.relative_to(CHECKOUT)}:\n")
			return subprocess.call(
				[str(lane.places.python), "-m", "sandbox.inside.pictures", str(FOLDER)],
				cwd=CHECKOUT,
				env=lane.environment(name, url)
				| {"LOYALTY_URL": f"http://127.0.0.1:{port}", "LOYALTY_BROWSER": executable},
			)
