"""What lanes share whose engine is a published fork of Frappe: it gets its name back, is mended, builds its desk."""

import os
import shutil
from abc import abstractmethod
from pathlib import Path

from sandbox.engine.places import APPS, CHECKOUT
from sandbox.engine.processes import run
from sandbox.engine.steps import fingerprint
from sandbox.lanes.base import Lane
from sandbox.lanes.fork.rename import Names, rename

HERE = Path(__file__).parent
FRONT = CHECKOUT / "sandbox" / "front"


class ForkLane(Lane):
	# the fork's package, and what it renamed
	package: str
	names: Names
	# the lane's own folder
	folder: Path

	@abstractmethod
	def mend(self, root: Path) -> list[tuple[str, str]]:
		"""Mend the renamed engine in `root`; return (file, reason) of everything done."""

	def engine_inputs(self):
		return [HERE / "rename.py", HERE / "tree.py", str(self.names), self.folder / "mends"]

	def build_engine(self):
		part = self.places.lib.with_name(f"lib.{os.getpid()}")
		shutil.rmtree(part, ignore_errors=True)
		self.renamed(part / "frappe")
		self.mend(part / "frappe")
		(part / "public.hash").write_text(fingerprint(part / "frappe" / "public").hex())
		shutil.rmtree(self.places.lib, ignore_errors=True)
		part.rename(self.places.lib)

	def renamed(self, target: Path) -> None:
		"""Copy the installed fork to `target` under its old name, not mended."""
		rename(self.places.site_packages() / self.package, target, self.names)

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
