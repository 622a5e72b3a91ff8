"""The chart Loyalty Points Earned gave way to Loyalty Points by Month, which shows what was redeemed and expired too."""

import frappe

CHART = "Loyalty Points Earned"


def execute():
	"""Delete the standard chart; one that somebody made their own under that name stays."""
	if frappe.db.get_value("Dashboard Chart", CHART, "is_standard"):
		frappe.delete_doc("Dashboard Chart", CHART, force=True, ignore_missing=True)
