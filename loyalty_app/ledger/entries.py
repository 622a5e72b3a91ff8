"""Loyalty Point Entries in the database: read under the membership's lock, written as differences."""

import json
from collections.abc import Callable, Iterable
from contextlib import contextmanager
from datetime import date

import frappe
from frappe import _
from frappe.integrations.doctype.webhook import run_webhooks
from frappe.utils import cint, getdate
from pypika.terms import AggregateFunction, Function

from loyalty_app.ledger import bulk, listeners, log, membership, promotions
from loyalty_app.rules import lots
from loyalty_app.rules.amounts import exact
from loyalty_app.rules.earning import MOST_POINTS, NEVER, EarnOn
from loyalty_app.rules.lots import Entry, Kind, Terms, Voucher, Wanted

DOCTYPE = "Loyalty Point Entry"

# How many open lots are read first; a redemption rarely needs more.
LOTS_AT_ONCE = 20

# What follows from the draws on an entry.
DERIVED = ("remaining_points", "is_open")

# What the ledger writes of an entry; accounting dimensions and custom fields are not its business.
COLUMNS = {
	*("name", "owner", "creation", "modified", "modified_by", "docstatus", "idx"),
	*("membership", "customer", "loyalty_program", "company", *log.LOGGED, *DERIVED),
	"expiry_notice_on",
}


def from_row(row: dict) -> Entry:
	"""The entry that a database row is."""
	earned = row["entry_type"] == Kind.EARNED
	return Entry(
		name=row["name"],
		kind=Kind(row["entry_type"]),
		voucher=Voucher(row["invoice_type"] or None, row["invoice"] or None),
		points=cint(row["loyalty_points"]),
		remaining=cint(row["remaining_points"]),
		posting_date=getdate(row["posting_date"]),
		expiry_date=getdate(row["expiry_date"]),
		spendable_from=getdate(row["spendable_from"]) if row["spendable_from"] else None,
		lot=row["redeem_against"] or None,
		tier=row["loyalty_program_tier"] or None,
		purchase_amount=exact(row["purchase_amount"]),
		terms=Terms(
			factor=exact(row["collection_factor"]) or None,
			earn_on=EarnOn(row["earn_on"] or EarnOn.GRAND_TOTAL),
			excluded_items=tuple((row["excluded_items"] or "").split("\n")) if row["excluded_items"] else (),
			promotions=promotions.in_text(row["promotions"]),
		)
		if earned
		else None,
		reason=row["discretionary_reason"] or None,
	)


def to_row(entry: Entry, member: dict) -> dict:
	"""The database row of `entry`, as values that every database gives back alike."""
	terms = entry.terms or Terms()
	return {
		"entry_type": entry.kind.value,
		"loyalty_program": member["loyalty_program"],
		"loyalty_program_tier": entry.tier,
		"customer": member["customer"],
		"company": member["company"],
		"invoice_type": entry.voucher.doctype,
		"invoice": entry.voucher.name,
		"redeem_against": entry.lot,
		"loyalty_points": entry.points,
		"purchase_amount": float(entry.purchase_amount),
		"posting_date": entry.posting_date.isoformat(),
		"expiry_date": entry.expiry_date.isoformat(),
		"spendable_from": entry.spendable_from.isoformat() if entry.spendable_from else None,
		"discretionary_reason": entry.reason,
		"collection_factor": float(terms.factor or 0),
		"earn_on": terms.earn_on.value if entry.terms else None,
		"excluded_items": "\n".join(terms.excluded_items) or None,
		"promotions": promotions.as_text(terms.promotions),
		"remaining_points": entry.remaining,
		"is_open": int(entry.remaining != 0),
	}


def select(*conditions):
	"""The query for the entries that meet `conditions`; `found` turns its rows into entries."""
	table = frappe.qb.DocType(DOCTYPE)
	query = frappe.qb.from_(table).select("name", *log.LOGGED, *DERIVED)
	for condition in conditions:
		query = query.where(condition)
	return query


def of_nobody(table):
	"""The condition that a row of `table` belongs to no membership."""
	return table.membership.isnull() | (table.membership == "")


def found(query) -> list[Entry]:
	return [from_row(row) for row in query.run(as_dict=True)]


def read(*conditions, lock: bool = True) -> list[Entry]:
	"""The entries that meet `conditions`, by a locking read: a plain one would see an old snapshot.

	Without `lock`, to look at, not to decide from.
	"""
	return found(_locking(select(*conditions), lock))


def _locking(query, lock: bool):
	return query.for_update() if lock else query


def settle(
	member: frappe._dict, own: list[Entry], wanted: Wanted, cause: log.Cause, announced: str | None = None
) -> dict[str, Entry]:
	"""Bring the entries of a voucher in the locked membership, `own`, to `wanted`; return those looked at, by name, as
	they are now.

	`announced` names the first new entry, of which the caller itself tells the hooks.
	Raises lots.NotEnoughPoints, NoSuchLot, AlreadySpent; ValidationError where there would be too many points to count.
	"""
	book, horizon = around(member, own, wanted)
	names = iter([announced] if announced else ())
	after = lots.settle(book.values(), wanted, lambda: next(names, None) or bulk.new_name())
	refuse_too_many(
		member, sum(max(e.points, 0) for e in after.values()) - sum(max(e.points, 0) for e in book.values())
	)
	write(member, book, after, cause, announced=announced, horizon=horizon)
	return after


def refuse_too_many(member: frappe._dict, more: int) -> None:
	"""Refuse `more` points, where all that `member` ever had could not be counted any more."""
	if member.points_earned + more > MOST_POINTS:
		frappe.throw(
			_("{0} cannot have more than {1} points in all").format(member.customer, MOST_POINTS),
			title=_("Loyalty Points"),
		)


def of_voucher(member: dict, voucher: Voucher, document: str, is_new: bool) -> tuple[list[Entry], list[dict]]:
	"""All entries of `voucher` in the locked membership, and the rows of `voucher` and of `document`, a return of
	it, that belong to no membership: something else wrote them.

	What is being submitted `is_new`: nobody but this transaction can have written entries of it. To lock where there
	are none would lock the gap in which another customer's first entries have their place.
	"""
	table = frappe.qb.DocType(DOCTYPE)
	query = select((table.membership == member["name"]) | table.membership.isnull())
	query = query.select(table.membership, table.customer, table.loyalty_program)
	query = query.where(table.invoice.isin(sorted({voucher.name, document})))
	rows = _locking(query.where(table.invoice_type == voucher.doctype), not is_new).run(as_dict=True)
	own = [row for row in rows if row.membership and row.invoice == voucher.name]
	return [from_row(row) for row in own], [row for row in rows if not row.membership]


def around(
	member: dict, own: list[Entry], wanted: Wanted, lock: bool = True
) -> tuple[dict[str, Entry], date]:
	"""The entries that `lots.settle` needs to bring those of a voucher, `own`, to `wanted`, and the day before
	which no other open lot of the membership expires."""
	table = frappe.qb.DocType(DOCTYPE)
	mine = table.membership == member["name"]
	book = {e.name: e for e in own}

	def add(more: list[Entry]) -> list[Entry]:
		book.update((e.name, e) for e in more)
		return more

	own_lots = [e.name for e in own if e.kind is wanted.lot_kind and e.points >= 0]
	if own_lots:
		add(read(mine, table.redeem_against.isin(own_lots), lock=lock))
	drawn_on = {e.lot for e in own if e.lot} | ({wanted.from_lot} if wanted.from_lot else set())
	if drawn_on := drawn_on - book.keys():
		add(read(mine, table.name.isin(sorted(drawn_on)), lock=lock))
	if member["shortfall"]:
		add(open_shortfalls(member, lock))
	spent = -sum(e.points for e in book.values() if e.is_spending and (e.lot in own_lots or e.is_shortfall))
	drawn = sum(e.points for e in own if e.kind is wanted.draw_kind and e.points < 0)
	redeeming = max(0, wanted.redeem + drawn)
	since = min(wanted.on, wanted.redeem_on)
	if since < wanted.today and (redeeming or spent):
		# Posted before today: points that have expired by now may have been good then.
		closed = add(
			read(
				mine,
				table.is_open == 0,
				table.expiry_date >= since,
				table.expiry_date < wanted.today,
				table.entry_type == Kind.EXPIRED.value,
				lock=lock,
			)
		)
		if missing := {e.lot for e in closed if e.lot} - book.keys():
			add(read(mine, table.name.isin(sorted(missing)), lock=lock))

	horizon = load_lots(
		member, book, lambda first: lots.has_enough(first, book.values(), wanted, redeeming + spent), lock
	)
	return book, horizon


def open_shortfalls(member: dict, lock: bool = True) -> list[Entry]:
	table = frappe.qb.DocType(DOCTYPE)
	return read(
		table.membership == member["name"],
		table.is_open == 1,
		table.expiry_date == NEVER,
		table.remaining_points < 0,
		lock=lock,
	)


def load_lots(
	member: dict, book: dict[str, Entry], enough: Callable[[list[Entry]], bool], lock: bool = True
) -> date:
	"""Add open lots to `book`, in the order of drawing, until those are `enough`; return the expiry date of the
	last, NEVER when there are no more: no open lot that is not in `book` expires before that day."""
	table = frappe.qb.DocType(DOCTYPE)
	query = select(table.membership == member["name"], table.is_open == 1)
	query = query.orderby(table.expiry_date).orderby(table.posting_date).orderby(table.name)
	first, at_once = [], LOTS_AT_ONCE
	while not enough(first):
		page = found(_locking(query.limit(at_once).offset(len(first)), lock))
		first += page
		for entry in page:
			book.setdefault(entry.name, entry)
		if len(page) < at_once:
			return NEVER
		# Who needs more than a page may need many: twice as much each time.
		at_once *= 2
	return first[-1].expiry_date if first else date.min


def write(
	member: frappe._dict,
	before: dict[str, Entry],
	after: dict[str, Entry],
	cause: log.Cause,
	announced: str | None = None,
	moved: dict[str, Entry] | None = None,
	horizon: date = date.min,
) -> list[log.Change]:
	"""Write the difference between the entries `before` and `after`, its log, and what it does to `member`.

	No open lot beside these entries expires before `horizon`. `announced` is the entry of which the caller itself
	tells the hooks; `moved` are entries that the caller has brought over from another membership: new here, but in
	the table. Returns the logged changes.
	"""
	in_table = before | (moved or {})
	rows_before = {e.name: to_row(e, member) for e in before.values() if after.get(e.name) != e}
	rows_after = {e.name: to_row(e, member) for e in after.values() if before.get(e.name) != e}
	if not rows_before and not rows_after:
		return []
	stored = {
		name: to_row(in_table[name], member)
		for name in rows_before.keys() | rows_after.keys()
		if name in in_table
	}
	inserted, updated, deleted = write_rows(member, stored, rows_after)

	# Deletions first, then lots, then draws: a replay never meets a draw before its lot.
	changes = [
		change
		for change in (
			change_of(name, rows_before.get(name), rows_after.get(name))
			for name in [
				*deleted,
				*sorted([*inserted, *updated], key=lambda n: (rows_after[n]["redeem_against"] or "", n)),
			]
		)
		if change.before != change.after
	]
	log.append(member, changes, cause)
	membership.count(member, before, after, horizon)
	membership.save(member)
	promotions.count(member.loyalty_program, in_table, after)
	member_and = {"membership": member["name"]}
	announce("after_insert", [{"name": n, **member_and, **rows_after[n]} for n in inserted if n != announced])
	announce("after_delete", [{"name": n, **member_and, **rows_before[n]} for n in deleted])
	return changes


def write_rows(
	member: dict, stored: dict[str, dict], wanted: dict[str, dict]
) -> tuple[list[str], list[str], list[str]]:
	"""Bring the rows `stored` of some entries to those `wanted`; return the names of those inserted, updated and
	deleted."""
	inserted = [name for name in wanted if name not in stored]
	updated = [name for name in wanted if name in stored]
	deleted = [name for name in stored if name not in wanted]
	kept = _kept_of(stored, deleted, wanted, inserted)
	if deleted:
		table = frappe.qb.DocType(DOCTYPE)
		frappe.qb.from_(table).delete().where(table.name.isin(deleted)).run()
	if inserted:
		insert_rows(
			[
				{"name": name, "membership": member["name"], **wanted[name], **kept.get(name, {})}
				for name in inserted
			]
		)
	if updated:
		update_rows({name: wanted[name] for name in updated}, stored)
	return inserted, updated, deleted


def _kept_of(
	stored: dict[str, dict], deleted: list[str], wanted: dict[str, dict], inserted: list[str]
) -> dict[str, dict]:
	"""What lots among `inserted` keep of those `deleted` that they take the place of, as after a return: that their
	customer was told of their expiry."""

	def lots(rows: dict[str, dict], names: list[str]) -> dict[tuple, str]:
		earned = [name for name in names if rows[name]["entry_type"] == Kind.EARNED.value]
		return {(rows[name]["invoice_type"], rows[name]["invoice"]): name for name in earned}

	old, new = lots(stored, deleted), lots(wanted, inserted)
	replaced = {old[voucher]: new[voucher] for voucher in old.keys() & new.keys()}
	if not replaced:
		return {}
	table = frappe.qb.DocType(DOCTYPE)
	query = frappe.qb.from_(table).select(table.name, table.expiry_notice_on)
	query = query.where(table.name.isin(sorted(replaced)) & table.expiry_notice_on.isnotnull())
	# Not as it was before the membership's lock was waited for: the customer may have been told since.
	return {replaced[name]: {"expiry_notice_on": day} for name, day in query.for_update().run()}


def change_of(name: str, before: dict | None, after: dict | None) -> log.Change:
	"""What the log tells of the entry `name`, whose row was `before` and is `after`."""
	return log.Change(name, logged(before), logged(after))


def logged(row: dict | None) -> dict | None:
	"""What the log says of an entry's `row`."""
	return log.said({key: row[key] for key in log.LOGGED}) if row else None


def told(kept: str | dict | None) -> dict | None:
	"""What the log `kept` of an entry, with the values that were empty."""
	if not kept:
		return None
	return dict.fromkeys(log.LOGGED) | (json.loads(kept) if isinstance(kept, str) else kept)


def as_json(values, fields: Iterable[str] = log.LOGGED):
	"""The term that is, in the database, what the log keeps of a row that has `values`, a table or terms by field: an array
	in the order of `fields`."""
	return Function("JSON_ARRAY", *(values[field] for field in fields))


def as_json_object(name, values, fields: Iterable[str]):
	"""The aggregate that is, in the database, what the log keeps of rows: by `name`, `as_json` of each. Not for a subquery, in
	which MariaDB cuts it off."""
	# MariaDB has the standard's name for it, SQLite its own.
	function = "JSON_OBJECTAGG" if frappe.db.db_type == "mariadb" else "JSON_GROUP_OBJECT"
	return AggregateFunction(function, name, as_json(values, fields))


def insert_rows(rows: list[dict]) -> None:
	"""Insert `rows`, complete but for what every document has."""
	bulk.insert(DOCTYPE, rows, bulk.made())


def update_rows(rows: dict[str, dict], before: dict[str, dict]) -> None:
	"""Set the columns of `rows` that differ in any of them from what was `before`."""
	columns = [
		key
		for key in next(iter(rows.values()))
		if any(n not in before or rows[n][key] != before[n].get(key, ...) for n in rows)
	]
	bulk.update(DOCTYPE, {name: {key: row[key] for key in columns} for name, row in rows.items()})


@contextmanager
def unheard():
	"""Tell nobody what is written meanwhile: it is not going to stay."""
	frappe.flags.loyalty_unheard = True
	try:
		yield
	finally:
		frappe.flags.loyalty_unheard = False


def announce(event: str, rows: list[dict]) -> None:
	"""Let hooks, notifications, webhooks and server scripts of other people see what the ledger wrote."""
	for row in rows if not frappe.flags.loyalty_unheard else ():
		doc = frappe.get_doc({"doctype": DOCTYPE, **row})
		doc.run_method(event)
		if event == "after_delete":
			# Webhooks know of on_trash only, which refuses whoever deletes an entry by hand
			run_webhooks(doc, "on_trash")


def is_heard(event: str) -> bool:
	"""Whether anybody listens to `event` of entries: see `announce`."""
	if event == "after_delete" and listeners.are_there(DOCTYPE, "on_trash"):
		return True
	return listeners.are_there(DOCTYPE, event, hooks_of_all=True)
