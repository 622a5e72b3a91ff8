"""Uninstalling: the mirror image of `install`."""

import frappe

from loyalty_app.setup import doctypes
from loyalty_app.setup.install import complete_doctypes
from loyalty_app.setup.pos_settings import ask_no_more
from loyalty_app.setup.workflow import delete_workflow


def before_uninstall():
	"""Hand ERPNext's doctypes back with all their entries, before Frappe deletes what is in our module."""
	delete_custom_fields()
	doctypes.hand_back()


def after_uninstall():
	"""Take the doctypes over again after a dry run, which runs both hooks but uninstalls nothing."""
	if "loyalty_app" in frappe.get_installed_apps():
		complete_doctypes()
	else:
		delete_desktop_records()
		delete_workflow()
		ask_no_more()


def delete_custom_fields():
	"""Delete the custom fields of this app. ERPNext's definition has fields of these names, and two of one name
	would clash; the columns stay."""
	for name in frappe.get_all("Custom Field", filters={"module": doctypes.OUR_MODULE}, pluck="name"):
		frappe.delete_doc("Custom Field", name, force=True)


def delete_desktop_records():
	"""Delete the sidebar and the desktop icon, which Frappe 16 keeps by app and not by module.

	Deleting their documents would delete this app's files too where developer mode is on.
	"""
	for doctype in ("Desktop Icon", "Workspace Sidebar"):
		if not frappe.db.exists("DocType", doctype):
			continue
		for name in frappe.get_all(doctype, filters={"app": "loyalty_app"}, pluck="name"):
			for df in frappe.get_meta(doctype).get_table_fields():
				frappe.db.delete(df.options, {"parenttype": doctype, "parent": name})
			frappe.db.delete(doctype, {"name": name})
