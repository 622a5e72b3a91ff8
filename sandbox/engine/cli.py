"""The commands behind the Makefile: python3 -m sandbox COMMAND"""

import argparse
import shutil
import sys

from sandbox.engine.errors import SandboxError, cause_of
from sandbox.engine.processes import raise_on_signals


def main(arguments: list[str] | None = None) -> int:
	"""Run a command; return its exit code. Known failures become one sentence."""
	arguments = sys.argv[1:] if arguments is None else arguments
	raise_on_signals()
	try:
		if arguments[:1] == ["bench"]:
			from sandbox.engine import bench

			return bench.main(arguments[1:])
		return _parse(arguments)
	except SandboxError as e:
		sys.stderr.write(f"\n{e}\n")
		return 2
	except OSError as e:
		if not cause_of(str(e)):
			raise
		sys.stderr.write(f"\nThe sandbox could not go on: {cause_of(str(e))} ({e.filename or e.strerror}).\n")
		return 2
	except KeyboardInterrupt:
		sys.stderr.write("\nInterrupted; the next run goes on from here.\n")
		return 130


def _parse(arguments: list[str]) -> int:
	parser = argparse.ArgumentParser(
		prog="python3 -m sandbox", description="A Frappe site from the registries alone."
	)
	commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
	commands.add_parser("setup", help="set up everything, up to a site with the apps installed")
	commands.add_parser("demo", help="set up, make the demo site and serve it")
	commands.add_parser("demo-reset", help="throw the demo site away and make it afresh")
	commands.add_parser("test", help="run every test")
	commands.add_parser("test-rules", help="run the tests of loyalty_app/rules, without a site")
	commands.add_parser("fuzz", help="make 10,000 calls that nobody should make")
	commands.add_parser("lint", help="run ruff")
	commands.add_parser("screenshots", help="take the docs' pictures")
	commands.add_parser("clean", help="delete the sandbox")
	commands.add_parser("bench", help="bench-like commands, see sandbox/bench --help")
	part = commands.add_parser("part", help="run one part of the suite (used by test)")
	part.add_argument("title")
	part.add_argument("report")
	options = parser.parse_args(arguments)
	command = options.command

	from sandbox import lanes

	if command == "setup":
		from sandbox.engine.setup import set_up_all

		set_up_all(lanes.selected())
		return 0
	if command == "test":
		from sandbox.engine import suite

		return suite.run_all(lanes.selected())
	if command == "clean":
		for lane in lanes.selected():
			shutil.rmtree(lane.places.home, ignore_errors=True)
		return 0

	lane = lanes.current()
	if command in ("demo", "demo-reset"):
		from sandbox.engine import demo

		return demo.reset(lane) if command == "demo-reset" else demo.serve(lane)
	if command == "screenshots":
		from sandbox.engine import pictures

		return pictures.take(lane)
	if command == "part":
		from sandbox.engine import suite

		return suite.act_part(lane, options.title, options.report)
	if command in ("test-rules", "fuzz", "lint"):
		from sandbox.engine import suite

		return getattr(suite, command.replace("-", "_"))(lane)
	return 0
