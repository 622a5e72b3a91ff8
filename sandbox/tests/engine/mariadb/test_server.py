"""The lane's own server: shared, stopped by the last one, and recovered from whatever was killed."""

import os
import signal
import socket
import subprocess
import sys
import time

import pytest

from sandbox.engine.errors import SandboxError
from sandbox.engine.places import CHECKOUT
from sandbox.lanes.mariadb import server as module

USER = """
import sys
from pathlib import Path
from sandbox.engine.places import Places
from sandbox.lanes.mariadb.server import Server
with Server(Places(Path(sys.argv[1]))).running():
	print("up", flush=True)
	sys.stdin.readline()
"""


@pytest.fixture
def another(server):
	"""Start another command that uses the server."""
	started = []

	def start() -> subprocess.Popen:
		process = subprocess.Popen(
			[sys.executable, "-c", USER, str(server.places.home)],
			cwd=CHECKOUT,
			stdin=subprocess.PIPE,
			stdout=subprocess.PIPE,
			text=True,
		)
		started.append(process)
		assert process.stdout.readline() == "up\n"
		return process

	yield start
	for process in started:
		process.kill()
		process.communicate()
	with server.running():
		pass


def test_up_while_it_is_used(server):
	with server.running():
		assert server.answers()
		first = server.holder()
		with server.running():
			assert server.holder() == first
		assert server.answers()
	assert not server.answers()


def test_nobody_without_the_password_is_let_in(server):
	with server.running():
		for user in ("root", ""):
			answer = subprocess.run(
				[
					*("mariadb", "--no-defaults", "--host=127.0.0.1", f"--port={server.port}"),
					*(f"--user={user}", "--execute=SELECT 1"),
				],
				capture_output=True,
				text=True,
			)
			assert answer.returncode and "Access denied" in answer.stderr
	assert server.folder.stat().st_mode & 0o077 == 0


def test_it_is_what_frappe_asks_for(server):
	with server.running():
		asked = "SELECT @@character_set_server, @@collation_server, @@tx_isolation, @@autocommit"
		assert server.sql(asked) == [["utf8mb4", "utf8mb4_unicode_ci", "REPEATABLE-READ", "1"]]


def test_whoever_leaves_last_stops_it(server, another):
	other = another()
	with server.running():
		first = server.holder()
		other.communicate("leave\n")
		assert server.holder() == first
	assert server.holder() is None


def test_a_user_that_is_killed_does_not_count(server, another):
	killed = another()
	left = server.holder()
	killed.kill()
	killed.wait()
	assert server.answers()
	with server.running():
		assert server.holder() == left
	assert server.holder() is None


def test_a_server_that_is_killed_is_started_again_and_has_what_was_committed(server):
	with server.running():
		server.sql("CREATE DATABASE kept", "CREATE TABLE kept.t (n INT)", "INSERT INTO kept.t VALUES (7)")
		os.kill(server.holder(), signal.SIGKILL)
		while server.holder():
			time.sleep(0.01)
		assert not server.answers()
		with server.running():
			assert server.sql("SELECT n FROM kept.t") == [["7"]]
			server.sql("DROP DATABASE kept")


def test_a_stop_that_was_broken_off(server, another):
	"""The command was killed between taking the port's file away and the end of the server."""
	killed = another()
	port = server.port
	server.port_file.unlink()
	killed.kill()
	killed.wait()
	module.START_SECONDS, before = 1, module.START_SECONDS
	try:
		with server.running():
			assert server.answers()
	finally:
		module.START_SECONDS = before
	with socket.socket() as s:
		assert s.connect_ex(("127.0.0.1", port))


def test_its_port_was_taken_meanwhile(server):
	with server.running():
		port = server.port
	with socket.socket() as taken:
		taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
		taken.bind(("127.0.0.1", port))
		taken.listen()
		server.port_file.write_text(str(port))
		with server.running():
			assert server.port != port and server.answers()


def test_another_server_on_its_port_is_not_its_own(server, tmp_path):
	from sandbox.engine.places import Places

	places = Places(tmp_path)
	places.make()
	stranger = module.Server(places)
	stranger.initialise()
	with server.running():
		stranger.port_file.write_text(str(server.port))
		assert not stranger.answers()
		with stranger.running():
			assert stranger.port != server.port
			assert stranger.holder() != server.holder()


def test_a_data_directory_that_is_broken_is_one_sentence(server, tmp_path):
	from sandbox.engine.places import Places

	places = Places(tmp_path)
	places.make()
	broken = module.Server(places)
	broken.initialise()
	(broken.data / "ibdata1").write_bytes(b"no data")
	with pytest.raises(SandboxError, match=r"MariaDB did not start: .*\[ERROR\].*\(full output in"):
		with broken.running():
			pass


def test_missing_programs_are_one_sentence(monkeypatch, tmp_path):
	monkeypatch.setattr(module, "PATH", str(tmp_path))
	with pytest.raises(SandboxError, match=r"MariaDB is missing \(mariadbd\): install it .* mariadb-server"):
		module.check()


def test_a_statement_that_is_refused_is_one_sentence(server):
	with server.running(), pytest.raises(SandboxError, match=r"MariaDB refused: ERROR 1064"):
		server.sql("SELEC 1")
