"""Where everything of one sandbox lives."""

import os
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]

# Python packages on the path of every process of the sandbox, by app
APPS = {"erpnext": CHECKOUT / "sandbox" / "erpnext", "loyalty_app": CHECKOUT}


@dataclass(frozen=True)
class Places:
	"""The folders of one lane of one sandbox. Everything below `home` may be deleted at any time."""

	home: Path

	@classmethod
	def of(cls, lane: str) -> "Places":
		"""Return the places of a lane, in SANDBOX_DIR (default: .sandbox in the checkout)."""
		top = Path(os.environ.get("SANDBOX_DIR") or CHECKOUT / ".sandbox")
		return cls((CHECKOUT / top.expanduser()).resolve() / lane)

	@property
	def venv(self) -> Path:
		return self.home / "venv"

	@property
	def python(self) -> Path:
		return self.venv / "bin" / "python"

	@property
	def lib(self) -> Path:
		"""The mended engine: the folder that holds the package `frappe`."""
		return self.home / "lib"

	@property
	def front(self) -> Path:
		return self.home / "front"

	@property
	def bench(self) -> Path:
		"""What Frappe takes for its bench: sites/, logs/, config/."""
		return self.home / "bench"

	@property
	def sites(self) -> Path:
		return self.bench / "sites"

	@property
	def assets(self) -> Path:
		return self.sites / "assets"

	@property
	def logs(self) -> Path:
		return self.bench / "logs"

	@property
	def stamps(self) -> Path:
		return self.home / "stamps"

	@property
	def run(self) -> Path:
		"""Ports, process ids and locks of what runs now."""
		return self.home / "run"

	def site(self, name: str) -> Path:
		return self.sites / name

	def site_packages(self) -> Path:
		found = sorted(self.venv.glob("lib/python3.*/site-packages"))
		return found[-1] if found else self.venv / "lib"

	def make(self) -> None:
		"""Create the folders that must be there before anything runs."""
		for folder in (self.sites, self.logs, self.bench / "config", self.stamps, self.run):
			folder.mkdir(parents=True, exist_ok=True)
