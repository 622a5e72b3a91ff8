"""Closing lots whose last day has passed.

Points stop counting the day after their date whether or not their lot is closed. It is closed, by an expiry row,
when something else moves points of the membership, and by the daily job for those where nothing does.
"""

from collections import defaultdict

import frappe
from frappe.query_builder import Interval
from frappe.utils import getdate, today
from pypika.functions import Concat
from pypika.terms import Function, ValueWrapper

from loyalty_app.ledger import bulk, entries, log, membership
from loyalty_app.ledger.log import Cause
from loyalty_app.rules.lots import Kind

CAUSE = Cause("Expiry")


def is_due(member: frappe._dict) -> bool:
	"""Whether the last day of one of the open lots of `member` has passed."""
	return bool(member.next_expiry and member.next_expiry < getdate(today()))


def close_due(member: frappe._dict) -> None:
	"""Close the expired lots of the locked `member`, if there are any."""
	if is_due(member):
		close([member])
		member.next_expiry = membership.first_expiry(member.name)
		membership.save(member)


def close_all(names: list[str]) -> int:
	"""Close the expired lots of the memberships `names`; return how many lots that were.

	To be called at the beginning of a transaction: some of it is read without a lock.
	"""
	members = [member for member in membership.lock_all(names) if is_due(member)]
	closed = close_of(members)
	membership.save_all(members)
	return closed


def close_of(members: list[frappe._dict]) -> int:
	"""Close the expired lots of the locked `members`, whose totals follow and are not saved; return how many.

	To be called at the beginning of a transaction, as `close_all`.
	"""
	if not members:
		return 0
	closed = close(members)
	expiries = membership.first_expiries([member.name for member in members])
	for member in members:
		member.next_expiry = expiries[member.name]
	return closed


def close(members: list[frappe._dict]) -> int:
	"""Close all lots of the locked `members` that were good through a day before today; return how many.

	What `rules.lots.expire` says, for many at once: an expiry row takes what is left of each lot. The members'
	totals follow, but for the next expiry, and are not saved.
	"""
	by_name = {member.name: member for member in members}
	table = frappe.qb.DocType(entries.DOCTYPE)
	due, row_name = _are_due(table, sorted(by_name)), _new_name(table)
	found = (
		frappe.qb.from_(table)
		.select(table.membership, row_name, -table.remaining_points, _as_json(table))
		.where(due)
		.orderby(table.expiry_date)
		.for_update()
		.run()
	)
	if not found:
		return 0
	_write(table, due, row_name)
	inserted = defaultdict(list)
	for name, *row in found:
		inserted[name].append(tuple(row))
	page = log.Page(CAUSE)
	for name, rows in inserted.items():
		member = by_name[name]
		points = sum(points for _entry, points, _values in rows)
		member.balance += points
		member.points_expired -= points
		page.add_many(member, rows)
	page.write()
	if entries.is_heard("after_insert"):
		names = [entry for rows in inserted.values() for entry, _points, _values in rows]
		entries.announce("after_insert", entries.select(table.name.isin(names)).run(as_dict=True))
	return len(found)


def close_untold(names: list[str]) -> None:
	"""Close the expired lots of the locked memberships `names`, whose totals and log the caller writes."""
	table = frappe.qb.DocType(entries.DOCTYPE)
	_write(table, _are_due(table, names), _new_name(table))


def _are_due(table, names: list[str]):
	"""The condition that a row of `table` is an open lot of the memberships `names` whose last day has passed."""
	return (
		table.membership.isin(names)
		& (table.is_open == 1)
		& (table.expiry_date < getdate(today()))
		& (table.remaining_points > 0)
	)


def _new_name(table):
	"""The name of the expiry row of a lot in `table`, as a term: the lot's, and an ending that no other call gives. A lot
	may be closed more than once: rebuilding opens it again, and so does installing again."""
	return Concat(table.name, f"-expired-{frappe.generate_hash(length=8)}")


def _row(table) -> dict:
	"""The expiry row of a lot, as terms over the lot's row in `table`."""
	return {
		"entry_type": ValueWrapper(Kind.EXPIRED.value),
		"loyalty_program_tier": table.loyalty_program_tier,
		"invoice_type": table.invoice_type,
		"invoice": table.invoice,
		"redeem_against": table.name,
		"loyalty_points": -table.remaining_points,
		"posting_date": table.expiry_date + Interval(days=1),
		"expiry_date": table.expiry_date,
		"spendable_from": table.spendable_from,
	}


def _as_json(table):
	"""The expiry row of a lot as `entries.as_json` would give it."""
	row = _row(table)
	return Function("JSON_ARRAY", *(row.get(field, ValueWrapper(None)) for field in log.LOGGED))


def _write(table, due, row_name) -> None:
	"""Insert the expiry rows, called `row_name`, of the lots that are `due`, and close these."""
	nothing = dict.fromkeys(("purchase_amount", "remaining_points", "is_open"), 0)
	row = _row(table) | {key: ValueWrapper(value) for key, value in (bulk.made() | nothing).items()}
	row |= {key: table[key] for key in ("membership", "customer", "loyalty_program", "company")}
	query = frappe.qb.into(table).columns("name", *row).from_(table)
	query.select(row_name, *row.values()).where(due).run()
	frappe.qb.update(table).set(table.remaining_points, 0).set(table.is_open, 0).where(due).run()
