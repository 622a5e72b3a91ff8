"""Checked edits of the engine's files: an edit that does not find its place is an error, never skipped."""

import ast
from dataclasses import dataclass, field
from pathlib import Path

from sandbox.engine.errors import SandboxError


@dataclass
class Tree:
	"""The renamed engine. Every edit says why it is needed; `done` collects (file, reason)."""

	root: Path
	done: list[tuple[str, str]] = field(default_factory=list)

	def sub(self, file: str, old: str, new: str, why: str, times: int = 1) -> None:
		"""Replace a text that must occur exactly `times` times."""
		text = self._read(file, why)
		found = text.count(old)
		if found != times:
			raise self._miss(file, why, f"{old.strip()[:70]!r} is there {found} times, not {times}")
		self._write(file, text.replace(old, new), why)

	def function(self, file: str, name: str, source: str, why: str, nth: int = 0) -> None:
		"""Replace a module's function, decorators included, by `source`.

		`source` is usually an import of the function of the same name from the lane's frame.
		:param nth: which one, when the module defines the name more than once
		"""
		text = self._read(file, why)
		found = [n for n in ast.parse(text).body if isinstance(n, ast.FunctionDef) and n.name == name]
		if len(found) <= nth:
			raise self._miss(file, why, f"there is no function {name}")
		node = found[nth]
		first = min([node.lineno, *(d.lineno for d in node.decorator_list)]) - 1
		lines = text.splitlines(keepends=True)
		lines[first : node.end_lineno] = [source.strip("\n") + "\n"]
		self._write(file, "".join(lines), why)

	def append(self, file: str, source: str, why: str) -> None:
		"""Add source at the end of a module."""
		self._write(file, self._read(file, why).rstrip("\n") + "\n\n\n" + source.strip("\n") + "\n", why)

	def create(self, file: str, source: str, why: str) -> None:
		"""Create a file that the fork dropped; it must not be there."""
		path = self.root / file
		if path.exists():
			raise self._miss(file, why, "it is there already")
		path.parent.mkdir(parents=True, exist_ok=True)
		path.write_text(source.lstrip("\n"))
		self.done.append((file, why))

	def copy(self, file: str, target: str, why: str) -> None:
		"""Give a file a second name that must not be taken."""
		if not (self.root / file).exists() or (self.root / target).exists():
			raise self._miss(target, why, f"it is there already, or {file} is not")
		(self.root / target).write_bytes((self.root / file).read_bytes())
		self.done.append((target, why))

	def _read(self, file: str, why: str) -> str:
		path = self.root / file
		if not path.exists():
			raise self._miss(file, why, "there is no such file")
		return path.read_text()

	def _write(self, file: str, text: str, why: str) -> None:
		(self.root / file).write_text(text)
		self.done.append((file, why))

	def _miss(self, file: str, why: str, what: str) -> SandboxError:
		return SandboxError(
			f"The engine is not the one the sandbox was made for: in {file}, {what} (mend: {why}). "
			"Check the pins in sandbox/requirements-*.txt."
		)
