import frappe
from frappe.model.document import Document
from frappe.query_builder.functions import Sum
from frappe.utils import today

exclude_from_linked_with = True


class LoyaltyPointEntry(Document):
	pass


def get_loyalty_point_entries(customer, loyalty_program, company, expiry_date=None):
	"""Return a customer's earned entries that are good on a date, earliest expiry first."""
	return frappe.get_all(
		"Loyalty Point Entry",
		filters={
			"customer": customer,
			"loyalty_program": loyalty_program,
			"expiry_date": (">=", expiry_date or today()),
			"loyalty_points": (">", 0),
			"company": company,
		},
		fields=["name", "loyalty_points", "expiry_date", "loyalty_program_tier", "invoice_type", "invoice"],
		order_by="expiry_date",
	)


def get_redemption_details(customer, loyalty_program, company):
	"""Return what was redeemed against each entry, as negative points by entry name."""
	entry = frappe.qb.DocType("Loyalty Point Entry")
	return frappe._dict(
		frappe.qb.from_(entry)
		.select(entry.redeem_against, Sum(entry.loyalty_points))
		.where((entry.customer == customer) & (entry.loyalty_program == loyalty_program))
		.where((entry.loyalty_points < 0) & (entry.company == company))
		.groupby(entry.redeem_against)
		.run()
	)
