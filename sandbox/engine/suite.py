"""make test: every part of the suite in one lane or in all, one table, one closing line."""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from sandbox.engine import bench, demo
from sandbox.engine.checks import find_browser, free_port
from sandbox.engine.errors import SandboxError, last_line
from sandbox.engine.places import CHECKOUT
from sandbox.engine.processes import start, stop
from sandbox.engine.setup import alone, chain, say, set_up, set_up_all
from sandbox.lanes.base import Lane

BROWSER_TESTS = CHECKOUT / "loyalty_app" / "tests" / "browser"
CLIENT_TESTS = CHECKOUT / "loyalty_app" / "tests" / "clients"


@dataclass
class Part:
	"""What came of one part of the suite."""

	title: str
	# set when several lanes are tested and the part is of this one
	lane: str = ""
	passed: int = 0
	failed: list[tuple[str, str]] = field(default_factory=list)
	skipped: list[tuple[str, str]] = field(default_factory=list)
	seconds: float = 0
	# set when the part ended without saying what it ran
	broken: str = ""

	@property
	def label(self) -> str:
		return f"{self.lane} {self.title}".strip()

	def bad(self, skips_allowed: bool) -> bool:
		"""Return whether the whole run must fail because of this part."""
		ran = self.passed + len(self.failed) + len(self.skipped)
		return bool(self.failed or self.broken or not ran or (self.skipped and not skips_allowed))


def run_all(lanes: list[Lane]) -> int:
	"""Set up, run every part, print the table; return 1 when something failed or should have run and did not.

	What does not depend on the lane runs in the first one only.
	"""
	set_up_all(lanes)
	waiting = [(lane, title) for title in PARTS for lane in (lanes[:1] if title in ONCE else lanes)]
	at_once = max(1, min(2, os.cpu_count() or 1))
	say(f"\nRunning {len(waiting)} parts, {at_once} at a time; what a part says is shown when it is done\n")
	running, done = [], []
	with contextlib.ExitStack() as stack:
		folder = stack.enter_context(tempfile.TemporaryDirectory())
		for lane in lanes:
			# up from the first part to the last
			stack.enter_context(lane.database())
		try:
			while waiting or running:
				while waiting and len(running) < at_once:
					lane, title = waiting.pop(0)
					tag = "" if len(lanes) == 1 or title in ONCE else lane.name
					running.append(Running(lane, Part(title, tag), Path(folder)))
				time.sleep(0.1)
				for part in [p for p in running if p.process.poll() is not None]:
					running.remove(part)
					done.append(part.result())
		finally:
			stop(*(part.process for part in running))
	names = ["", *(lane.name for lane in lanes)]
	done.sort(key=lambda p: (p.title not in ONCE, names.index(p.lane), ORDER.index(p.title)))
	return conclude(done, skips_allowed=not must_run_all())


def must_run_all() -> bool:
	"""Return whether a skipped test counts as a failure: in CI, or with REQUIRE_ALL=1."""
	return any(os.environ.get(name, "").lower() in ("1", "true", "yes") for name in ("CI", "REQUIRE_ALL"))


class Running:
	"""A part that runs in a process of its own."""

	def __init__(self, lane: Lane, part: Part, folder: Path):
		self.part = part
		self.report = folder / f"{part.label}.report"
		self.output = folder / f"{part.label}.output"
		self.started = time.monotonic()
		say(f"started: {part.label}\n")
		with self.output.open("w") as log:
			command = [sys.executable, "-m", "sandbox", "part", part.title, self.report]
			self.process = start(command, log, cwd=CHECKOUT, env=os.environ | {"LANE": lane.name})

	def result(self) -> Part:
		"""Show what the part said and return what its report says."""
		part = self.part
		part.seconds = time.monotonic() - self.started
		if self.report.exists():
			read = PARTS[part.title][1]
			read(self.report, part)
		text = self.output.read_text(errors="replace")
		if self.process.returncode and not part.failed:
			part.broken = f"ended with exit code {self.process.returncode}: {last_line(text)}"
		say(f"\n=== {part.label} ({part.seconds:.0f} s)\n{text.strip()}\n\n")
		return part


def act_part(lane: Lane, title: str, report: str) -> int:
	"""Do the work of one part in this process; it writes its report to a file."""
	act = PARTS[title][0]
	return act(lane, Path(report))


def conclude(parts: list[Part], skips_allowed: bool) -> int:
	"""Print what failed and what was skipped, the table and the closing line; return the exit code."""
	for part in parts:
		for test, why in part.failed:
			say(f"\nFAILED {part.label}: {test}\n{_indented(why)}\n")
	for part in parts:
		for test, why in part.skipped:
			say(f"SKIPPED {part.label}: {test}: {why}\n")
	say(f"\n{'part':34}{'passed':>8}{'failed':>8}{'skipped':>9}{'seconds':>9}\n")
	for part in parts:
		numbers = f"{part.passed:>8}{len(part.failed):>8}{len(part.skipped):>9}{part.seconds:>9.1f}"
		note = part.broken or ("" if part.passed or part.failed or part.skipped else "no test ran")
		say(f"{part.label:34}{numbers}{'  ' + note if note else ''}\n")
	skipped = sum(len(p.skipped) for p in parts)
	if skipped and not skips_allowed:
		say("Skipped tests count as failures here (CI or REQUIRE_ALL).\n")
	# a part that broke off counts as one failure, so that the closing line cannot look clean
	failed = sum(len(p.failed) or (1 if p.bad(True) else 0) for p in parts)
	say(f"\n{sum(p.passed for p in parts)} passed, {failed} failed, {skipped} skipped\n")
	return 1 if any(p.bad(skips_allowed) for p in parts) else 0


def _indented(text: str) -> str:
	return "\n".join("    " + line for line in text.strip().splitlines()[-30:])


# --- the parts


def rules(lane: Lane, report: Path) -> int:
	"""Run the tests of the rules: no site, no Frappe."""
	return pytest(lane, report, CHECKOUT / "loyalty_app" / "rules")


def site(lane: Lane, app: str, report: Path) -> int:
	"""Run an app's tests with Frappe's runner on a fresh site, but for those of the rules: they have a part of their own."""
	with bench.fresh_site(lane) as (name, url):
		return bench.call(
			lane, name, url, "runner", "--app", app, "--without", f"{app}.rules", "--report", str(report)
		)


def browser(lane: Lane, report: Path) -> int:
	"""Run the browser tests against a served fresh site."""
	executable = find_browser()
	reason = ""
	if lane.generation < 16:
		reason = f"the desk of the lane {lane.name} is older than every release of Frappe 15"
	elif not executable:
		reason = "Chromium is not installed on this machine"
	if reason:
		return pytest(lane, report, BROWSER_TESTS, "-p", "sandbox.inside.skip_all", SANDBOX_SKIP=reason)
	return served(lane, report, BROWSER_TESTS, LOYALTY_BROWSER=executable)


def clients(lane: Lane, report: Path) -> int:
	"""Run the tests that talk to a site as integrators do, against a served fresh site."""
	return served(lane, report, CLIENT_TESTS)


def fuzz(lane: Lane) -> int:
	"""Make calls that nobody should make, LOYALTY_FUZZ_CALLS of them, and print what came of them."""
	set_up(lane)
	calls = os.environ.get("LOYALTY_FUZZ_CALLS") or "10000"
	with tempfile.TemporaryDirectory() as folder:
		report = Path(folder) / "fuzz.xml"
		return served(lane, report, CLIENT_TESTS / "fuzz_test.py", "-s", LOYALTY_FUZZ_CALLS=calls)


def served(lane: Lane, report: Path, folder: Path, *arguments: str, **environment: str) -> int:
	"""Run pytest over a folder, with a fresh site that is served at LOYALTY_URL."""
	with bench.fresh_site(lane) as (name, url):
		port = free_port()
		with demo.processes(lane, name, url, port):
			address = f"http://127.0.0.1:{port}"
			return pytest(
				lane,
				report,
				folder,
				*arguments,
				LOYALTY_URL=address,
				LOYALTY_NODE_MODULES=str(lane.places.front / "node_modules"),
				**environment,
				**lane.environment(name, url),
			)


def pytest(lane: Lane, report: Path, folder: Path, *arguments: str, **environment: str) -> int:
	"""Run pytest over a folder in the sandbox's environment."""
	if not folder.exists():
		raise SandboxError(f"there is no {folder.relative_to(CHECKOUT)}")
	return subprocess.call(
		[
			*(str(lane.places.python), "-m", "pytest", "-q", "-p", "no:cacheprovider"),
			*(f"--junitxml={report}", "-o", "junit_family=xunit1", *arguments, str(folder)),
		],
		cwd=CHECKOUT,
		env=os.environ | {"PYTHONPATH": str(CHECKOUT)} | environment,
	)


def sandbox(lane: Lane, report: Path) -> int:
	"""Run the tests of the sandbox itself that do not depend on the lane."""
	return pytest(lane, report, CHECKOUT / "sandbox" / "tests" / "machinery")


def engine(lane: Lane, report: Path) -> int:
	"""Run the tests of the lane: its engine and its database."""
	return pytest(lane, report, CHECKOUT / "sandbox" / "tests" / "engine")


def test_rules(lane: Lane) -> int:
	"""Run the tests of the rules alone; needs the Python packages, not a site."""
	return _tool(
		lane, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(CHECKOUT / "loyalty_app" / "rules")
	)


def lint(lane: Lane) -> int:
	"""Run ruff over everything."""
	check = _tool(lane, "-m", "ruff", "check", str(CHECKOUT))
	layout = _tool(lane, "-m", "ruff", "format", "--check", str(CHECKOUT))
	return check or layout


def _tool(lane: Lane, *arguments: str) -> int:
	lane.places.make()
	steps = chain(lane)
	steps.steps = steps.steps[:1]
	with alone(lane):
		steps.run()
	return subprocess.call(
		[str(lane.places.python), *arguments], cwd=CHECKOUT, env=os.environ | {"PYTHONPATH": str(CHECKOUT)}
	)


# --- reading what they report


def junit(report: Path, part: Part) -> None:
	"""Read pytest's XML."""
	for case in ElementTree.parse(report).getroot().iter("testcase"):
		name = f"{case.get('classname')}::{case.get('name')}"
		problem = case.find("failure") if case.find("failure") is not None else case.find("error")
		skip = case.find("skipped")
		if problem is not None:
			part.failed.append((name, problem.text or problem.get("message") or ""))
		elif skip is not None:
			part.skipped.append((name, skip.get("message") or ""))
		else:
			part.passed += 1


def counts(report: Path, part: Part) -> None:
	"""Read the JSON of sandbox.inside.runner."""
	found = json.loads(report.read_text())
	part.passed = found["passed"]
	part.failed = [tuple(x) for x in found["failed"]]
	part.skipped = [tuple(x) for x in found["skipped"]]


# what each part does and how its report is read; the longest first
PARTS: dict[str, tuple[Callable[[Lane, Path], int], Callable[[Path, Part], None]]] = {
	"browser": (browser, junit),
	"site: loyalty_app": (lambda lane, report: site(lane, "loyalty_app", report), counts),
	"site: erpnext stand-in": (lambda lane, report: site(lane, "erpnext", report), counts),
	"clients": (clients, junit),
	"demo data": (lambda lane, report: pytest(lane, report, CHECKOUT / "sandbox" / "demo"), junit),
	"engine": (engine, junit),
	"sandbox": (sandbox, junit),
	"rules": (rules, junit),
}
# as the table shows them
ORDER = [
	"rules",
	"sandbox",
	"site: loyalty_app",
	"site: erpnext stand-in",
	"browser",
	"clients",
	"demo data",
	"engine",
]
# The parts that run in the first lane only: what is the same in every lane, and the desk, whose 15-era engine is older
# than every release of 15 and shows faults of its own.
ONCE = ("rules", "sandbox", "browser")
