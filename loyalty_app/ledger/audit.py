"""Proof: the log replayed gives the entries, the entries give the lots and the memberships.

Works on sets of memberships, in statements that do not lock: nobody at a till has to wait. Sums are the database's,
the replay is Python's; of a membership with a long history a page at a time is in memory, and of each entry its name and a number.
"""

import random
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import reduce
from operator import or_
from typing import NamedTuple

import frappe
from frappe.model.document import Document
from frappe.query_builder.functions import Coalesce, Count, Max, Min, Sum
from frappe.utils import cint, getdate
from pypika import Case

from loyalty_app.ledger import bulk, entries, log, membership, packed, promotions, tiering
from loyalty_app.ledger.log import Cause
from loyalty_app.rules.amounts import exact, rounded
from loyalty_app.rules.earning import NEVER
from loyalty_app.rules.lots import Kind

MEMBERSHIPS_AT_ONCE = 200

RUN = "Loyalty Ledger Run"
UNFINISHED = ("in", ("Queued", "Running"))

REBUILT = Cause("Rebuild")
# The event of log rows that tell what was there when the app was installed.
INSTALLED = "Install"


class Difference(NamedTuple):
	"""One thing that is not as it should be: in words, with the entry, or the row of a file, it is about, if it is about
	one."""

	membership: str | None
	fault: str
	entry: str | None = None
	row: int = 0

	def __str__(self):
		return f"{self.membership}: {self.fault}" if self.membership else self.fault


class Mended(NamedTuple):
	"""What was put right, and what could not be."""

	mended: tuple[Difference, ...] = ()
	left: tuple[Difference, ...] = ()

	def in_words(self) -> list[str]:
		return [*map(str, self.mended), *(f"{d} (could not be mended)" for d in self.left)]


def verify(membership_name: str | None = None) -> list[str]:
	"""Every difference between log, entries and memberships, in words; changes nothing.

	Run `bench execute loyalty_app.ledger.verify`. Without a name, all memberships are checked.
	"""
	if membership_name:
		return [str(d) for d in differences([membership_name])]
	faults = [str(d) for names in sets() for d in differences(names)]
	return faults + [str(d) for d in beyond_memberships()]


def rebuild(membership_name: str | None = None) -> list[str]:
	"""Mend what `verify` finds, and return it in words, with what could not be mended. Commits after each set of memberships.

	Entries are what counts: lots and memberships are counted again from them, which the log tells of as event *Rebuild*,
	as where entries are not what it says. A log that was tampered with stays as it is: it is the evidence.

	Run `bench execute loyalty_app.ledger.rebuild`.
	"""
	if membership_name:
		return mend([membership_name]).in_words()
	told = []
	for names in sets():
		told += mend(names).in_words()
		frappe.db.commit()  # nosemgrep: a maintenance command, each set is one transaction
	told += [str(d) for d in mend_promotions()]
	frappe.db.commit()  # nosemgrep: as above
	return told


def sets() -> Iterator[list[str]]:
	"""The names of all memberships, in their order, some at a time."""
	table = frappe.qb.DocType(membership.DOCTYPE)
	query = frappe.qb.from_(table).select(table.name).orderby(table.name).limit(MEMBERSHIPS_AT_ONCE)
	last = ""
	while names := query.where(table.name > last).run(pluck=True):
		yield names
		last = names[-1]


def differences(names: list[str]) -> list[Difference]:
	"""What is wrong with some memberships: log against entries, entries against each other and the totals."""
	return examine(membership.states(names)).differences


class Examination:
	"""What was found wrong with some memberships, and what mending needs to know of it."""

	def __init__(self, members: list[frappe._dict]):
		self.differences: list[Difference] = []
		self.sieve = Sieve(members)
		# Of each membership, how many rows its log has, and what it has not been told of the entries.
		self.log_rows: dict[str, int] = {}
		self.untold: dict[str, list[log.Change]] = {member.name: [] for member in members}
		# Memberships whose logs say that the points are somebody else's.
		self.doubtful: set[str] = set()
		# What `wrong_lots` and `unlike_membership` tell.
		self.lots, self.unlike = [], []


def examine(members: list[frappe._dict]) -> Examination:
	"""Compare logs, entries and totals of `members`."""
	names = [member.name for member in members]
	# Not from a cache, where they may be newer than what this transaction sees of the memberships.
	programs = {
		name: frappe.get_doc("Loyalty Program", name)
		for name in {m.loyalty_program for m in members}
		if is_program(name)
	}
	examined = Examination(members)
	found = examined.differences
	for group in groups(members):
		found += check_log(group, examined)
	examined.unlike = unlike_membership(examined.sieve.others)
	examined.lots = wrong_lots(examined.sieve.lots)
	found += [
		Difference(member, f"entry {name} calls this membership by another name", name)
		for name, member in examined.sieve.misnamed.items()
	]
	found += wrong_names(examined.unlike)
	found += [Difference(m, fault, name) for m, name, _values, fault in examined.lots]
	found += lost_lots(examined.sieve.lots)
	counted = totals_of(members)
	shown_anew = programs_shown_anew()
	for member in members:
		if program := programs.get(member.loyalty_program):
			wrong = wrong_totals(member, counted[member.name], program, program.name in shown_anew)
			if (member.company or "") != (program.company or ""):
				fault = f"company is {member.company}, Loyalty Program {program.name} is of {program.company}"
				found.append(Difference(member.name, fault))
		else:
			wrong = wrong_sums(member, counted[member.name])
			found.append(Difference(member.name, f"Loyalty Program {member.loyalty_program} is not there"))
		found += [
			Difference(member.name, f"{field} is {member[field]}, the entries come to {value}")
			for field, value in wrong.items()
		]
	found += wrong_customers(names)
	return examined


def is_program(name: str | None) -> bool:
	return bool(name and frappe.db.exists("Loyalty Program", name))


# --- what no membership shows


def beyond_memberships(sample: bool = False) -> list[Difference]:
	"""What is wrong that no membership shows: entries and logs of none, and counts of promotions.

	For a `sample`, as every day: not what takes going through all entries (the counts), not what installing has left as it
	was, and of very many memberships that are gone some.
	"""
	found = [
		*entries_of_nobody(left_behind=not sample),
		*logs_of_nobody(MEMBERSHIPS_AT_ONCE if sample else None),
	]
	if not sample:
		found += [Difference(None, fault) for _name, _uses, fault in promotions.wrong_counts()]
	return found


def entries_of_nobody(left_behind: bool = True) -> list[Difference]:
	"""Entries that belong to no membership, or to one that is gone; `left_behind`: also those of customers or programs that
	are gone, which installing leaves as they are."""
	table = frappe.qb.DocType(entries.DOCTYPE)
	query = frappe.qb.from_(table).select(table.name).where(entries.of_nobody(table)).orderby(table.name)
	if not left_behind:
		customer, program = frappe.qb.DocType("Customer"), frappe.qb.DocType("Loyalty Program")
		query = query.join(customer).on(customer.name == table.customer)
		query = query.join(program).on(program.name == table.loyalty_program)
	found = [
		Difference(None, f"entry {name} belongs to no membership", name) for name in query.run(pluck=True)
	]
	query = frappe.qb.from_(table).select(table.name, table.membership).orderby(table.name)
	lost = gone(entries.DOCTYPE)
	for start in range(0, len(lost), MEMBERSHIPS_AT_ONCE):
		part = lost[start : start + MEMBERSHIPS_AT_ONCE]
		found += [
			Difference(None, f"entry {name} belongs to membership {member}, which is gone", name)
			for name, member in query.where(table.membership.isin(part)).run()
		]
	return found


def logs_of_nobody(most: int | None = None) -> Iterator[Difference]:
	"""What is wrong with the logs of memberships that are gone; with those of `most`, chosen by chance.

	Merging customers deletes memberships, whose entries their logs let go of before; nothing else deletes one with a log.
	"""
	lost = gone(log.DOCTYPE)
	for name in random.sample(lost, most) if most and len(lost) > most else lost:
		replay = log.Replay()
		for row in log.pages(name, log.rows):
			for fault in replay.add(row):
				yield Difference(None, f"{name}, which is gone: {fault}", row.entry or None)
		if replay.entries:
			left = f"{len(replay.entries)} entries, of which {min(replay.entries)} is one"
			yield Difference(None, f"membership {name} is gone, but its log has {left}")


def gone(doctype: str) -> list[str]:
	"""Memberships that rows of `doctype` belong to, and that are not there."""
	table, member = frappe.qb.DocType(doctype), frappe.qb.DocType(membership.DOCTYPE)
	# First one of each, for which an index is read in leaps: there may be very many rows.
	named = frappe.qb.from_(table).select(table.membership).where(table.membership > "")
	named = named.groupby(table.membership).as_("named")
	query = frappe.qb.from_(named).left_join(member).on(member.name == named.membership)
	query = query.select(named.membership).where(member.name.isnull())
	return query.orderby(named.membership).run(pluck=True)


# --- the log


def groups(members: list[frappe._dict]) -> Iterator[list[frappe._dict]]:
	"""`members` in groups whose logs fit into one page; one with a longer log is a group of its own."""
	group, rows = [], 0
	for member in members:
		if group and rows + member.log_count > log.ROWS_AT_ONCE:
			yield group
			group, rows = [], 0
		group.append(member)
		rows += member.log_count
	if group:
		yield group


def check_log(members: list[frappe._dict], examined: Examination) -> Iterator[Difference]:
	"""What is wrong with the logs of `members`, and where their entries are not as the log says."""
	replays = {member.name: log.Replay() for member in members}
	for row in log_rows(members):
		member = membership.own_name(row.membership, replays)
		for fault in replays[member].add(row):
			yield Difference(member, fault, row.entry or None)
	for member in members:
		replay = replays[member.name]
		examined.log_rows[member.name] = replay.sequence
		for difference in unlike_told(member, replay):
			examined.doubtful.add(member.name)
			yield difference
		if (member.log_count, member.log_hash or "") != (replay.sequence, replay.hash):
			yield Difference(member.name, "the end of the log is not the one this membership remembers")
	for member, change in unlike_log(replays, examined.sieve):
		examined.untold[member].append(change)
		name, recorded, actual = change
		yield Difference(member, f"entry {name}: the log says {recorded}, the table says {actual}", name)


def unlike_told(member: frappe._dict, replay: log.Replay) -> Iterator[Difference]:
	"""Where the log, which `replay` has gone through, says of somebody else than `member` that the points are theirs.

	Renaming a customer, program or company, and merging customers, renames it in all rows too.
	"""
	for says, rows in sorted(replay.whose.items()):
		for field, value, own in zip(log.WHOSE, says, log.whose(member)):
			if value != own:
				yield Difference(member.name, f"{field} is {own}, {rows} rows of the log say {value}")


def log_rows(members: list[frappe._dict]) -> Iterable[log.Row]:
	"""The log rows of `members`, each membership's in sequence."""
	if len(members) == 1:
		return log.pages(members[0].name, log.rows)
	table = frappe.qb.DocType(log.DOCTYPE)
	query = frappe.qb.from_(table).where(table.membership.isin([member.name for member in members]))
	return log.rows(query.orderby(table.membership).orderby(table.sequence))


def unlike_log(replays: dict[str, log.Replay], sieve: "Sieve") -> Iterator[tuple[str, log.Change]]:
	"""Entries that are not as the log says: membership, and the change from what the log says to what the table says. All
	entries go through the `sieve`, and what the log says is let go of."""
	for named, name, *values in entries_in_table(replays):
		member = membership.own_name(named, replays)
		if named != member:
			sieve.misnamed[name] = member
		told = values[-len(log.LOGGED) :]
		try:
			sieve.add(member, name, values)
			if replays[member].entries.pop(name, None) == log.fingerprint_of_texts(told):
				continue
			says = log.said_in_texts(told)
		except log.UNREADABLE:  # SQLite keeps any text in a column of numbers
			sieve.doubt(member)
			says = log.said(dict(zip(log.LOGGED, told)))
		yield member, log.Change(name, log.last_said(member, name), says)
	for member, replay in replays.items():
		for name in replay.entries:
			yield member, log.Change(name, log.last_said(member, name), None)


def entries_in_table(replays: dict[str, log.Replay]) -> Iterator[list[str]]:
	"""Membership, name and `SIFTED` columns, as texts, of all entries of some memberships; where the log knows very many,
	those first and a page at a time."""
	table = frappe.qb.DocType(entries.DOCTYPE)
	mine = frappe.qb.from_(table).where(table.membership.isin(list(replays)))
	columns = [table[field] for field in ("membership", "name", *SIFTED)]
	if sum(len(replay.entries) for replay in replays.values()) <= 2 * log.ROWS_AT_ONCE:
		yield from packed.rows(mine, columns)
		return
	names = [name for replay in replays.values() for name in replay.entries]
	seen = 0
	for start in range(0, len(names), log.ROWS_AT_ONCE):
		page = packed.rows(mine.where(table.name.isin(names[start : start + log.ROWS_AT_ONCE])), columns)
		seen += len(page)
		yield from page
	if mine.select(Count("*")).run()[0][0] != seen:
		strangers = set(mine.select(table.name).run(pluck=True)).difference(names)
		yield from packed.rows(mine.where(table.name.isin(sorted(strangers))), columns)


# What the sieve looks at, and then what the log remembers.
SIFTED = (*log.WHOSE, "remaining_points", "is_open", *log.LOGGED)
UP_TO_POINTS = SIFTED.index("loyalty_points") + 1
# A database may take others for the same.
KINDS = {"", *(kind.value for kind in Kind)}


class Sieve:
	"""Finds the memberships in which entries are not somebody's they should be, or lots not as the draws on them come to,
	while their entries are gone through once. Statements say what it is, and are only run for those: it may let through
	what is right, but nothing that is wrong."""

	def __init__(self, members: list[frappe._dict]):
		self._whose = {member.name: list(log.whose(member)) for member in members}
		# By lot, what was taken from it by no draw so far, or drawn and not taken: nothing of most.
		self._open = {member.name: defaultdict(int) for member in members}
		self._others, self._lots = set(), set()
		# Entries that call their membership by another name than its own, which is given here.
		self.misnamed: dict[str, str] = {}

	@property
	def others(self) -> list[str]:
		"""Memberships with entries that may be somebody else's."""
		return sorted(self._others)

	@property
	def lots(self) -> list[str]:
		"""Memberships with lots that may not be as the draws come to."""
		return sorted(self._lots.union(name for name, lots in self._open.items() if lots))

	def doubt(self, member: str) -> None:
		self._lots.add(member)

	def add(self, member: str, name: str, values: list[str]) -> None:
		"""Go on with an entry, given its `SIFTED` values."""
		*whose, remaining, is_open, kind, _tier, _type, _invoice, lot, points = values[:UP_TO_POINTS]
		if whose != self._whose[member]:
			self._others.add(member)
		points, remaining = int(points), int(remaining)
		if is_open != ("1" if remaining else "0") or remaining * points < 0 or kind not in KINDS:
			self._lots.add(member)
		if points > 0:
			if remaining != points:
				self._note(member, name, points - remaining)
		elif lot:
			if remaining:
				self._lots.add(member)
			self._note(member, lot, points)
		elif remaining != (points if kind != Kind.EXPIRED else 0):
			self._lots.add(member)

	def _note(self, member: str, lot: str, points: int) -> None:
		of_member = self._open[member]
		of_member[lot] += points
		if not of_member[lot]:
			del of_member[lot]


# --- whose they are


def wrong_names(unlike: list[tuple[str, str, dict[str, tuple]]]) -> list[Difference]:
	"""In words, what `unlike_membership` tells of entries: of alike ones together."""
	alike = defaultdict(list)
	for member, entry, wrong in unlike:
		alike[member, tuple(wrong.items())].append(entry)
	found = []
	for (member, fields), wrong in alike.items():
		which = f"entry {wrong[0]}"
		if len(wrong) > 1:
			which = f"{len(wrong)} entries, of which {wrong[0]} is one"
		for field, (said, right) in fields:
			fault = f"{which}: {field} is {said}, the membership has {right}"
			found.append(Difference(member, fault, wrong[0] if len(wrong) == 1 else None))
	return found


def unlike_membership(names: list[str]) -> list[tuple[str, str, dict[str, tuple]]]:
	"""Entries that name another customer, program or company than their membership: membership, entry, and by field what
	the entry says and what the membership has."""
	table, member = frappe.qb.DocType(entries.DOCTYPE), frappe.qb.DocType(membership.DOCTYPE)
	differ = [Coalesce(table[field], "") != Coalesce(member[field], "") for field in log.WHOSE]
	if not names:
		return []
	rows = (
		frappe.qb.from_(table)
		.join(member)
		.on(member.name == table.membership)
		.select(table.membership, table.name)
		.select(*(t[field] for t in (table, member) for field in log.WHOSE))
		.where(table.membership.isin(names))
		.where(reduce(or_, differ))
		.orderby(table.membership)
		.orderby(table.name)
		.run()
	)
	found = []
	for name, entry, *values in rows:
		both = zip(log.WHOSE, values, values[len(log.WHOSE) :])
		wrong = {field: (said, right) for field, said, right in both if (said or "") != (right or "")}
		found.append((membership.own_name(name, names), entry, wrong))
	# ERPNext let programs of one company give points for invoices of another, and that is on record in these entries.
	foreign = {name for name, _entry, wrong in found if list(wrong) == ["company"]}
	installed = found_at_installation(sorted(foreign)) if foreign else ()
	return [row for row in found if list(row[2]) != ["company"] or row[1] not in installed]


def found_at_installation(names: list[str]) -> set[str]:
	"""Entries that were in some memberships when the app was installed."""
	table = frappe.qb.DocType(log.DOCTYPE)
	query = frappe.qb.from_(table).select(table.after)
	query = query.where(table.membership.isin(names) & (table.action == log.INSERT_MANY))
	found = set()
	for after in query.where(table.event == INSTALLED).run(pluck=True):
		try:
			found.update(log.told_in(after))
		except log.UNREADABLE:
			continue  # the replay tells of it
	return found


# --- the lots


def wrong_lots(names: list[str]) -> list[tuple[str, str, dict, str]]:
	"""Entries whose remaining points are not what follows from the draws: membership, entry, the right values, fault.

	Every lot has left what was not drawn from it, never less than nothing; what no lot covers is open. An overdrawn lot is
	told of even where nothing is left of it: then there are no values to set.
	"""
	if not names:
		return []
	table, draw, lot = (frappe.qb.DocType(entries.DOCTYPE).as_(alias) for alias in ("entry", "draw", "lot"))
	# Joined by the lot's name alone: two names are too long for the key MariaDB gives a derived table.
	draws = (
		frappe.qb.from_(draw)
		.join(lot)
		.on((lot.name == draw.redeem_against) & (lot.membership == draw.membership))
		.select(draw.redeem_against, Sum(draw.loyalty_points).as_("points"))
		.where(
			draw.membership.isin(names) & is_empty(draw.redeem_against).negate() & (draw.loyalty_points < 0)
		)
		.groupby(draw.redeem_against)
	).as_("draws")
	is_debt = is_empty(table.redeem_against) & (Coalesce(table.entry_type, "") != Kind.EXPIRED.value)
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
		.select(table.membership, table.name, table.loyalty_points, remaining, table.is_open, expected)
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
	for member, name, points, remaining, is_open, left in rows:
		left = cint(left)
		if points > 0 and left < 0:
			fault, left = f"entry {name} is overdrawn by {-left} points", 0
		elif remaining != left:
			fault = f"entry {name} has {remaining} points left, it should have {left}"
		else:
			fault = f"entry {name} is marked as {'closed' if left else 'open'} with {left} points left"
		is_right = (remaining, is_open) == (left, int(left != 0))
		values = {} if is_right else {"remaining_points": left, "is_open": int(left != 0)}
		found.append((membership.own_name(member, names), name, values, fault))
	return found


def is_empty(column):
	return Coalesce(column, "") == ""


def lost_lots(names: list[str]) -> list[Difference]:
	if not names:
		return []
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
		.where(
			table.membership.isin(names)
			& is_empty(table.redeem_against).negate()
			& (table.loyalty_points < 0)
		)
		.where(lot.name.isnull())
		.run()
	)
	return [
		Difference(membership.own_name(m, names), f"entry {name} draws on {gone}, which is not there", name)
		for m, name, gone in rows
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
			total(spent & is_empty(table.redeem_against), -points),
			Sum(remaining),
			Min(Case().when(expires, table.expiry_date)),
			Max(Case().when(points > 0, membership.first_day(table))),
			total(promotions.have_given(table), 1),
		)
		.where(table.membership.isin(names))
		.groupby(table.membership)
		.run()
	)
	nothing = ("", 0, 0, 0, 0, 0, 0, None, None, 0)
	known = set(names)
	counted = {membership.own_name(row[0], known): row for row in rows}
	used = promotions.used_in([name for name, row in counted.items() if row[-1]])
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


def wrong_totals(
	member: frappe._dict, counted: dict, program: Document | None = None, is_shown_anew: bool = False
) -> dict:
	"""What of the totals of `member`, in `program`, is not as `counted` from its entries; the right values.

	`is_shown_anew`: a run is about to show the program's members its new tiers.
	"""
	expected = dict(counted)
	# While a period is still to be evaluated, or new tiers are being shown, a tier may be another than it will be.
	if not (tiering.is_due(member, program) or is_shown_anew):
		expected["loyalty_program_tier"] = membership.shown_tier(frappe._dict(member, **counted), program)
	return wrong_sums(member, expected)


def programs_shown_anew() -> set[str]:
	"""Programs whose members are being shown new tiers by a run that is not finished."""
	unfinished = {"kind": "Tiers", "status": UNFINISHED}
	return set(frappe.get_all(RUN, filters=unfinished, pluck="loyalty_program"))


def wrong_sums(member: frappe._dict, expected: dict) -> dict:
	"""What of `member` is not as `expected`; the right values."""
	expected = dict(expected)
	if expected["all_spendable_from"] is None or (
		member.all_spendable_from and member.all_spendable_from > expected["all_spendable_from"]
	):
		# Never moved back: a date too late costs a moment, one too early would count points that are not good yet.
		expected["all_spendable_from"] = member.all_spendable_from
	return {field: value for field, value in expected.items() if (member[field] or None) != (value or None)}


def wrong_customers(names: list[str]) -> list[Difference]:
	"""Memberships that are not active though their customer is in the program now, or the other way round; or whose
	customer shows another tier than theirs."""
	found = []
	for row in unlike_customers(names):
		if row.active != row.is_current:
			now_in = f"in Loyalty Program {row.now_in}" if row.now_in else "in no Loyalty Program"
			found.append(Difference(row.name, f"active is {row.active}, customer {row.customer} is {now_in}"))
		if row.shows_other:
			fault = f"customer {row.customer} shows the tier {row.shown}, the membership has {row.tier}"
			found.append(Difference(row.name, fault))
	return found


def unlike_customers(names: list[str]) -> list[frappe._dict]:
	"""Memberships that do not agree with their customers, if those are there, and what both say."""
	table, customer = frappe.qb.DocType(membership.DOCTYPE), frappe.qb.DocType("Customer")
	shown, own = (Coalesce(t.loyalty_program_tier, "") for t in (customer, table))
	is_current = Case().when(customer.loyalty_program == table.loyalty_program, 1).else_(0)
	shows_other = (is_current == 1) & (shown != own)
	return (
		frappe.qb.from_(table)
		.join(customer)
		.on(customer.name == table.customer)
		.select(table.name, table.customer, table.active, is_current.as_("is_current"))
		.select(customer.loyalty_program.as_("now_in"), customer.loyalty_program_tier.as_("shown"))
		.select(
			table.loyalty_program_tier.as_("tier"), Case().when(shows_other, 1).else_(0).as_("shows_other")
		)
		.where(table.name.isin(names))
		.where((table.active != is_current) | shows_other)
		.orderby(table.name)
		.run(as_dict=True)
	)


# --- mending


def mend(names: list[str]) -> Mended:
	"""Count lots and totals of some memberships again, let their logs tell of that and of what the entries are.

	To be called at the beginning of a transaction: most of it is read without a lock.
	"""
	members = membership.lock_with_customers(names, anew=True)
	before = examine(members)
	if not before.differences:
		return Mended()
	# Without its program, nobody knows what a membership should be.
	if counting := [member for member in members if is_program(member.loyalty_program)]:
		_count_again(counting, before)
	left = tuple(differences(names))
	return Mended(tuple(d for d in before.differences if d not in left), left)


def _count_again(members: list[frappe._dict], examined: Examination) -> None:
	names = [member.name for member in members]
	was, is_now = ({name: {} for name in names} for _ in range(2))
	page = log.Page(REBUILT)
	for member in members:
		# Where the log does not end as the membership remembers, the hash it remembers is the evidence: what is
		# written from now on does not follow from the row before it, and verifying goes on telling that.
		member.log_count = max(member.log_count, examined.log_rows[member.name])
		page.add(member, examined.untold[member.name])
	# What is counted by a membership's name has to have it.
	misnamed = {entry: member for entry, member in examined.sieve.misnamed.items() if member in is_now}
	bulk.update(entries.DOCTYPE, {entry: {"membership": member} for entry, member in misnamed.items()})
	for entry, member in misnamed.items():
		is_now[member].setdefault("given_back", {})[entry] = ["membership"]
	lots = {entry: values for member, entry, values, _fault in examined.lots if values and member in is_now}
	bulk.update(entries.DOCTYPE, lots)
	for member, entry, _values, _fault in examined.lots:
		if entry in lots:
			is_now[member].setdefault("lots", {})[entry] = lots[entry]["remaining_points"]
	# Where the log says that the points are somebody else's, it may be the membership that was changed.
	unlike = [row for row in examined.unlike if row[0] in is_now and row[0] not in examined.doubtful]
	rights = {
		entry: {field: right for field, (_said, right) in wrong.items()} for _member, entry, wrong in unlike
	}
	bulk.update(entries.DOCTYPE, rights)
	for member, entry, wrong in unlike:
		given_back = is_now[member].setdefault("given_back", {})
		given_back[entry] = sorted({*given_back.get(entry, ()), *wrong})
	current = {}
	for row in unlike_customers(names):
		if row.active != row.is_current:
			current[row.name] = {"active": row.is_current}
			was[row.name]["active"], is_now[row.name]["active"] = row.active, row.is_current
		if row.shows_other:
			is_now[row.name]["shown"] = True
	bulk.update(membership.DOCTYPE, current)
	counted = totals_of(members)
	for member in members:
		right = wrong_totals(member, counted[member.name])
		was[member.name].update({field: member[field] for field in right})
		member.update(right)
		is_now[member.name].update(right)
		if is_now[member.name]:
			page.add_mended(member, was[member.name], is_now[member.name])
	page.write()
	membership.show_reached_tiers(members)


def mend_promotions() -> list[Difference]:
	"""Count again how often promotions with a limit in all were used; return what was wrong.

	To be called at the beginning of a transaction, as `mend`.
	"""
	suspects = [name for name, _uses, _fault in promotions.wrong_counts()]
	if not suspects:
		return []
	# Begin again with the locks: what is counted after that is not older than the counts.
	if not frappe.db.transaction_writes:
		frappe.db.rollback()
	promotions.uses_of(suspects, lock=True)
	wrong = [row for row in promotions.wrong_counts() if row[0] in suspects]
	bulk.update(promotions.DOCTYPE, {name: {"uses": uses} for name, uses, _fault in wrong})
	bulk.clear_cache(promotions.DOCTYPE, [name for name, _uses, _fault in wrong])
	return [Difference(None, fault) for _name, _uses, fault in wrong]
