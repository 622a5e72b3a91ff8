"""Entries that other code inserts directly, e.g. a referral bonus by a server script, led through the ledger."""

import frappe
from frappe import _
from frappe.model.document import Document
from frappe.utils import cint, getdate, today

from loyalty_app.ledger import adjustments, entries, expiry, membership, notices, redemption
from loyalty_app.ledger.log import Cause
from loyalty_app.rules import earning, lots
from loyalty_app.rules.amounts import exact
from loyalty_app.rules.lots import Earning, Kind, Voucher, Wanted

# What a currency column holds with room for sums.
MOST_SPEND = 10**11


def set_defaults(doc: Document) -> None:
	"""Fill in what a Loyalty Point Entry to be inserted leaves open, and refuse what cannot be recorded."""
	for field in ("customer", "loyalty_program"):
		if not doc.get(field):
			frappe.throw(
				_("Loyalty Point Entry: set {0}").format(_(doc.meta.get_label(field))), frappe.MandatoryError
			)
	if doc.invoice_type == adjustments.DOCTYPE:
		frappe.throw(
			_("Loyalty Point Entry: {0} has its own entries; make another {1} instead").format(
				doc.invoice, _(adjustments.DOCTYPE)
			)
		)
	program = frappe.get_cached_doc("Loyalty Program", doc.loyalty_program)
	doc.company = doc.company or program.company
	if doc.company != program.company:
		frappe.throw(
			_("Loyalty Point Entry: Company must be {0}, the company of Loyalty Program {1}").format(
				program.company, program.name
			)
		)
	doc.loyalty_points = redemption.whole_points(doc.loyalty_points)
	if not doc.loyalty_points:
		frappe.throw(_("Loyalty Point Entry: Loyalty Points must not be zero"))
	try:
		spend = exact(doc.purchase_amount)
	except ArithmeticError:
		spend = None
	if (
		spend is None
		or not spend.is_finite()
		or not 0 <= spend <= MOST_SPEND
		or (spend and doc.loyalty_points < 0)
	):
		frappe.throw(
			_(
				"Loyalty Point Entry: Purchase Amount must be 0 for negative points, else a number from 0 to {0}"
			).format(MOST_SPEND)
		)
	doc.posting_date = getdate(doc.posting_date or today())
	if doc.loyalty_points > 0:
		doc.redeem_against = None
		doc.expiry_date = getdate(
			doc.expiry_date or earning.expiry_date(doc.posting_date, cint(program.expiry_duration))
		)
		if doc.expiry_date < doc.posting_date:
			frappe.throw(_("Loyalty Point Entry: Expiry Date must not be before Posting Date"))


def insert(doc: Document) -> None:
	"""Write the validated `doc` and what follows from it: the draws on other lots, log and membership.

	Positive points become a lot that first covers shortfalls; negative points are drawn from the lot in
	Redeem Against or the earliest to expire, and refused when there are not enough. Rules 8.
	"""
	membership.hold_all(doc.customer)
	member = membership.lock_or_open(doc.customer, doc.loyalty_program)
	expiry.close_due(member)
	voucher = Voucher(doc.invoice_type or None, doc.invoice or None)
	posting_date = getdate(doc.posting_date)
	bonus = doc.loyalty_points > 0 and Earning(
		points=doc.loyalty_points,
		purchase_amount=exact(doc.purchase_amount),
		posting_date=posting_date,
		expiry_date=getdate(doc.expiry_date),
		tier=doc.loyalty_program_tier or member.loyalty_program_tier,
	)
	wanted = Wanted(
		voucher=voucher,
		earnings=(bonus,) if bonus else (),
		redeem=max(-doc.loyalty_points, 0),
		redeem_on=posting_date,
		on=posting_date,
		today=getdate(today()),
		lot_kind=Kind.ADJUSTED,
		draw_kind=Kind.ADJUSTED,
		reason=doc.discretionary_reason or None,
		from_lot=doc.redeem_against or None,
		adds=True,
	)
	tier = member.loyalty_program_tier
	try:
		after = entries.settle(
			member, [], wanted, Cause("Direct Insert", entries.DOCTYPE, doc.name), announced=doc.name
		)
	except lots.NotEnoughPoints as e:
		refusal = _("Loyalty Point Entry: {0} points asked for, {1} spendable by {2} on {3}.").format(
			e.asked, e.spendable, doc.customer, frappe.format(posting_date, "Date")
		)
		frappe.throw(membership.with_pending(refusal, member, posting_date))
	except lots.NoSuchLot:
		frappe.throw(
			_("Loyalty Point Entry: Redeem Against {0} is not an entry with points of {1} in {2}").format(
				doc.redeem_against, doc.customer, doc.loyalty_program
			)
		)
	if fields_of_others := {
		field: value
		for field, value in doc.get_valid_dict(convert_dates_to_str=True).items()
		if field not in entries.COLUMNS and value is not None
	}:
		frappe.db.set_value(entries.DOCTYPE, doc.name, fields_of_others, update_modified=False)
	doc.update(entries.to_row(after[doc.name], member) | {"membership": member.name})
	notices.tell_gains(member, tier, [after[doc.name]])
