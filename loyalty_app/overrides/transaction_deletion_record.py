"""ERPNext's deletion of all transactions of a company, which takes entries, memberships and the log with it.

Programs stay, as customers and accounts do (hook `company_data_to_be_ignored`).
"""

import frappe

from loyalty_app.ledger import membership


def on_change(doc, method=None):
	"""Show no tier on the company's customers any more, once their spend is gone."""
	if doc.status == "Completed":
		for program in frappe.get_all("Loyalty Program", {"company": doc.company}, pluck="name"):
			customers = frappe.get_all("Customer", {"loyalty_program": program}, pluck="name")
			if customers:
				membership.show_tiers(program, customers)
