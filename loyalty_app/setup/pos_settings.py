"""The promotion code on ERPNext's Point of Sale, among the fields it asks for when a cashier takes the payment."""

import frappe

from loyalty_app.setup.custom_fields import PROMOTION_CODE

DOCTYPE = "POS Settings"
SHOWN = ("fieldname", "label", "fieldtype")


def ask_for_code() -> None:
	"""Let the Point of Sale ask for a code, if it does not yet."""
	settings = frappe.get_single(DOCTYPE)
	if not any(row.fieldname == PROMOTION_CODE["fieldname"] for row in settings.invoice_fields):
		settings.append("invoice_fields", {key: PROMOTION_CODE[key] for key in SHOWN})
		settings.save(ignore_permissions=True)


def ask_no_more() -> None:
	"""Take back `ask_for_code`, also where somebody has added the field: without it, the page would show an error."""
	frappe.db.delete("POS Field", {"parenttype": DOCTYPE, "fieldname": PROMOTION_CODE["fieldname"]})
	frappe.clear_document_cache(DOCTYPE, DOCTYPE)
