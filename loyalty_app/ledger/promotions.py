"""Promotions in the database: which a program has, what they give an invoice, how often they were used.

Uses are counted where their lock is: those of a customer on the membership, those of a promotion that has a limit in
all on the promotion itself. Both follow from the entries, as a membership's other totals do.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

import frappe
from frappe.model.document import Document
from frappe.utils import cint, cstr, get_time, getdate

from loyalty_app.ledger import busy, terms
from loyalty_app.rules import promotions as rules
from loyalty_app.rules.amounts import exact
from loyalty_app.rules.lots import Entry, Kind, Terms
from loyalty_app.rules.promotions import Effect, Given, Line, Promotion, Sale

DOCTYPE = terms.PROMOTION
SETTINGS = "Loyalty Settings"
ENTRY = "Loyalty Point Entry"
MEMBERSHIP = "Loyalty Membership"
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
# The field of invoices into which a promotion's code is typed.
CODE = "loyalty_promotion_code"
NO_TIME = "00:00:00"


# --- which there are


def of_program(program: str) -> list[Promotion]:
	"""The enabled promotions of `program`, from the cache; for who has locked its members, those that were last saved."""
	return [promotion_in(doc) for doc in terms.promotions_of(program) if cint(doc.enabled)]


def promotion_in(doc: Document) -> Promotion:
	"""The promotion that the document `doc` says, saved or not."""
	return Promotion(
		name=doc.name,
		effect=Effect(doc.effect),
		multiplier=exact(doc.multiplier),
		points=cint(doc.points),
		per_amount=exact(doc.per_amount),
		adds=doc.combination != "Best One Only",
		from_date=getdate(doc.from_date),
		to_date=getdate(doc.to_date) if doc.to_date else None,
		weekdays=frozenset(number for number, day in enumerate(DAYS) if cint(doc.get(day))),
		from_time=get_time(doc.from_time or NO_TIME),
		to_time=get_time(doc.to_time or NO_TIME),
		items=frozenset((row.apply_to, row.apply_to_value) for row in doc.items),
		except_items=frozenset((row.exclude_type, row.exclude_value) for row in doc.exclusions),
		minimum=exact(doc.minimum_amount),
		customer_group=doc.customer_group or None,
		territory=doc.customer_territory or None,
		tier=doc.tier or None,
		first_purchase=bool(cint(doc.first_purchase)),
		birthday_month=bool(cint(doc.birthday_month)),
		code=cstr(doc.code),
		limit=cint(doc.limit_total),
		limit_per_customer=cint(doc.limit_per_customer),
	)


def birthday_field() -> str | None:
	"""The field of Customer that has the date of birth, if one is chosen and still there."""
	field = frappe.get_cached_doc(SETTINGS).birthday_field
	return field if field and frappe.get_meta("Customer").has_field(field) else None


def has_code(program: str, code: str) -> bool:
	"""Whether a promotion of `program` has this code."""
	return any(p.code and rules.same_code(p.code, code) for p in of_program(program))


# --- what they give


def kinds_of_items(doc: Document) -> dict[str, rules.Kinds]:
	"""What the items on `doc` are, by item code: the item itself, its brand, its group and those above it."""
	codes = sorted({item.item_code for item in doc.get("items") or () if item.item_code})
	if not codes:
		return {}
	items = frappe.get_all("Item", filters={"name": ("in", codes)}, fields=["name", "item_group", "brand"])
	above = with_those_above("Item Group", {item.item_group for item in items})
	return {
		item.name: frozenset(
			{("Item", item.name)}
			| ({("Brand", item.brand)} if item.brand else set())
			| {("Item Group", group) for group in above.get(item.item_group, ())}
		)
		for item in items
	}


def with_those_above(doctype: str, nodes: Iterable[str | None]) -> dict[str, frozenset[str]]:
	"""`nodes` of a tree, each with itself and those above it."""
	names = sorted(filter(None, nodes))
	if not names:
		return {}
	node, above, query = _tree(doctype)
	rows = query.select(node.name, above.name).where(node.name.isin(names)).run()
	return {name: frozenset(group for of, group in rows if of == name) for name in names}


def those_of_customer(customer: str, field: str, doctype: str) -> frozenset[str]:
	"""The node of the tree `doctype` that `field` of `customer` names, and those above it.

	Not by the cached customer: a request that began before it was saved may have put it back as it was.
	"""
	table = frappe.qb.DocType("Customer")
	node, above, query = _tree(doctype)
	query = query.join(table).on(table[field] == node.name).where(table.name == customer)
	return frozenset(query.select(above.name).run(pluck=True))


def _tree(doctype: str):
	"""Nodes of the tree `doctype`, themselves and those above them, and the query that joins the two."""
	node, above = frappe.qb.DocType(doctype).as_("node"), frappe.qb.DocType(doctype).as_("above")
	query = frappe.qb.from_(node).join(above)
	return node, above, query.on((above.lft <= node.lft) & (above.rgt >= node.rgt))


class Purchase(NamedTuple):
	"""What of an invoice earns: `amount`, at the tier of that name by `terms`; and what its items are."""

	invoice: frappe._dict
	kinds: dict[str, rules.Kinds]
	amount: Decimal
	tier: str
	terms: Terms


def given_for(
	purchase: Purchase, found: list[Promotion], member: frappe._dict, lock: bool
) -> tuple[Given, ...]:
	"""What those `found` of the program's promotions give for `purchase` of `member`, the state of a membership.

	With `lock`, promotions with a limit in all that would give something are locked until the transaction ends, so that
	what is counted of them stays true.
	"""
	sale, used = sale_of(purchase, found, member.total_spent), used_by(member)
	offers = [
		offer
		for offer in rules.offers(found, sale)
		if not offer.promotion.limit_per_customer
		or used.get(offer.promotion.name, 0) < offer.promotion.limit_per_customer
	]
	limited = [offer.promotion.name for offer in offers if offer.promotion.limit]
	if limited:
		uses = uses_of(limited, lock)
		offers = [o for o in offers if not o.promotion.limit or uses[o.promotion.name] < o.promotion.limit]
	return rules.given(offers)


def sale_of(purchase: Purchase, found: list[Promotion], spent: Decimal) -> Sale:
	"""What `purchase` is to the promotions `found`, with no more read than those ask for, after `spent` so far."""
	invoice = purchase.invoice
	groups = territories = frozenset()
	if any(p.customer_group for p in found):
		groups = those_of_customer(invoice.customer, "customer_group", "Customer Group")
	if any(p.territory for p in found):
		territories = those_of_customer(invoice.customer, "territory", "Territory")
	birthday = None
	if any(p.birthday_month for p in found) and (field := birthday_field()):
		birthday = frappe.db.get_value("Customer", invoice.customer, field)
	return Sale(
		at=datetime.combine(invoice.posting_date, get_time(invoice.posting_time or NO_TIME)),
		eligible=purchase.amount,
		factor=purchase.terms.factor,
		lines=tuple(
			Line(line_name(row), exact(row.base_net_amount), purchase.kinds.get(row.item_code, frozenset()))
			for row in invoice.lines
			if row.item_code not in purchase.terms.excluded_items
		),
		tier=purchase.tier,
		customer_groups=groups,
		territories=territories,
		birth_month=getdate(birthday).month if birthday else None,
		is_first=spent <= 0,
		code=invoice.code,
	)


def line_name(row: Document) -> str:
	"""What a line is called in what promotions gave: its name, or its number before it has one."""
	return row.name or str(row.idx)


# --- what is kept of it after returns


def kept(
	invoice: frappe._dict, given: tuple[Given, ...], returns: list[str], places: int, lock: bool = True
) -> tuple[Given, ...]:
	"""What lines of `invoice` keep of the points `given` after its `returns`."""
	if not (given and returns):
		return given
	rows = lines_of(invoice.doctype, [invoice.name, *returns], lock)
	return _kept(invoice.name, given, rows, places)


def kept_of_many(
	doctype: str, given: dict[str, tuple[Given, ...]], places: dict[str, int]
) -> dict[str, tuple[Given, ...]]:
	"""`kept` of the invoices of `doctype` that are the keys of `given`, with the places of their currency; to look at."""
	returned = frappe.get_all(
		doctype,
		filters={"return_against": ("in", list(given)), "is_return": 1, "docstatus": 1},
		fields=["name", "return_against"],
		limit=0,
	)
	of = {row.name: row.return_against for row in returned} | {name: name for name in given}
	rows = defaultdict(list)
	for row in lines_of(doctype, sorted(of), lock=False):
		rows[of[row.parent]].append(row)
	return {name: _kept(name, given[name], rows[name], places[name]) for name in given}


def lines_of(doctype: str, names: list[str], lock: bool = True) -> list[frappe._dict]:
	"""The lines of the invoices and returns `names`, and which line of the invoice those of returns are of.

	By a locking read, with `lock`: of a return that was submitted since this transaction began, a plain one would see
	nothing.
	"""
	items = frappe.qb.DocType(f"{doctype} Item")
	of_line = items[frappe.scrub(items._table_name.removeprefix("tab"))]
	query = (
		frappe.qb.from_(items)
		.select(items.parent, items.name, of_line.as_("of_line"), items.item_code)
		.select(items.qty, items.base_net_amount)
		.where(items.parent.isin(names))
		.orderby(items.parent)
		.orderby(items.idx)
	)
	return (query.for_update() if lock else query).run(as_dict=True)


def _kept(name: str, given: tuple[Given, ...], rows: list[frappe._dict], places: int) -> tuple[Given, ...]:
	sold = [_row(row.name, row, 1) for row in rows if row.parent == name]
	returned = [_row(row.of_line or None, row, -1) for row in rows if row.parent != name]
	return rules.kept(given, rules.parts_left(sold, returned, places))


def _row(line: str | None, row: dict, sign: int) -> rules.Row:
	return rules.Row(line, row["item_code"], sign * exact(row["qty"]), sign * exact(row["base_net_amount"]))


# --- what an entry keeps on record


def as_text(given: Iterable[Given]) -> str | None:
	"""The points `given`, as an entry keeps them: by promotion, by line."""
	by_promotion = {}
	for promotion, line, points in given:
		by_promotion.setdefault(promotion, {})[line] = points
	return _json(by_promotion) if by_promotion else None


def in_text(kept: str | None) -> tuple[Given, ...]:
	"""The points given, as an entry has kept them."""
	by_promotion = json.loads(kept) if kept else {}
	return tuple(
		sorted(
			Given(promotion, line, points)
			for promotion, lines in by_promotion.items()
			for line, points in lines.items()
		)
	)


def _json(value: dict) -> str:
	return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


# --- how often they were used


def used_by(member: dict) -> dict[str, int]:
	"""How many invoices of `member` each promotion has given points for."""
	return json.loads(member.get("promotions_used") or "{}")


def as_used(uses: dict[str, int]) -> str | None:
	"""What a membership keeps of the `uses` of promotions."""
	uses = {name: number for name, number in uses.items() if number}
	return _json(uses) if uses else None


def uses_in(entries: Iterable[Entry]) -> Counter:
	"""How many of `entries` each promotion has given points for, be they returned since."""
	return Counter(
		name for e in entries if e.terms for name in {given.promotion for given in e.terms.promotions}
	)


def change_in_uses(before: dict[str, Entry], after: dict[str, Entry]) -> Counter:
	change = uses_in(after.values())
	change.subtract(uses_in(before.values()))
	return Counter({name: number for name, number in change.items() if number})


def uses_of(names: list[str], lock: bool) -> dict[str, int]:
	"""The invoices counted of promotions that have a limit in all; with `lock`, none is added before the transaction ends.

	Promotions come after memberships in the order of locking, and before entries: who waits for one must not hold
	gaps between entries, into which the one that is waited for may have to insert.
	"""
	table = frappe.qb.DocType(DOCTYPE)
	query = frappe.qb.from_(table).select(table.name, table.uses).where(table.name.isin(names))
	query = query.orderby(table.name)
	return {name: cint(uses) for name, uses in (query.for_update() if lock else query).run()}


def lock_limited(program: str) -> None:
	"""Lock the promotions of `program` whose count may change when an entry is deleted."""
	if limited := [p.name for p in of_program(program) if p.limit]:
		uses_of(limited, lock=True)


def count(program: str, before: dict[str, Entry], after: dict[str, Entry]) -> None:
	"""Count on promotions with a limit in all, which are locked, what brings the entries `before` to those `after`.

	One that had no limit when it gave points may have been given one since. It is counted, too; where no place is left,
	whoever submits has to try again.
	"""
	change = change_in_uses(before, after)
	if not change:
		return
	limited = {p.name for p in of_program(program) if p.limit}
	table = frappe.qb.DocType(DOCTYPE)
	for number in sorted({change[name] for name in change.keys() & limited}):
		names = sorted(name for name in change.keys() & limited if change[name] == number)
		query = frappe.qb.update(table).set(table.uses, table.uses + number).where(table.name.isin(names))
		if number > 0:
			query = query.where((table.limit_total == 0) | (table.uses + number <= table.limit_total))
		query.run()
		if number > 0 and frappe.db._cursor.rowcount < len(names):
			busy.refuse()


def recorded():
	"""The query for what promotions gave, as entries keep it."""
	table = frappe.qb.DocType(ENTRY)
	query = frappe.qb.from_(table).select(table.membership, table.promotions)
	return table, query.where(have_given(table))


def have_given(table):
	"""The condition that promotions gave points for an entry in `table`."""
	return (table.entry_type == Kind.EARNED.value) & table.promotions.isnotnull()


def used_in(memberships: list[str]) -> defaultdict[str, Counter]:
	"""How often `memberships` have used each promotion, counted from their entries."""
	table, query = recorded()
	used = defaultdict(Counter)
	if not memberships:
		return used
	for member, kept in query.where(table.membership.isin(memberships)).run():
		used[member].update(_promotions_in(kept))
	return used


def _promotions_in(kept: str) -> Iterable[str]:
	try:
		return json.loads(kept).keys()
	except (ValueError, AttributeError):
		return ()  # somebody has changed it: verifying tells that it is not what the log says


def count_again(*names: str) -> Counter:
	"""How many invoices promotions have given points for, counted from the entries of their programs: those `names`.

	Goes through all entries of these programs that promotions gave for: for when a limit is set, not for a till.
	"""
	table, query = recorded()
	programs = frappe.get_all(
		DOCTYPE, filters={"name": ("in", names)}, pluck="loyalty_program", distinct=True
	)
	query = query.where(table.loyalty_program.isin(programs or [""]))
	used = Counter(name for _member, kept in query.run() for name in _promotions_in(kept))
	return Counter({name: used[name] for name in names})


def count_when_committed(name: str) -> None:
	"""Count how often the promotion `name` was used once more when what is being written is committed: invoices may have
	been submitted since this transaction began to read, by whom they were not counted."""
	# Last of all, as it ends a transaction, with what else is to be done after it.
	frappe.db.after_commit.add(lambda: frappe.db.after_commit.add(lambda: _count_now(name)))


def _count_now(name: str) -> None:
	frappe.db.commit()  # nosemgrep: runs after a commit; whoever did so before may have read something
	try:
		busy.insist(_wait_for_those_before, name)
		busy.insist(_set_right_count, name)
	except Exception as e:
		if not busy.is_busy(e):
			raise
		# It is saved, and verifying tells of a wrong count.
		frappe.log_error(title=f"Loyalty Promotion {name} could not be counted again")
		frappe.db.commit()  # nosemgrep: a transaction of its own


def _wait_for_those_before(name: str) -> None:
	"""Wait for all who may not have counted their use of the promotion `name`: they have locked a member of its program
	before they could know of the limit. Whoever locks one after this knows."""
	table = frappe.qb.DocType(MEMBERSHIP)
	program = frappe.db.get_value(DOCTYPE, name, "loyalty_program")
	# A locking read, which also waits for memberships that are only being opened.
	frappe.qb.from_(table).select(table.name).where(table.loyalty_program == program).for_update().run()
	frappe.db.commit()  # nosemgrep: as above


def _set_right_count(name: str) -> None:
	table = frappe.qb.DocType(DOCTYPE)
	for _name, uses, _fault in wrong_counts(lock=True, only=name):
		frappe.qb.update(table).set(table.uses, uses).where(table.name == name).run()
	frappe.db.commit()  # nosemgrep: as above


def wrong_counts(lock: bool = False, only: str | None = None) -> list[tuple[str, int, str]]:
	"""Enabled promotions with a limit in all, or `only` one of them, whose count is not what the entries come to: name,
	the right count, what is wrong in words.

	With `lock`, to be called at the beginning of a transaction: entries are read as they were when it first read
	anything without a lock, and that must not be before these promotions were locked.
	"""
	table = frappe.qb.DocType(DOCTYPE)
	query = frappe.qb.from_(table).select(table.name, table.uses).orderby(table.name)
	query = query.where((table.enabled == 1) & (table.limit_total > 0))
	if only:
		query = query.where(table.name == only)
	counted = dict((query.for_update() if lock else query).run())
	if not counted:
		return []
	right = count_again(*counted)
	return [
		(
			name,
			right[name],
			f"Loyalty Promotion {name} has counted {cint(uses)} invoices, the entries come to {right[name]}",
		)
		for name, uses in counted.items()
		if cint(uses) != right[name]
	]
