"""Sales Invoices that close a day of POS Invoices: what they carry was earned and redeemed there already."""

import frappe
from frappe.model.document import Document
from frappe.utils import cint

from loyalty_app.rules.amounts import exact


def is_consolidation(doc: Document) -> bool:
	"""Whether the Sales Invoice `doc` really consolidates POS Invoices.

	*Is Consolidated* is a field like any other to a REST client, and everything about points is left to the POS
	Invoices where it is set. So each line must come from a submitted POS Invoice that is in no other closing, and
	the points must be worth what those POS Invoices redeemed.
	"""
	if not cint(doc.get("is_consolidated")) or doc.doctype != "Sales Invoice":
		return False
	names = {item.get("pos_invoice") for item in doc.items}
	if not names or None in names or "" in names:
		return False
	found = frappe.get_all(
		"POS Invoice",
		filters={
			"name": ("in", sorted(names)),
			"docstatus": 1,
			"consolidated_invoice": ("in", ("", doc.name)),
		},
		fields=["redeem_loyalty_points", "loyalty_amount"],
	)
	redeemed = sum(exact(row.loyalty_amount) for row in found if cint(row.redeem_loyalty_points))
	claimed = exact(doc.loyalty_amount) if cint(doc.redeem_loyalty_points) else 0
	return len(found) == len(names) and redeemed == claimed
