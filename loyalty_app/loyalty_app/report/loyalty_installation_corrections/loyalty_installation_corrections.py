"""Entries that were wrong when the app was installed over them, and how they were put right."""

import frappe
from frappe import _
from frappe.utils import cstr

from loyalty_app.ledger import entries
from loyalty_app.ledger.takeover import CORRECTED
from loyalty_app.reporting.table import column

FILTERS = ("company", "loyalty_program", "customer")


def execute(filters: dict | None = None) -> tuple[list[dict], list[dict]]:
	"""Columns and rows, one row a corrected entry. Shows what the user may read of the log."""
	wanted = {key: cstr(value) for key, value in (filters or {}).items() if key in FILTERS and value}
	conditions = wanted | {"event": CORRECTED.event}
	found = frappe.get_list(
		"Loyalty Point Log",
		filters=conditions,
		fields=[
			"customer",
			"loyalty_program",
			"entry",
			"invoice_type",
			"invoice",
			"before",
			"after",
			"logged_at",
		],
		order_by="customer, membership, sequence",
		limit=0,
	)
	return get_columns(), [as_row(row) for row in found]


def get_columns() -> list[dict]:
	return [
		column("customer", _("Customer"), "Link", "Customer", 180),
		column("loyalty_program", _("Loyalty Program"), "Link", "Loyalty Program", 160),
		column("entry", _("Entry"), "Link", "Loyalty Point Entry", 120),
		column("invoice_type", _("Invoice Type"), "Data", None, 120),
		column("invoice", _("Invoice"), "Dynamic Link", "invoice_type", 160),
		column("found_points", _("Points Found"), "Int", None, 110),
		column("points", _("Points Now"), "Int", None, 110),
		column("found_lot", _("Redeem Against Found"), "Data", None, 160),
		column("lot", _("Redeem Against Now"), "Link", "Loyalty Point Entry", 160),
		column("correction", _("Correction"), "Data", None, 360),
	]


def as_row(row: dict) -> dict:
	before, after = (entries.told(row[key]) or {} for key in ("before", "after"))
	return {
		**row,
		"found_points": before.get("loyalty_points"),
		"points": after.get("loyalty_points"),
		"found_lot": before.get("redeem_against"),
		"lot": after.get("redeem_against"),
		"correction": explain(before, after),
	}


def explain(before: dict, after: dict) -> str:
	"""What was wrong with an entry and how it was settled, in a sentence."""
	if not before and after["loyalty_points"] > 0:
		return _("Made up points that had been overdrawn and have expired since")
	if not before:
		return _("The part of a redemption that its lot did not cover, drawn from another lot or open")
	if not after:
		return _("Joined with another row of the same redemption and lot")
	if not after["redeem_against"]:
		return _("Its lot is gone or had no points left: open until the next points are earned")
	if before["loyalty_points"] != after["loyalty_points"]:
		return _("Its lot covered a part only; the rest is in a row of its own")
	return _("Its lot is gone or had no points left: drawn from another lot")
