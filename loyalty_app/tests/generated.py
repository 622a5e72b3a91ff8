"""Files of docs/ that are made from the code: `sandbox/bench execute loyalty_app.tests.generated.write`."""

from pathlib import Path

from loyalty_app.api import schema, v1
from loyalty_app.tests import permission_matrix

DOCS = Path(__file__).parents[2] / "docs"


def files() -> dict[Path, str]:
	"""What should be in them, by path."""
	return {
		DOCS / "openapi.json": schema.as_text(v1.ENDPOINTS),
		DOCS / "permissions.md": permission_matrix.as_markdown(),
	}


def write() -> None:
	for path, text in files().items():
		path.write_text(text)
