"""A member's statement as a file."""

import frappe
from frappe.translate import print_language
from frappe.www.printview import validate_print_permission

from loyalty_app.api.doors import whitelist
from loyalty_app.reporting.statement import period

MEMBERSHIP, FORMAT = "Loyalty Membership", "Loyalty Statement"


@whitelist(methods=["GET", "POST"])
def pdf(
	membership: str, from_date: str | None = None, to_date: str | None = None, language: str | None = None
) -> None:
	"""The statement of a Loyalty Membership as PDF, made by Frappe's print: for who may print it, and for the customer's
	own website users. Period as `reporting.statement.statement`; `language` is that of the statement, else the
	user's."""
	doc = frappe.get_doc(MEMBERSHIP, membership)
	# asked here too: Frappe 15 prints a page that says no
	validate_print_permission(doc)
	first, last = period(from_date, to_date)
	# what a print format finds in print_settings
	frappe.form_dict.settings = frappe.as_json({"from_date": str(first), "to_date": str(last)})
	with print_language(language if frappe.db.exists("Language", language) else None):
		frappe.local.response.filecontent = frappe.get_print(MEMBERSHIP, doc.name, FORMAT, as_pdf=True)
	frappe.local.response.filename = f"loyalty-statement-{first}-{last}.pdf"
	frappe.local.response.type = "pdf"
