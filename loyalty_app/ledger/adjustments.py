"""What the entries of a Loyalty Point Adjustment should be, and bringing the ledger to it.

As for invoices: the wanted state is computed from the document, one path for submit, cancel and a repeated call. A
transfer is settled in two memberships: what it draws in one are the lots that it makes in the other.
"""

from datetime import date
from decimal import Decimal
from typing import NamedTuple

import frappe
from frappe import _
from frappe.model.document import Document
from frappe.utils import cint, getdate, today

from loyalty_app.ledger import bulk, entries, expiry, foreign, invoices, membership, notices
from loyalty_app.ledger.invoices import Event
from loyalty_app.ledger.log import Cause
from loyalty_app.rules import earning, lots
from loyalty_app.rules.lots import Earning, Entry, Kind, Voucher, Wanted

DOCTYPE = "Loyalty Point Adjustment"
TRANSFER = "Transfer"


class Outcome(NamedTuple):
	"""Points that a customer can spend today, without an adjustment and with it."""

	customer: str
	before: int
	after: int


def customers_of(doc: Document) -> list[str]:
	"""The customers whose points `doc` moves; the one who gives them first."""
	giver_first = [doc.customer, doc.to_customer if doc.reason == TRANSFER else None]
	return list(dict.fromkeys(customer for customer in giver_first if customer))


def memberships_of(doc: Document) -> list[str]:
	"""The names of the memberships in which `doc` moves points."""
	names = (membership.find(customer, doc.loyalty_program) for customer in customers_of(doc))
	return [name for name in names if name]


def adds(doc: Document) -> bool:
	"""Whether `doc` makes points that were not there."""
	return doc.points > 0 and doc.reason != TRANSFER


def taken_by(doc: Document) -> int:
	"""Points that `doc` takes from its customer."""
	return doc.points if doc.reason == TRANSFER else max(-doc.points, 0)


def good_through(doc: Document) -> date:
	"""The last day of the points that `doc` adds: its own, or by the terms of the program."""
	if doc.expiry_date:
		return getdate(doc.expiry_date)
	program = frappe.get_cached_doc("Loyalty Program", doc.loyalty_program)
	return earning.expiry_date(getdate(doc.posting_date), cint(program.expiry_duration))


def hold(doc: Document) -> list[frappe._dict]:
	"""Take the locks of the ledger for submitting `doc`; return its locked memberships, opened if they are not there."""
	customers = customers_of(doc)
	membership.hold_all(*customers)
	return membership.lock_all_for(customers, doc.loyalty_program, open_missing=True)


def settle_adjustment(doc: Document, event: Event) -> None:
	"""Bring the entries of `doc`, already written with its new docstatus, to what they should be after `event`.

	The caller holds its customers (`membership.hold`). Raises ValidationError when it takes more than is spendable, or
	takes back points that were spent and the program blocks that.
	"""
	is_new = event is Event.SUBMIT
	settle_in(membership.lock_all_for(customers_of(doc), doc.loyalty_program, is_new), doc, event)


def settle_in(members: list[frappe._dict], doc: Document, event: Event) -> None:
	"""`settle_adjustment` in the locked `members`, those of its customers in their order."""
	voucher, cause = Voucher(doc.doctype, doc.name), Cause(event.value, doc.doctype, doc.name)
	moved = ()
	for member in members:
		expiry.close_due(member)
		own, _others = entries.of_voucher(member, voucher, doc.name, event is Event.SUBMIT)
		if not own and event is not Event.SUBMIT:
			_was_recorded, own = foreign.recorded(member, voucher)
		tier = member.loyalty_program_tier
		try:
			after = entries.settle(member, own, wanted_of(doc, member, own, moved), cause)
		except lots.NotEnoughPoints as e:
			refuse_taking(doc, e.spendable, member)
		except lots.AlreadySpent as e:
			invoices.refuse_taking_back(e, doc)
		else:
			moved = moved or brought_over(after, voucher)
			if event is Event.SUBMIT:
				notices.tell_gains(member, tier, [e for e in after.values() if e.voucher == voucher])


def wanted_of(doc: Document, member: frappe._dict, own: list[Entry], moved: tuple[Earning, ...]) -> Wanted:
	"""What the entries of `doc` should come to in the membership `member`, where they are now `own`.

	`moved` are the lots that a transfer brings over from the customer who gives.
	"""
	program = frappe.get_cached_doc("Loyalty Program", doc.loyalty_program)
	blocks = program.if_points_already_spent == "Block"
	posted, stands, now_is = getdate(doc.posting_date), doc.docstatus == 1, getdate(today())
	gives = member.customer == doc.customer
	if not stands:
		earnings = ()
	elif not gives:
		# Lots that were moved stay as they were, whatever becomes of those they came from.
		earnings = tuple(map(_as_recorded, own)) or moved
	elif adds(doc):
		tier = member.loyalty_program_tier
		earnings = (Earning(doc.points, Decimal(0), posted, good_through(doc), tier),)
	else:
		earnings = ()
	return Wanted(
		voucher=Voucher(doc.doctype, doc.name),
		earnings=earnings,
		redeem=taken_by(doc) if stands and gives else 0,
		redeem_on=posted,
		on=posted if stands else now_is,
		today=now_is,
		strict=is_strict(doc, program),
		block_spent=blocks,
		lot_kind=Kind.ADJUSTED,
		draw_kind=Kind.ADJUSTED,
		reason=doc.reason,
	)


def is_strict(doc: Document, program: Document) -> bool:
	"""Whether `doc` may not take more than there is: nobody gives points to others that they do not have."""
	return doc.reason == TRANSFER or not program.allow_negative_adjustment


def brought_over(after: dict[str, Entry], voucher: Voucher) -> tuple[Earning, ...]:
	"""The lots that what `voucher` draws becomes in the other membership: points, tier and last day are kept."""
	draws = sorted((e for e in after.values() if e.voucher == voucher and e.points < 0), key=lots.draw_order)
	return tuple(Earning(-e.points, Decimal(0), e.posting_date, e.expiry_date, e.tier) for e in draws)


def _as_recorded(lot: Entry) -> Earning:
	return Earning(lot.points, lot.purchase_amount, lot.posting_date, lot.expiry_date, lot.tier)


def check_balance(doc: Document, member: frappe._dict | None) -> None:
	"""Refuse to take more points than `member`, the one who gives them, can spend on the posting date of `doc`.

	A help for a draft, read without a lock; binding is what `settle_adjustment` finds.
	"""
	taken = strictly_taken_by(doc)
	spendable = membership.spendable_by(member, getdate(doc.posting_date)) if taken and member else 0
	if taken > spendable:
		refuse_taking(doc, spendable, member)


def refuse_if_short(doc: Document, giver: frappe._dict) -> None:
	"""Refuse, before anything is written, to take more points than the locked `giver` has, as far as its state tells."""
	taken = strictly_taken_by(doc)
	if taken and membership.surely_short(giver, taken, getdate(doc.posting_date)):
		refuse_taking(doc, giver.balance, giver)


def strictly_taken_by(doc: Document) -> int:
	"""Points that `doc` takes and that have to be there; 0 where its program lets it take more than there is."""
	program = frappe.get_cached_doc("Loyalty Program", doc.loyalty_program)
	return taken_by(doc) if is_strict(doc, program) else 0


def refuse_taking(doc: Document, spendable: int, member: frappe._dict | None) -> None:
	on = getdate(doc.posting_date)
	refusal = _("Points: {0} cannot be taken, {1} are spendable by {2} on {3}.").format(
		taken_by(doc), max(spendable, 0), doc.customer, frappe.format(on, "Date")
	)
	frappe.throw(membership.with_pending(refusal, member, on), title=_("Not enough points"))


def balance_of(customer: str, program: str) -> int:
	"""Points of `customer` that can be spent today, as this transaction sees them."""
	member = membership.look(customer, program)
	return membership.spendable_by(member, getdate(today())) if member else 0


def outcomes(doc: Document) -> list[Outcome]:
	"""What submitting the valid draft `doc` would come to, for each of its customers; nothing is locked or written.

	Raises lots.NotEnoughPoints.
	"""
	found, moved, on = [], (), getdate(today())
	draft = frappe._dict(doc.as_dict(), docstatus=1)
	for customer in customers_of(doc):
		member = membership.look(customer, doc.loyalty_program) or frappe._dict(customer=customer)
		wanted = wanted_of(draft, member, [], moved)
		book = entries.around(member, [], wanted, lock=False)[0] if member.name else {}
		after = lots.settle(book.values(), wanted, bulk.new_name)
		moved = moved or brought_over(after, wanted.voucher)
		before = membership.spendable_by(member, on) if member.name else 0
		change = lots.spendable(after.values(), on) - lots.spendable(book.values(), on)
		found.append(Outcome(customer, before, before + change))
	return found
