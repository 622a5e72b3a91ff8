"""Modules and syntax that the wheel lost or that a plain machine does not have."""

MOVED = {
	"modules/__init__.py": "frappe.model.module_utils",
	"modules/utils.py": "frappe.model.module_utils",
	"modules/import_file.py": "frappe.model.import_doc",
	"modules/export_file.py": "frappe.model.export",
	"modules/patch_handler.py": "frappe.patches",
}


def mend(tree):
	tree.sub(
		"__init__.py",
		"import orjson\n",
		"import orjson\n\nimport sandbox.lanes.sqlite.frame.libraries\n",
		"library versions that Frappe forks or makes optional must be put right before they are imported",
	)
	tree.sub(
		"__init__.py",
		'__version__ = "0.0.1"',
		'__version__ = "16.0.0"',
		"the fork counts its own versions; apps ask which Frappe this is",
	)
	tree.sub(
		"app.py",
		"import frappe.database.mariadb.mysqlclient  # Load database related utils\n",
		"",
		"preloads a MySQL client that needs a C library, on every database",
	)
	tree.sub(
		"desk/doctype/event/event.py",
		"type EventLikeDict = ",
		"EventLikeDict = ",
		"`type X =` is Python 3.12 syntax, the package says 3.10",
	)
	for file in ("utils/install.py", "cli_impl/testing.py"):
		tree.sub(
			file,
			"from frappe.tests.utils.generators import _clear_test_log",
			"_clear_test_log = lambda: None",
			"frappe.tests.utils.generators is not in the wheel",
		)
	tree.sub(
		"utils/error.py",
		"from frappe.utils.sentry import capture_exception",
		"capture_exception = lambda *args, **kwargs: None",
		"log_error() imported an optional package and raised instead of logging",
	)
	for file, now in MOVED.items():
		tree.create(
			file,
			f"from {now} import *  # noqa: F403\nfrom frappe import scrub  # noqa: F401\n",
			"ordinary apps import it from the place it always had",
		)
	tree.copy(
		"public/images/frappe-framework-logo.svg",
		"public/images/frappe-logo.svg",
		"the logo the desk shows is not in the wheel",
	)
