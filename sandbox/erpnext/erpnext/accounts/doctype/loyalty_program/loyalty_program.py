"""ERPNext's own loyalty program, with its faults: what a loyalty app has to take over from."""

import frappe
from frappe import _
from frappe.model.document import Document
from frappe.query_builder.functions import Sum
from frappe.utils import flt, today


class LoyaltyProgram(Document):
	pass


def get_loyalty_details(
	customer, loyalty_program, expiry_date=None, company=None, include_expired_entry=False
):
	"""Return the points and the spend of a customer in a program, as of a date."""
	expiry_date = expiry_date or today()
	entry = frappe.qb.DocType("Loyalty Point Entry")
	query = (
		frappe.qb.from_(entry)
		.select(
			Sum(entry.loyalty_points).as_("loyalty_points"), Sum(entry.purchase_amount).as_("total_spent")
		)
		.where((entry.customer == customer) & (entry.loyalty_program == loyalty_program))
		.where(entry.posting_date <= expiry_date)
		.groupby(entry.customer)
	)
	if company:
		query = query.where(entry.company == company)
	if not include_expired_entry:
		query = query.where(entry.expiry_date >= expiry_date)
	rows = query.run(as_dict=True)
	return rows[0] if rows else {"loyalty_points": 0, "total_spent": 0}


@frappe.whitelist()
def get_loyalty_program_details_with_points(
	customer,
	loyalty_program=None,
	expiry_date=None,
	company=None,
	silent=False,
	include_expired_entry=False,
	current_transaction_amount=0,
):
	"""Return a program's fields with the customer's points, spend, tier and that tier's factor."""
	details = get_loyalty_program_details(customer, loyalty_program, company=company, silent=silent)
	program = frappe.get_doc("Loyalty Program", loyalty_program)
	details.update(get_loyalty_details(customer, program.name, expiry_date, company, include_expired_entry))

	spent = flt(details.total_spent) + flt(current_transaction_amount)
	by_minimum = sorted(program.collection_rules, key=lambda rule: flt(rule.min_spent), reverse=True)
	for position, rule in enumerate(by_minimum):
		if position and spent > flt(rule.min_spent):
			break
		details.tier_name = rule.tier_name
		details.collection_factor = rule.collection_factor
	return details


@frappe.whitelist()
def get_loyalty_program_details(
	customer,
	loyalty_program=None,
	expiry_date=None,
	company=None,
	silent=False,
	include_expired_entry=False,
):
	"""Return the fields of a program, by default the customer's own."""
	if not loyalty_program:
		loyalty_program = frappe.db.get_value("Customer", customer, "loyalty_program")
		if not loyalty_program and silent:
			return frappe._dict({"loyalty_programs": None})
		if not loyalty_program:
			frappe.throw(_("Customer isn't enrolled in any Loyalty Program"))

	program = frappe.get_doc("Loyalty Program", loyalty_program)
	return frappe._dict({"loyalty_program": program.name, **program.as_dict()})


@frappe.whitelist()
def get_redeemption_factor(loyalty_program=None, customer=None):
	"""Return what one point is worth in company currency."""
	loyalty_program = loyalty_program or frappe.db.get_value("Customer", customer, "loyalty_program")
	if not loyalty_program:
		frappe.throw(_("Customer isn't enrolled in any Loyalty Program"))
	return frappe.db.get_value("Loyalty Program", loyalty_program, "conversion_factor")


def validate_loyalty_points(ref_doc, points_to_redeem):
	"""Refuse a redemption the customer's points do not cover, and fill in its amount and accounts."""
	posting_date = ref_doc.posting_date if ref_doc.doctype == "Sales Invoice" else today()
	program = ref_doc.get("loyalty_program") or frappe.db.get_value(
		"Customer", ref_doc.customer, "loyalty_program"
	)
	if not program:
		return None
	if frappe.db.get_value("Loyalty Program", program, "company") != ref_doc.company:
		frappe.throw(_("The Loyalty Program isn't valid for the selected company"))
	if not points_to_redeem:
		return None

	details = get_loyalty_program_details_with_points(
		ref_doc.customer, program, posting_date, ref_doc.company
	)
	if points_to_redeem > flt(details.loyalty_points):
		frappe.throw(_("You don't have enough Loyalty Points to redeem"))

	loyalty_amount = flt(points_to_redeem * details.conversion_factor)
	total = ref_doc.grand_total if ref_doc.is_rounded_total_disabled() else ref_doc.rounded_total
	if loyalty_amount > total:
		frappe.throw(_("You can't redeem Loyalty Points having more value than the Total Amount."))

	ref_doc.loyalty_amount = ref_doc.loyalty_amount or loyalty_amount
	if ref_doc.doctype == "Sales Invoice":
		ref_doc.loyalty_program = program
		ref_doc.loyalty_redemption_account = ref_doc.loyalty_redemption_account or details.expense_account
		ref_doc.loyalty_redemption_cost_center = ref_doc.loyalty_redemption_cost_center or details.cost_center
	return loyalty_amount if ref_doc.doctype == "Sales Order" else None
