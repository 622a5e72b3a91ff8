"""Give the published fork its name back: a copy of the installed package `monoframe` as `frappe`."""

import os
import shutil
from pathlib import Path

NAMES = (("monoframe", "frappe"), ("Monoframe", "Frappe"), ("MONOFRAME", "FRAPPE"))
BINARY = set(
	".png .jpg .jpeg .gif .ico .webp .mp3 .mp4 .woff .woff2 .ttf .otf .eot .db .mo .pdf .xlsx .zip .gz".split()
)


def rename(package: Path, target: Path) -> None:
	"""Copy `package` to `target` with every name in paths and texts put back."""
	for folder, folders, names in os.walk(package):
		folders[:] = [f for f in folders if f != "__pycache__"]
		out = target / _renamed(os.path.relpath(folder, package))
		out.mkdir(parents=True, exist_ok=True)
		for name in names:
			source, copy = Path(folder, name), out / _renamed(name)
			if source.suffix.lower() in BINARY:
				shutil.copyfile(source, copy)
				continue
			try:
				copy.write_text(_renamed(source.read_text(encoding="utf-8")), encoding="utf-8")
			except UnicodeDecodeError:
				shutil.copyfile(source, copy)


def _renamed(text: str) -> str:
	for fork, original in NAMES:
		text = text.replace(fork, original)
	return text
