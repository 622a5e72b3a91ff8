"""Redeeming points on an invoice: the checks of rules 5, and what a return gives back."""

from decimal import Decimal
from typing import NamedTuple, NoReturn

import frappe
from frappe import _
from frappe.model.document import Document
from frappe.query_builder.functions import Sum
from frappe.utils import cint, cstr, escape_html, flt, fmt_money, getdate

from loyalty_app.ledger import invoices, membership
from loyalty_app.rules import redemption
from loyalty_app.rules.amounts import exact
from loyalty_app.rules.earning import MOST_POINTS
from loyalty_app.rules.redemption import Limits, Refusal


class Redemption(NamedTuple):
	"""Points and their value in company currency; both negative on a return."""

	points: int
	amount: Decimal


def whole_points(value) -> int:
	"""`value` as a whole number of points. Raises ValidationError when it is not one."""
	try:
		number = exact(value)
		# A number of millions of digits is as wrong, and takes long to write out.
		points = int(number) if number.adjusted() < 20 else None
	except (ArithmeticError, ValueError, TypeError):
		points = number = None
	if points is None or number != points:
		refuse(
			_("Loyalty Points must be a whole number, not {0}").format(frappe.bold(escape_html(cstr(value))))
		)
	if abs(points) > MOST_POINTS:
		refuse(_("Loyalty Points must not be more than {0}").format(MOST_POINTS))
	return points


def refuse(message: str) -> NoReturn:
	frappe.throw(message, title=_("Loyalty Points"))


def amount_of(points: int, program: Document) -> Decimal:
	"""What `points` pay in company currency: points x conversion factor."""
	return redemption.worth(
		points, exact(program.conversion_factor), membership.currency_places(program.company)
	)


def limits_of(program: Document) -> Limits:
	return Limits(
		minimum=cint(program.minimum_redemption_points),
		step=cint(program.redemption_step),
		share=exact(program.maximum_redemption_share),
	)


def payable_total(doc: Document) -> Decimal:
	"""The total of an invoice in company currency: the rounded one where rounding is on."""
	if not doc.is_rounded_total_disabled() and flt(doc.get("base_rounded_total")):
		return exact(doc.base_rounded_total)
	return exact(doc.base_grand_total)


def check(doc: Document, points: int) -> None:
	"""Refuse to redeem `points` on the invoice `doc`, whose totals are computed, if a rule forbids it.

	The balance is checked by a plain read while the invoice is a draft, to help. When it is submitted,
	`refuse_if_short` does so under the lock before ERPNext writes anything, and the ledger decides after. Rules 5.
	Raises ValidationError.
	"""
	program = frappe.get_cached_doc("Loyalty Program", doc.loyalty_program)
	posting_date = getdate(doc.posting_date)
	if points <= 0:
		refuse(_("Loyalty Points to redeem must be more than zero"))
	if program.company != doc.company:
		refuse(
			_("The Loyalty Program isn't valid for the selected company: {0} belongs to {1}").format(
				program.name, program.company
			)
		)
	if not invoices.is_active(program, posting_date):
		refuse(
			_("Loyalty Program {0} is not active on the posting date {1}").format(
				program.name, frappe.format(posting_date, "Date")
			)
		)
	check_limits(points, payable_total(doc), program)
	if doc.docstatus == 0:
		member = membership.look(doc.customer, program.name)
		spendable = membership.spendable_by(member, posting_date) if member else 0
		if points > spendable:
			invoices.refuse_redemption(points, spendable, doc, member)


def refuse_if_short(doc: Document, points: int, member: frappe._dict | None) -> None:
	"""Refuse to redeem `points` on the invoice `doc` if the locked `member` has not so many."""
	if membership.surely_short(member, points, getdate(doc.posting_date)):
		invoices.refuse_redemption(points, member.balance if member else 0, doc, member)


def check_limits(points: int, total: Decimal, program: Document) -> None:
	"""Refuse a redemption of `points` on an invoice of `total` that the program's terms forbid."""
	limits = limits_of(program)
	factor, places = exact(program.conversion_factor), membership.currency_places(program.company)
	refusal = redemption.refusal_of(points, total, factor, limits, places)
	if refusal is Refusal.WORTH_NOTHING:
		refuse(
			_("{0} points of Loyalty Program {1} are worth nothing: see its Conversion Factor").format(
				points, program.name
			)
		)
	if refusal is Refusal.ABOVE_TOTAL:
		refuse(
			_(
				"You can't redeem Loyalty Points having more value than the Total Amount. {0} points are worth {1}, the total is {2}."
			).format(points, money(amount_of(points, program), program), money(total, program))
		)
	if refusal is Refusal.BELOW_MINIMUM:
		refuse(
			_("Loyalty Program {0} redeems {1} points or more at a time").format(program.name, limits.minimum)
		)
	if refusal is Refusal.BETWEEN_STEPS:
		refuse(_("Loyalty Program {0} redeems multiples of {1} points").format(program.name, limits.step))
	if refusal is Refusal.ABOVE_SHARE:
		refuse(
			_("Loyalty Program {0} lets points pay {1}% of an invoice at the most: {2} of {3}").format(
				program.name,
				frappe.format(flt(limits.share), "Float"),
				money(limits.payable(total), program),
				money(total, program),
			)
		)


def money(amount: Decimal, program: Document) -> str:
	currency = frappe.get_cached_value("Company", program.company, "default_currency")
	return fmt_money(flt(amount), currency=currency)


def taken_back(doc: Document, invoice: frappe._dict) -> Redemption:
	"""What the return `doc`, whose totals are computed, takes back of what `invoice` redeemed.

	In proportion to everything returned so far, rounded down to whole points; all of it on a full return.
	Zero or negative. Other returns are read by a locking read when `doc` is submitted, as its customer is held then.
	Rules 6.
	"""
	lock = doc.docstatus == 1
	others = invoices.returns_of(invoice, except_for=doc.name, lock=lock)
	this = frappe._dict(base_grand_total=doc.base_grand_total, items=doc.items)
	total = exact(invoice.base_grand_total)
	if invoices.all_is_back(invoice, others, this, lock=lock):
		returned = total
	else:
		returned = sum((abs(exact(r.base_grand_total)) for r in (*others, this)), Decimal(0))
	redeemed, amount = cint(invoice.loyalty_points), exact(invoice.loyalty_amount)
	points = redemption.points_given_back(redeemed, returned, total)
	value = redemption.value_given_back(points, redeemed, amount, membership.currency_places(invoice.company))
	redeeming = [r for r in others if cint(r.redeem_loyalty_points)]
	points -= sum(abs(cint(r.loyalty_points)) for r in redeeming)
	value -= sum((abs(exact(r.loyalty_amount)) for r in redeeming), Decimal(0))
	if points <= 0:
		return Redemption(0, Decimal(0))
	return Redemption(-points, -max(value, Decimal(0)))


def paid_with_points(doc: Document) -> list[tuple[str, str | None, float]]:
	"""Account, cost center and value in company currency of each redemption that the invoice `doc` posts.

	A consolidated one posts those of its POS Invoices, which post nothing themselves. Negative on returns.
	"""
	if not cint(doc.get("is_consolidated")):
		if not (cint(doc.redeem_loyalty_points) and flt(doc.loyalty_amount)):
			return []
		return [(doc.loyalty_redemption_account, doc.loyalty_redemption_cost_center, flt(doc.loyalty_amount))]
	merged = {item.get("pos_invoice") for item in doc.items} - {None, ""}
	if not merged:
		return []
	pos = frappe.qb.DocType("POS Invoice")
	account, cost_center = pos.loyalty_redemption_account, pos.loyalty_redemption_cost_center
	rows = (
		frappe.qb.from_(pos)
		.select(account, cost_center, Sum(pos.loyalty_amount))
		.where(pos.name.isin(sorted(merged)) & (pos.redeem_loyalty_points == 1))
		.groupby(account, cost_center)
		.orderby(account)
		.orderby(cost_center)
		.run()
	)
	return [(account, cost_center, flt(amount)) for account, cost_center, amount in rows if flt(amount)]
