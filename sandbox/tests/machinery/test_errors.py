"""What goes wrong outside becomes one sentence and an exit code, never a traceback."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from sandbox.engine import checks, demo
from sandbox.engine.errors import SandboxError, cause_of
from sandbox.engine.places import CHECKOUT
from sandbox.engine.processes import run
from sandbox.engine.suite import Part, conclude, must_run_all


def command(*arguments, **environment):
	"""Run `python3 -m sandbox` with some of the environment replaced; return (exit code, what it said)."""
	result = subprocess.run(
		[sys.executable, "-m", "sandbox", *arguments],
		cwd=CHECKOUT,
		env=os.environ | environment,
		capture_output=True,
		text=True,
		timeout=120,
	)
	assert "Traceback" not in result.stderr, result.stderr
	return result.returncode, result.stdout + result.stderr


def folder_with(tmp_path, **programs):
	"""Return a folder for PATH with these shell scripts in it."""
	for name, script in programs.items():
		path = tmp_path / name
		path.write_text(f"#!/bin/sh\n{script}\n")
		path.chmod(0o755)
	return str(tmp_path)


def test_node_missing(tmp_path):
	code, said = command("setup", PATH=folder_with(tmp_path), SANDBOX_DIR=str(tmp_path / "s"))
	assert code and "Node.js is missing" in said


def test_node_too_old(tmp_path):
	path = folder_with(tmp_path, node="echo v16.20.0", npm="true")
	code, said = command("setup", PATH=path, SANDBOX_DIR=str(tmp_path / "s"))
	assert code and "Node.js 18 or newer is needed to build the desk, this is v16.20.0" in said


def test_npm_missing(tmp_path):
	code, said = command(
		"setup", PATH=folder_with(tmp_path, node="echo v20.0.0"), SANDBOX_DIR=str(tmp_path / "s")
	)
	assert code and "npm is missing" in said


def test_python_too_old(monkeypatch):
	monkeypatch.setattr(sys, "version_info", (3, 9, 2))
	with pytest.raises(SandboxError, match=r"Python 3\.11 or newer is needed, this is Python 3\.9\.2"):
		checks.python()


def test_disk_full(tmp_path):
	with pytest.raises(SandboxError, match="not enough disk space"):
		checks.disk(tmp_path, needed_mb=10**9)


def test_port_taken(lane, tmp_path):
	with socket.socket() as taken:
		taken.bind(("127.0.0.1", 0))
		taken.listen()
		port = taken.getsockname()[1]
		assert not checks.port_free(port)
		code, said = command("demo", SANDBOX_PORT=str(port), SANDBOX_DIR=str(tmp_path))
	assert code and f"Port {port} is in use by another program" in said


def test_port_that_is_no_port(monkeypatch):
	monkeypatch.setenv("SANDBOX_PORT", "desk")
	with pytest.raises(SandboxError, match="must be a port number, not 'desk'"):
		demo.port()


def test_unknown_lane(tmp_path):
	code, said = command("setup", LANE="oracle", SANDBOX_DIR=str(tmp_path))
	assert code and "There is no lane 'oracle'" in said


def test_all_lanes_at_once_only_where_it_makes_sense(tmp_path):
	code, said = command("demo", LANE="all", SANDBOX_DIR=str(tmp_path))
	assert code and "LANE=all is for tests" in said
	(tmp_path / "sqlite").mkdir()
	(tmp_path / "mariadb").mkdir()
	assert command("clean", LANE="all", SANDBOX_DIR=str(tmp_path))[0] == 0
	assert list(tmp_path.iterdir()) == []


def test_a_lane_that_cannot_be_set_up_beside_others(tmp_path):
	path = folder_with(tmp_path, node="echo v16.20.0", npm="true")
	code, said = command("test", LANE="all", PATH=path, SANDBOX_DIR=str(tmp_path / "s"))
	assert code and "The lane sqlite could not be set up: Node.js 18 or newer is needed" in said


@pytest.mark.parametrize(
	"output, meaning",
	[
		("ERROR: No matching distribution found for monoframe==0.0.1", "does not have monoframe==0.0.1"),
		("npm error notarget No matching version found for esbuild@9.9.9.\n", "does not have esbuild@9.9.9"),
		(
			"NewConnectionError('<pip…>: Failed to establish a new connection')\nNo matching distribution",
			"be reached",
		),
		("npm error code ENOTFOUND\nnpm error network request to https://… failed", "cannot be reached"),
		("OSError: [Errno 28] No space left on device", "no disk space"),
		("npm error code ENOSPC", "no disk space"),
		("EACCES: permission denied, mkdir", "permission denied"),
	],
)
def test_causes(output, meaning):
	assert meaning in cause_of(output)


def test_a_failed_command_is_one_sentence(tmp_path):
	log = tmp_path / "log"
	with pytest.raises(SandboxError) as e:
		run(["sh", "-c", "echo No space left on device; exit 3"], "doing it", log)
	assert str(e.value) == f"Doing it failed: there is no disk space left (full output in {log})."
	with pytest.raises(SandboxError, match="no-such-program is missing: it is needed for doing it"):
		run(["no-such-program"], "doing it", log)


def test_registry_not_reachable(tmp_path):
	"""Nothing answers at the index's address."""
	code, said = command(
		"test-rules",
		PIP_CONFIG_FILE=os.devnull,
		PIP_INDEX_URL="http://127.0.0.1:9/simple",
		PIP_FIND_LINKS="",
		PIP_EXTRA_INDEX_URL="",
		SANDBOX_DIR=str(tmp_path),
	)
	assert code and "Installing the Python packages failed: the package registry cannot be reached" in said


def test_a_pin_is_not_there(tmp_path):
	"""The index has nothing of what is pinned."""
	(tmp_path / "index").mkdir()
	code, said = command(
		"test-rules",
		PIP_CONFIG_FILE=os.devnull,
		PIP_INDEX_URL=(tmp_path / "index").as_uri(),
		PIP_FIND_LINKS="",
		PIP_EXTRA_INDEX_URL="",
		SANDBOX_DIR=str(tmp_path / "s"),
	)
	assert code and "the package registry does not have" in said and "a version this project pins" in said


def test_skips_fail_where_nothing_may_be_skipped(capsys, monkeypatch):
	good, skips = Part("good", passed=2), Part("skips", passed=1, skipped=[("t", "no browser")])
	assert conclude([good, skips], skips_allowed=True) == 0
	assert capsys.readouterr().out.splitlines()[-1] == "3 passed, 0 failed, 1 skipped"
	assert conclude([good, skips], skips_allowed=False) == 1
	monkeypatch.setenv("CI", "true")
	assert must_run_all()


@pytest.mark.parametrize(
	"generation, browser, reason",
	[
		(16, None, "Chromium is not installed on this machine"),
		(15, "/usr/bin/chromium", "the desk of the lane {} is older than every release of Frappe 15"),
	],
)
def test_browser_tests_that_cannot_run_are_listed_as_skipped(
	lane, tmp_path, monkeypatch, generation, browser, reason
):
	from sandbox.engine import suite

	tests = CHECKOUT / "sandbox" / "tests" / "machinery" / "samples"
	monkeypatch.setattr(lane, "generation", generation)
	monkeypatch.setattr(suite, "find_browser", lambda: browser)
	monkeypatch.setattr(suite, "BROWSER_TESTS", tests)
	part = Part("browser")
	suite.browser(lane, tmp_path / "report")
	suite.junit(tmp_path / "report", part)
	assert part.passed == 0 and not part.failed
	assert part.skipped == [
		("sandbox.tests.machinery.samples.test_sample::test_a_page", reason.format(lane.name))
	]


def test_parts_of_several_lanes_make_one_table_and_one_closing_line(capsys):
	parts = [
		Part("rules", passed=5),
		Part("site", "sqlite", passed=3),
		Part("site", "mariadb", passed=2, failed=[("t", "why")]),
	]
	assert conclude(parts, skips_allowed=False) == 1
	said = capsys.readouterr().out
	assert "FAILED mariadb site: t" in said
	table = [line.split()[:3] for line in said.splitlines() if " 0.0" in line]
	assert table == [["rules", "5", "0"], ["sqlite", "site", "3"], ["mariadb", "site", "2"]]
	assert said.splitlines()[-1] == "10 passed, 1 failed, 0 skipped"
	assert said.count(" passed, ") == 1


def test_a_part_that_ran_nothing_or_broke_off_fails(capsys):
	assert conclude([Part("empty")], skips_allowed=True) == 1
	assert capsys.readouterr().out.splitlines()[-1] == "0 passed, 1 failed, 0 skipped"
	assert conclude([Part("broken", passed=3, broken="ended")], skips_allowed=True) == 1
	assert capsys.readouterr().out.splitlines()[-1] == "3 passed, 1 failed, 0 skipped"


def test_the_app_does_not_know_the_sandbox():
	"""Deleting sandbox/ must leave a stock Frappe app."""
	for path in Path(CHECKOUT, "loyalty_app").rglob("*.py"):
		text = path.read_text()
		assert "import sandbox" not in text and "from sandbox" not in text, path


def test_nothing_is_left_when_the_starter_is_killed(tmp_path):
	"""Not even what a program started in turn."""
	import signal
	import time

	beat = tmp_path / "beat"
	code = f"""
import sys, time
from pathlib import Path
from sandbox.engine.processes import run
print("up", flush=True)
run(["sh", "-c", "(while true; do date >> {beat}; sleep 0.1; done) & wait"], "it", Path("{tmp_path}/log"))
"""
	starter = subprocess.Popen([sys.executable, "-c", code], cwd=CHECKOUT, stdout=subprocess.PIPE)
	starter.stdout.readline()
	for _ in range(100):
		if beat.exists():
			break
		time.sleep(0.1)
	assert beat.exists()
	starter.send_signal(signal.SIGKILL)
	starter.wait()
	time.sleep(1.5)
	lines = beat.read_text()
	time.sleep(0.5)
	assert beat.read_text() == lines
