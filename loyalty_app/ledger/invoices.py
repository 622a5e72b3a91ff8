"""What an invoice's entries should be, and bringing the ledger to it.

One path for submit, cancel, return, cancel of a return and a repeated call: the wanted state is computed
from the invoice, its returns and the terms recorded when it earned; the ledger writes the difference.
"""

import enum
from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from decimal import Decimal

import frappe
from frappe import _
from frappe.model.document import Document
from frappe.utils import cint, comma_and, cstr, get_link_to_form, getdate, today

from loyalty_app.ledger import entries, expiry, foreign, membership, notices, promotions, tiering
from loyalty_app.ledger.log import Cause
from loyalty_app.rules import earning, lots, tiers
from loyalty_app.rules.amounts import exact
from loyalty_app.rules.earning import EarnOn
from loyalty_app.rules.lots import Earning, Entry, Kind, Terms, Voucher, Wanted
from loyalty_app.rules.promotions import Given, Kinds


class Event(str, enum.Enum):
	"""What happened to an invoice; values stand in the log."""

	SUBMIT = "Submit"
	CANCEL = "Cancel"
	RETURN = "Return"
	RETURN_CANCELLED = "Return Cancelled"


# What the ledger reads of an invoice, or of the invoice that a return is against.
FACTS = (
	"name",
	"customer",
	"company",
	"posting_date",
	"posting_time",
	"docstatus",
	"is_return",
	"is_opening",
	"loyalty_program",
	"redeem_loyalty_points",
	"loyalty_points",
	"loyalty_amount",
	"base_grand_total",
	"base_net_total",
)

# What of an invoice decides whose points its cancel moves, and how.
DECIDING = (*(field for field in FACTS if field != "docstatus"), "return_against", "is_consolidated")


def put_back(doc: Document, fields: Iterable[str]) -> None:
	"""Let `fields` of `doc`, which is being cancelled, be what is stored: what a client sends along with the docstatus of
	a cancel, Frappe takes without a check."""
	if stored := doc.get_doc_before_save():
		for field in fields:
			doc.set(field, stored.get(field))


def settle_invoice(doc: Document, event: Event) -> None:
	"""Bring the entries of `doc`, or of the invoice it returns, to what they should be after `event`.

	`doc` is a Sales Invoice or POS Invoice, already written with its new docstatus, whose customer the caller
	holds (`membership.hold`). Rules 4 to 6.
	Raises ValidationError when it redeems more than is spendable, or takes back points that were spent
	and the program blocks that.
	"""
	invoice = invoice_of(doc, event)
	if not invoice:
		return
	voucher, cause = Voucher(invoice.doctype, invoice.name), Cause(event.value, doc.doctype, doc.name)
	member = member_of(invoice, event)
	if not member:
		foreign.discard(voucher, cause)
		return
	program = frappe.get_cached_doc("Loyalty Program", invoice.loyalty_program)
	new = None
	if invoice.may_earn:
		# Promotions are locked before entries.
		spent, held = tiering.spend_towards_tier(member, invoice.posting_date)
		new = would_earn(invoice, doc, program, member, spent, held, lock=True)
	if event is Event.CANCEL:
		promotions.lock_limited(program.name)
	expiry.close_due(member)
	own, others = entries.of_voucher(member, voucher, doc.name, event is Event.SUBMIT)
	if others:
		foreign.remove(others, voucher, cause, member)
	if not own and event is not Event.SUBMIT:
		if event is not Event.CANCEL:
			# Read before the lock, when it may not have been cancelled yet.
			invoice.docstatus = frappe.db.get_value(
				invoice.doctype, invoice.name, "docstatus", for_update=True
			)
		was_recorded, own = foreign.recorded(member, voucher)
		if not was_recorded:
			return
		if event is Event.RETURN and invoice.docstatus == 2:
			refuse_cancelled(doc, invoice)
	if event is Event.RETURN and doc.customer != invoice.customer:
		refuse_other_customer(doc, invoice)
	returns = returns_of(invoice) if event in (Event.RETURN, Event.RETURN_CANCELLED) else []
	blocks = program.if_points_already_spent == "Block"
	earning = wanted_earning(invoice, own, returns, new)
	wanted = Wanted(
		voucher=voucher,
		earnings=(earning,) if earning else (),
		redeem=wanted_redemption(invoice, returns),
		redeem_on=invoice.posting_date,
		on=getdate(today()) if event in (Event.CANCEL, Event.RETURN_CANCELLED) else getdate(doc.posting_date),
		today=getdate(today()),
		strict=event is Event.SUBMIT or blocks,
		block_spent=blocks,
	)
	tier = member.loyalty_program_tier
	try:
		after = entries.settle(member, own, wanted, cause)
	except lots.NotEnoughPoints as e:
		refuse_redemption(e.asked, e.spendable, invoice, member)
	except lots.AlreadySpent as e:
		refuse_taking_back(e, doc)
	else:
		if event is Event.SUBMIT:
			known = {e.name for e in own}
			earned = [e for e in after.values() if e.voucher == voucher and e.name not in known]
			notices.tell_gains(member, tier, earned, doc.get("language"))


def invoice_of(doc: Document, event: Event) -> frappe._dict | None:
	"""What the ledger reads of the invoice whose entries `event` of `doc` is about; None where that has none."""
	if doc.get("is_consolidated"):
		return None  # a POS closing: the POS Invoices in it have earned and redeemed already
	if event in (Event.RETURN, Event.RETURN_CANCELLED):
		if not doc.return_against:
			return None
		invoice = stored_facts(doc.doctype, doc.return_against)
	else:
		invoice = facts_of(doc)
		invoice.may_earn = event is Event.SUBMIT and not cint(doc.get("dont_create_loyalty_points"))
	invoice.doctype = doc.doctype
	invoice.posting_date = getdate(invoice.posting_date)
	return invoice if invoice.loyalty_program else None


def member_of(invoice: frappe._dict, event: Event) -> frappe._dict | None:
	"""The locked membership in which `event` may move points of `invoice`; None where it moves none."""
	if not frappe.get_cached_value("Loyalty Program", invoice.loyalty_program, "name"):
		return None  # deleted while ERPNext still allowed that
	if event is not Event.SUBMIT:
		return membership.lock_for(invoice.customer, invoice.loyalty_program)
	program = frappe.get_cached_doc("Loyalty Program", invoice.loyalty_program)
	redeems = cint(invoice.redeem_loyalty_points) and cint(invoice.loyalty_points)
	invoice.may_earn = invoice.may_earn and earns(invoice, program)
	if not (invoice.may_earn or redeems):
		return None
	return membership.lock_or_open(invoice.customer, program.name)


def facts_of(doc: Document) -> frappe._dict:
	"""What the ledger reads of the invoice `doc`, saved or not, and its lines."""
	invoice = frappe._dict({key: doc.get(key) for key in FACTS})
	invoice.update(doctype=doc.doctype, posting_date=getdate(doc.posting_date), lines=doc.get("items") or [])
	invoice.code = cstr(doc.get(promotions.CODE))
	return invoice


def stored_facts(doctype: str, name: str, *more: str) -> frappe._dict | None:
	"""What the ledger reads of the invoice `name` as it is stored, and the fields `more`; None if there is none.

	`frappe.db.get_value` parses each field as SQL, which takes ten times as long as the statement.
	"""
	table = frappe.qb.DocType(doctype)
	rows = frappe.qb.from_(table).select(*FACTS, *more).where(table.name == name).run(as_dict=True)
	return rows[0] if rows else None


def is_active(program: Document, on: date) -> bool:
	"""Whether `program` runs on `on`, both its dates included."""
	return getdate(program.from_date) <= on and not (program.to_date and getdate(program.to_date) < on)


def earns(invoice: dict, program: Document) -> bool:
	"""Whether an invoice being submitted may earn in `program` at all (rules 4)."""
	return (
		not cint(invoice["is_return"])
		and cstr(invoice["is_opening"]) != "Yes"
		and program.company == invoice["company"]
		and is_active(program, getdate(invoice["posting_date"]))
	)


def wanted_earning(
	invoice: frappe._dict, own: list[Entry], returns: list[frappe._dict], new: Earning | None
) -> Earning | None:
	"""The lot that `invoice` should have: by the terms recorded with the one it has, if it has one, else `new`."""
	if invoice.docstatus != 1:
		return None
	earned = next((e for e in own if e.kind is Kind.EARNED), None)
	if earned:
		given = promotions.kept(
			invoice,
			earned.terms.promotions,
			[r.name for r in returns],
			membership.currency_places(invoice.company),
		)
		amount = eligible(invoice, earned.terms) + sum(
			(eligible(r, earned.terms) for r in returns), Decimal(0)
		)
		if returns and all_is_back(invoice, returns):
			amount, given = Decimal(0), ()
		lot = earning_of(
			invoice, amount, earned.posting_date, earned.expiry_date, earned.tier, earned.terms, given
		)
		return replace(lot, spendable_from=earned.spendable_from)
	return new


def would_earn(
	invoice: frappe._dict,
	doc: Document,
	program: Document,
	member: frappe._dict,
	spent: Decimal,
	held: str | None = None,
	lock: bool = False,
) -> Earning:
	"""The lot that `invoice` earns when it is submitted by `member`, the state of a membership, who has `spent` so far
	towards a tier (rules 4), and has the tier `held` whatever that is (rules 7).

	`invoice` is `facts_of(doc)` with its totals computed, and `earns`. What a form promises and what a submit, which
	locks what limits promotions, records come from here, and differ only where something has happened in between.
	"""
	found = promotions.of_program(program.name)
	looks_at_items = program.exclusions or any(p.items or p.except_items for p in found)
	kinds = promotions.kinds_of_items(doc) if looks_at_items else {}
	terms = Terms(
		earn_on=EarnOn(program.earn_on or EarnOn.GRAND_TOTAL), excluded_items=excluded(kinds, program)
	)
	amount = eligible(invoice, terms)
	rows = membership.tiers_of(program.name)
	reached = tiers.highest((tiers.tier_for(rows, spent + amount), *(t for t in rows if t.name == held)))
	tier = reached.name if reached else None
	terms = replace(terms, factor=reached.factor if reached else None)
	if found and reached:
		purchase = promotions.Purchase(invoice, kinds, amount, tier, terms)
		terms = replace(terms, promotions=promotions.given_for(purchase, found, member, lock))
	expiry = earning.expiry_date(invoice.posting_date, cint(program.expiry_duration))
	lot = earning_of(invoice, amount, invoice.posting_date, expiry, tier, terms, terms.promotions)
	first_day = earning.spendable_from(invoice.posting_date, cint(program.maturity_days))
	return replace(lot, spendable_from=first_day)


def given_now(doc: Document, member: str | None) -> tuple[Given, ...]:
	"""What lines of the invoice `doc` have left, after its returns, of what promotions gave them; to look at."""
	table = frappe.qb.DocType(entries.DOCTYPE)
	earned = entries.read(
		table.membership == (member or ""),
		table.invoice == doc.name,
		table.invoice_type == doc.doctype,
		table.entry_type == Kind.EARNED.value,
		lock=False,
	)
	given = earned[0].terms.promotions if earned else ()
	if not given:
		return ()
	invoice, returns = facts_of(doc), returns_of(doc, lock=False)
	if returns and all_is_back(invoice, returns, lock=False):
		return ()
	places = membership.currency_places(doc.company)
	return promotions.kept(invoice, given, [r.name for r in returns], places, lock=False)


def earning_of(
	invoice: frappe._dict,
	amount: Decimal,
	posting_date: date,
	expiry: date,
	tier: str | None,
	terms: Terms,
	given: Iterable[Given],
) -> Earning:
	"""The lot for `amount` spent under `terms`, and what promotions have `given`. Raises ValidationError where its
	points cannot be recorded."""
	amount = max(amount, Decimal(0))
	points = earning.points_for(amount, terms.factor) if terms.factor else 0
	points += sum(g.points for g in given)
	if points > earning.MOST_POINTS:
		frappe.throw(
			_(
				"{0} would earn {1} points, more than can be recorded. Check the Collection Factor of tier {2}."
			).format(invoice.name, points, tier)
		)
	return Earning(points, amount, posting_date, expiry, tier, terms)


def wanted_redemption(invoice: frappe._dict, returns: list[frappe._dict]) -> int:
	"""Points that `invoice` should have spent: what it redeems less what its returns gave back."""
	if invoice.docstatus != 1 or not cint(invoice.redeem_loyalty_points) or cint(invoice.is_return):
		return 0
	given_back = sum(abs(cint(r.loyalty_points)) for r in returns if cint(r.redeem_loyalty_points))
	return max(cint(invoice.loyalty_points) - given_back, 0)


def eligible(invoice: frappe._dict, terms: Terms) -> Decimal:
	"""The part of an invoice or return that counts under `terms`, in company currency."""
	return earning.eligible_amount(
		earn_on=terms.earn_on,
		grand_total=exact(invoice.base_grand_total),
		net_total=exact(invoice.base_net_total),
		excluded_net=excluded_net(invoice, terms.excluded_items),
		paid_with_points=exact(invoice.loyalty_amount) if cint(invoice.redeem_loyalty_points) else Decimal(0),
		places=membership.currency_places(invoice.company),
	)


def excluded_net(invoice: frappe._dict, item_codes: Iterable[str]) -> Decimal:
	"""Net amount of the lines of an invoice or return with one of `item_codes`, in company currency."""
	if not item_codes:
		return Decimal(0)
	lines = invoice.get("lines")
	if lines is None:
		lines = promotions.lines_of(invoice.doctype, [invoice.name])
	return sum((exact(line.base_net_amount) for line in lines if line.item_code in item_codes), Decimal(0))


def excluded(kinds: dict[str, Kinds], program: Document) -> tuple[str, ...]:
	"""Of items of these `kinds`, those that do not earn under `program`: by item, by brand or by item group, nested."""
	named = {(row.exclude_type, row.exclude_value) for row in program.exclusions}
	return tuple(sorted(item for item, of in kinds.items() if named & of))


def returns_of(invoice: frappe._dict, except_for: str | None = None, lock: bool = True) -> list[frappe._dict]:
	"""The submitted returns against `invoice`, as they are now, by a locking read; without `lock`, to look at."""
	table = frappe.qb.DocType(invoice.doctype)
	query = (
		frappe.qb.from_(table)
		.select(*FACTS)
		.where((table.return_against == invoice.name) & (table.is_return == 1) & (table.docstatus == 1))
	)
	if except_for:
		query = query.where(table.name != except_for)
	rows = (query.for_update() if lock else query).run(as_dict=True)
	for row in rows:
		row.doctype = invoice.doctype
	return rows


def all_is_back(
	invoice: frappe._dict, returns: list[frappe._dict], draft: frappe._dict | None = None, lock: bool = True
) -> bool:
	"""Whether everything on `invoice` has come back with its `returns` and `draft`, a return not yet written.

	Every document rounds its own totals, so that a full return in parts may miss the invoice's by some cents:
	within a hundredth of the total, quantities decide.
	"""
	total = exact(invoice.base_grand_total)
	totals = [r.base_grand_total for r in returns] + ([draft.base_grand_total] if draft else [])
	left = total + sum(map(exact, totals), Decimal(0))
	if left <= 0 or left > total / 100:
		return left <= 0
	lines = promotions.lines_of(invoice.doctype, [invoice.name, *(r.name for r in returns)], lock)
	return sum((exact(line.qty) for line in (*lines, *(draft["items"] if draft else ()))), Decimal(0)) <= 0


def refuse_cancelled(doc: Document, invoice: frappe._dict) -> None:
	frappe.throw(
		_("{0} is a return of {1}, which has been cancelled meanwhile").format(doc.name, invoice.name),
		title=_("Loyalty Points"),
	)


def refuse_other_customer(doc: Document, invoice: frappe._dict) -> None:
	frappe.throw(
		_("{0} is a return of {1}, whose points are {2}'s: choose that customer, not {3}").format(
			doc.name, invoice.name, frappe.bold(invoice.customer), frappe.bold(doc.customer)
		),
		title=_("Loyalty Points"),
	)


def refuse_redemption(asked: int, spendable: int, invoice: frappe._dict, member: frappe._dict | None) -> None:
	on = getdate(invoice.posting_date)
	refusal = _(
		"You don't have enough Loyalty Points to redeem: {0} asked for, {1} spendable by {2} on {3}."
	).format(asked, max(spendable, 0), invoice.customer, frappe.format(on, "Date"))
	frappe.throw(membership.with_pending(refusal, member, on), title=_("Loyalty Points"))


def refuse_taking_back(spent: lots.AlreadySpent, doc: Document) -> None:
	refusal = _(
		"{0} {1}: {2} of the Loyalty Points it takes back have been redeemed already, and the Loyalty Program blocks that."
	).format(_(doc.doctype), doc.name, spent.points)
	links = [get_link_to_form(v.doctype, v.name) for v in spent.vouchers if v.doctype and v.name]
	if links:
		refusal += " " + _("First cancel {0}.").format(comma_and(links, add_quotes=False))
	if len(links) < len(spent.vouchers):
		refusal += " " + _(
			"Some were taken off without a document that could be cancelled: to go on all the same, choose {0} in the"
			" Loyalty Program."
		).format(frappe.bold(_("Allow Negative Balance")))
	frappe.throw(refusal, title=_("Loyalty Points already spent"))
