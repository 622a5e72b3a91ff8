"""Frappe 16-era engine on SQLite: no server to install. The default lane."""

from pathlib import Path

from sandbox.engine.places import CHECKOUT
from sandbox.lanes.fork import ForkLane


class SqliteLane(ForkLane):
	name = "sqlite"
	title = "Frappe 16-era on SQLite"
	generation = 16
	requirements = CHECKOUT / "sandbox" / "requirements-sqlite.txt"
	creator = "sandbox.lanes.sqlite.create"
	package = "monoframe"
	names = (("monoframe", "frappe"), ("Monoframe", "Frappe"), ("MONOFRAME", "FRAPPE"))
	folder = Path(__file__).parent

	def mend(self, root):
		from sandbox.lanes.sqlite.mends import mend

		return mend(root)

	def site_config(self, site):
		return {"db_type": "sqlite", "db_name": "site"}
