"""Closing lots whose last day has passed.

Points stop counting the day after their date whether or not their lot is closed. It is closed, by an expiry row,
when something else moves points of the membership, and by the daily job for those where nothing does.
"""

from collections import defaultdict
from collections.abc import Iterable

import frappe
from frappe.query_builder import Interval
from frappe.utils import getdate, today
from pypika.functions import Concat
from pypika.terms import ValueWrapper

from loyalty_app.ledger import bulk, entries, log, membership
from loyalty_app.ledger.log import Cause
from loyalty_app.rules.lots import Kind

CAUSE = Cause("Expiry")

# What an expiry row has of the lot that it closes.
OF_LOT = (
	*("membership", "customer", "loyalty_program", "company", "loyalty_program_tier"),
	*("invoice_type", "invoice", "expiry_date", "spendable_from"),
)
# What an expiry row says for itself: nothing else that the log remembers.
SAID = (
	*("entry_type", "loyalty_program_tier", "invoice_type", "invoice", "redeem_against", "loyalty_points"),
	*("posting_date", "expiry_date", "spendable_from"),
)
NOTHING_LEFT = {"entry_type": Kind.EXPIRED.value, "purchase_amount": 0, "remaining_points": 0, "is_open": 0}


def those_due(members: Iterable[frappe._dict]) -> list[frappe._dict]:
	"""Those of `members` that have open lots whose last day has passed."""
	on = getdate(today())
	return [member for member in members if member.next_expiry and member.next_expiry < on]


def close_due(member: frappe._dict) -> None:
	"""Close the expired lots of the locked `member`, if there are any."""
	if those_due([member]):
		close([member])
		member.next_expiry = membership.first_expiry(member.name)
		membership.save(member)


def close_all(names: list[str]) -> int:
	"""Close the expired lots of the memberships `names`; return how many lots that were."""
	members = those_due(membership.lock_all(names))
	closed = close_of(members)
	membership.save_all(members)
	return closed


def close_of(members: list[frappe._dict]) -> int:
	"""Close the expired lots of the locked `members`, whose totals follow and are not saved; return how many."""
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
	inserted = defaultdict(list)
	for name, *row in _write(sorted(by_name)):
		inserted[name].append(tuple(row))
	if not inserted:
		return 0
	page = log.Page(CAUSE)
	for name, rows in inserted.items():
		member = by_name[name]
		points = sum(points for _entry, points, _values in rows)
		member.balance += points
		member.points_expired -= points
		page.add_many(member, rows, SAID)
	page.write()
	if entries.is_heard("after_insert"):
		names = [entry for rows in inserted.values() for entry, _points, _values in rows]
		table = frappe.qb.DocType(entries.DOCTYPE)
		entries.announce("after_insert", entries.select(table.name.isin(names)).run(as_dict=True))
	return sum(map(len, inserted.values()))


def close_untold(names: list[str]) -> None:
	"""Close the expired lots of the locked memberships `names`, whose totals and log the caller writes."""
	_write(names)


def _write(names: list[str]) -> list[tuple]:
	"""Insert the expiry rows of the open lots of the memberships `names` whose last day has passed, and close these lots;
	return what was inserted: membership, name, points, and values as the log keeps them."""
	table = frappe.qb.DocType(entries.DOCTYPE)
	due = (
		table.membership.isin(names)
		& (table.is_open == 1)
		& (table.expiry_date < getdate(today()))
		& (table.remaining_points > 0)
	)
	row = {
		# The lot's, and an ending that no other call gives. A lot may be closed more than once: rebuilding opens it
		# again, and so does installing again.
		"name": Concat(table.name, f"-expired-{frappe.generate_hash(length=8)}"),
		"redeem_against": table.name,
		"loyalty_points": -table.remaining_points,
		"posting_date": table.expiry_date + Interval(days=1),
		**{key: table[key] for key in OF_LOT},
		**{key: ValueWrapper(value) for key, value in (NOTHING_LEFT | bulk.made()).items()},
	}
	query = frappe.qb.into(table).columns(*row).from_(table).select(*row.values())
	inserted = bulk.run_returning(
		# Locked as they are going to be written: by itself, it would only keep others from writing them.
		query.where(due).for_update(),
		table.membership,
		table.name,
		table.loyalty_points,
		entries.as_json(table, SAID),
	)
	if inserted:
		frappe.qb.update(table).set(table.remaining_points, 0).set(table.is_open, 0).where(due).run()
	return inserted
