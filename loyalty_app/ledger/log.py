"""The append-only Loyalty Point Log.

Each row tells one entry's insertion, change or deletion, the insertion of many at once, or what rebuilding mended, and
carries the hash of the row before it within the membership, so that a change made in the database itself shows.
"""

import hashlib
import json
from collections import Counter
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

# Whose a row is. Renaming changes these in all rows, so that no hash covers them: they are compared with the membership's.
WHOSE = ("customer", "loyalty_program", "company")


def whose(row: dict) -> tuple[str, ...]:
	"""Of whom `row`, of the log or a membership, says that the points are theirs."""
	return tuple([row[field] or "" for field in WHOSE])


# What reading a row raises that does not say what a row says: somebody has changed it.
UNREADABLE = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError)

# Entries that a row tells of at the most.
MOST_IN_ROW = 200
INSERT_MANY = "Insert Many"
# What is counted from the entries was not as they come to.
MEND = "Mend"


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
			self._add(
				member,
				action=change.action,
				entry=change.entry,
				before=text(change.before),
				after=text(change.after),
				**columns_of(change.before, change.after),
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
				before=None,
				after=f'{{"fields": {json.dumps(LOGGED)}, "entries": {{'
				+ ", ".join([f"{json.dumps(name)}: {values}" for name, _points, values in part])
				+ "}}",
				**columns_of_many(points for _name, points, _values in part),
			)

	def add_mended(self, member: frappe._dict, before: dict, after: dict) -> None:
		"""Tell that what is counted from the entries was put right."""
		kept = [text({key: plain(value) for key, value in values.items()}) for values in (before, after)]
		self._add(member, action=MEND, entry=None, before=kept[0], after=kept[1], **columns_of(None, None))

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


def columns_of(before: dict | None, after: dict | None) -> dict:
	"""The columns of a row that follow from what it says of an entry: to find it by, and to show."""
	shown = after or before or {}
	return {
		"invoice_type": shown.get("invoice_type"),
		"invoice": shown.get("invoice"),
		"points_before": (before or {}).get("loyalty_points") or 0,
		"points_after": (after or {}).get("loyalty_points") or 0,
	}


def columns_of_many(points: Iterable[int | None]) -> dict:
	"""`columns_of` a row that tells of entries with these `points`."""
	return columns_of(None, {"loyalty_points": sum(number or 0 for number in points)})


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
		# How many rows say of whom that the points are theirs.
		self.whose: Counter[tuple[str, ...]] = Counter()
		# By entry, what stands for what was last said of it: a long history has many entries.
		self.entries: dict[str, bytes] = {}

	def add(self, row: dict) -> Iterator[str]:
		"""Go on with `row`, and tell what is wrong with it."""
		self.whose[whose(row)] += 1
		self.sequence += 1
		if row["sequence"] != self.sequence:
			yield f"log row {self.sequence} is missing"
			self.sequence = row["sequence"]
		if (row["previous_hash"] or "") != self.hash or row["hash"] != row_hash(row):
			yield f"log row {self.sequence} ({row['name']}) was changed after it was written"
		self.hash = row["hash"]
		try:
			if row["action"] == MEND:
				yield from self._wrong_columns(row, columns_of(None, None))
			else:
				yield from self._add_many(row) if row["action"] == INSERT_MANY else self._add_one(row)
		except UNREADABLE:
			yield f"log row {self.sequence} ({row['name']}) says of entries what nobody can read"

	def _add_one(self, row: dict) -> Iterator[str]:
		entry = row["entry"]
		before, after = (json.loads(row[key]) if row[key] else None for key in ("before", "after"))
		if self.entries.get(entry) != fingerprint(before):
			yield f"log row {self.sequence}: entry {entry} was not as the log says before the change"
		if after:
			self.entries[entry] = fingerprint(after)
		else:
			self.entries.pop(entry, None)
		yield from self._wrong_columns(row, columns_of(before, after))

	def _add_many(self, row: dict) -> Iterator[str]:
		told = json.loads(row["after"])
		as_now, points = told["fields"] == list(LOGGED), told["fields"].index("loyalty_points")
		for entry, values in told["entries"].items():
			if entry in self.entries:
				yield f"log row {self.sequence}: entry {entry} was there already"
			self.entries[entry] = fingerprint(values if as_now else dict(zip(told["fields"], values)))
		yield from self._wrong_columns(row, columns_of_many(v[points] for v in told["entries"].values()))

	def _wrong_columns(self, row: dict, right: dict) -> Iterator[str]:
		"""No hash covers these: a rename changes the invoice's. What the row says of the entry, one does."""
		for column, value in right.items():
			if (row[column] or None) != (value or None):
				yield f"log row {self.sequence}: {column} is {row[column]}, what it says of entries has {value}"


def fingerprint(kept: str | dict | list | None) -> bytes | None:
	"""What stands for an entry's values, given as JSON, by field or in the order of `LOGGED`; empty ones count as none."""
	values = json.loads(kept) if isinstance(kept, str) else kept
	if not values:
		return None
	if isinstance(values, dict):
		values = [values.get(key) for key in LOGGED]
	# Of a text: Python's own hash of -1 is that of -2. Written this way, 5 and 5.0, which a database may give for it, are alike.
	told = "\0".join([v if type(v) is str else f"{v:.17g}" if v else "" for v in values])
	return hashlib.blake2b(told.encode(errors="surrogatepass"), digest_size=16).digest()


def last_said(member: str, entry: str) -> dict | None:
	"""What the log of the membership `member` said last of `entry`."""
	table = frappe.qb.DocType(DOCTYPE)
	query = frappe.qb.from_(table).select(table.after).orderby(table.sequence, order=frappe.qb.desc).limit(1)
	found = query.where((table.membership == member) & (table.entry == entry)).run(pluck=True)
	try:
		if not found:
			return told_among_many(member, entry).get(entry)
		return said(json.loads(found[0])) if found[0] else None
	except UNREADABLE:
		# somebody has changed the log, which the replay tells
		return None


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
