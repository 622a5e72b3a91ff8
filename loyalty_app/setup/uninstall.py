"""Uninstalling: the mirror image of `install`."""

import frappe

from loyalty_app.setup import takeover
from loyalty_app.setup.install import complete_doctypes


def before_uninstall():
	"""Hand ERPNext's doctypes back with all their entries, before Frappe deletes what is in our module."""
	delete_custom_fields()
	takeover.hand_back()


def after_uninstall():
	"""Take the doctypes over again after a dry run, which runs both hooks but uninstalls nothing."""
	if "loyalty_app" in frappe.get_installed_apps():
		complete_doctypes()


def delete_custom_fields():
	"""Delete the custom fields of this app. ERPNext's definition has fields of these names, and two of one name
	would clash; the columns stay."""
	for name in frappe.get_all("Custom Field", filters={"module": takeover.OUR_MODULE}, pluck="name"):
		frappe.delete_doc("Custom Field", name, force=True)
