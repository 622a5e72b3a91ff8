"""What the desk's forms show about loyalty: a customer's points, and what an invoice does with them.

Every number comes from the ledger or the rules, by the functions that a submit uses; nothing is saved here.
"""

from collections.abc import Iterable
from decimal import Decimal

import frappe
from frappe import _
from frappe.model.document import Document
from frappe.query_builder.functions import Sum
from frappe.utils import cint, cstr, flt, getdate, nowtime, today
from pypika import Case

from loyalty_app.api import forms
from loyalty_app.api.doors import whitelist
from loyalty_app.api.forms import plain, refusal_in
from loyalty_app.api.permissions import may_see_points, sees_company
from loyalty_app.ledger import invoices, membership, promotions, redemption
from loyalty_app.ledger.direct import MOST_SPEND
from loyalty_app.loyalty_app.report.loyalty_balances import loyalty_balances
from loyalty_app.overrides import invoice as invoice_events
from loyalty_app.reporting.points import per_member
from loyalty_app.reporting.program import Program
from loyalty_app.reporting.promotion import Promotion
from loyalty_app.rules.promotions import Given
from loyalty_app.rules.redemption import largest_redemption

INVOICES = ("Sales Invoice", "POS Invoice")
ENTRY, PROGRAM, PROMOTION = "Loyalty Point Entry", "Loyalty Program", "Loyalty Promotion"
LAST_MOVEMENTS = 5


@whitelist()
def customer_summary(customer: str, loyalty_program: str | None = None) -> dict:
	"""What the customer form shows: `ledger.membership.summary` of the customer's program, or of the one given.

	Adds `tier_minimum`, `movements` (the last entries, as far as the user may read entries) and `sees_entries`.
	Empty for a customer in no program, or in one of a company that is closed to the user.
	"""
	may_see_points(customer)
	summary = membership.summary(customer, cstr(loyalty_program) or None)
	if not summary or not sees_company(summary.company):
		return {}
	summary.tier_minimum = _minimum_of(summary)
	summary.sees_entries = bool(frappe.has_permission(ENTRY, "read"))
	summary.movements = _last_movements(summary.membership) if summary.sees_entries else []
	return summary


@whitelist(methods=["POST"])
def invoice_preview(doc: str | dict) -> dict:
	"""What loyalty does with an invoice, as the form sends it: unsaved, draft, submitted or cancelled.

	`state` is "none" (no program is concerned), "draft", "return" (a return not submitted yet), "submitted" or
	"cancelled". A draft's answer has the customer's program, tier, balance (points spendable on its posting
	date) and worth; `earning` with points, tier and spend, or `earns_nothing`, the reason; `most`, the most
	points that it may redeem, or `redeems_nothing`, the reason, and the program's limits on that: `least` at a time,
	`step`, and `share`, the largest part of an invoice in percent (0: no limit); `points` and `amount` of the
	redemption asked for, in company currency, and `refusal`, why it would be refused; `takes_code`, whether a promotion
	asks for a code, and `code_refusal`. A submitted invoice's has `earned`, `redeemed` and `entries`. Both have
	`promotions`, a draft in `earning`: what those give, by line.
	"""
	given = forms.document_in(doc, INVOICES, ("items", "taxes", "payments"), ("name", "customer", "company"))
	if forms.docstatus_of(given) != 0:
		return _settled(frappe.get_doc(given["doctype"], given["name"]))
	invoice = frappe.get_doc({**given, "docstatus": 0})
	invoice.check_permission("read")
	if not invoice.customer or not invoice.company or cint(invoice.get("is_consolidated")):
		return {"state": "none"}
	may_see_points(invoice.customer)
	return forms.without_trace(lambda: draft(invoice))


@whitelist(methods=["POST"])
def program_preview(
	doc: str | dict, spent: str | float | None = None, amount: str | float | None = None
) -> dict:
	"""What a Loyalty Program comes to, as the form sends it, saved or not: `terms` in words, and the `example` of a
	customer who has `spent` before and buys for `amount`, both in company currency and chosen here if not given.
	Where it cannot be saved, `refusal` alone says why."""
	frappe.has_permission(PROGRAM, "read", throw=True)
	given = forms.document_in(doc, (PROGRAM,), ("collection_rules", "exclusions"))
	program = frappe.get_doc(
		{**given, "name": None, "docstatus": 0, "company": cstr(given.get("company")) or None}
	)
	for check in (
		program.validate_dates,
		program.validate_collection_rules,
		program.validate_tier_period,
		program.validate_redemption,
	):
		if refusal := refusal_in(check):
			return {"refusal": refusal}
	told = Program(program)
	before, bought = told.telling()
	before, bought = _amount(spent, before, _("Spent before")), _amount(amount, bought, _("Buys for"))
	return {
		"terms": told.terms(),
		"example": told.example(before, bought),
		"spent": float(before),
		"amount": float(bought),
	}


@whitelist(methods=["POST"])
def promotion_preview(doc: str | dict) -> dict:
	"""What a Loyalty Promotion comes to, as the form sends it, saved or not: `terms` in words, none while what it gives is
	still empty. Where it cannot be saved, `refusal` alone says why."""
	frappe.has_permission(PROMOTION, "read", throw=True)
	given = forms.document_in(
		doc, (PROMOTION,), ("items", "exclusions"), ("name", "loyalty_program", "effect", "code")
	)
	promotion = frappe.get_doc({**given, "name": None, "docstatus": 0})
	if promotion.lacks_effect():
		return {"terms": []}
	for check in (
		promotion.validate_dates,
		promotion.validate_effect,
		promotion.validate_hours,
		promotion.validate_limits,
	):
		if refusal := refusal_in(check):
			return {"refusal": refusal}
	return {"terms": Promotion(promotion).terms()}


@whitelist()
def program_standing(loyalty_program: str) -> dict:
	"""What the members of a program have, as far as the user may read them: `members`, `balance` (points), `worth` and
	`currency`. Empty for who may not read entries."""
	frappe.has_permission(PROGRAM, "read", doc=loyalty_program, throw=True)
	if not frappe.has_permission(ENTRY, "read"):
		return {}
	filters = frappe._dict(loyalty_program=loyalty_program)
	rows = loyalty_balances.by_program(per_member(filters), filters)
	row = rows[0] if rows else frappe._dict(members=0, balance=0, worth=0)
	company = frappe.get_cached_value(PROGRAM, loyalty_program, "company")
	return {
		"members": row.members,
		"balance": row.balance,
		"worth": row.worth,
		"currency": frappe.get_cached_value("Company", company, "default_currency"),
	}


def _amount(given: str | float | None, otherwise: Decimal, label: str) -> Decimal:
	if given is None or given == "":
		return otherwise
	try:
		amount = membership.exact(given)
	except ArithmeticError:
		amount = None
	if amount is None or not amount.is_finite() or not 0 <= amount <= MOST_SPEND:
		frappe.throw(_("{0}: enter an amount from 0 to {1}").format(label, MOST_SPEND))
	return amount


def _minimum_of(summary: dict) -> float:
	"""The spend from which the summary's tier is reached; 0 without one."""
	tiers = membership.tiers_of(summary["loyalty_program"])
	return next((float(tier.minimum) for tier in tiers if tier.name == summary["tier"]), 0.0)


def _last_movements(membership_name: str | None) -> list[dict]:
	return frappe.get_list(
		ENTRY,
		filters={"membership": membership_name or ""},
		fields=[
			"name",
			"entry_type",
			"loyalty_points",
			"posting_date",
			"expiry_date",
			"spendable_from",
			"invoice_type",
			"invoice",
			"discretionary_reason",
		],
		order_by="posting_date desc, creation desc, name desc",
		limit_page_length=LAST_MOVEMENTS,
	)


def draft(doc: Document) -> dict:
	"""`invoice_preview` of a draft, saved or not, whose customer the user may see. Within `forms.without_trace`."""
	if cint(doc.is_return):
		original = doc.return_against
		if not original or not frappe.has_permission(doc.doctype, "read", doc=original):
			return {"state": "none"}
		program = frappe.db.get_value(doc.doctype, original, "loyalty_program")
		return {"state": "return" if program else "none", "loyalty_program": program}

	on = getdate(doc.posting_date or today())
	doc.posting_date = on
	summary = membership.summary(doc.customer, on=on)
	if not summary or not sees_company(summary.company):
		return {"state": "none"}
	program = frappe.get_cached_doc("Loyalty Program", summary.loyalty_program)

	asked = cint(doc.redeem_loyalty_points) and cstr(doc.loyalty_points) not in ("", "0")
	refusal = None
	typed = doc.loyalty_points
	if asked:
		refusal = refusal_in(lambda: invoice_events.before_validate(doc))
	if not asked or refusal:
		doc.loyalty_program = program.name
		invoice_events.clear_redemption(doc)
	incomplete = refusal_in(doc.calculate_taxes_and_totals) if doc.get("items") else _("no items yet")
	if asked and not refusal and not incomplete:
		refusal = refusal_in(lambda: invoice_events.validate(doc))

	points = _points(typed) if asked else 0
	limits = redemption.limits_of(program)
	most = 0 if incomplete else most_redeemable(doc, program, summary.balance)
	none_allowed = not incomplete and not most
	return {
		**summary,
		"state": "draft",
		"tier_minimum": _minimum_of(summary),
		"expense_account": program.expense_account,
		"cost_center": program.cost_center,
		"points": points,
		"amount": flt(redemption.amount_of(points, program)),
		"refusal": refusal,
		"most": most,
		"redeems_nothing": refusal_in(lambda: redemption.check(doc, limits.least)) if none_allowed else None,
		"least": limits.least,
		"step": max(limits.step, 1),
		"share": flt(limits.share),
		"incomplete": incomplete,
		"takes_code": any(p.code for p in promotions.of_program(program.name)),
		**_earning(doc, program, summary, incomplete, refusal),
	}


def _earning(
	doc: Document, program: Document, summary: frappe._dict, incomplete: str | None, refusal: str | None
) -> dict:
	"""`earning`, or `earns_nothing`, why there is none. A redemption that is refused does not count."""
	if refusal:
		invoice_events.clear_redemption(doc)
	facts = invoices.facts_of(doc)
	if cint(doc.get("dont_create_loyalty_points")):
		return {"earns_nothing": _("This invoice is set to create no loyalty points.")}
	if not invoices.earns(facts, program):
		return {"earns_nothing": _why_not(facts, program)}
	if incomplete:
		return {"earning": None}
	name = summary.membership
	state = membership.state(name) if name else frappe._dict(total_spent=Decimal(0), promotions_used=None)
	if not cint(doc.get("set_posting_time")):
		facts.posting_time = nowtime()  # as ERPNext sets it when it saves
	try:
		earning = invoices.would_earn(
			facts,
			doc,
			program,
			state,
			membership.exact(summary.tier_spend),
			summary.tier if summary.tier_window else None,
		)
	except frappe.ValidationError as e:
		return {"earns_nothing": plain(e)}
	return {
		"earning": {
			"points": earning.points,
			"tier": earning.tier,
			"purchase_amount": float(earning.purchase_amount),
			"expiry_date": earning.expiry_date,
			"spendable_from": earning.spendable_from,
			"excluded_items": list(earning.terms.excluded_items),
			"promotions": _by_line(doc, earning.terms.promotions),
		},
		"code_refusal": refusal_in(lambda: invoice_events.check_code(doc)),
	}


def _by_line(doc: Document, given: Iterable[Given]) -> list[dict]:
	"""What promotions have `given` for `doc`, in the order of its lines: `promotion`, `points`, and `qty` and `item` of
	the line."""
	lines = {promotions.line_name(row): row for row in doc.items}
	return [
		{
			"promotion": g.promotion,
			"points": g.points,
			"qty": flt(lines[g.line].qty),
			"item": lines[g.line].item_name or lines[g.line].item_code,
		}
		for g in sorted(given, key=lambda g: (lines[g.line].idx, g.promotion))
		if g.points
	]


def _why_not(facts: dict, program: Document) -> str:
	"""Why `invoices.earns` says no."""
	if program.company != facts["company"]:
		return _("Loyalty Program {0} belongs to {1}: invoices of {2} earn no points in it.").format(
			program.name, program.company, facts["company"]
		)
	if not invoices.is_active(program, facts["posting_date"]):
		return _("Loyalty Program {0} is not active on {1}.").format(
			program.name, frappe.format(facts["posting_date"], "Date")
		)
	return _("An opening invoice earns no points.")


def most_redeemable(doc: Document, program: Document, spendable: int) -> int:
	"""The most points that `doc`, whose totals are computed, may redeem."""
	if program.company != doc.company or not invoices.is_active(program, getdate(doc.posting_date)):
		return 0
	if not program.expense_account and not doc.get("loyalty_redemption_account"):
		return 0
	return largest_redemption(
		spendable,
		redemption.payable_total(doc),
		membership.exact(program.conversion_factor),
		redemption.limits_of(program),
		membership.currency_places(program.company),
	)


def _points(typed) -> int:
	"""The whole points in `typed`; 0 where there is no number in it."""
	number = flt(typed)
	return cint(number) if abs(number) < 10**12 else 0


def _settled(doc: Document) -> dict:
	"""What a submitted or cancelled invoice, or return, did."""
	doc.check_permission("read")
	program = doc.loyalty_program
	if not program or not doc.customer or cint(doc.get("is_consolidated")):
		return {"state": "none"}
	may_see_points(doc.customer)
	summary = membership.summary(doc.customer, program)
	if not sees_company(summary.company):
		return {"state": "none"}
	returned = bool(cint(doc.is_return))
	sees_entries = bool(frappe.has_permission(ENTRY, "read"))
	voucher = doc.return_against if returned else doc.name
	return {
		**summary,
		"state": "submitted" if doc.docstatus == 1 else "cancelled",
		"is_return": returned,
		"sees_entries": sees_entries,
		**(_moved_by(doc, summary.membership) if returned else _moved_on(doc, summary.membership)),
		"entries": frappe.get_list(
			ENTRY,
			filters={
				"membership": summary.membership or "",
				"invoice_type": doc.doctype,
				"invoice": voucher,
			},
			fields=[
				"name",
				"entry_type",
				"loyalty_points",
				"loyalty_program_tier",
				"posting_date",
				"expiry_date",
				"spendable_from",
			],
			order_by="loyalty_points desc, name",
		)
		if sees_entries and voucher
		else [],
	}


def _moved_on(doc: Document, membership_name: str | None) -> dict:
	"""What is on record for an invoice: points earned and redeemed, both not negative."""
	table = frappe.qb.DocType(ENTRY)
	query = (
		frappe.qb.from_(table)
		.select(
			Sum(Case().when(table.entry_type == "Earned", table.loyalty_points).else_(0)).as_("earned"),
			Sum(Case().when(table.entry_type == "Redeemed", -table.loyalty_points).else_(0)).as_("redeemed"),
		)
		# The membership comes first in every index of these tables.
		.where(table.membership == (membership_name or ""))
		.where((table.invoice_type == doc.doctype) & (table.invoice == doc.name))
	)
	row = query.run(as_dict=True)[0]
	return {
		"earned": cint(row.earned),
		"redeemed": cint(row.redeemed),
		"promotions": _by_line(doc, invoices.given_now(doc, membership_name)),
	}


def _moved_by(doc: Document, membership_name: str | None) -> dict:
	"""What a return changed, by the log: points `earned` that it took back and `redeemed` that it gave back, both
	negative or 0, as they change the totals of the invoice it is against."""
	table = frappe.qb.DocType("Loyalty Point Log")
	after, before = table.points_after, table.points_before
	query = (
		frappe.qb.from_(table)
		.select(
			Sum(Case().when(after > 0, after).else_(0) - Case().when(before > 0, before).else_(0)).as_(
				"earned"
			),
			Sum(Case().when(before < 0, before).else_(0) - Case().when(after < 0, after).else_(0)).as_(
				"redeemed"
			),
		)
		.where(table.membership == (membership_name or ""))
		.where(
			(table.reference_doctype == doc.doctype)
			& (table.reference_name == doc.name)
			& (table.invoice_type == doc.doctype)
			& (table.invoice == doc.return_against)
		)
	)
	row = query.run(as_dict=True)[0]
	return {"earned": cint(row.earned), "redeemed": cint(row.redeemed)}
