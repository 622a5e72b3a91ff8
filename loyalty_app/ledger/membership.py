"""Loyalty Membership: one customer in one program, and the row that writers lock."""

from datetime import date
from decimal import Decimal

import frappe
from frappe.model.document import Document
from frappe.query_builder.functions import Sum
from frappe.utils import getdate, now, today
from pypika import Case

from loyalty_app.rules import redemption
from loyalty_app.rules.amounts import exact
from loyalty_app.rules.earning import NEVER
from loyalty_app.rules.lots import Entry, Kind
from loyalty_app.rules.tiers import Tier, next_tier, tier_for

DOCTYPE = "Loyalty Membership"
ENTRY = "Loyalty Point Entry"

STATE = (
	"name",
	"customer",
	"loyalty_program",
	"company",
	"loyalty_program_tier",
	"balance",
	"shortfall",
	"total_spent",
	"points_earned",
	"points_redeemed",
	"points_expired",
	"next_expiry",
	"log_count",
	"log_hash",
)


def find(customer: str, program: str) -> str | None:
	"""The name of the membership of `customer` in `program`, None where there is none yet."""
	return frappe.db.get_value(DOCTYPE, {"customer": customer, "loyalty_program": program})


def ensure(customer: str, program: str) -> str:
	"""The name of the membership of `customer` in `program`, created if it is not there."""
	name = find(customer, program)
	if name:
		return name
	stamp, user = now(), frappe.session.user
	is_current = frappe.db.get_value("Customer", customer, "loyalty_program") == program
	values = {
		"name": frappe.generate_hash(length=10),
		"owner": user,
		"modified_by": user,
		"creation": stamp,
		"modified": stamp,
		"docstatus": 0,
		"customer": customer,
		"customer_name": frappe.db.get_value("Customer", customer, "customer_name"),
		"loyalty_program": program,
		"company": frappe.get_cached_value("Loyalty Program", program, "company"),
		"active": int(is_current),
	}
	# Another terminal may create it in this very moment: the unique index lets one of the two rows in.
	frappe.db.bulk_insert(DOCTYPE, list(values), [tuple(values.values())], ignore_duplicates=True)
	return frappe.db.get_value(DOCTYPE, {"customer": customer, "loyalty_program": program}, for_update=True)


def lock(name: str) -> frappe._dict:
	"""Lock the membership by its primary key until the transaction ends, and return its present state.

	The values are those of the locking statement itself; a plain read after it could be older.
	"""
	members = lock_all([name])
	if not members:
		frappe.throw(frappe._("Loyalty Membership {0} does not exist any more").format(name))
	return members[0]


def lock_all(names: list[str]) -> list[frappe._dict]:
	"""Lock several memberships in the order of their names, the one order for everybody, and return their state."""
	return _states(_select(names).for_update().run(as_dict=True))


def state(name: str) -> frappe._dict:
	"""The state of a membership as this transaction sees it, without a lock: to look at, not to decide from."""
	return _states(_select([name]).run(as_dict=True))[0]


def _select(names: list[str]):
	table = frappe.qb.DocType(DOCTYPE)
	return frappe.qb.from_(table).select(*STATE).where(table.name.isin(names)).orderby(table.name)


def _states(members: list[frappe._dict]) -> list[frappe._dict]:
	for row in members:
		row.total_spent = exact(row.total_spent)
		row.next_expiry = getdate(row.next_expiry) if row.next_expiry else None
		for key in (
			"balance",
			"shortfall",
			"points_earned",
			"points_redeemed",
			"points_expired",
			"log_count",
		):
			row[key] = row[key] or 0
	return members


def tiers_of(program: str) -> list[Tier]:
	"""The tiers of `program`, in no particular order."""
	return tiers_in(frappe.get_cached_doc("Loyalty Program", program))


def tiers_in(program: Document) -> list[Tier]:
	"""The tiers that the document `program` has, saved or not."""
	rules = program.collection_rules
	return [Tier(r.tier_name, exact(r.min_spent), exact(r.collection_factor)) for r in rules]


def shown_tier(program: str, total_spent: Decimal) -> str | None:
	"""The tier that spending `total_spent` in all has reached; none before anything was spent."""
	tier = tier_for(tiers_of(program), total_spent) if total_spent > 0 else None
	return tier.name if tier else None


def apply(member: frappe._dict, before: dict[str, Entry], after: dict[str, Entry]) -> None:
	"""Bring the locked `member` from the entries `before` to those `after`, and the customer's tier along."""
	count(member, before, after)
	save(member)


def count(member: frappe._dict, before: dict[str, Entry], after: dict[str, Entry]) -> None:
	"""Bring the totals in `member` from the entries `before` to those `after`, which are written already."""
	on = getdate(today())

	def change(value):
		return sum(value(e) for e in after.values()) - sum(value(e) for e in before.values())

	member.total_spent += change(lambda e: e.purchase_amount)
	member.points_earned += change(lambda e: max(e.points, 0))
	member.points_redeemed -= change(lambda e: e.points if e.is_spending else 0)
	member.points_expired -= change(lambda e: e.points if e.kind is Kind.EXPIRED else 0)
	member.shortfall -= change(lambda e: e.remaining if e.is_shortfall else 0)
	if member.next_expiry and member.next_expiry < on:
		# Points expired since the last movement and the daily job has not come by: count afresh.
		member.balance = open_points(member.name, on)
		member.next_expiry = first_expiry(member.name)
	else:
		member.balance += change(lambda e: e.remaining if e.expiry_date >= on else 0)
		was, is_now = _expiries(before), _expiries(after)
		if member.next_expiry in was - is_now:
			member.next_expiry = first_expiry(member.name)
		else:
			member.next_expiry = min(is_now | {member.next_expiry or NEVER}) if is_now else member.next_expiry


def _expiries(book: dict[str, Entry]) -> set[date]:
	"""Days through which lots with points left are good, those that never expire apart."""
	return {e.expiry_date for e in book.values() if e.is_lot and e.remaining} - {NEVER}


def save(member: frappe._dict) -> None:
	"""Write the locked `member`, with the tier that follows from its spend, on the customer too."""
	tier = shown_tier(member.loyalty_program, member.total_spent)
	tier_changed = tier != (member.loyalty_program_tier or None)
	member.loyalty_program_tier = tier
	values = {key: member[key] for key in STATE[4:]} | {"total_spent": float(member.total_spent)}
	table = frappe.qb.DocType(DOCTYPE)
	query = frappe.qb.update(table).where(table.name == member.name)
	for key, value in (values | {"modified": now(), "modified_by": frappe.session.user}).items():
		query = query.set(table[key], value)
	query.run()
	frappe.clear_document_cache(DOCTYPE, member.name)
	if tier_changed:
		show_tier(member.customer, member.loyalty_program, tier)


def show_tier(customer: str, program: str, tier: str | None) -> None:
	"""Show `tier` on the customer, if `program` is the one the customer is in."""
	table = frappe.qb.DocType("Customer")
	(
		frappe.qb.update(table)
		.set(table.loyalty_program_tier, tier)
		.where((table.name == customer) & (table.loyalty_program == program))
	).run()
	frappe.clear_document_cache("Customer", customer)


def mark_active(customer: str, program: str | None) -> None:
	"""Mark the membership of `customer` in `program` as the current one, all others as left."""
	table = frappe.qb.DocType(DOCTYPE)
	(
		frappe.qb.update(table)
		.set(table.active, Case().when(table.loyalty_program == (program or ""), 1).else_(0))
		.where(table.customer == customer)
	).run()


def follow_tiers(program: Document) -> None:
	"""Show the tier that the new rules of `program` give for its spend on every membership and customer in it."""
	table = frappe.qb.DocType(DOCTYPE)
	name = Case()
	for tier in sorted(tiers_in(program), key=lambda t: t.minimum, reverse=True):
		name = name.when((table.total_spent > 0) & (table.total_spent >= float(tier.minimum)), tier.name)
	(
		frappe.qb.update(table)
		.set(table.loyalty_program_tier, name.else_(None))
		.where(table.loyalty_program == program.name)
	).run()
	show_tiers(program.name)
	frappe.clear_document_cache(DOCTYPE)


def show_tiers(program: str, customers: list[str] | None = None) -> None:
	"""Show their memberships' tier on `customers`, or on all, who are in `program`."""
	if customers == []:
		return
	# The query builder writes a subquery after SET without its parentheses.
	frappe.db.sql(
		"""update `tabCustomer` set loyalty_program_tier = (
			select loyalty_program_tier from `tabLoyalty Membership`
			where `tabLoyalty Membership`.customer = `tabCustomer`.name
			and `tabLoyalty Membership`.loyalty_program = %(program)s)
		where loyalty_program = %(program)s"""
		+ (" and name in %(customers)s" if customers else ""),
		{"program": program, "customers": customers},
	)
	if customers is None:
		frappe.clear_document_cache("Customer")
	for customer in customers or ():
		frappe.clear_document_cache("Customer", customer)


def follow_company(program: str, company: str) -> None:
	"""Move the memberships of `program`, which has no entries yet, to its new `company`."""
	table = frappe.qb.DocType(DOCTYPE)
	frappe.qb.update(table).set(table.company, company).where(table.loyalty_program == program).run()


def delete(name: str) -> None:
	"""Delete a membership without entries; its log, if it has one, stays."""
	frappe.db.delete(DOCTYPE, {"name": name})
	frappe.clear_document_cache(DOCTYPE, name)


def _open(name: str, on: date):
	table = frappe.qb.DocType(ENTRY)
	return table, frappe.qb.from_(table).where(
		(table.membership == name) & (table.is_open == 1) & (table.expiry_date >= on)
	)


def open_points(name: str, on: date) -> int:
	"""What is left of all lots of the locked membership that are good on `on` or later, less shortfalls."""
	table, query = _open(name, on)
	# Row by row, as a sum cannot be locked everywhere, and a read without a lock would see an old snapshot.
	return sum(query.select(table.remaining_points).for_update().run(pluck=True))


def first_expiry(name: str, on: date = date.min, locking: bool = True) -> date | None:
	"""The earliest day, from `on`, through which a lot with points left is good; None where none ever expires.

	With `locking`, of a locked membership and as it is now; without, as the transaction first saw it.
	"""
	table, query = _open(name, on)
	query = query.select(table.expiry_date).where((table.remaining_points > 0) & (table.expiry_date < NEVER))
	query = query.orderby(table.expiry_date).limit(1)
	earliest = (query.for_update() if locking else query).run(pluck=True)
	return getdate(earliest[0]) if earliest else None


def spendable(name: str, on: date) -> int:
	"""Points of the membership `name` that may be spent on the posting date `on`; below 0 after a shortfall.

	A helpful number, read without a lock: the binding check is made under the lock at submit.
	"""
	table, query = _open(name, on)
	query = query.where((table.posting_date <= on) | (table.remaining_points < 0))
	points = int(query.select(Sum(table.remaining_points)).run()[0][0] or 0)
	if on < getdate(today()):
		# The daily job has closed lots that were still good on that day.
		lot = frappe.qb.DocType(ENTRY).as_("lot")
		closed = (
			frappe.qb.from_(table)
			.join(lot)
			.on(lot.name == table.redeem_against)
			.select(Sum(table.loyalty_points))
			.where(
				(table.membership == name)
				& (table.is_open == 0)
				& (table.expiry_date >= on)
				& (table.expiry_date < getdate(today()))
				& (table.entry_type == Kind.EXPIRED.value)
				& (lot.posting_date <= on)
			)
		)
		points -= int(closed.run()[0][0] or 0)
	return points


def summary(customer: str, program: str | None = None, on: date | None = None) -> frappe._dict:
	"""What a customer has in a loyalty program (the customer's own, if `program` is not given).

	Keys: loyalty_program, company, currency, membership, balance (points spendable on `on`, today if not
	given), conversion_factor, worth, total_spent, tier, collection_factor, next_tier, next_tier_minimum,
	missing_to_next_tier, next_expiry, next_expiry_points, points_earned, points_redeemed, points_expired.
	Money in company currency. Empty for a customer in no program. The caller checks permissions.
	"""
	program = program or frappe.get_cached_value("Customer", customer, "loyalty_program")
	if not program:
		return frappe._dict()
	doc = frappe.get_cached_doc("Loyalty Program", program)
	on = getdate(on or today())
	fields = ["name", "total_spent", "points_earned", "points_redeemed", "points_expired"]
	row = (
		frappe.db.get_value(DOCTYPE, {"customer": customer, "loyalty_program": program}, fields, as_dict=True)
		or frappe._dict()
	)
	spent = exact(row.total_spent)
	tiers = tiers_of(program)
	tier = tier_for(tiers, spent) if spent > 0 else None
	following = next_tier(tiers, spent) if tier else min(tiers, key=lambda t: t.minimum, default=None)
	balance = spendable(row.name, on) if row.name else 0
	factor = exact(doc.conversion_factor)
	places = currency_places(doc.company)
	expiring = first_expiry(row.name, on, locking=False) if row.name else None
	return frappe._dict(
		loyalty_program=program,
		company=doc.company,
		currency=frappe.get_cached_value("Company", doc.company, "default_currency"),
		membership=row.name,
		balance=balance,
		conversion_factor=float(factor),
		worth=float(redemption.worth(max(balance, 0), factor, places)),
		total_spent=float(spent),
		tier=tier.name if tier else None,
		collection_factor=float(tier.factor) if tier else None,
		next_tier=following.name if following else None,
		next_tier_minimum=float(following.minimum) if following else None,
		missing_to_next_tier=float(max(following.minimum - spent, 0)) if following else None,
		next_expiry=expiring,
		next_expiry_points=_expiring_points(row.name, expiring) if expiring else 0,
		points_earned=row.points_earned or 0,
		points_redeemed=row.points_redeemed or 0,
		points_expired=row.points_expired or 0,
	)


def _expiring_points(name: str, on: date) -> int:
	table = frappe.qb.DocType(ENTRY)
	query = frappe.qb.from_(table).where(
		(table.membership == name)
		& (table.is_open == 1)
		& (table.expiry_date == on)
		& (table.remaining_points > 0)
	)
	return int(query.select(Sum(table.remaining_points)).run()[0][0] or 0)


def currency_places(company: str) -> int:
	"""Decimals of amounts in the currency of `company`."""
	from frappe.model.meta import get_field_precision

	currency = frappe.get_cached_value("Company", company, "default_currency")
	return int(
		get_field_precision(frappe.get_meta("Sales Invoice").get_field("base_grand_total"), currency=currency)
	)
