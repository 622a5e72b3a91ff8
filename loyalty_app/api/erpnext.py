"""ERPNext's own whitelisted loyalty methods, answered from our ledger and with permission checks.

`override_whitelisted_methods` leads calls over HTTP here; signatures and the keys of the answers are ERPNext's,
because its Sales Invoice, POS and web shop scripts read them.
"""

import frappe
from frappe import _
from frappe.utils import cint, getdate, today

from loyalty_app import enrolment
from loyalty_app.api.doors import whitelist
from loyalty_app.api.permissions import may_read_customer, may_see_company
from loyalty_app.ledger import membership, tiering
from loyalty_app.rules.tiers import highest, tier_for


@whitelist()
def get_loyalty_program_details_with_points(
	customer: str,
	loyalty_program: str | None = None,
	expiry_date: str | None = None,
	company: str | None = None,
	silent: bool = False,
	include_expired_entry: bool = False,
	current_transaction_amount: float = 0,
):
	"""The program's details with `loyalty_points` spendable on `expiry_date` (today) and `total_spent`.

	`tier_name` and `collection_factor` are those that spending `current_transaction_amount` more, in company
	currency, would reach.
	"""
	details = get_loyalty_program_details(customer, loyalty_program, company=company, silent=silent)
	if not details.get("loyalty_program"):
		return details
	program = details.loyalty_program
	name = membership.find(customer, program)
	on = getdate(expiry_date or today())
	points, spent, held = 0, membership.exact(0), None
	counted = spent
	if name:
		row = membership.state(name)
		spent = row.total_spent
		counted, held = tiering.spend_towards_tier(row, on, lock=False)
		points = (
			row.points_earned - row.points_redeemed
			if cint(include_expired_entry)
			else membership.spendable(name, on)
		)
	tiers = membership.tiers_of(program)
	reached = tier_for(tiers, counted + membership.exact(current_transaction_amount or 0))
	tier = highest((reached, *(t for t in tiers if t.name == held)))
	details.update(
		loyalty_points=points,
		total_spent=float(spent),
		tier_name=tier.name if tier else None,
		collection_factor=float(tier.factor) if tier else None,
	)
	return details


@whitelist()
def get_loyalty_program_details(
	customer: str,
	loyalty_program: str | None = None,
	expiry_date: str | None = None,
	company: str | None = None,
	silent: bool = False,
	include_expired_entry: bool = False,
):
	"""The fields of `loyalty_program`, or of the program that `customer` is in."""
	may_read_customer(customer)
	loyalty_program = loyalty_program or frappe.get_cached_value("Customer", customer, "loyalty_program")
	if not loyalty_program:
		if cint(silent):
			return frappe._dict(loyalty_programs=None)
		frappe.throw(_("Customer isn't enrolled in any Loyalty Program"))
	program = frappe.get_cached_doc("Loyalty Program", loyalty_program)
	may_see_company(program.company)
	return frappe._dict(program.as_dict(), loyalty_program=program.name)


@whitelist()
def get_redeemption_factor(loyalty_program: str | None = None, customer: str | None = None):
	"""The value of one point in company currency, of `loyalty_program` or of the customer's program."""
	if customer:
		may_read_customer(customer)
		loyalty_program = loyalty_program or frappe.get_cached_value("Customer", customer, "loyalty_program")
	if not loyalty_program:
		frappe.throw(_("Customer isn't enrolled in any Loyalty Program"))
	if not customer:
		frappe.has_permission("Loyalty Program", "read", doc=loyalty_program, throw=True)
	program = frappe.get_cached_doc("Loyalty Program", loyalty_program)
	may_see_company(program.company)
	return program.conversion_factor


@whitelist()
def get_loyalty_programs(customer: str):
	"""The program `customer` is in; otherwise the ones that fit, after joining it if there is just one.

	Joins as ERPNext does, but only for who may write the customer, and not on a GET, which changes nothing.
	"""
	may_read_customer(customer)
	doc = frappe.get_doc("Customer", customer)
	if doc.loyalty_program:
		return [doc.loyalty_program]
	programs = enrolment.eligible_programs(doc)
	request = getattr(frappe.local, "request", None)
	reads_only = request and request.method == "GET"
	if len(programs) == 1 and not reads_only and doc.has_permission("write"):
		doc.loyalty_program = programs[0]
		doc.save()
	return programs


@whitelist()
def set_customer_info(fieldname: str, customer: str, value: str = ""):
	"""Set one field of a customer from the POS: the loyalty program through the customer's own rules, e-mail and
	mobile number as ERPNext does."""
	frappe.has_permission("Customer", "write", doc=customer, throw=True)
	if fieldname == "loyalty_program":
		doc = frappe.get_doc("Customer", customer)
		doc.loyalty_program = value or None
		doc.save()
		return
	from erpnext.selling.page.point_of_sale import point_of_sale

	return point_of_sale.set_customer_info(fieldname, customer, value)
