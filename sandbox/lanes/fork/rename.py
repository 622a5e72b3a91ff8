"""Give a published fork its name back: a copy of the installed package under the names it had."""

import os
import shutil
from pathlib import Path

# (what the fork says, what it was), in the order in which they are put back
Names = tuple[tuple[str, str], ...]

BINARY = set(
	".png .jpg .jpeg .gif .ico .webp .mp3 .mp4 .woff .woff2 .ttf .otf .eot .db .mo .pdf .xlsx .zip .gz".split()
)


def rename(package: Path, target: Path, names: Names) -> None:
	"""Copy `package` to `target` with every name in paths and texts put back."""
	for folder, folders, files in os.walk(package):
		folders[:] = [f for f in folders if f != "__pycache__"]
		out = target / _renamed(os.path.relpath(folder, package), names)
		out.mkdir(parents=True, exist_ok=True)
		for name in files:
			source, copy = Path(folder, name), out / _renamed(name, names)
			if source.suffix.lower() in BINARY:
				shutil.copyfile(source, copy)
				continue
			try:
				copy.write_text(_renamed(source.read_text(encoding="utf-8"), names), encoding="utf-8")
			except UnicodeDecodeError:
				shutil.copyfile(source, copy)


def _renamed(text: str, names: Names) -> str:
	for fork, original in names:
		text = text.replace(fork, original)
	return text
