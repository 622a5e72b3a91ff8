"""Adjustments from a file, started from the desk: check, import, undo. For who may import and submit adjustments."""

import frappe
from frappe import _

from loyalty_app.api.doors import whitelist
from loyalty_app.ledger import adjustments, imports, runs, unless_busy

EXTENSIONS = ("csv", "xlsx", "xls")
IMPORTING = ("create", "submit", "import")


@whitelist(methods=["POST"])
def check(file_url: str, loyalty_program: str | None = None) -> str:
	"""Check what importing an uploaded file (CSV, XLSX) would write; return the name of the Loyalty Ledger Run.

	`loyalty_program` is that of rows which name none; without it, the customer's own. Nothing is imported.
	"""
	_may(*IMPORTING)
	# whoever uploads what is there already gets the same address
	names = frappe.get_all("File", filters={"file_url": file_url}, pluck="name")
	if not names:
		frappe.throw(_("There is no file {0}").format(frappe.utils.escape_html(file_url)))
	if not any(frappe.get_doc("File", name).has_permission("read") for name in names):
		raise frappe.PermissionError
	if file_url.rpartition(".")[2].lower() not in EXTENSIONS:
		frappe.throw(_("Choose a file of one of these types: {0}").format(", ".join(EXTENSIONS)))
	if loyalty_program:
		frappe.has_permission("Loyalty Program", "read", doc=loyalty_program, throw=True)
	return _start(imports.CHECK, import_file=file_url, loyalty_program=loyalty_program or None)


@whitelist(methods=["POST"])
def start(check: str) -> str:
	"""Submit an adjustment for each row that is ready of what `check` has read; return the name of the run."""
	_may(*IMPORTING)
	return _start(imports.IMPORT, _checked(check, imports.READY, _("There is nothing to import.")))


@whitelist(methods=["POST"])
def undo(check: str) -> str:
	"""Cancel the adjustments that were imported of what `check` has read; return the name of the run."""
	_may("cancel")
	return _start(imports.UNDO, _checked(check, imports.IMPORTED, _("There is nothing to undo.")))


@whitelist()
def next_steps(check: str) -> dict[str, int]:
	"""What this user may do with what `check` has read: how many rows there are to `import` and to `undo`."""
	run = frappe.get_doc(runs.DOCTYPE, check)
	run.check_permission("read")
	counts = imports.counts(run.name)
	may_import = all(frappe.has_permission(adjustments.DOCTYPE, ptype) for ptype in IMPORTING)
	may_undo = frappe.has_permission(adjustments.DOCTYPE, "cancel")
	return {
		"import": counts.get(imports.READY, 0) if may_import else 0,
		"undo": counts.get(imports.IMPORTED, 0) if may_undo else 0,
	}


def _start(kind: str, check=None, **values) -> str:
	with unless_busy():
		return runs.start_import(kind, check, **values)


def _may(*permissions: str) -> None:
	for permission in permissions:
		frappe.has_permission(adjustments.DOCTYPE, permission, throw=True)


def _checked(name: str, status: str, nothing: str):
	"""The check of this name, which has rows in `status`."""
	run = frappe.get_doc(runs.DOCTYPE, name)
	run.check_permission("read")
	if run.kind != imports.CHECK or run.status != "Done":
		frappe.throw(_("{0} is not a check that is done").format(frappe.bold(run.name)))
	if not imports.counts(run.name).get(status):
		frappe.throw(nothing)
	return run
