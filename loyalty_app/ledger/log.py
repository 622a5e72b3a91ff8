"""The append-only Loyalty Point Log.

Each row tells one entry's insertion, change or deletion, or the insertion of many at once, and carries the hash of
the row before it within the membership, so that a change made in the database itself shows.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal
from typing import NamedTuple

import frappe
from frappe.utils import now_datetime

from loyalty_app.ledger import bulk

DOCTYPE = "Loyalty Point Log"

# What the hash covers, in this order: nothing that renaming a document would change. `user` and `reference_name`
# are plain text for that reason. `logged_at` is text to the microsecond on every database.
HASHED = (
	"membership",
	"sequence",
	"action",
	"entry",
	"event",
	"reference_doctype",
	"reference_name",
	"user",
	"logged_at",
	"before",
	"after",
)


# What an entry says for itself, and the log remembers: not customer, program and company, which are the
# membership's and may be renamed, nor what follows from the draws.
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
	"spendable_from",
	"discretionary_reason",
	"collection_factor",
	"earn_on",
	"excluded_items",
	"promotions",
)

# Entries that a row tells of at the most.
MOST_IN_ROW = 200
INSERT_MANY = "Insert Many"


class Cause(NamedTuple):
	"""Why entries change: the event and the document it happened to."""

	event: str
	doctype: str | None = None
	name: str | None = None


class Change(NamedTuple):
	"""An entry's logged values (`said`) before and after; None where it did not or does not exist."""

	entry: str
	before: dict | None
	after: dict | None

	@property
	def action(self) -> str:
		if self.before is None:
			return "Insert"
		return "Delete" if self.after is None else "Update"


def said(values: dict) -> dict:
	"""What the log keeps of an entry's `values`: those that are not empty, as JSON gives them back."""
	return {key: plain(value) for key, value in values.items() if value}


def plain(value):
	"""`value` as JSON, and every database, gives it back."""
	if isinstance(value, date):
		return value.isoformat()
	return float(value) if isinstance(value, Decimal) else value


def append(member: frappe._dict, changes: Iterable[Change], cause: Cause) -> None:
	"""Add `changes` to the log of the locked `member`, whose `log_count` and `log_hash` go on."""
	page = Page(cause)
	page.add(member, changes)
	page.write()


class Page:
	"""Log rows of one cause, of as many memberships as it takes, that are written together."""

	def __init__(self, cause: Cause):
		user, at = frappe.session.user, now_datetime()
		self.same = {
			"event": cause.event,
			"reference_doctype": cause.doctype,
			"reference_name": cause.name,
			"user": user,
			"logged_at": at,
			"owner": user,
			"modified_by": user,
			"creation": at,
			"modified": at,
		}
		self.rows = []

	def add(self, member: frappe._dict, changes: Iterable[Change]) -> None:
		"""Tell `changes`, going on from `member`'s `log_count` and `log_hash`, which are moved on."""
		for change in changes:
			shown = change.after or change.before
			self._add(
				member,
				action=change.action,
				entry=change.entry,
				invoice_type=shown.get("invoice_type"),
				invoice=shown.get("invoice"),
				points_before=change.before.get("loyalty_points", 0) if change.before else 0,
				points_after=change.after.get("loyalty_points", 0) if change.after else 0,
				before=text(change.before),
				after=text(change.after),
			)

	def add_many(self, member: frappe._dict, inserted: list[tuple[str, int, str]]) -> None:
		"""Tell that entries were `inserted`: name, points, and values as a JSON array in the order of `LOGGED`; many
		to a row, which names the fields once."""
		for start in range(0, len(inserted), MOST_IN_ROW):
			part = inserted[start : start + MOST_IN_ROW]
			self._add(
				member,
				action=INSERT_MANY,
				entry=None,
				invoice_type=None,
				invoice=None,
				points_before=0,
				points_after=sum(points for _name, points, _values in part),
				before=None,
				after=f'{{"fields": {json.dumps(LOGGED)}, "entries": {{'
				+ ", ".join([f"{json.dumps(name)}: {values}" for name, _points, values in part])
				+ "}}",
			)

	def _add(self, member: frappe._dict, **told) -> None:
		row = {
			"name": f"{member.name}-{member.log_count + 1}",
			"membership": member.name,
			"sequence": member.log_count + 1,
			"customer": member.customer,
			"loyalty_program": member.loyalty_program,
			"company": member.company,
			"previous_hash": member.log_hash or "",
			**told,
		}
		row["hash"] = row_hash(row | self.same)
		member.log_count, member.log_hash = row["sequence"], row["hash"]
		self.rows.append(row)

	def write(self) -> None:
		bulk.insert(DOCTYPE, self.rows, self.same)


def write_all(pages: Iterable[Page]) -> None:
	"""Write pages of different causes together."""
	bulk.insert(DOCTYPE, [page.same | row for page in pages for row in page.rows])


def text(values: dict | None) -> str | None:
	"""`values`, of which nothing is empty, as the log keeps them."""
	return json.dumps(values, sort_keys=True) if values is not None else None


def row_hash(row: dict) -> str:
	"""SHA-256 over the row before it and what this one says."""
	parts = [row["previous_hash"] or "", *(str(row[key] if row[key] is not None else "") for key in HASHED)]
	return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


class Replay:
	"""What a membership's log comes to, row by row in sequence."""

	def __init__(self):
		self.sequence, self.hash = 0, ""
		# By entry, a number that stands for what was last said of it: a long history has many entries.
		self.entries: dict[str, int] = {}

	def add(self, row: dict) -> Iterator[str]:
		"""Go on with `row`, and tell what is wrong with it."""
		self.sequence += 1
		if row["sequence"] != self.sequence:
			yield f"log row {self.sequence} is missing"
			self.sequence = row["sequence"]
		if (row["previous_hash"] or "") != self.hash or row["hash"] != row_hash(row):
			yield f"log row {self.sequence} ({row['name']}) was changed after it was written"
		self.hash = row["hash"]
		if row["action"] == INSERT_MANY:
			yield from self._add_many(row)
			return
		entry = row["entry"]
		if self.entries.get(entry) != fingerprint(row["before"]):
			yield f"log row {self.sequence}: entry {entry} was not as the log says before the change"
		if row["after"]:
			self.entries[entry] = fingerprint(row["after"])
		else:
			self.entries.pop(entry, None)

	def _add_many(self, row: dict) -> Iterator[str]:
		told = json.loads(row["after"])
		as_now = told["fields"] == list(LOGGED)
		for entry, values in told["entries"].items():
			if entry in self.entries:
				yield f"log row {self.sequence}: entry {entry} was there already"
			self.entries[entry] = fingerprint(values if as_now else dict(zip(told["fields"], values)))


def fingerprint(kept: str | dict | list | None) -> int | None:
	"""A number that stands for an entry's values, given as JSON, by field or in the order of `LOGGED`; empty ones
	count as none."""
	values = json.loads(kept) if isinstance(kept, str) else kept
	if not values:
		return None
	if isinstance(values, dict):
		values = [values.get(key) for key in LOGGED]
	return hash(tuple([value or None for value in values]))


def last_said(member: str, entry: str) -> dict | None:
	"""What the log of the membership `member` said last of `entry`."""
	table = frappe.qb.DocType(DOCTYPE)
	query = frappe.qb.from_(table).select(table.after).orderby(table.sequence, order=frappe.qb.desc).limit(1)
	found = query.where((table.membership == member) & (table.entry == entry)).run(pluck=True)
	if not found:
		return told_among_many(member, entry).get(entry)
	return said(json.loads(found[0])) if found[0] else None


def told_among_many(member: str, word: str) -> dict[str, dict]:
	"""Entries, with their values, that the membership's log told of in rows that tell of many and have `word`."""
	table = frappe.qb.DocType(DOCTYPE)
	query = frappe.qb.from_(table).select(table.after).orderby(table.sequence)
	query = query.where((table.membership == member) & (table.action == INSERT_MANY))
	found = query.where(table.after.like(f"%{word}%")).run(pluck=True)
	return {name: said(values) for row in found for name, values in told_in(row).items()}


def told_in(after: str) -> dict[str, dict]:
	"""The entries, with their values by field, that a row tells of which tells of many."""
	told = json.loads(after)
	return {name: dict(zip(told["fields"], values)) for name, values in told["entries"].items()}
