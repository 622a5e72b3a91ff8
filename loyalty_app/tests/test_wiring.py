import re
from pathlib import Path

import frappe

from loyalty_app import hooks
from loyalty_app.tests.utils import IntegrationTestCase

HANDLERS = (
	"after_install",
	"after_migrate",
	"after_request",
	"after_uninstall",
	"before_install",
	"before_migrate",
	"before_uninstall",
	"doc_events",
	"extend_doctype_class",
	"has_website_permission",
	"override_doctype_class",
	"override_doctype_dashboards",
	"override_whitelisted_methods",
	"scheduler_events",
)


class TestWiring(IntegrationTestCase):
	"""Everything named by its path in hooks.py and patches.txt is there."""

	def test_hooks(self):
		paths = [path for hook in HANDLERS for path in strings(getattr(hooks, hook, ()))]
		paths += [app["has_permission"] for app in hooks.add_to_apps_screen]
		self.assertGreater(len(paths), 10)
		for path in paths:
			with self.subTest(path):
				self.assertTrue(callable(frappe.get_attr(path)))

	def test_replaced_methods_are_whitelisted(self):
		for replaced, path in hooks.override_whitelisted_methods.items():
			with self.subTest(path):
				self.assertTrue(callable(frappe.get_attr(replaced)))
				frappe.is_whitelisted(frappe.get_attr(path))

	def test_classes_are_extended_or_overridden_but_never_both(self):
		self.assertNotEqual(hasattr(hooks, "extend_doctype_class"), hasattr(hooks, "override_doctype_class"))

	def test_what_a_bench_imports_as_tests_needs_no_pytest(self):
		"""Frappe's own runner imports every test_*.py; it has unittest alone."""
		for path in Path(frappe.get_app_path("loyalty_app")).rglob("test_*.py"):
			with self.subTest(path.name):
				self.assertIsNone(
					re.search(r"^(import|from) (pytest|playwright)", path.read_text(), re.MULTILINE)
				)

	def test_patches(self):
		for line in frappe.get_file_items(frappe.get_app_path("loyalty_app", "patches.txt")):
			path = line.split()[0]
			if path.startswith("["):
				continue
			with self.subTest(path):
				self.assertTrue(callable(frappe.get_attr(f"{path}.execute")))


def strings(value) -> list[str]:
	"""Return all the strings in nested lists and values of dicts."""
	if isinstance(value, str):
		return [value]
	return [s for part in (value.values() if isinstance(value, dict) else value) for s in strings(part)]
