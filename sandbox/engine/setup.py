"""From a clone to a site, in steps that recover (see steps.py)."""

import contextlib
import fcntl
import json
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

from sandbox.engine import checks, redis
from sandbox.engine.errors import SandboxError, last_line
from sandbox.engine.places import APPS, CHECKOUT
from sandbox.engine.processes import run, shared_locks, show, start, stop
from sandbox.engine.steps import Chain, Step, files_below, fingerprint, write_whole
from sandbox.lanes.base import Lane

TOOLS = CHECKOUT / "sandbox" / "requirements-tools.txt"
INSIDE = CHECKOUT / "sandbox" / "inside"

FRESH, BASE, DEMO = "fresh", "base", "demo"


def chain(lane: Lane) -> Chain:
	"""Return the steps from nothing to the base site: wizard done, apps installed, no data."""
	places = lane.places
	node = shutil.which("node") or "no node"
	database = lane.database_steps()
	steps = [
		Step(
			"packages",
			"Python packages",
			lambda before: install_packages(lane, before),
			lambda: [lane.requirements, TOOLS, str(places.venv), sys.version.split()[0]],
			result=places.python,
		),
		Step(
			"engine",
			"Frappe engine",
			lambda before: lane.build_engine(),
			lane.engine_inputs,
			needs=("packages",),
			result=places.lib / "frappe",
		),
		Step(
			"front",
			"desk packages",
			lambda before: lane.fetch_front(),
			lambda: [*lane.front_inputs(), str(places.front), node],
			result=places.front / "node_modules",
		),
		Step(
			"desk",
			"desk of Frappe",
			lambda before: lane.build_assets("frappe"),
			lane.desk_inputs,
			needs=("front",),
			result=places.assets / "frappe" / "bundles.json",
		),
		*(
			Step(
				f"desk-{app}",
				f"desk of {app}",
				lambda before, app=app: lane.build_assets(app),
				lambda root=root, app=app: [root / app / "public"],
				needs=("desk",),
				result=places.assets / app / "bundles.json",
			)
			for app, root in APPS.items()
		),
		*database,
		Step(
			"site",
			"site and setup wizard",
			lambda before: make_fresh_site(lane),
			lambda: [INSIDE / "wizard.py", lane.creator],
			needs=("engine", *(step.key for step in database)),
			result=places.site(FRESH),
		),
		*app_steps(lane),
	]
	return Chain(steps, places.stamps)


def app_steps(lane: Lane) -> list[Step]:
	"""Return the steps that install the apps, each on a copy of the site before it: fresh, with-…, base."""
	steps, source, need = [], FRESH, "site"
	for app, root in APPS.items():
		target = BASE if app == list(APPS)[-1] else f"with-{app}"
		steps.append(
			Step(
				f"install-{app}",
				f"installing {app}",
				lambda before, app=app, source=source, target=target: install_app(lane, app, source, target),
				lambda app=app, root=root: [app_hash(root / app)],
				needs=(need,),
				result=lane.places.site(target),
			)
		)
		source, need = target, steps[-1].key
	return steps


def set_up(lane: Lane) -> None:
	"""Bring the sandbox up to date: everything up to the base site. Cheap when nothing changed."""
	checks.python()
	checks.node()
	lane.check()
	for app, root in APPS.items():
		if not (root / app / "hooks.py").exists():
			raise SandboxError(f"The app {app} is missing: there is no {root / app / 'hooks.py'}.")
	lane.places.home.mkdir(parents=True, exist_ok=True)
	lane.places.make()
	with alone(lane):
		steps = chain(lane)
		due = steps.due()
		if any(step.key == "packages" for step in due):
			checks.disk(lane.places.home)
		if due:
			say(f"Setting up the sandbox ({lane.title}) in {lane.places.home}\n")
			write_bench_files(lane)
			steps.run()


def set_up_all(lanes: list[Lane]) -> None:
	"""`set_up`; of several lanes side by side, and what one says is shown when it is done."""
	if len(lanes) == 1:
		return set_up(lanes[0])
	with contextlib.ExitStack() as stack:
		running = []
		for lane in lanes:
			log = stack.enter_context(tempfile.TemporaryFile("w+"))
			process = start(
				[sys.executable, "-m", "sandbox", "setup"],
				log,
				cwd=CHECKOUT,
				env=os.environ | {"LANE": lane.name},
			)
			stack.callback(stop, process)
			running.append((lane, process, log))
		for lane, process, log in running:
			code = process.wait()
			log.seek(0)
			text = log.read()
			say(text)
			if code:
				raise SandboxError(f"The lane {lane.name} could not be set up: {last_line(text)}")


@contextlib.contextmanager
def alone(lane: Lane, name: str = "setup"):
	"""Hold a lock of the sandbox: commands that change it wait for each other."""
	with (lane.places.run / f"{name}.lock").open("w") as lock:
		# a copy of a site takes a moment, a set-up longer: only that is worth a word
		quiet_until = time.monotonic() + 3
		while True:
			try:
				fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
				break
			except BlockingIOError:
				if time.monotonic() > quiet_until:
					say("Another command is at work in this sandbox; waiting for it.\n")
					quiet_until = float("inf")
				time.sleep(0.1)
		# killed, this command leaves the lock to what it started: the next one waits for that to be gone
		shared_locks.add(lock.fileno())
		try:
			yield
		finally:
			shared_locks.discard(lock.fileno())


def say(text: str) -> None:
	"""Print at once."""
	sys.stdout.write(text)
	sys.stdout.flush()


def app_hash(package: Path) -> str:
	"""Return a hash of what decides how an app is installed on a site: what is not code, and the hooks.

	Controllers, rules and tests may change without a new installation.
	"""
	parts = []
	for path in sorted(files_below(package)):
		relative = path.relative_to(package)
		folders = relative.parts[:-1]
		if "public" in folders or "tests" in folders or "translations" in folders or "rules" in folders:
			continue
		installs = (
			path.suffix in (".json", ".txt", ".html")
			or relative.name == "hooks.py"
			or relative.name in ("install.py", "uninstall.py", "setup.py")
			or ("setup" in folders and "doctype" not in folders)
			or "patches" in folders
		)
		if installs:
			parts.append(f"{relative} {fingerprint(path).hex()}")
	return "\n".join(parts)


def install_packages(lane: Lane, before: bool) -> None:
	"""Make the virtual environment, from scratch unless a finished one only has to change."""
	places = lane.places
	if not before:
		shutil.rmtree(places.venv, ignore_errors=True)
		run(
			[sys.executable, "-m", "venv", places.venv],
			"making the virtual environment",
			places.logs / "venv.log",
		)
	run(
		[
			*(places.python, "-m", "pip", "install", "--no-deps", "--disable-pip-version-check"),
			# most modules are never imported; those that are get compiled then
			"--no-compile",
			*("--no-input", "--retries", "2", "--timeout", "30"),
			*("-r", lane.requirements, "-r", TOOLS),
		],
		"installing the Python packages",
		places.logs / "pip.log",
	)
	write_whole(
		places.site_packages() / "sandbox.pth", "\n".join(map(str, [places.lib, *APPS.values()])) + "\n"
	)


def write_bench_files(lane: Lane) -> None:
	"""Write what a bench's sites folder has beside the sites."""
	write_whole(lane.places.sites / "apps.txt", "\n".join(["frappe", *APPS]) + "\n")
	common = {
		"allow_tests": 1,
		"developer_mode": 0,
		"bench_id": "sandbox",
		"disable_website_cache": 0,
		# nothing in the sandbox talks to the world
		"mute_emails": 1,
		"disable_async": 1,
	}
	write_whole(lane.places.sites / "common_site_config.json", json.dumps(common, indent=1) + "\n")


def inside(lane: Lane, site: str, redis_url: str, module: str, *arguments: str, what: str, log: str) -> str:
	"""Run a Python module on a site, output to a log file."""
	return run(
		[lane.places.python, "-m", module, *arguments],
		what,
		lane.places.logs / log,
		cwd=lane.places.sites,
		env=lane.environment(site, redis_url),
	)


def make_fresh_site(lane: Lane) -> None:
	"""Create a site with Frappe alone and go through its setup wizard."""
	part = f"{FRESH}-part"
	with lane.database(), redis.private(lane.places) as url:
		lane.new_site(part, {"admin_password": "admin"})
		inside(lane, part, url, lane.creator, what="creating the site", log="site.log")
	lane.move_site(part, FRESH)


def install_app(lane: Lane, app: str, source: str, target: str) -> None:
	"""Install an app on a copy of site `source`, and let that be site `target`."""
	part = f"{target}-part"
	with lane.database(), redis.private(lane.places) as url:
		lane.copy_site(source, part)
		inside(
			lane,
			part,
			url,
			"sandbox.inside.site",
			"install",
			app,
			what=f"installing {app}",
			log=f"install-{app}.log",
		)
		lane.move_site(part, target)


def app_stamp(lane: Lane) -> str:
	"""Return the stamp of the base site: another one when anything it was made from changed."""
	return (lane.places.stamps / chain(lane).steps[-1].key).read_text()


def ensure_demo(lane: Lane) -> None:
	"""Make the demo site with its data, or migrate the one that is there when the apps changed; keeps its data."""
	set_up(lane)
	places = lane.places
	with alone(lane):
		stamp = places.stamps / DEMO
		wanted = app_stamp(lane)
		if not places.site(DEMO).exists():
			part = f"{DEMO}-part"
			say("Demo site: copying the base site and making demo data\n")
			with lane.database(), redis.private(places) as url:
				lane.copy_site(BASE, part)
				_loud(lane, part, url, "sandbox.inside.site", "demo")
				lane.move_site(part, DEMO)
			write_whole(stamp, wanted)
		elif not stamp.exists() or stamp.read_text() != wanted:
			say("The apps changed: migrating the demo site … ")
			with lane.database(), redis.shared(places) as url:
				inside(
					lane,
					DEMO,
					url,
					"sandbox.inside.site",
					"migrate",
					what="migrating the demo site",
					log="migrate.log",
				)
			write_whole(stamp, wanted)
			say("done\n")


def _loud(lane: Lane, site: str, redis_url: str, module: str, *arguments: str) -> None:
	"""Run a Python module on a site with its output on the terminal."""
	environment = os.environ | lane.environment(site, redis_url)
	code = show([lane.places.python, "-m", module, *arguments], cwd=lane.places.sites, env=environment)
	if code:
		raise SandboxError(f"Making the demo data failed (exit code {code}); nothing was kept.")
