"""A chain of steps that recovers from an interrupt at any point.

Each step has a stamp: a hash of what went into it, the stamps it stands on included. The stamp is removed before
the step runs and written when it has finished, so a step that was interrupted runs again, and a changed
input runs again only what depends on it.
"""

import hashlib
import os
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

SKIPPED_FOLDERS = {"__pycache__", "node_modules", ".git"}


@dataclass(frozen=True)
class Step:
	"""One link of the chain.

	:param inputs: returns files, folders and strings; the step runs again when any of them changes
	:param act: does the work; told whether it ran to the end before (with other inputs)
	:param result: what must exist when the step is done
	"""

	key: str
	title: str
	act: Callable[[bool], None]
	inputs: Callable[[], Iterable] = lambda: ()
	needs: tuple[str, ...] = ()
	result: Path | None = None


@dataclass
class Chain:
	"""Runs steps in order and remembers which are done."""

	steps: list[Step]
	stamps: Path
	out: Callable[[str], None] = field(default=lambda text: _say(text))

	def wanted(self) -> dict[str, str]:
		"""Return the stamp each step would have now."""
		wanted: dict[str, str] = {}
		for step in self.steps:
			wanted[step.key] = self._wanted(step, wanted)
		return wanted

	@staticmethod
	def _wanted(step: Step, wanted: dict[str, str]) -> str:
		digest = hashlib.sha256(step.key.encode())
		for need in step.needs:
			digest.update(wanted[need].encode())
		for item in step.inputs():
			digest.update(fingerprint(item))
		return digest.hexdigest()

	def stamp(self, key: str) -> str | None:
		"""Return the stamp of a finished step, None when it never finished."""
		try:
			return (self.stamps / key).read_text()
		except FileNotFoundError:
			return None

	def due(self) -> list[Step]:
		"""Return the steps that have to run."""
		wanted = self.wanted()
		return [s for s in self.steps if not self._done(s, wanted[s.key])]

	def run(self) -> list[str]:
		"""Run what is due, saying what is done and how long it took; return the keys that ran."""
		ran = []
		wanted: dict[str, str] = {}
		for number, step in enumerate(self.steps, 1):
			# what a step made may be the input of a later one
			wanted[step.key] = self._wanted(step, wanted)
			if self._done(step, wanted[step.key]):
				continue
			started = time.monotonic()
			self.out(f"[{number}/{len(self.steps)}] {step.title} … ")
			stamp = self.stamps / step.key
			finished_before = stamp.exists() and (step.result is None or step.result.exists())
			stamp.unlink(missing_ok=True)
			step.act(finished_before)
			write_whole(stamp, wanted[step.key])
			self.out(f"{time.monotonic() - started:.0f} s\n")
			ran.append(step.key)
		return ran

	def _done(self, step: Step, wanted: str) -> bool:
		return self.stamp(step.key) == wanted and (step.result is None or step.result.exists())


def fingerprint(item) -> bytes:
	"""Return a hash of a file's bytes, of a folder's files with their names, or of a string."""
	if isinstance(item, Path):
		if item.is_dir():
			digest = hashlib.sha256()
			for path in sorted(files_below(item)):
				digest.update(str(path.relative_to(item)).encode() + b"\0" + fingerprint(path))
			return digest.digest()
		return hashlib.sha256(item.read_bytes() if item.exists() else b"absent").digest()
	return hashlib.sha256(str(item).encode()).digest()


def files_below(folder: Path) -> Iterable[Path]:
	"""Yield the files below a folder, without caches and hidden folders."""
	for path, folders, names in os.walk(folder):
		folders[:] = [f for f in folders if f not in SKIPPED_FOLDERS and not f.startswith(".")]
		yield from (Path(path, name) for name in names)


def write_whole(path: Path, text: str) -> None:
	"""Write a file so that it is either the old one or the new one, never a part."""
	part = path.with_name(f".{path.name}.{os.getpid()}")
	part.write_text(text)
	part.replace(path)


def _say(text: str) -> None:
	sys.stdout.write(text)
	sys.stdout.flush()
