"""Stand-ins for large client libraries of services that nothing in the sandbox talks to."""

import importlib.util
import sys
import types


def stub(modules: dict[str, dict]) -> None:
	"""Let these modules be imported where they are not installed.

	:param modules: name of a module: what it holds
	"""
	for name, attributes in modules.items():
		if name in sys.modules or _installed(name):
			continue
		module = types.ModuleType(name)
		module.__path__ = []
		module.__dict__.update(attributes)
		sys.modules[name] = module


def _installed(name: str) -> bool:
	try:
		return importlib.util.find_spec(name) is not None
	except (ImportError, ValueError):
		# its package is missing, or is a stand-in itself
		return False


GOOGLE = {
	"google": {},
	"google.oauth2": {},
	"google.oauth2.credentials": {"Credentials": type("Credentials", (), {})},
	"googleapiclient": {},
	"googleapiclient.discovery": {"build": None},
	"googleapiclient.errors": {"HttpError": type("HttpError", (Exception,), {})},
}
