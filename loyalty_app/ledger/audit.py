"""Proof: the log replayed gives the entries, the entries give the lots and the memberships.

Works on sets of memberships, in statements that do not lock: nobody at a till has to wait. Sums are the database's,
the replay is Python's; of a membership with a long history a page at a time is in memory, and of each entry a number.
"""

import json
from collections.abc import Iterator
from typing import NamedTuple

import frappe
from frappe.model.document import Document
from frappe.query_builder.functions import Coalesce, Count, Max, Min, Sum
from frappe.utils import cint, getdate
from pypika import Case

from loyalty_app.ledger import bulk, entries, log, membership, promotions, tiering
from loyalty_app.ledger.log import Cause
from loyalty_app.rules.amounts import exact, rounded
from loyalty_app.rules.earning import NEVER
from loyalty_app.rules.lots import Kind

# Log rows, or entries, that one statement reads.
ROWS_AT_ONCE = 5_000
MEMBERSHIPS_AT_ONCE = 200

REBUILT = Cause("Rebuild")


class Difference(NamedTuple):
	"""One thing that is not as it should be: in words, with the entry, or the row of a file, it is about, if it is about
	one."""

	membership: str | None
	fault: str
	entry: str | None = None
	row: int = 0

	def __str__(self):
		return f"{self.membership}: {self.fault}"


def verify(membership_name: str | None = None) -> list[str]:
	"""Every difference between log, entries and memberships, in words; changes nothing.

	Run `bench execute loyalty_app.ledger.verify`. Without a name, all memberships are checked.
	"""
	if membership_name:
		return [str(d) for d in differences([membership_name])]
	faults = [str(d) for names in sets() for d in differences(names)]
	faults += [fault for _name, _uses, fault in promotions.wrong_counts()]
	return faults + [f"entry {name} belongs to no membership" for name in entries_of_nobody()]


def rebuild(membership_name: str | None = None) -> list[str]:
	"""Mend what `verify` finds, and return what was mended, in words. Commits after each set of memberships.

	Entries are what counts: lots and memberships are counted again from them, and where entries are not what the log
	says, the log tells of that as event *Rebuild*. A log that was tampered with stays as it is: it is the evidence.

	Run `bench execute loyalty_app.ledger.rebuild`.
	"""
	if membership_name:
		return [str(d) for d in mend([membership_name])]
	mended = []
	for names in sets():
		mended += [str(d) for d in mend(names)]
		frappe.db.commit()  # nosemgrep: a maintenance command, each set is one transaction
	mended += mend_promotions()
	frappe.db.commit()  # nosemgrep: as above
	return mended


def sets() -> Iterator[list[str]]:
	"""The names of all memberships, in their order, some at a time."""
	table = frappe.qb.DocType(membership.DOCTYPE)
	query = frappe.qb.from_(table).select(table.name).orderby(table.name).limit(MEMBERSHIPS_AT_ONCE)
	last = ""
	while names := query.where(table.name > last).run(pluck=True):
		yield names
		last = names[-1]


def entries_of_nobody() -> list[str]:
	table = frappe.qb.DocType(entries.DOCTYPE)
	query = frappe.qb.from_(table).select(table.name).where(entries.of_nobody(table))
	return query.orderby(table.name).run(pluck=True)


def differences(names: list[str]) -> list[Difference]:
	"""What is wrong with some memberships: log against entries, entries against each other and the totals."""
	members = membership.states(names)
	# Not from a cache, where they may be newer than what this transaction sees of the memberships.
	programs = {
		name: frappe.get_doc("Loyalty Program", name) for name in {m.loyalty_program for m in members}
	}
	found = [difference for group in groups(members) for difference in check_log(group)]
	found += [Difference(m, fault, name) for m, name, _values, fault in wrong_lots(names)]
	found += lost_lots(names)
	counted = totals_of(members)
	for member in members:
		found += [
			Difference(member.name, f"{field} is {member[field]}, the entries come to {value}")
			for field, value in wrong_totals(
				member, counted[member.name], programs[member.loyalty_program]
			).items()
		]
	return found + wrong_customers(names)


# --- the log


def groups(members: list[frappe._dict]) -> Iterator[list[frappe._dict]]:
	"""`members` in groups whose logs fit into one page; one with a longer log is a group of its own."""
	group, rows = [], 0
	for member in members:
		if group and rows + member.log_count > ROWS_AT_ONCE:
			yield group
			group, rows = [], 0
		group.append(member)
		rows += member.log_count
	if group:
		yield group


def check_log(members: list[frappe._dict]) -> Iterator[Difference]:
	"""What is wrong with the logs of `members`, and where their entries are not as the log says."""
	replays = {member.name: log.Replay() for member in members}
	for row in log_rows(members):
		for fault in replays[row["membership"]].add(row):
			yield Difference(row["membership"], fault, row["entry"])
	for member in members:
		replay = replays[member.name]
		if (member.log_count, member.log_hash or "") != (replay.sequence, replay.hash):
			yield Difference(member.name, "the end of the log is not the one this membership remembers")
	for member, name, recorded, actual in unlike_log(replays):
		yield Difference(member, f"entry {name}: the log says {recorded}, the table says {actual}", name)


def log_rows(members: list[frappe._dict], lock: bool = False) -> Iterator[dict]:
	"""The log rows of `members`, each membership's in sequence; with `lock`, as they are now."""
	table = frappe.qb.DocType(log.DOCTYPE)
	query = frappe.qb.from_(table).select("name", "previous_hash", "hash", *log.HASHED)
	query = query.for_update() if lock else query
	names = [m.name for m in members]
	if len(members) > 1:
		query = query.where(table.membership.isin(names)).orderby(table.membership).orderby(table.sequence)
		yield from query.run(as_dict=True)
		return
	query = query.where(table.membership == names[0]).orderby(table.sequence).limit(ROWS_AT_ONCE)
	last = -1
	while page := query.where(table.sequence > last).run(as_dict=True):
		yield from page
		last = page[-1]["sequence"]


def unlike_log(replays: dict[str, "log.Replay"]) -> Iterator[tuple[str, str, dict | None, dict | None]]:
	"""Entries that are not as the log says: membership, entry, what the log says of it, what the table says."""
	owner = {name: member for member, replay in replays.items() for name in replay.entries}
	seen = set()
	for member, name, values in entries_in_table(list(replays), list(owner)):
		if owner.get(name) == member:
			seen.add(name)
			if replays[member].entries[name] == log.fingerprint(values):
				continue
		yield member, name, log.last_said(member, name), log.said(dict(zip(log.LOGGED, json.loads(values))))
	for name, member in owner.items():
		if name not in seen:
			yield member, name, log.last_said(member, name), None


def entries_in_table(members: list[str], names: list[str]) -> Iterator[tuple[str, str, str]]:
	"""Membership, name and values as a JSON array of all entries of `members`; where the log knows very many, `names`, those
	first and a page at a time."""
	table = frappe.qb.DocType(entries.DOCTYPE)
	query = frappe.qb.from_(table).select(table.membership, table.name, entries.as_json(table))
	query = query.where(table.membership.isin(members))
	if len(names) <= 2 * ROWS_AT_ONCE:
		yield from query.run()
		return
	seen = 0
	for start in range(0, len(names), ROWS_AT_ONCE):
		page = query.where(table.name.isin(names[start : start + ROWS_AT_ONCE])).run()
		seen += len(page)
		yield from page
	mine = frappe.qb.from_(table).where(table.membership.isin(members))
	if mine.select(Count("*")).run()[0][0] != seen:
		strangers = set(mine.select(table.name).run(pluck=True)).difference(names)
		yield from query.where(table.name.isin(sorted(strangers))).run()


# --- the lots


def wrong_lots(names: list[str]) -> list[tuple[str, str, dict, str]]:
	"""Entries whose remaining points are not what follows from the draws: membership, entry, the right values, fault.

	Every lot has left what was not drawn from it, never less than nothing; what no lot covers is open.
	"""
	table, draw, lot = (frappe.qb.DocType(entries.DOCTYPE).as_(alias) for alias in ("entry", "draw", "lot"))
	# Joined by the lot's name alone: two names are too long for the key MariaDB gives a derived table.
	draws = (
		frappe.qb.from_(draw)
		.join(lot)
		.on((lot.name == draw.redeem_against) & (lot.membership == draw.membership))
		.select(draw.redeem_against, Sum(draw.loyalty_points).as_("points"))
		.where(draw.membership.isin(names) & draw.redeem_against.isnotnull() & (draw.loyalty_points < 0))
		.groupby(draw.redeem_against)
	).as_("draws")
	is_debt = table.redeem_against.isnull() & (table.entry_type != Kind.EXPIRED.value)
	expected = (
		Case()
		.when(table.loyalty_points > 0, table.loyalty_points + Coalesce(draws.points, 0))
		.when((table.loyalty_points < 0) & is_debt, table.loyalty_points)
		.else_(0)
	)
	remaining = table.remaining_points
	rows = (
		frappe.qb.from_(table)
		.left_join(draws)
		.on(draws.redeem_against == table.name)
		.select(table.membership, table.name, table.loyalty_points, remaining, expected)
		.where(table.membership.isin(names))
		.where(
			(remaining != expected)
			| (table.is_open != Case().when(remaining != 0, 1).else_(0))
			| ((table.loyalty_points > 0) & (expected < 0))
		)
		.orderby(table.membership)
		.orderby(table.name)
		.run()
	)
	found = []
	for member, name, points, remaining, left in rows:
		left = cint(left)
		if points > 0 and left < 0:
			fault = f"entry {name} is overdrawn by {-left} points"
		elif remaining != left:
			fault = f"entry {name} has {remaining} points left, it should have {left}"
		else:
			fault = f"entry {name} is marked as {'closed' if left else 'open'} with {left} points left"
		found.append((member, name, {"remaining_points": left, "is_open": int(left != 0)}, fault))
	return found


def lost_lots(names: list[str]) -> list[Difference]:
	table, lot = frappe.qb.DocType(entries.DOCTYPE), frappe.qb.DocType(entries.DOCTYPE).as_("lot")
	rows = (
		frappe.qb.from_(table)
		.left_join(lot)
		.on(
			(lot.name == table.redeem_against)
			& (lot.membership == table.membership)
			& (lot.loyalty_points > 0)
		)
		.select(table.membership, table.name, table.redeem_against)
		.where(table.membership.isin(names) & table.redeem_against.isnotnull() & (table.loyalty_points < 0))
		.where(lot.name.isnull())
		.run()
	)
	return [
		Difference(m, f"entry {name} draws on {gone}, which is not there", name) for m, name, gone in rows
	]


# --- the memberships


def totals(names: list[str]) -> dict[str, dict]:
	"""The sums of memberships, counted from their entries."""
	table = frappe.qb.DocType(entries.DOCTYPE)
	points, remaining = table.loyalty_points, table.remaining_points
	expired = (points < 0) & (table.entry_type == Kind.EXPIRED.value)
	spent = (points < 0) & (table.entry_type != Kind.EXPIRED.value)

	def total(condition, value):
		return Sum(Case().when(condition, value).else_(0))

	expires = (points > 0) & (remaining != 0) & (table.expiry_date < NEVER)
	rows = (
		frappe.qb.from_(table)
		.select(
			table.membership,
			Sum(table.purchase_amount),
			total(points > 0, points),
			total(spent, -points),
			total(expired, -points),
			total(spent & table.redeem_against.isnull(), -points),
			Sum(remaining),
			Min(Case().when(expires, table.expiry_date)),
			Max(Case().when(points > 0, membership.first_day(table))),
		)
		.where(table.membership.isin(names))
		.groupby(table.membership)
		.run()
	)
	nothing = ("", 0, 0, 0, 0, 0, 0, None, None)
	counted = {row[0]: row for row in rows}
	used = promotions.used_in(names)
	return {
		name: _as_totals(counted.get(name, nothing)) | {"promotions_used": promotions.as_used(used[name])}
		for name in names
	}


def _as_totals(row: tuple) -> dict:
	return {
		# Where the database sums binary floats, the sum is off by a trace.
		"total_spent": rounded(exact(row[1]), 6),
		"points_earned": cint(row[2]),
		"points_redeemed": cint(row[3]),
		"points_expired": cint(row[4]),
		"shortfall": cint(row[5]),
		"balance": cint(row[6]),
		"next_expiry": getdate(row[7]) if row[7] else None,
		"all_spendable_from": getdate(row[8]) if row[8] else None,
	}


def totals_of(members: list[frappe._dict]) -> dict[str, dict]:
	"""The sums of `members`, counted from their entries; with those by month, where tiers are held for a period."""
	counted = totals([member.name for member in members])
	months = tiering.counted([member.name for member in members if member.tier_evaluated_on])
	for name, text in months.items():
		counted[name]["spend_by_month"] = text
	return counted


def wrong_totals(member: frappe._dict, counted: dict, program: Document | None = None) -> dict:
	"""What of the totals of `member`, in `program`, is not as `counted` from its entries; the right values."""
	expected = dict(counted)
	# While a period is still to be evaluated, a tier may be higher than it will be.
	if not tiering.is_due(member, program):
		expected["loyalty_program_tier"] = membership.shown_tier(frappe._dict(member, **counted), program)
	if expected["all_spendable_from"] is None or (
		member.all_spendable_from and member.all_spendable_from > expected["all_spendable_from"]
	):
		# Never moved back: a date too late costs a moment, one too early would count points that are not good yet.
		expected["all_spendable_from"] = member.all_spendable_from
	return {field: value for field, value in expected.items() if (member[field] or None) != (value or None)}


def wrong_customers(names: list[str]) -> list[Difference]:
	"""Memberships whose customer, who is in the program now, shows another tier than theirs."""
	table, customer = frappe.qb.DocType(membership.DOCTYPE), frappe.qb.DocType("Customer")
	shown, own = (Coalesce(t.loyalty_program_tier, "") for t in (customer, table))
	rows = (
		frappe.qb.from_(table)
		.join(customer)
		.on((customer.name == table.customer) & (customer.loyalty_program == table.loyalty_program))
		.select(table.name, customer.name, customer.loyalty_program_tier, table.loyalty_program_tier)
		.where(table.name.isin(names) & (shown != own))
		.orderby(table.name)
		.run()
	)
	return [
		Difference(m, f"customer {who} shows the tier {shows}, the membership has {has}")
		for m, who, shows, has in rows
	]


# --- mending


def mend(names: list[str]) -> list[Difference]:
	"""Count lots and totals of some memberships again, let their logs tell what the entries are; return what was wrong.

	To be called at the beginning of a transaction: most of it is read without a lock.
	"""
	members = membership.lock_with_customers(names, anew=True)
	before = differences(names)
	if not before:
		return []
	lots = wrong_lots(names)
	if lots:
		bulk.update(entries.DOCTYPE, {name: values for _member, name, values, _fault in lots})
	page = log.Page(REBUILT)
	for group in groups(members):
		replays = {member.name: log.Replay() for member in group}
		for row in log_rows(group):
			list(replays[row["membership"]].add(row))
		changes = {member.name: [] for member in group}
		for member, name, recorded, actual in unlike_log(replays):
			changes[member].append(log.Change(name, recorded, actual))
		for member in group:
			member.log_count, member.log_hash = replays[member.name].sequence, replays[member.name].hash
			page.add(member, changes[member.name])
	page.write()
	counted = totals_of(members)
	for member in members:
		member.update(wrong_totals(member, counted[member.name]))
	membership.show_reached_tiers(members)
	return before


def mend_promotions() -> list[str]:
	"""Count again how often promotions with a limit in all were used; return what was wrong."""
	wrong = promotions.wrong_counts(lock=True)
	bulk.update(promotions.DOCTYPE, {name: {"uses": uses} for name, uses, _fault in wrong})
	bulk.clear_cache(promotions.DOCTYPE, [name for name, _uses, _fault in wrong])
	return [fault for _name, _uses, fault in wrong]
