"""Loyalty Point Entries in the database: read under the membership's lock, written as differences."""

from collections.abc import Callable
from datetime import date

import frappe
from frappe.utils import cint, getdate, now
from pypika import Case

from loyalty_app.ledger import bulk, log, membership
from loyalty_app.rules import lots
from loyalty_app.rules.amounts import exact
from loyalty_app.rules.earning import EarnOn
from loyalty_app.rules.lots import Entry, Kind, Terms, Voucher, Wanted

DOCTYPE = "Loyalty Point Entry"

# How many open lots one statement reads; a redemption rarely needs more.
LOTS_AT_ONCE = 20

# What an entry says for itself, and the log remembers: not customer, program and company, which are the
# membership's and may be renamed, nor `remaining_points` and `is_open`, which follow from the draws.
LOGGED = (
	"entry_type",
	"loyalty_program_tier",
	"invoice_type",
	"invoice",
	"redeem_against",
	"loyalty_points",
	"purchase_amount",
	"posting_date",
	"expiry_date",
	"discretionary_reason",
	"collection_factor",
	"earn_on",
	"excluded_items",
)
DERIVED = ("remaining_points", "is_open")

# What the ledger writes of an entry; accounting dimensions and custom fields are not its business.
COLUMNS = {
	*("name", "owner", "creation", "modified", "modified_by", "docstatus", "idx"),
	*("membership", "customer", "loyalty_program", "company", *LOGGED, *DERIVED),
}


def new_name() -> str:
	return frappe.generate_hash(length=10)


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
		lot=row["redeem_against"] or None,
		tier=row["loyalty_program_tier"] or None,
		purchase_amount=exact(row["purchase_amount"]),
		terms=Terms(
			factor=exact(row["collection_factor"]) or None,
			earn_on=EarnOn(row["earn_on"] or EarnOn.GRAND_TOTAL),
			excluded_items=tuple((row["excluded_items"] or "").split("\n")) if row["excluded_items"] else (),
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
		"discretionary_reason": entry.reason,
		"collection_factor": float(terms.factor or 0),
		"earn_on": terms.earn_on.value if entry.terms else None,
		"excluded_items": "\n".join(terms.excluded_items) or None,
		"remaining_points": entry.remaining,
		"is_open": int(entry.remaining != 0),
	}


def select(*conditions):
	"""The query for the entries that meet `conditions`; `found` turns its rows into entries."""
	table = frappe.qb.DocType(DOCTYPE)
	query = frappe.qb.from_(table).select("name", *LOGGED, *DERIVED)
	for condition in conditions:
		query = query.where(condition)
	return query


def found(query) -> list[Entry]:
	return [from_row(row) for row in query.run(as_dict=True)]


def read(*conditions) -> list[Entry]:
	"""The entries that meet `conditions`, by a locking read: a plain one would see an old snapshot."""
	return found(select(*conditions).for_update())


def of_voucher(member: dict, voucher: Voucher) -> list[Entry]:
	"""All entries of `voucher` in the locked membership."""
	table = frappe.qb.DocType(DOCTYPE)
	return read(
		table.membership == member["name"],
		table.invoice == voucher.name,
		table.invoice_type == voucher.doctype,
	)


def around(member: dict, own: list[Entry], wanted: Wanted, today: date) -> dict[str, Entry]:
	"""The entries that `lots.settle` needs to bring those of a voucher, `own`, to `wanted`."""
	table = frappe.qb.DocType(DOCTYPE)
	mine = table.membership == member["name"]
	book = {e.name: e for e in own}

	def add(more: list[Entry]) -> list[Entry]:
		book.update((e.name, e) for e in more)
		return more

	own_lots = [e.name for e in own if e.kind is Kind.EARNED]
	if own_lots:
		add(read(mine, table.redeem_against.isin(own_lots)))
	if drawn_on := {e.lot for e in own if e.lot} - book.keys():
		add(read(mine, table.name.isin(sorted(drawn_on))))
	if member["shortfall"]:
		add(open_shortfalls(member))
	spent = -sum(e.points for e in book.values() if e.is_spending and (e.lot in own_lots or e.is_shortfall))
	redeeming = max(0, wanted.redeem + sum(e.points for e in own if e.kind is Kind.REDEEMED))
	since = min(wanted.on, wanted.redeem_on)
	if since < today and (redeeming or spent):
		# Posted before today: points that have expired by now may have been good then.
		closed = add(
			read(
				mine,
				table.is_open == 0,
				table.expiry_date >= since,
				table.expiry_date < today,
				table.entry_type == Kind.EXPIRED.value,
			)
		)
		if missing := {e.lot for e in closed if e.lot} - book.keys():
			add(read(mine, table.name.isin(sorted(missing))))

	load_lots(
		member, book, since, lambda first: lots.has_enough(first, book.values(), wanted, redeeming + spent)
	)
	return book


def open_shortfalls(member: dict) -> list[Entry]:
	table = frappe.qb.DocType(DOCTYPE)
	return read(table.membership == member["name"], table.is_open == 1, table.remaining_points < 0)


def load_lots(
	member: dict, book: dict[str, Entry], since: date, enough: Callable[[list[Entry]], bool]
) -> None:
	"""Add open lots good on `since` or after to `book`, in the order of drawing, until those are `enough`."""
	table = frappe.qb.DocType(DOCTYPE)
	query = select(table.membership == member["name"], table.is_open == 1, table.expiry_date >= since)
	query = query.orderby(table.expiry_date).orderby(table.posting_date).orderby(table.name)
	first = []
	while not enough(first):
		page = found(query.limit(LOTS_AT_ONCE).offset(len(first)).for_update())
		first += page
		for entry in page:
			book.setdefault(entry.name, entry)
		if len(page) < LOTS_AT_ONCE:
			return


def write(
	member: frappe._dict,
	before: dict[str, Entry],
	after: dict[str, Entry],
	cause: log.Cause,
	announced: str | None = None,
	moved: dict[str, Entry] | None = None,
) -> list[log.Change]:
	"""Write the difference between the entries `before` and `after`, its log, and what it does to `member`.

	`announced` is the entry of which the caller itself tells the hooks; `moved` are entries that the caller has
	brought over from another membership: new here, but in the table. Returns the logged changes.
	"""
	in_table = before | (moved or {})
	rows_before = {e.name: to_row(e, member) for e in before.values() if after.get(e.name) != e}
	rows_after = {e.name: to_row(e, member) for e in after.values() if before.get(e.name) != e}
	if not rows_before and not rows_after:
		return []

	inserted = {name: row for name, row in rows_after.items() if name not in in_table}
	updated = {name: row for name, row in rows_after.items() if name in in_table}
	deleted = [name for name in rows_before if name not in after]
	table = frappe.qb.DocType(DOCTYPE)
	if deleted:
		frappe.qb.from_(table).delete().where(table.name.isin(deleted)).run()
	if inserted:
		insert_rows(member, inserted)
	if updated:
		update_rows(updated, {name: to_row(in_table[name], member) for name in updated})

	# Deletions first, then lots, then draws: a replay never meets a draw before its lot.
	changes = [
		change
		for change in (
			log.Change(name, logged(rows_before.get(name)), logged(rows_after.get(name)))
			for name in [
				*deleted,
				*sorted({**inserted, **updated}, key=lambda n: (rows_after[n]["redeem_against"] or "", n)),
			]
		)
		if change.before != change.after
	]
	log.append(member, changes, cause)
	membership.apply(member, before, after)
	for name, row in inserted.items():
		if name == announced:
			continue
		announce("after_insert", member, name, row)
	for name in deleted:
		announce("after_delete", member, name, rows_before[name])
	return changes


def logged(row: dict | None) -> dict | None:
	return {key: row[key] for key in LOGGED} if row else None


def insert_rows(member: dict, rows: dict[str, dict]) -> None:
	stamp, user = now(), frappe.session.user
	made = {"owner": user, "modified_by": user, "creation": stamp, "modified": stamp, "docstatus": 0}
	bulk.insert(
		DOCTYPE, [{"name": name, **made, "membership": member["name"], **row} for name, row in rows.items()]
	)


def update_rows(rows: dict[str, dict], before: dict[str, dict]) -> None:
	"""One statement for all `rows`, setting the columns that changed in any of them."""
	table = frappe.qb.DocType(DOCTYPE)
	columns = [
		key
		for key in next(iter(rows.values()))
		if any(n not in before or rows[n][key] != before[n].get(key, ...) for n in rows)
	]
	query = frappe.qb.update(table).set(table.modified, now()).set(table.modified_by, frappe.session.user)
	for column in columns:
		value = Case()
		for name, row in rows.items():
			value = value.when(table.name == name, row[column])
		query = query.set(table[column], value.else_(table[column]))
	query.where(table.name.isin(sorted(rows))).run()


def announce(event: str, member: dict, name: str, row: dict) -> None:
	"""Let hooks, notifications, webhooks and server scripts of other people see what the ledger wrote."""
	doc = frappe.get_doc({"doctype": DOCTYPE, "name": name, "membership": member["name"], **row})
	doc.run_method(event)
