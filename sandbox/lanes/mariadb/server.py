"""The lane's own MariaDB: Debian's programs with a data directory, a port and a password of their own.

Nothing of a MariaDB that the system runs is read or touched. It listens on 127.0.0.1 only, and only to who knows the
password, which is made with the data directory.
"""

import contextlib
import fcntl
import os
import secrets
import shutil
import signal
import struct
import subprocess
import time
from collections.abc import Iterator

from sandbox.engine import servers
from sandbox.engine.checks import free_port, port_free
from sandbox.engine.errors import SandboxError, last_line
from sandbox.engine.places import Places
from sandbox.engine.processes import run, start
from sandbox.engine.steps import write_whole

# /usr/sbin is not on everybody's path
PATH = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/usr/local/sbin"])
PROGRAMS = ("mariadbd", "mariadb-install-db", "mariadb", "mariadb-dump")
HOST = "127.0.0.1"
START_SECONDS = 60
STOP_SECONDS = 60
# struct flock of fcntl(2) on Linux: type, whence, start, length, process
FLOCK = "hhqqi"

OPTIONS = {
	# as Frappe asks for it
	"character-set-server": "utf8mb4",
	"collation-server": "utf8mb4_unicode_ci",
	"character-set-client-handshake": "0",
	# commits reach the system, so that they outlive the server, but not the disk at once
	"innodb-flush-log-at-trx-commit": "2",
	"innodb-doublewrite": "0",
	"innodb-buffer-pool-size": "256M",
	"innodb-log-file-size": "128M",
	# a site has 300 tables, and every run a site
	"table-definition-cache": "4000",
	"table-open-cache": "4000",
	"max-connections": "200",
	"max-allowed-packet": "64M",
}


def program(name: str) -> str:
	"""Return the path of one of MariaDB's programs; raise when MariaDB is not installed."""
	path = shutil.which(name, path=PATH)
	if not path:
		raise SandboxError(
			f"MariaDB is missing ({name}): install it (on Debian and Ubuntu the package mariadb-server); "
			"it need not run, and the lane sqlite does without."
		)
	return path


def check() -> None:
	"""MariaDB is installed."""
	for name in PROGRAMS:
		program(name)


class Server:
	"""The server of one sandbox. `running()` keeps it up, `sql()` asks it."""

	def __init__(self, places: Places):
		self.places = places
		self.folder = places.home / "database"
		self.data = self.folder / "data"
		# not /tmp: a server that starts deletes the temporary tables it finds, another server's too
		self.temporary = self.folder / "tmp"
		self.log = places.logs / "mariadb.log"
		# there while the server is up or coming up, gone before it is told to stop
		self.port_file = places.run / "mariadb.port"

	def initialise(self) -> None:
		"""Make the data directory, complete or not at all; the one before must not be in use."""
		part = self.folder.with_name(f"{self.folder.name}.part")
		shutil.rmtree(part, ignore_errors=True)
		part.mkdir(mode=0o700)
		(part / self.temporary.name).mkdir()
		password = secrets.token_hex(16)
		write_whole(part / "client.cnf", f"[client]\nhost={HOST}\nuser=root\npassword={password}\n")
		write_whole(
			part / "init.sql",
			f"CREATE OR REPLACE USER root@{HOST} IDENTIFIED BY '{password}';\n"
			f"GRANT ALL ON *.* TO root@{HOST} WITH GRANT OPTION;\n",
		)
		run(
			[
				*(program("mariadb-install-db"), "--no-defaults", "--skip-test-db", *self._user()),
				# relative: a shell script, which a space in a path confuses
				f"--datadir=./{self.data.name}",
			],
			"making MariaDB's data directory",
			self.places.logs / "mariadb-install.log",
			cwd=part,
			env={"TMPDIR": str(part / self.temporary.name)},
		)
		shutil.rmtree(self.folder, ignore_errors=True)
		part.rename(self.folder)

	@contextlib.contextmanager
	def running(self) -> Iterator[None]:
		"""Keep the server up; whoever leaves last stops it."""
		with servers.shared(self.places, "mariadb", self._up, self._down):
			yield

	@property
	def port(self) -> int:
		"""Return the port of the running server."""
		return int(self.port_file.read_text())

	def sql(self, *statements: str) -> list[list[str]]:
		"""Run statements on one connection and return the rows they gave, values as text."""
		answer = self._ask("\n".join(f"{s};" for s in statements))
		if answer.returncode:
			raise SandboxError(f"MariaDB refused: {last_line(answer.stderr)}")
		return [line.split("\t") for line in answer.stdout.splitlines()]

	def answers(self) -> bool:
		"""Return whether this server, and not another one on its port, answers."""
		return bool(self.port_file.exists() and self.holder() and self._ask("SELECT 1;").returncode == 0)

	def copy(self, source: str, target: str) -> None:
		"""Copy everything in a database nobody writes to into an empty one."""
		options = ("--single-transaction", "--skip-comments", "--skip-add-drop-table")
		with subprocess.Popen(
			[*self._client("mariadb-dump"), *options, source],
			stdout=subprocess.PIPE,
			stderr=subprocess.PIPE,
			text=True,
		) as dump:
			read = subprocess.run(
				[*self._client("mariadb"), target],
				stdin=dump.stdout,
				stdout=subprocess.DEVNULL,
				stderr=subprocess.PIPE,
				text=True,
			)
			# what failed first ended the other one
			dump.stdout.close()
			said = dump.stderr.read() + read.stderr
		if dump.returncode or read.returncode:
			raise SandboxError(f"MariaDB could not copy a database: {last_line(said)}")

	def _ask(self, text: str) -> subprocess.CompletedProcess:
		return subprocess.run(
			[*self._client("mariadb"), "--connect-timeout=10", "--batch", "--skip-column-names", "--raw"],
			input=text,
			capture_output=True,
			text=True,
		)

	def _client(self, name: str) -> list[str]:
		return [
			*(program(name), f"--defaults-file={self.folder / 'client.cnf'}", "--protocol=tcp"),
			*(f"--port={self.port}", "--default-character-set=utf8mb4"),
		]

	def _up(self) -> None:
		if self.answers():
			return
		if self.holder():
			# one that a killed command left behind while it came up or went down
			deadline = time.monotonic() + START_SECONDS
			while time.monotonic() < deadline and self.holder():
				if self.answers():
					return
				time.sleep(0.1)
			self._kill()
		for attempt in range(3):
			try:
				self._start()
				return
			except SandboxError:
				# somebody else may have taken the port between asking for it and starting
				if attempt == 2 or port_free(self.port):
					raise

	def _start(self) -> None:
		port = int(self.port_file.read_text()) if self.port_file.exists() else free_port()
		port = port if port_free(port) else free_port()
		write_whole(self.port_file, str(port))
		self.temporary.mkdir(exist_ok=True)
		with self.log.open("w") as log:
			process = start(
				[
					*(program("mariadbd"), "--no-defaults", *self._user()),
					*(f"--{name}={value}" for name, value in OPTIONS.items()),
					*(f"--datadir={self.data}", f"--tmpdir={self.temporary}"),
					f"--init-file={self.folder / 'init.sql'}",
					*(f"--bind-address={HOST}", f"--port={port}", "--socket=", "--skip-name-resolve"),
				],
				log,
				outlive=True,
			)
		deadline = time.monotonic() + START_SECONDS
		while time.monotonic() < deadline and process.poll() is None:
			if not port_free(port) and self.answers():
				return
			time.sleep(0.05)
		self._kill()
		raise SandboxError(f"MariaDB did not start: {self._last_error()} (full output in {self.log}).")

	def _down(self) -> None:
		if not self.answers():
			return
		client = self._client("mariadb")
		self.port_file.unlink()
		subprocess.run(
			[*client, "--execute=SHUTDOWN"],
			capture_output=True,
		)
		deadline = time.monotonic() + STOP_SECONDS
		while time.monotonic() < deadline and self.holder():
			time.sleep(0.02)
		self._kill()

	def holder(self) -> int | None:
		"""Return the process that has the data directory open, None when none has.

		MariaDB locks this file, and the system unlocks it, however the server ends; a file with a process id in it
		may be of yesterday and name somebody else's process by now.
		"""
		try:
			with (self.data / "ibdata1").open("r+b") as file:
				asked = struct.pack(FLOCK, fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
				kind, *_, pid = struct.unpack(FLOCK, fcntl.fcntl(file, fcntl.F_GETLK, asked))
		except FileNotFoundError:
			return None
		return None if kind == fcntl.F_UNLCK else pid

	def _kill(self) -> None:
		while (pid := self.holder()) and pid > 0:
			with contextlib.suppress(ProcessLookupError):
				os.kill(pid, signal.SIGKILL)
			time.sleep(0.05)

	def _last_error(self) -> str:
		lines = self.log.read_text(errors="replace").splitlines()
		return last_line("\n".join([line for line in lines if "[ERROR]" in line][:1] or lines))

	@staticmethod
	def _user() -> list[str]:
		# it refuses to run as root unless told so
		return ["--user=root"] if os.geteuid() == 0 else []
