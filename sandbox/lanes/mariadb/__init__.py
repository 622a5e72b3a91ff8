"""Frappe 15-era engine on MariaDB: row locks, decimals and a server, which has to be installed."""

import contextlib
import json
import re
import secrets
import shutil
from pathlib import Path

from sandbox.engine.places import CHECKOUT
from sandbox.engine.steps import Step, write_whole
from sandbox.lanes.base import CONFIG
from sandbox.lanes.fork import ForkLane
from sandbox.lanes.mariadb import databases, server


class MariaDBLane(ForkLane):
	name = "mariadb"
	title = "Frappe 15-era on MariaDB"
	generation = 15
	requirements = CHECKOUT / "sandbox" / "requirements-mariadb.txt"
	creator = "sandbox.lanes.mariadb.create"
	package = "criscostack"
	names = (
		("criscostack", "frappe"),
		("Criscostack", "Frappe"),
		("CRISCOSTACK", "FRAPPE"),
		("criscoerp", "erpnext"),
		("Criscoerp", "ERPNext"),
		("Crisco", "Frappe"),
		("brik_helper", "bench_helper"),
	)
	folder = Path(__file__).parent

	def __init__(self, places):
		super().__init__(places)
		self.server = server.Server(places)

	def check(self):
		server.check()

	def mend(self, root):
		from sandbox.lanes.mariadb.mends import mend

		return mend(root)

	def database_steps(self):
		return [
			Step(
				"database",
				"MariaDB's data directory",
				lambda before: self._make_data(),
				result=self.server.data,
			)
		]

	def _make_data(self) -> None:
		# what is there of sites are folders without data
		for config in self.places.sites.glob(f"*/{CONFIG}"):
			shutil.rmtree(config.parent)
		self.server.initialise()

	@contextlib.contextmanager
	def database(self):
		with self.server.running():
			yield

	def site_config(self, site):
		return {"db_type": "mariadb", "db_password": secrets.token_hex(8)} | self._database_name(site)

	@staticmethod
	def _database_name(site: str) -> dict:
		# a name of its own for every copy: a site is renamed by renaming its folder
		readable = re.sub(r"\W", "_", site.removesuffix("-part"))[:30]
		return {"db_name": f"{readable}_{secrets.token_hex(4)}"}

	# A site is there when its folder is. Its database is made before and dropped after: what a killed command leaves
	# behind is a database that no folder names, and goes with the next copy.

	def new_site(self, site, config):
		super().new_site(site, config)
		with self.database():
			databases.create(self.server, _config(self.places.site(site)))

	def copy_site(self, source, target):
		with self.database():
			self._drop_unnamed()
			super().copy_site(source, target)

	def copy_data(self, source, folder):
		config = _config(folder)
		config |= self._database_name(folder.name.strip(".").removesuffix(".part"))
		write_whole(folder / CONFIG, json.dumps(config, indent=1) + "\n")
		databases.create(self.server, config)
		self.server.copy(_config(self.places.site(source))["db_name"], config["db_name"])

	def drop_data(self, folder):
		if (folder / CONFIG).exists():
			with self.database():
				databases.drop(self.server, _config(folder)["db_name"])

	def _drop_unnamed(self) -> None:
		folders = (config.parent for config in self.places.sites.glob(f"*/{CONFIG}"))
		# a hidden folder is a copy that was broken off, or on its way out
		named = {_config(folder)["db_name"] for folder in folders if not folder.name.startswith(".")}
		for name in databases.names(self.server) - named:
			databases.drop(self.server, name)

	def environment(self, site, redis):
		address = {"FRAPPE_DB_HOST": server.HOST, "FRAPPE_DB_PORT": str(self.server.port)}
		return super().environment(site, redis) | address


def _config(folder: Path) -> dict:
	return json.loads((folder / CONFIG).read_text())
