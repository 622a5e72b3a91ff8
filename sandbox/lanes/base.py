"""The seam between the sandbox and its engine and database.

A lane knows how to build an engine (a package `frappe` in places.lib), how to build the desk, how a site is
created, copied and dropped, and which servers its database needs. Set-up, demo, tests and bench know lanes only.
"""

import contextlib
import json
import os
import shutil
from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path

from sandbox.engine.places import CHECKOUT, Places
from sandbox.engine.steps import Step, write_whole

CONFIG = "site_config.json"


class Lane(ABC):
	name: str
	title: str
	# major version of Frappe that the engine presents itself as
	generation: int
	requirements: Path
	# module that creates the site named by FRAPPE_SITE: Frappe alone, setup wizard done
	creator: str

	def __init__(self, places: Places):
		self.places = places

	def check(self) -> None:
		"""Raise when this machine lacks what the lane needs from its system."""
		return None

	@abstractmethod
	def engine_inputs(self) -> list:
		"""Return what the engine is made from, apart from the installed packages."""

	@abstractmethod
	def build_engine(self) -> None:
		"""Make the package `frappe` in places.lib."""

	@abstractmethod
	def front_inputs(self) -> list[Path]:
		"""Return the files that pin the desk's packages."""

	@abstractmethod
	def fetch_front(self) -> None:
		"""Install the desk's packages in places.front."""

	@abstractmethod
	def desk_inputs(self) -> list[Path]:
		"""Return what the desk's bundles are made from, apart from the desk's packages."""

	@abstractmethod
	def build_assets(self, app: str) -> None:
		"""Build an app's bundles into places.assets."""

	def database_steps(self) -> list[Step]:
		"""Return the steps that have to be done before a site can be made."""
		return []

	@abstractmethod
	def site_config(self, site: str) -> dict:
		"""Return what site_config.json of a new site says about engine and database."""

	def files(self, site: str) -> Path:
		"""Return the folder from which Frappe's static middleware serves /files."""
		return self.places.site(site) / "public" / "files"

	@contextlib.contextmanager
	def database(self) -> Iterator[None]:
		"""Keep the database server up. SQLite has none."""
		yield

	def new_site(self, site: str, config: dict) -> None:
		"""Make the folder of a site, and what else its creator finds; not more than half a site yet.

		:param config: what site_config.json says besides engine and database
		"""
		self.drop_site(site)
		folder = self.places.site(site)
		folder.mkdir(parents=True)
		write_whole(folder / CONFIG, json.dumps(self.site_config(site) | config, indent=1) + "\n")

	def copy_site(self, source: str, target: str) -> None:
		"""Make `target` an exact copy of a site nobody uses; complete or absent, never half."""
		part = self.places.site(f".{target}.part")
		shutil.rmtree(part, ignore_errors=True)
		shutil.copytree(self.places.site(source), part, symlinks=True)
		self.copy_data(source, part)
		self.drop_site(target)
		part.rename(self.places.site(target))

	def move_site(self, source: str, target: str) -> None:
		"""Rename a site, replacing `target`."""
		self.drop_site(target)
		self.places.site(source).rename(self.places.site(target))

	def drop_site(self, site: str) -> None:
		"""Delete a site and its data, if it is there."""
		path = self.places.site(site)
		if path.exists():
			trash = path.with_name(f".{path.name}.{os.getpid()}.trash")
			path.rename(trash)
			self.drop_data(trash)
			shutil.rmtree(trash)

	def copy_data(self, source: str, folder: Path) -> None:
		"""Copy what a site has outside of its folder, for the copy that is made in `folder`. SQLite has nothing."""
		return None

	def drop_data(self, folder: Path) -> None:
		"""Delete what the site has outside of its folder, as far as it is there. SQLite has nothing."""
		return None

	def environment(self, site: str, redis: str) -> dict[str, str]:
		"""Return what a process needs in its environment to run on a site."""
		return {
			"LANE": self.name,
			"FRAPPE_SITE": site,
			"FRAPPE_SITES": str(self.places.sites),
			"FRAPPE_BENCH_ROOT": str(self.places.bench),
			"SANDBOX_FILES": str(self.files(site)),
			"FRAPPE_REDIS_CACHE": f"{redis}/0",
			"FRAPPE_REDIS_QUEUE": f"{redis}/1",
			"PYTHONPATH": os.pathsep.join([str(self.places.lib), str(CHECKOUT)]),
			"PYTHONUNBUFFERED": "1",
		}
