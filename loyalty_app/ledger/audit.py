"""Proof: the log replayed gives the entries, the entries give the memberships."""

from collections import defaultdict

import frappe
from frappe.utils import getdate, today

from loyalty_app.ledger import entries, log, membership
from loyalty_app.rules.amounts import exact
from loyalty_app.rules.earning import NEVER
from loyalty_app.rules.lots import Entry, Kind


def verify(membership_name: str | None = None) -> list[str]:
	"""Every difference between log, entries and memberships, in words; changes nothing.

	Run `bench execute loyalty_app.ledger.verify`. Without a name, all memberships are checked.
	"""
	names = [membership_name] if membership_name else frappe.get_all(membership.DOCTYPE, pluck="name")
	faults = [f"{name}: {fault}" for name in names for fault in verify_membership(name)]
	if not membership_name:
		for name in frappe.get_all(entries.DOCTYPE, filters={"membership": ("is", "not set")}, pluck="name"):
			faults.append(f"entry {name} belongs to no membership")
	return faults


def verify_membership(name: str) -> list[str]:
	"""What is wrong with one membership: log against entries, entries against each other and the totals."""
	# Plain reads throughout: one snapshot of everything, and nobody at a till has to wait.
	member = membership.state(name)
	table = frappe.qb.DocType(entries.DOCTYPE)
	found = entries.found(entries.select(table.membership == name))
	by_log, faults = log.replay(
		frappe.get_all(log.DOCTYPE, filters={"membership": name}, fields=["*"], order_by="sequence", limit=0)
	)
	rows = {e.name: entries.to_row(e, member) for e in found}
	for entry in sorted(rows.keys() | by_log.keys()):
		recorded = by_log.get(entry)
		actual = {key: rows[entry][key] for key in entries.LOGGED} if entry in rows else None
		if actual != recorded:
			faults.append(f"entry {entry}: the log says {recorded}, the table says {actual}")
	faults += check_lots(found)
	if (member.log_count, member.log_hash or "") != last_of_log(name):
		faults.append("the end of the log is not the one this membership remembers")
	for field, expected in totals(found).items():
		if member[field] != expected:
			faults.append(f"{field} is {member[field]}, the entries come to {expected}")
	expiries = [e.expiry_date for e in found if e.is_lot and e.remaining and e.expiry_date < NEVER]
	if member.next_expiry != min(expiries, default=None):
		faults.append(
			f"next expiry is {member.next_expiry}, the entries come to {min(expiries, default=None)}"
		)
	# Until the daily job has closed what has expired, the cached balance is allowed to lag behind.
	if not member.next_expiry or member.next_expiry >= getdate(today()):
		expected = sum(e.remaining for e in found if e.expiry_date >= getdate(today()))
		if member.balance != expected:
			faults.append(f"balance is {member.balance}, the entries come to {expected}")
	expected = membership.shown_tier(member.loyalty_program, member.total_spent)
	if (member.loyalty_program_tier or None) != expected:
		faults.append(f"tier is {member.loyalty_program_tier}, the spend reaches {expected}")
	return faults


def last_of_log(name: str) -> tuple[int, str]:
	last = frappe.get_all(
		log.DOCTYPE,
		filters={"membership": name},
		fields=["sequence", "hash"],
		order_by="sequence desc",
		limit=1,
	)
	return (last[0].sequence, last[0].hash) if last else (0, "")


def totals(found: list[Entry]) -> dict:
	"""The membership's sums, counted from its entries."""
	return {
		"total_spent": exact(sum(e.purchase_amount for e in found)),
		"points_earned": sum(e.points for e in found if e.points > 0),
		"points_redeemed": -sum(e.points for e in found if e.is_spending),
		"points_expired": -sum(e.points for e in found if e.kind is Kind.EXPIRED),
		"shortfall": -sum(e.remaining for e in found if e.is_shortfall),
	}


def check_lots(found: list[Entry]) -> list[str]:
	"""Every lot has left what was not drawn from it, never less than nothing."""
	drawn = defaultdict(int)
	names = {e.name for e in found}
	faults = []
	for e in found:
		if e.points < 0 and e.lot:
			drawn[e.lot] -= e.points
			if e.lot not in names:
				faults.append(f"entry {e.name} draws on {e.lot}, which is not there")
	for e in found:
		expected = e.points - drawn[e.name] if e.points > 0 else (e.points if e.is_shortfall else 0)
		if e.remaining != expected:
			faults.append(f"entry {e.name} has {e.remaining} points left, it should have {expected}")
		if e.points > 0 and e.remaining < 0:
			faults.append(f"entry {e.name} is overdrawn")
	return faults
