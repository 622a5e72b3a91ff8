"""Two customers become one: their memberships and entries are pooled (rules 3)."""

import frappe
from frappe.utils import getdate, today

from loyalty_app.ledger import adjustments, bulk, entries, expiry, log, membership, tiering
from loyalty_app.ledger.log import Cause
from loyalty_app.rules import lots


def merge_customers(old: str, new: str) -> None:
	"""Move the entries of customer `old` into the memberships of customer `new`, before `old` is renamed to it.

	Both memberships' logs tell of the move; the emptied membership is deleted, its log stays. A membership in a
	program that `new` is not in needs nothing: the rename itself carries it over. Who is in no program, and has not left
	it, goes on in that of `old`, whose points could not be spent otherwise.
	"""
	programs = {name: row.loyalty_program for name, row in membership.hold(old, new).items()}
	current = programs.get(old)
	if current and not programs.get(new) and not membership.find(new, current):
		frappe.db.set_value("Customer", new, "loyalty_program", current)
	for source, program in frappe.get_all(
		membership.DOCTYPE,
		filters={"customer": old},
		fields=["name", "loyalty_program"],
		order_by="name",
		as_list=True,
	):
		target = membership.find(new, program)
		if target:
			pool(source, target, Cause("Merge", "Customer", new))


def pool(source: str, target: str, cause: Cause) -> None:
	"""Move all entries of the membership `source` into `target` and delete `source`."""
	members = {member.name: member for member in membership.lock_all([source, target])}
	tiering.evaluate(list(members.values()))
	for member in members.values():
		expiry.close_due(member)
	table = frappe.qb.DocType(entries.DOCTYPE)
	moved = {e.name: e for e in entries.read(table.membership == source)}
	leaving = [entries.change_of(e.name, entries.to_row(e, members[source]), None) for e in moved.values()]
	log.append(members[source], leaving, cause)
	member = members[target]
	kept = {e.name: e for e in entries.read(table.membership == target, table.is_open == 1)}
	frappe.qb.update(table).set(table.membership, target).where(table.membership == source).run()
	after = lots.cover([*kept.values(), *moved.values()], getdate(today()), bulk.new_name)
	tiering.keep_higher(member, members[source])
	if not entries.write(member, kept, after, cause, moved=moved):
		membership.save(member)
	frappe.db.set_value(
		adjustments.DOCTYPE, {"membership": source}, "membership", target, update_modified=False
	)
	membership.delete(source)


def refresh_customer(customer: str) -> None:
	"""Bring name, program and tier of `customer` and its memberships in line after a rename or merge."""
	values = frappe.db.get_value("Customer", customer, ["customer_name", "loyalty_program"], as_dict=True)
	membership.show_title(customer, values.customer_name)
	membership.mark_active([customer], values.loyalty_program)
	name = values.loyalty_program and membership.find(customer, values.loyalty_program)
	if name:
		tier = frappe.db.get_value(membership.DOCTYPE, name, "loyalty_program_tier")
		membership.show_tier([customer], values.loyalty_program, tier)
