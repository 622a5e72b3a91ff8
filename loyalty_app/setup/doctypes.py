"""Taking over the three loyalty doctypes of ERPNext, and handing them back.

Both apps ship a file for each of them. Frappe imports the files app by app, and the last one imported owns the
doctype: its module decides whose controller runs. Tables and rows are shared and stay where they are.
"""

import json
from pathlib import Path

import frappe
from frappe import _
from frappe.cache_manager import clear_controller_cache
from frappe.model.base_document import get_controller
from frappe.modules.import_file import calculate_hash, get_file_path

# children first: a table field is checked against the doctype it names
DOCTYPES = ("Loyalty Program Collection", "Loyalty Program", "Loyalty Point Entry")
OUR_MODULE = "Loyalty App"
ERPNEXT_MODULE = "Accounts"


def is_ours(doctype: str) -> bool:
	"""Return whether the doctype is defined by this app at the moment."""
	return frappe.db.get_value("DocType", doctype, "module") == OUR_MODULE


def definition_file(doctype: str, module: str) -> Path:
	"""Return where the module's own definition of the doctype is."""
	return Path(get_file_path(module, "DocType", doctype))


def definition(doctype: str, module: str) -> dict:
	"""Return the module's own definition of the doctype, as in its file."""
	return json.loads(definition_file(doctype, module).read_text())


def skip_erpnext_files():
	"""Let the coming migration leave ERPNext's definitions alone.

	Frappe skips a file whose hash it imported last. With the hash of ERPNext's file noted there, that file is
	skipped and ours is imported, so that no column changes to ERPNext's definition and back.
	"""
	for doctype in DOCTYPES:
		path = definition_file(doctype, ERPNEXT_MODULE)
		if path.exists():
			frappe.db.set_value(
				"DocType", doctype, "migration_hash", calculate_hash(str(path)), update_modified=False
			)


def take_over():
	"""Make the doctypes ours where they are not: a late patch of ERPNext may have reloaded its own, or the order
	of the installed apps may be turned round."""
	for doctype in DOCTYPES:
		if not is_ours(doctype):
			_load(doctype, OUR_MODULE)


def hand_back():
	"""Give the doctypes back to ERPNext with all their rows, and stop unless that succeeded.

	Frappe drops the tables of all doctypes in an uninstalled app's modules.
	"""
	for doctype in DOCTYPES:
		if definition_file(doctype, ERPNEXT_MODULE).exists():
			_load(doctype, ERPNEXT_MODULE)
		if is_ours(doctype):
			frappe.throw(
				_(
					"{0} could not be handed back to ERPNext, and uninstalling would delete its rows. Run bench migrate, then uninstall again."
				).format(frappe.bold(doctype)),
				title=_("Loyalty App stays installed"),
			)


def _load(doctype: str, module: str):
	frappe.db.set_value("DocType", doctype, "module", module, update_modified=False)
	frappe.reload_doc(frappe.scrub(module), "doctype", frappe.scrub(doctype), force=True)
	clear_controller_cache(doctype)
	frappe.clear_cache(doctype=doctype)


def report_foreign_controllers():
	"""Write one plain entry to the Error Log if another app's class keeps ours from standing in for ERPNext's.

	ERPNext would then write entries beside the ledger's.
	"""
	from loyalty_app.overrides.invoice import LoyaltyInvoiceMixin

	foreign = [
		doctype
		for doctype in ("Sales Invoice", "POS Invoice")
		if not issubclass(get_controller(doctype), LoyaltyInvoiceMixin)
	]
	if not foreign:
		return
	title = "Loyalty App is bypassed by another app"
	if frappe.db.exists("Error Log", {"method": title}):
		return
	frappe.log_error(
		title=title,
		message="\n".join(
			f"{doctype} runs on {get_controller(doctype).__module__}.{get_controller(doctype).__name__}, which does "
			"not include loyalty_app.overrides.invoice.LoyaltyInvoiceMixin. ERPNext's own loyalty code stays "
			"active beside the ledger. Let that class inherit from the mixin, or move loyalty_app to the end of the "
			"site's installed apps."
			for doctype in foreign
		),
	)
