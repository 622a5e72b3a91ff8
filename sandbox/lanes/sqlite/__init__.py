"""Frappe 16-era engine on SQLite: no server to install. The default lane."""

import os
import shutil
from pathlib import Path

from sandbox.engine.places import APPS, CHECKOUT
from sandbox.engine.processes import run
from sandbox.engine.steps import fingerprint
from sandbox.lanes.base import Lane

HERE = Path(__file__).parent
FRONT = CHECKOUT / "sandbox" / "front"


class SqliteLane(Lane):
	name = "sqlite"
	title = "Frappe 16-era on SQLite"
	requirements = CHECKOUT / "sandbox" / "requirements-sqlite.txt"
	creator = "sandbox.lanes.sqlite.create"

	def engine_inputs(self):
		return [HERE / "rename.py", HERE / "mends"]

	def build_engine(self):
		from sandbox.lanes.sqlite.mends import mend
		from sandbox.lanes.sqlite.rename import rename

		part = self.places.lib.with_name(f"lib.{os.getpid()}")
		shutil.rmtree(part, ignore_errors=True)
		rename(self.places.site_packages() / "monoframe", part / "frappe")
		mend(part / "frappe")
		(part / "public.hash").write_text(fingerprint(part / "frappe" / "public").hex())
		shutil.rmtree(self.places.lib, ignore_errors=True)
		part.rename(self.places.lib)

	def front_inputs(self):
		return [FRONT / "package.json", FRONT / "package-lock.json"]

	def fetch_front(self):
		folder = self.places.front
		folder.mkdir(parents=True, exist_ok=True)
		for file in self.front_inputs():
			shutil.copy(file, folder)
		run(
			["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--no-progress"],
			"fetching the desk's packages",
			self.places.logs / "npm.log",
			cwd=folder,
		)

	def desk_inputs(self):
		return [self.places.lib / "public.hash", FRONT / "build.mjs"]

	def build_assets(self, app):
		shutil.copy(FRONT / "build.mjs", self.places.front)
		packages = {"frappe": self.places.lib / "frappe"} | {name: root / name for name, root in APPS.items()}
		self.places.assets.mkdir(parents=True, exist_ok=True)
		run(
			[
				"node",
				self.places.front / "build.mjs",
				self.places.assets,
				app,
				*(f"{name}={path}" for name, path in packages.items()),
			],
			f"building the desk of {app}",
			self.places.logs / f"build-{app}.log",
		)

	def site_config(self, site):
		return {"db_type": "sqlite", "db_name": "site"}
