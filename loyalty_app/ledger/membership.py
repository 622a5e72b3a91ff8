"""Loyalty Membership: one customer in one program, and the rows that writers lock.

Everybody who moves points locks in one order: first the customers, in the order of their names (`hold`), then the
memberships, in the order of theirs (`lock`, `lock_all`), then promotions (`promotions.uses_of`), then entries. Who writes
memberships alone, as the daily jobs do, need not hold the customers.
"""

from collections import defaultdict
from collections.abc import Container, Iterable
from datetime import date
from decimal import Decimal

import frappe
from frappe.model.document import Document
from frappe.query_builder.functions import Coalesce, Sum
from frappe.utils import getdate, today
from pypika import Case

from loyalty_app.ledger import bulk, busy, listeners, promotions, terms, tiering
from loyalty_app.ledger.tiering import tiers_in, tiers_of
from loyalty_app.rules import redemption
from loyalty_app.rules.amounts import exact
from loyalty_app.rules.earning import NEVER
from loyalty_app.rules.lots import Entry, Kind
from loyalty_app.rules.tiers import next_tier, reached

DOCTYPE = "Loyalty Membership"
ENTRY = "Loyalty Point Entry"
CHANGED = ("on_update", "on_change")

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
	"promotions_used",
	"next_expiry",
	"all_spendable_from",
	"log_count",
	"log_hash",
	*tiering.FIELDS,
)

# Every till asks for it whenever a customer is chosen: in one statement, and in text, because to build a query takes longer
# than the database does.
LOOK_AT_LOTS = f"""
	select {", ".join(STATE)}, (
		select sum(lot.remaining_points) from `tabLoyalty Point Entry` lot
		where lot.membership = `tabLoyalty Membership`.name and lot.is_open = 1
		and lot.expiry_date = `tabLoyalty Membership`.next_expiry and lot.remaining_points > 0
	) as next_expiry_points, (
		select default_currency from `tabCompany` where `tabCompany`.name = `tabLoyalty Membership`.company
	) as currency
	from `tabLoyalty Membership` where customer = %(customer)s and loyalty_program = %(program)s"""


def find(customer: str, program: str) -> str | None:
	"""The name of the membership of `customer` in `program`, None where there is none yet."""
	return frappe.db.get_value(DOCTYPE, {"customer": customer, "loyalty_program": program})


def ensure(customer: str, program: str) -> str:
	"""The name of the membership of `customer` in `program`, created if it is not there."""
	name = find(customer, program)
	if name:
		return name
	fields = ["customer_name", "loyalty_program"]
	row = frappe.db.get_value("Customer", customer, fields, as_dict=True) or frappe._dict()
	company = frappe.get_cached_value("Loyalty Program", program, "company")
	values = new_row(customer, row.customer_name, program, company, row.loyalty_program == program)
	# Another terminal may create it in this very moment: the unique index lets one of the two rows in.
	frappe.db.bulk_insert(DOCTYPE, list(values), [tuple(values.values())], ignore_duplicates=True)
	name = frappe.db.get_value(DOCTYPE, {"customer": customer, "loyalty_program": program}, for_update=True)
	if name == values["name"]:
		listeners.tell(DOCTYPE, ["after_insert"], [name])
	return name


def new_row(customer: str, customer_name: str, program: str, company: str, active: bool) -> dict:
	"""The database row of a membership in which nothing has happened yet."""
	return {
		"name": bulk.new_name(),
		**bulk.made(),
		"customer": customer,
		"customer_name": customer_name,
		"loyalty_program": program,
		"company": company,
		"active": int(active),
		**tiering.opening(frappe.get_cached_doc("Loyalty Program", program)),
	}


def open_all(customers: list[str], program: str) -> None:
	"""Open the memberships of `customers`, who are held and have just joined `program`, where there are none yet, and
	mark them as the current ones."""
	table, customer = frappe.qb.DocType(DOCTYPE), frappe.qb.DocType("Customer")
	missing = (
		frappe.qb.from_(customer)
		.left_join(table)
		.on((table.customer == customer.name) & (table.loyalty_program == program))
		.select(customer.name, customer.customer_name)
		.where(customer.name.isin(customers) & table.name.isnull())
		.orderby(customer.name)
		.run()
	)
	company = frappe.get_cached_value("Loyalty Program", program, "company")
	rows = [new_row(name, title, program, company, True) for name, title in missing]
	if rows:
		# One of them may have joined by being saved since this transaction first read: as in `ensure`.
		values = [tuple(row.values()) for row in rows]
		frappe.db.bulk_insert(DOCTYPE, list(rows[0]), values, ignore_duplicates=True)
		names = ("in", [row["name"] for row in rows])
		made = frappe.get_all(DOCTYPE, filters={"name": names}, pluck="name", order_by="customer", limit=0)
		listeners.tell(DOCTYPE, ["after_insert"], made)
	mark_active(customers, program)
	show_tiers(program, customers)


def hold(*customers: str) -> dict[str, frappe._dict]:
	"""Let no other transaction move points of `customers` until this one ends; return those that are there, by name,
	with their title and program.

	Frappe locks a customer that is being saved before any hook runs, and points change the tier that is shown on
	the customer, so the customer's row is the first that anybody locks.
	"""
	held = lock_customers(customers)
	terms.refresh(row.loyalty_program for row in held.values())
	return held


def hold_all(*customers: str) -> None:
	"""`hold`, of customers who have to be there. Raises LedgerBusy where one is not any more: renamed, or merged into
	another, since it was looked up."""
	if len(hold(*customers)) < len(set(customers)):
		busy.refuse()


def lock_customers(customers: Iterable[str]) -> dict[str, frappe._dict]:
	"""What `hold` does before it looks at programs."""
	table = frappe.qb.DocType("Customer")
	query = frappe.qb.from_(table).select(table.name, table.customer_name, table.loyalty_program)
	query = query.where(table.name.isin(sorted(customers))).orderby(table.name).for_update()
	return {row.name: row for row in query.run(as_dict=True)}


def lock_for(customer: str, program: str) -> frappe._dict | None:
	"""Lock the membership of `customer` in `program` and return its present state; None where there is none.

	One that another transaction has opened since this one first read may be missed; `ensure` finds it.
	"""
	members = _locked(_select_of(customer, program))
	return members[0] if members else None


def lock_or_open(customer: str, program: str) -> frappe._dict:
	"""Lock the membership of `customer` in `program`, opened if it is not there, and return its present state."""
	return lock_for(customer, program) or lock(ensure(customer, program))


def lock_all_for(customers: list[str], program: str, open_missing: bool = False) -> list[frappe._dict]:
	"""Lock the memberships that `customers` have in `program`, in the order for everybody, and return their present
	state, in the order of `customers`; `open_missing` opens those that are not there."""
	one, name_of = (lock_or_open, ensure) if open_missing else (lock_for, find)
	if len(customers) == 1:
		members = [one(customers[0], program)]
	else:
		members = lock_all(list(filter(None, (name_of(customer, program) for customer in customers))))
	return sorted(filter(None, members), key=lambda member: customers.index(member.customer))


def look(customer: str, program: str) -> frappe._dict | None:
	"""The state of a membership as this transaction sees it, without a lock: to look at, not to decide from."""
	members = _states(_select_of(customer, program).run(as_dict=True))
	return members[0] if members else None


def _select_of(customer: str, program: str):
	table, of = frappe.qb.DocType(DOCTYPE), frappe.qb.DocType(DOCTYPE).as_("of")
	name = frappe.qb.from_(of).select(of.name)
	name = name.where((of.customer == customer) & (of.loyalty_program == program))
	# By the primary key, so that a lock is on this one row and on no gap between customers.
	return frappe.qb.from_(table).select(*STATE).where(table.name == name)


def lock(name: str) -> frappe._dict:
	"""Lock the membership by its primary key until the transaction ends, and return its present state.

	The values are those of the locking statement itself; a plain read after it could be older.
	"""
	members = lock_all([name])
	if not members:
		frappe.throw(frappe._("Loyalty Membership {0} does not exist any more").format(name))
	return members[0]


def own_name(named: str, names: Container[str]) -> str:
	"""What the membership is called that a row of it calls `named`, where it is one of `names`: MariaDB finds rows by a name
	that differs in case, too."""
	return named if named in names else frappe.db.get_value(DOCTYPE, named, "name")


def lock_all(names: list[str]) -> list[frappe._dict]:
	"""Lock several memberships in the order of their names, the one order for everybody, and return their state."""
	return _locked(_select(names))


def _locked(query) -> list[frappe._dict]:
	"""The memberships that `query` selects, locked, whose programs are from now on those that were last saved."""
	members = _states(query.for_update().run(as_dict=True))
	terms.refresh(member.loyalty_program for member in members)
	return members


def lock_with_customers(names: list[str], anew: bool = False) -> list[frappe._dict]:
	"""`lock_all`, after holding the memberships' customers: for who changes what is shown on those.

	With `anew`, a transaction that has written nothing yet begins again before it waits for the locks: plain reads
	after this see what is there once it has them, and not what was there before.
	"""
	table = frappe.qb.DocType(DOCTYPE)
	customers = frappe.qb.from_(table).select(table.customer).distinct().where(table.name.isin(names))
	customers = customers.run(pluck=True)
	if anew and not frappe.db.transaction_writes:
		frappe.db.rollback()
	if customers:
		# Programs are looked at once all locks are there: a plain read before would be the first of the transaction.
		lock_customers(customers)
	return lock_all(names)


def lock_all_of(*customers: str) -> list[frappe._dict]:
	"""Lock all memberships of `customers`, who are held, in the order for everybody, and return their state."""
	table = frappe.qb.DocType(DOCTYPE)
	of_them = table.customer.isin(customers)
	if names := frappe.qb.from_(table).select(table.name).where(of_them).run(pluck=True):
		lock_all(names)
	# By the customers, which locks also one that was opened since this transaction first read: not in the order.
	return _locked(frappe.qb.from_(table).select(*STATE).where(of_them).orderby(table.name))


def state(name: str) -> frappe._dict:
	"""The state of a membership as this transaction sees it, without a lock: to look at, not to decide from."""
	return states([name])[0]


def states(names: list[str]) -> list[frappe._dict]:
	"""`state` of several memberships, in the order of their names."""
	return _states(_select(names).run(as_dict=True))


def _select(names: list[str]):
	table = frappe.qb.DocType(DOCTYPE)
	return frappe.qb.from_(table).select(*STATE).where(table.name.isin(names)).orderby(table.name)


def _states(members: list[frappe._dict]) -> list[frappe._dict]:
	for row in members:
		row.total_spent = exact(row.total_spent)
		for key in ("next_expiry", "all_spendable_from", "tier_evaluated_on"):
			row[key] = getdate(row[key]) if row[key] else None
		for key in (
			"balance",
			"shortfall",
			"points_earned",
			"points_redeemed",
			"points_expired",
			"log_count",
		):
			row[key] = row[key] or 0
		row.in_table = _written(row)
	return members


def shown_tier(member: frappe._dict, program: Document | None = None) -> str | None:
	"""The tier that `member` has reached, by `program` if that is not saved yet; none before anything was spent."""
	program = program or frappe.get_cached_doc("Loyalty Program", member.loyalty_program)
	if not tiering.has_period(program):
		tier = reached(tiers_in(program), member.total_spent)
		return tier.name if tier else None
	return tiering.held(member, program)


def count(
	member: frappe._dict, before: dict[str, Entry], after: dict[str, Entry], horizon: date = date.min
) -> None:
	"""Bring the totals in `member` from the entries `before` to those `after`, which are written already.

	`horizon`: every open lot that expires before it is among the entries.
	"""

	def change(value):
		return sum(value(e) for e in after.values()) - sum(value(e) for e in before.values())

	member.balance += change(lambda e: e.remaining)
	member.total_spent += change(lambda e: e.purchase_amount)
	tiering.count(member, before, after)
	member.points_earned += change(lambda e: max(e.points, 0))
	member.points_redeemed -= change(lambda e: e.points if e.is_spending else 0)
	member.points_expired -= change(lambda e: e.points if e.kind is Kind.EXPIRED else 0)
	member.shortfall -= change(lambda e: e.remaining if e.is_shortfall else 0)
	if change_in_uses := promotions.change_in_uses(before, after):
		change_in_uses.update(promotions.used_by(member))
		member.promotions_used = promotions.as_used(change_in_uses)
	if first_days := {e.first_day for e in after.values() if e.is_lot}:
		member.all_spendable_from = max(first_days | {member.all_spendable_from or date.min})
	was, is_now = _expiries(before), _expiries(after)
	earliest = min(is_now, default=NEVER)
	if member.next_expiry not in was - is_now:
		earliest = min(earliest, member.next_expiry or NEVER)
	elif earliest > horizon:
		earliest = first_expiry(member.name) or NEVER
	member.next_expiry = None if earliest == NEVER else earliest


def _expiries(book: dict[str, Entry]) -> set[date]:
	"""Days through which lots with points left are good, those that never expire apart."""
	return {e.expiry_date for e in book.values() if e.is_lot and e.remaining} - {NEVER}


def save(member: frappe._dict) -> None:
	"""Write the locked `member`, with the tier that follows from its spend, on the customer too."""
	tiering.begin([member])
	tier = shown_tier(member)
	if tier == (member.loyalty_program_tier or None):
		save_all([member])
	else:
		show_reached_tiers([member])


def _written(member: frappe._dict) -> dict:
	return {key: member[key] for key in STATE[4:]} | {"total_spent": float(member.total_spent)}


def save_all(members: list[frappe._dict]) -> None:
	"""Write what has changed of the locked `members` since they were read, or written."""
	rows = {m.name: _written(m) for m in members}
	columns = [key for key in STATE[4:] if any(rows[m.name][key] != m.in_table[key] for m in members)]
	if not columns:
		return
	bulk.update(DOCTYPE, {name: {key: row[key] for key in columns} for name, row in rows.items()})
	for member in members:
		member.in_table = rows[member.name]
	bulk.clear_cache(DOCTYPE, list(rows))
	listeners.tell(DOCTYPE, CHANGED, list(rows))


def show_tier(customers: list[str], program: str, tier: str | None) -> None:
	"""Show `tier` on those of `customers` who are in `program`."""
	table = frappe.qb.DocType("Customer")
	(
		frappe.qb.update(table)
		.set(table.loyalty_program_tier, tier)
		.where(table.name.isin(customers) & (table.loyalty_program == program))
	).run()
	bulk.clear_cache("Customer", customers)


def show_title(customer: str, title: str) -> None:
	"""Show the title of `customer` on its memberships."""
	frappe.db.set_value(DOCTYPE, {"customer": customer}, "customer_name", title, update_modified=False)


def mark_active(customers: list[str], program: str | None) -> None:
	"""Mark the memberships of `customers` in `program` as the current ones, all others as left."""
	table = frappe.qb.DocType(DOCTYPE)
	(
		frappe.qb.update(table)
		.set(table.active, Case().when(table.loyalty_program == (program or ""), 1).else_(0))
		.where(table.customer.isin(customers))
	).run()
	if any(listeners.are_there(DOCTYPE, event) for event in CHANGED):
		names = frappe.get_all(DOCTYPE, filters={"customer": ["in", customers]}, pluck="name", limit=0)
		bulk.clear_cache(DOCTYPE, names)
		listeners.tell(DOCTYPE, CHANGED, names)


def follow_tiers(names: list[str], program: Document | None = None) -> int:
	"""Show the tier that their spend has reached, by `program` if that is not saved yet, on the memberships `names` and
	their customers, lowered where a period has ended; return how many that changed."""
	members = lock_with_customers(names) if names else []
	evaluated = tiering.evaluate(members, program)
	changed = {m.name: m for m in members if shown_tier(m, program) != (m.loyalty_program_tier or None)}
	show_reached_tiers(list(changed.values()), program)
	save_all([m for m in evaluated if m.name not in changed])
	return len(changed)


def begin_period(program: str) -> None:
	"""Forget what belongs to the former tier period of `program`: the memberships begin the new one with their tiers."""
	table = frappe.qb.DocType(DOCTYPE)
	query = frappe.qb.update(table).where(table.loyalty_program == program)
	for field in tiering.FIELDS:
		query = query.set(table[field], None)
	query.run()


def show_reached_tiers(members: list[frappe._dict], program: Document | None = None) -> None:
	"""Write the locked `members` with the tier that follows from their spend, and show it on their customers."""
	tiering.begin(members, program)
	customers = defaultdict(list)
	for member in members:
		member.loyalty_program_tier = shown_tier(member, program)
		customers[member.loyalty_program, member.loyalty_program_tier].append(member.customer)
	save_all(members)
	for (program, tier), shown in customers.items():
		show_tier(shown, program, tier)


def show_tiers(program: str, customers: list[str]) -> None:
	"""Show their memberships' tier on `customers`, who are in `program`."""
	# The query builder writes a subquery after SET without its parentheses.
	frappe.db.sql(
		"""update `tabCustomer` set loyalty_program_tier = (
			select loyalty_program_tier from `tabLoyalty Membership`
			where `tabLoyalty Membership`.customer = `tabCustomer`.name
			and `tabLoyalty Membership`.loyalty_program = %(program)s)
		where loyalty_program = %(program)s and name in %(customers)s""",
		{"program": program, "customers": customers},
	)
	bulk.clear_cache("Customer", customers)


def of_program(program: str):
	"""The query for the names of the memberships in `program`, in their order."""
	table = frappe.qb.DocType(DOCTYPE)
	return (
		frappe.qb.from_(table).select(table.name).where(table.loyalty_program == program).orderby(table.name)
	)


def are_used(program: str) -> bool:
	"""Whether points were ever moved in one of the memberships in `program`. If not, all of them are locked from now on,
	and no other can be opened before this transaction ends."""
	table = frappe.qb.DocType(DOCTYPE)
	query = frappe.qb.from_(table).select(table.name).limit(1)
	query = query.where((table.loyalty_program == program) & (table.log_count > 0))
	return bool(query.for_update().run())


def follow_company(program: str, company: str) -> None:
	"""Move the memberships of `program`, which has no entries yet, to its new `company`."""
	table = frappe.qb.DocType(DOCTYPE)
	frappe.qb.update(table).set(table.company, company).where(table.loyalty_program == program).run()


def delete(name: str) -> None:
	"""Delete a membership without entries; its log, if it has one, stays."""
	frappe.db.delete(DOCTYPE, {"name": name})
	frappe.clear_document_cache(DOCTYPE, name)


def first_day(table):
	"""The first day on which points of a row of entries in `table` may be spent."""
	return Coalesce(table.spendable_from, table.posting_date)


def _open(name: str, on: date):
	table = frappe.qb.DocType(ENTRY)
	return table, frappe.qb.from_(table).where(
		(table.membership == name) & (table.is_open == 1) & (table.expiry_date >= on)
	)


def first_expiry(name: str, on: date = date.min, locking: bool = True) -> date | None:
	"""The earliest day, from `on`, through which a lot with points left is good; None where none ever expires.

	With `locking`, of a locked membership and as it is now; without, as the transaction first saw it.
	"""
	query = _first_expiry(name, on)
	earliest = (query.for_update() if locking else query).run(pluck=True)
	return getdate(earliest[0]) if earliest else None


def _first_expiry(name, on: date):
	table, query = _open(name, on)
	query = query.select(table.expiry_date).where((table.remaining_points > 0) & (table.expiry_date < NEVER))
	return query.orderby(table.expiry_date).limit(1)


def first_expiries(names: list[str]) -> dict[str, date | None]:
	"""`first_expiry` of each of the locked memberships `names`, as it is now."""
	table = frappe.qb.DocType(DOCTYPE)
	# A lock reaches into no subquery, which would be read as the transaction first saw it.
	first = _first_expiry(table.name, date.min).for_update()
	query = frappe.qb.from_(table).select(table.name, first).where(table.name.isin(names))
	rows = query.for_update().run()
	return {name: getdate(earliest) if earliest else None for name, earliest in rows}


def spendable(name: str, on: date) -> int:
	"""Points of the membership `name` that may be spent on the posting date `on`; below 0 after a shortfall."""
	return spendable_by(state(name), on)


def spendable_by(member: frappe._dict, on: date) -> int:
	"""Points of `member`, whose state was read, that may be spent on the posting date `on`; below 0 after a shortfall.

	A helpful number, read without a lock: the binding check is made under the lock at submit. The cached balance
	answers unless a lot expires before `on`; less what is pending, where something is.
	"""
	if _balance_answers(member, on):
		return member.balance - _pending(member, on)[0]
	name = member.name
	table, query = _open(name, on)
	query = query.where((first_day(table) <= on) | (table.remaining_points < 0))
	points = int(query.select(Sum(table.remaining_points)).run()[0][0] or 0)
	if on < getdate(today()):
		# Lots that were still good on that day have been closed since.
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
				& (first_day(lot) <= on)
			)
		)
		points -= int(closed.run()[0][0] or 0)
	return points


def surely_short(member: frappe._dict | None, points: int, on: date) -> bool:
	"""Whether the locked `member` cannot spend `points` on the posting date `on`, as far as its state tells.

	What its lots would tell is left to the ledger, which locks them: read plainly they could be older than the lock.
	"""
	if not member:
		return True
	return _balance_answers(member, on) and not _may_be_pending(member, on) and points > member.balance


def _balance_answers(member: frappe._dict, on: date) -> bool:
	"""Whether all that is left, but for what is pending, can be spent on the day `on`."""
	return on >= date.fromisoformat(today()) and (not member.next_expiry or member.next_expiry >= on)


def _may_be_pending(member: frappe._dict, on: date) -> bool:
	return bool(member.all_spendable_from and member.all_spendable_from > on)


def summary(customer: str, program: str | None = None, on: date | None = None) -> frappe._dict:
	"""What a customer has in a loyalty program (the customer's own, if `program` is not given).

	Keys: loyalty_program, company, currency, membership, balance (points spendable on `on`, today if not
	given), conversion_factor, worth, total_spent, tier_spend (what of it counts for tiers on `on`), tier_window (when
	that was spent, in words; None: ever), tier, collection_factor, next_tier, next_tier_minimum,
	missing_to_next_tier, pending (points spendable after `on`), pending_from (the first day that has some of them),
	next_expiry, next_expiry_points, points_earned, points_redeemed, points_expired. Money in company currency.
	Empty for a customer in no program. The caller checks permissions.
	"""
	program = program or frappe.get_cached_value("Customer", customer, "loyalty_program")
	if not program:
		return frappe._dict()
	doc = frappe.get_cached_doc("Loyalty Program", program)
	on = getdate(on) if on else date.fromisoformat(today())
	row = _look_at_lots(customer, program)
	spent, held = tiering.spend_towards_tier(row, on, lock=False) if row else (Decimal(0), None)
	tiers = tiers_of(program)
	tier = next((t for t in tiers if t.name == held), None) if held else reached(tiers, spent)
	if tier:
		following = next_tier(tiers, max(spent, tier.minimum))
	else:
		following = min(tiers, key=lambda t: t.minimum, default=None)
	balance = spendable_by(row, on) if row else 0
	factor = exact(doc.conversion_factor)
	# Not from the cached company: ERPNext throws that away at every submit.
	currency = row.currency or frappe.get_cached_value("Company", doc.company, "default_currency")
	pending, pending_from = _pending(row, on) if row else (0, None)
	expiring, expiring_points = row.next_expiry, int(row.next_expiry_points or 0)
	if expiring and expiring < on:
		expiring = first_expiry(row.name, on, locking=False)
		expiring_points = _expiring_points(row.name, expiring) if expiring else 0
	return frappe._dict(
		loyalty_program=program,
		company=doc.company,
		currency=currency,
		membership=row.name,
		balance=balance,
		conversion_factor=float(factor),
		worth=float(redemption.worth(max(balance, 0), factor, places_of(currency))),
		total_spent=float(exact(row.total_spent)),
		tier_spend=float(spent),
		tier_window=tiering.words(doc),
		tier=tier.name if tier else None,
		collection_factor=float(tier.factor) if tier else None,
		next_tier=following.name if following else None,
		next_tier_minimum=float(following.minimum) if following else None,
		missing_to_next_tier=float(max(following.minimum - spent, 0)) if following else None,
		pending=pending,
		pending_from=pending_from,
		next_expiry=expiring,
		next_expiry_points=expiring_points,
		points_earned=row.points_earned or 0,
		points_redeemed=row.points_redeemed or 0,
		points_expired=row.points_expired or 0,
	)


def _look_at_lots(customer: str, program: str) -> frappe._dict:
	"""`look`, with what is left of the lots that expire next, and the company's currency; empty where there is no
	membership."""
	members = _states(frappe.db.sql(LOOK_AT_LOTS, {"customer": customer, "program": program}, as_dict=True))
	return members[0] if members else frappe._dict()


def _pending(member: frappe._dict, on: date) -> tuple[int, date | None]:
	"""Points of `member` that may be spent after the day `on` only, and the first day that has some of them."""
	if not _may_be_pending(member, on):
		return 0, None
	# Maturing, and posted on a day to come: of each an index has the few that there are, and more conditions would tempt
	# the database to use another. The query builder writes a union as SQLite does not take it.
	found = frappe.db.sql(
		"""select sum(remaining_points), min(spendable_from) from `tabLoyalty Point Entry`
			where membership = %(name)s and spendable_from > %(on)s and remaining_points > 0
		union all select sum(remaining_points), min(posting_date) from `tabLoyalty Point Entry`
			where membership = %(name)s and posting_date > %(on)s and remaining_points > 0
			and coalesce(spendable_from, posting_date) = posting_date""",
		{"name": member.name, "on": on},
	)
	found = [(int(points), getdate(first)) for points, first in found if points]
	return sum(points for points, _first in found), min((first for _points, first in found), default=None)


def with_pending(refusal: str, member: frappe._dict | None, on: date) -> str:
	"""`refusal` to spend points of `member` on the day `on`, and from when on those can be spent that are pending."""
	points, first = _pending(member, on) if member else (0, None)
	if not points:
		return refusal
	later = frappe._("{0} more points can be spent from {1} on.")
	return f"{refusal} {later.format(points, frappe.format(first, 'Date'))}"


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
	return places_of(frappe.get_cached_value("Company", company, "default_currency"))


def places_of(currency: str) -> int:
	"""Decimals of amounts in `currency`."""
	from frappe.model.meta import get_field_precision

	return int(
		get_field_precision(frappe.get_meta("Sales Invoice").get_field("base_grand_total"), currency=currency)
	)
