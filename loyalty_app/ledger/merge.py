"""Customers that are renamed, and two that become one: their memberships and entries are pooled (rules 3)."""

import frappe
from frappe.model.rename_doc import get_link_fields
from frappe.utils import getdate, today

from loyalty_app.ledger import adjustments, bulk, entries, expiry, log, membership, tiering
from loyalty_app.ledger.log import Cause
from loyalty_app.rules import lots


def prepare(old: str, new: str) -> None:
	"""Take the locks for renaming customer `old` to `new`, or merging it into that, before Frappe writes anything.

	Nothing is written here: the desk only queues a renaming, which may fail, and asks for this when it does, too.
	"""
	membership.hold(old, new)
	membership.lock_all_of(old, new)
	# Frappe would give the memberships of `old` to `new` as they are, where one of the same program may be already.
	links = [field for field in get_link_fields("Customer") if field["parent"] != membership.DOCTYPE]
	frappe.flags.link_fields = (frappe.flags.link_fields or {}) | {"Customer": links}


def finish(old: str, new: str) -> None:
	"""Give the memberships of customer `old`, which has been renamed to `new` or is being merged into that, to `new`.

	Where `new` has one of the same program, the entries are moved there. Both memberships' logs tell of the move; the
	emptied membership is deleted, its log stays. Who is in no program, and has not left it, goes on in that of `old`,
	whose points could not be spent otherwise.
	"""
	(frappe.flags.link_fields or {}).pop("Customer", None)
	held = membership.hold(old, new)
	members = membership.lock_all_of(old, new)
	targets = {member.loyalty_program: member for member in members if member.customer == new}
	current = held[old].loyalty_program if old in held else None
	if current and not held[new].loyalty_program and current not in targets:
		frappe.db.set_value("Customer", new, "loyalty_program", current)
	for source in [member for member in members if member.customer != new]:
		if target := targets.get(source.loyalty_program):
			pool(source, target, Cause("Merge", "Customer", new))
		else:
			frappe.db.set_value(membership.DOCTYPE, source.name, "customer", new, update_modified=False)
	refresh_customer(new)


def pool(source: frappe._dict, target: frappe._dict, cause: Cause) -> None:
	"""Move all entries of the locked membership `source` into the locked `target`, and delete `source`."""
	# Frappe has changed the name of the customer in what was logged before.
	source.customer = target.customer
	tiering.evaluate([source, target])
	for member in (source, target):
		expiry.close_due(member)
	table = frappe.qb.DocType(entries.DOCTYPE)
	moved = {e.name: e for e in entries.read(table.membership == source.name)}
	leaving = [entries.change_of(e.name, entries.to_row(e, source), None) for e in moved.values()]
	log.append(source, leaving, cause)
	kept = {e.name: e for e in entries.read(table.membership == target.name, table.is_open == 1)}
	frappe.qb.update(table).set(table.membership, target.name).where(table.membership == source.name).run()
	after = lots.cover([*kept.values(), *moved.values()], getdate(today()), bulk.new_name)
	tiering.keep_higher(target, source)
	if not entries.write(target, kept, after, cause, moved=moved):
		membership.save(target)
	frappe.db.set_value(
		adjustments.DOCTYPE, {"membership": source.name}, "membership", target.name, update_modified=False
	)
	membership.delete(source.name)


def refresh_customer(customer: str) -> None:
	"""Bring name, program and tier of `customer`, who is held, and its memberships in line after a rename or merge."""
	fields = ["customer_name", "loyalty_program"]
	# As they are now, not when this transaction first read something.
	values = frappe.db.get_value("Customer", customer, fields, as_dict=True, for_update=True)
	membership.show_title(customer, values.customer_name)
	membership.mark_active([customer], values.loyalty_program)
	if values.loyalty_program:
		membership.show_tiers(values.loyalty_program, [customer])
