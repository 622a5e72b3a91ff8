"""sandbox/bench: everyday commands on the sandbox's sites."""

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator

from sandbox import lanes
from sandbox.engine import redis
from sandbox.engine.demo import port
from sandbox.engine.errors import SandboxError
from sandbox.engine.places import APPS
from sandbox.engine.processes import show
from sandbox.engine.setup import BASE, DEMO, alone, app_stamp, ensure_demo, set_up
from sandbox.engine.steps import write_whole
from sandbox.lanes.base import Lane

TEST = "test"
SITES = (DEMO, TEST)

HELP = """usage: sandbox/bench [--site demo|test] COMMAND …

  serve [--port N]                  serve the site, restarting when Python code changes
  worker | scheduler                run the background worker, the scheduler
  migrate                           bring the site to what the apps say now
  console                           Python console with frappe in it
  execute DOTTED.PATH               call a function  [--args '[…]'] [--kwargs '{…}']
  run-tests                         run tests on a fresh site  [--app A] [--module M] [--doctype D] [--test T]
  build [--app APP]                 build the desk's bundles
  backup                            write a backup to the site's private/backups
  install-app APP | uninstall-app APP [--dry-run] [--yes] [--no-backup]
  list-apps | clear-cache

The site is demo, the one `make demo` serves, unless --site says test: a site with the apps and no data.
`make demo` need not run for any of these."""

INSIDE = (
	"migrate",
	"console",
	"execute",
	"backup",
	"install-app",
	"uninstall-app",
	"list-apps",
	"clear-cache",
)


def main(arguments: list[str]) -> int:
	"""Run a command; return its exit code."""
	site, arguments = _site(arguments)
	if not arguments or arguments[0] in ("-h", "--help", "help"):
		print(HELP)
		return 0
	command, *rest = arguments
	lane = lanes.current()

	if command == "build":
		return build(lane, rest)
	if command == "run-tests":
		set_up(lane)
		with fresh_site(lane) as (copy, url):
			return call(lane, copy, url, "runner", *rest)
	if command not in (*INSIDE, "serve", "worker", "scheduler"):
		raise SandboxError(f"There is no command {command!r}; see sandbox/bench --help.")

	ensure(lane, site)
	with lane.database(), redis.shared(lane.places) if site == DEMO else redis.private(lane.places) as url:
		if command == "serve":
			number = rest[rest.index("--port") + 1] if "--port" in rest[:-1] else str(port())
			return serve(lane, site, url, "web", number, "--reload", FRAPPE_DEVELOPER_MODE="1")
		if command in ("worker", "scheduler"):
			return serve(lane, site, url, "background", command)
		return call(lane, site, url, "bench", command, *rest)


def _site(arguments: list[str]) -> tuple[str, list[str]]:
	if arguments[:1] == ["--site"]:
		if len(arguments) < 2 or arguments[1] not in SITES:
			raise SandboxError(f"--site may be: {', '.join(SITES)}.")
		return arguments[1], arguments[2:]
	return DEMO, arguments


def ensure(lane: Lane, site: str) -> None:
	"""Make the site if it is not there; the test site also when the apps changed."""
	if site == DEMO:
		ensure_demo(lane)
		return
	set_up(lane)
	with alone(lane):
		stamp, wanted = lane.places.stamps / site, app_stamp(lane)
		if not lane.places.site(site).exists() or not stamp.exists() or stamp.read_text() != wanted:
			lane.copy_site(BASE, site)
			write_whole(stamp, wanted)


@contextlib.contextmanager
def fresh_site(lane: Lane, source: str = BASE) -> Iterator[tuple[str, str]]:
	"""Copy a site for one run; yields the copy's name and the address of a Redis of its own."""
	name = f"run-{os.getpid()}"
	with lane.database():
		try:
			with alone(lane):
				_drop_dead_runs(lane)
				lane.copy_site(source, name)
			with redis.private(lane.places) as url:
				yield name, url
		finally:
			lane.drop_site(name)


def _drop_dead_runs(lane: Lane) -> None:
	"""Delete the copies of runs that were killed, and the logs of those that are over."""
	left = [*lane.places.sites.glob("run-*"), *lane.places.logs.glob("run-*.log")]
	for pid in {path.name.split("-")[1] for path in left}:
		try:
			os.kill(int(pid), 0)
		except ProcessLookupError:
			lane.drop_site(f"run-{pid}")
			for log in lane.places.logs.glob(f"run-{pid}-*.log"):
				log.unlink(missing_ok=True)
		except (ValueError, PermissionError):
			continue


def call(lane: Lane, site: str, redis_url: str, module: str, *arguments: str, **environment: str) -> int:
	"""Run a module of sandbox.inside on a site in the foreground; return its exit code."""
	process = subprocess.Popen(
		[str(lane.places.python), "-m", f"sandbox.inside.{module}", *arguments],
		cwd=lane.places.sites,
		env=os.environ | lane.environment(site, redis_url) | environment,
	)
	# Ctrl-C reaches the child by itself, being in the same group
	before = signal.signal(signal.SIGINT, signal.SIG_IGN)
	try:
		return process.wait()
	finally:
		signal.signal(signal.SIGINT, before)
		if process.poll() is None:
			process.terminate()
			process.wait()


def serve(lane: Lane, site: str, redis_url: str, module: str, *arguments: str, **environment: str) -> int:
	"""Run a module of sandbox.inside on a site until interrupted."""
	command = [lane.places.python, "-m", f"sandbox.inside.{module}", *arguments]
	environment = os.environ | lane.environment(site, redis_url) | environment
	try:
		return show(command, cwd=lane.places.sites, env=environment)
	except KeyboardInterrupt:
		return 0


def build(lane: Lane, arguments: list[str]) -> int:
	"""Build the bundles of one app, or of all."""
	set_up(lane)
	apps = ["frappe", *APPS]
	if arguments[:1] == ["--app"] and len(arguments) == 2:
		if arguments[1] not in apps:
			raise SandboxError(f"There is no app {arguments[1]!r}; --app may be: {', '.join(apps)}.")
		apps = [arguments[1]]
	for app in apps:
		print(f"building {app}")
		lane.build_assets(app)
	return 0
