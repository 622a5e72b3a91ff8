"""Closing lots whose last day has passed.

Points stop counting the day after their date whether or not their lot is closed. It is closed, by an expiry row,
when something else moves points of the membership, and by the daily job for those where nothing does.
"""

from collections import defaultdict
from datetime import date

import frappe
from frappe.utils import getdate, today

from loyalty_app.ledger import bulk, entries, log, membership
from loyalty_app.ledger.log import Cause
from loyalty_app.rules import lots

CAUSE = Cause("Expiry")


def close_due(member: frappe._dict) -> None:
	"""Close the expired lots of the locked `member`, if there are any."""
	on = getdate(today())
	if member.next_expiry and member.next_expiry < on:
		close([member], on)
		member.next_expiry = membership.first_expiry(member.name)
		membership.save(member)


def close_all(names: list[str]) -> int:
	"""Close the expired lots of the memberships `names`; return how many lots that were.

	To be called at the beginning of a transaction: some of it is read without a lock.
	"""
	on = getdate(today())
	members = [m for m in membership.lock_all(names) if m.next_expiry and m.next_expiry < on]
	if not members:
		return 0
	closed = close(members, on)
	expiries = membership.first_expiries([m.name for m in members])
	for member in members:
		member.next_expiry = expiries[member.name]
	membership.save_all(members)
	return closed


def close(members: list[frappe._dict], on: date) -> int:
	"""Close all lots of the locked `members` that were good through a day before `on`; return how many.

	The members' totals follow, but for the next expiry, and are not saved.
	"""
	table = frappe.qb.DocType(entries.DOCTYPE)
	due = entries.select(table.membership.isin([m.name for m in members]), table.is_open == 1)
	due = due.where((table.expiry_date < on) & (table.remaining_points > 0)).select(table.membership)
	books = defaultdict(dict)
	for row in due.for_update().run(as_dict=True):
		books[row.membership][row.name] = entries.from_row(row)

	page, inserted, emptied = log.Page(CAUSE), [], []
	for member in members:
		before = books[member.name]
		after = lots.expire(before.values(), on, entries.new_name)
		rows = [
			{"name": e.name, "membership": member.name, **entries.to_row(e, member)}
			for e in after.values()
			if e.name not in before
		]
		page.add(member, [entries.change_of(row["name"], None, row) for row in rows])
		membership.count(member, before, after, horizon=lots.NEVER)
		inserted += rows
		emptied += before
	if not inserted:
		return 0
	entries.insert_rows(inserted)
	frappe.qb.update(table).set(table.remaining_points, 0).set(table.is_open, 0).where(
		table.name.isin(emptied)
	).run()
	page.write()
	if entries.is_heard("after_insert"):
		entries.announce("after_insert", inserted)
	return len(emptied)
