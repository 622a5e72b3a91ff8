"""The append-only Loyalty Point Log.

Each row tells one entry's insertion, change or deletion, the insertion of many at once, or what rebuilding mended, and
carries the hash of the row before it within the membership, so that a change made in the database itself shows.
"""

import hashlib
import json
from collections import Counter, namedtuple
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date
from decimal import Decimal
from functools import lru_cache
from json.encoder import encode_basestring_ascii
from typing import NamedTuple

import frappe
from frappe.utils import now_datetime

from loyalty_app.ledger import bulk, packed

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

# The end of `logged_at` that a database writes, and Python, whose text was hashed, leaves out.
WHOLE_SECOND = ".000000"

# A number of so many characters, a sign and a point among them, goes through JSON with all its digits.
SHORT = 16

_decode = json.JSONDecoder().raw_decode

# Where in `LOGGED` numbers are.
NUMBERS = tuple(map(LOGGED.index, ("loyalty_points", "purchase_amount", "collection_factor")))

# Whose a row is. Renaming changes these in all rows, so that no hash covers them: they are compared with the membership's.
WHOSE = ("customer", "loyalty_program", "company")

# What follows from what a row says of an entry: to find it by, and to show.
SHOWN = ("invoice_type", "invoice", "points_before", "points_after")


def whose(member: dict) -> tuple[str, ...]:
	"""Of whom a membership says that the points are theirs, as `Row.whose` does for a row of its log."""
	return tuple([member[field] or "" for field in WHOSE])


# What reading a row raises that does not say what a row says: somebody has changed it.
UNREADABLE = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError)

# Rows, or entries, that one statement reads.
ROWS_AT_ONCE = 5_000
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

	def add_many(
		self, member: frappe._dict, inserted: list[tuple[str, int, str]], fields: Sequence[str] = LOGGED
	) -> None:
		"""Tell that entries were `inserted`: name, points, and values as a JSON array in the order of `fields`, those of
		`LOGGED` that are not empty in any; many to a row, which names the fields once."""
		for start in range(0, len(inserted), MOST_IN_ROW):
			part = inserted[start : start + MOST_IN_ROW]
			values = ", ".join([f"{json.dumps(name)}: {values}" for name, _points, values in part])
			self._add_many(
				member, f"{{{values}}}", sum(points or 0 for _name, points, _values in part), fields
			)

	def add_object(
		self, member: frappe._dict, count: int, values: str, points: int, fields: Sequence[str]
	) -> None:
		"""`add_many` of so many entries, which have their `values` by name in one JSON object and so many `points` together."""
		if count <= MOST_IN_ROW:
			self._add_many(member, values, points, fields)
			return
		points_at = fields.index("loyalty_points")
		told = json.loads(values).items()
		self.add_many(member, [(name, row[points_at], json.dumps(row)) for name, row in told], fields)

	def _add_many(self, member: frappe._dict, values: str, points: int, fields: Sequence[str]) -> None:
		self._add(
			member,
			action=INSERT_MANY,
			entry=None,
			before=None,
			after=f'{{"fields": {json.dumps(fields)}, "entries": {values}}}',
			**columns_of(None, {"loyalty_points": points}),
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
	"""The columns of a row that follow from what it says of an entry."""
	return dict(zip(SHOWN, shown_of(before, after)))


def shown_of(before: dict | None, after: dict | None) -> tuple:
	"""The values of `SHOWN` in a row that tells of an entry `before` and `after`."""
	told, before, after = after or before or {}, before or {}, after or {}
	points = before.get("loyalty_points") or 0, after.get("loyalty_points") or 0
	return told.get("invoice_type"), told.get("invoice"), *points


def text(values: dict | None) -> str | None:
	"""`values`, of which nothing is empty, as the log keeps them."""
	return json.dumps(values, sort_keys=True) if values is not None else None


def row_hash(row: dict) -> str:
	"""SHA-256 over the row before it and what this one says."""
	return _hash_of([row["previous_hash"] or "", *(_text(row[key]) for key in HASHED)])


def _hash_of(told: Sequence[str]) -> str:
	# What `json.dumps` gives for a list of texts, in less time: a verification does this for every row.
	return hashlib.sha256(f"[{', '.join(map(encode_basestring_ascii, told))}]".encode()).hexdigest()


def _text(value) -> str:
	return "" if value is None else str(value)


class Row(namedtuple("Row", ("previous_hash", *HASHED, "hash", "name", *SHOWN, *WHOSE))):
	"""A row of the log as it is replayed: texts, of which none is null."""

	__slots__ = ()

	@property
	def right_hash(self) -> str:
		told = self
		if self.logged_at.endswith(WHOLE_SECOND):
			told = self._replace(logged_at=self.logged_at.removesuffix(WHOLE_SECOND))
		return _hash_of(told[: len(HASHED) + 1])

	@property
	def shown(self) -> tuple[str, ...]:
		return self[-len(SHOWN) - len(WHOSE) : -len(WHOSE)]

	@property
	def whose(self) -> tuple[str, ...]:
		return self[-len(WHOSE) :]


def rows(query) -> list[Row]:
	"""The rows of the log that `query` finds."""
	table = frappe.qb.DocType(DOCTYPE)
	return [Row._make(row) for row in packed.rows(query, [table[field] for field in Row._fields])]


def pages(membership: str, read: Callable) -> Iterator:
	"""The log of a membership in sequence, read a page at a time: `read` gets the rows that a query finds."""
	table = frappe.qb.DocType(DOCTYPE)
	query = frappe.qb.from_(table).where(table.membership == membership)
	query = query.orderby(table.sequence).limit(ROWS_AT_ONCE)
	last = -1
	while page := read(query.where(table.sequence > last)):
		yield from page
		last = int(page[-1].sequence)


class Replay:
	"""What a membership's log comes to, row by row in sequence."""

	def __init__(self):
		self.sequence, self.hash = 0, ""
		# How many rows say of whom that the points are theirs.
		self.whose: Counter[tuple[str, ...]] = Counter()
		# By entry, what stands for what was last said of it: a long history has many entries.
		self.entries: dict[str, int] = {}

	def add(self, row: Row) -> list[str]:
		"""Go on with `row`, and tell what is wrong with it."""
		faults = []
		self.whose[row.whose] += 1
		self.sequence += 1
		if row.sequence != str(self.sequence):
			faults.append(f"log row {self.sequence} is missing")
			self.sequence = int(row.sequence)
		if row.previous_hash != self.hash or row.hash != row.right_hash:
			faults.append(f"log row {self.sequence} ({row.name}) was changed after it was written")
		self.hash = row.hash
		try:
			if row.action == MEND:
				right = shown_of(None, None)
			else:
				right = (
					self._add_many(row, faults) if row.action == INSERT_MANY else self._add_one(row, faults)
				)
			self._compare_columns(row, right, faults)
		except UNREADABLE:
			faults.append(f"log row {self.sequence} ({row.name}) says of entries what nobody can read")
		return faults

	def _add_one(self, row: Row, faults: list[str]) -> tuple:
		before = _read(row.before) if row.before else None
		after = _read(row.after) if row.after else None
		if self.entries.get(row.entry) != fingerprint(before):
			faults.append(
				f"log row {self.sequence}: entry {row.entry} was not as the log says before the change"
			)
		if after:
			self.entries[row.entry] = fingerprint(after)
		else:
			self.entries.pop(row.entry, None)
		return shown_of(before, after)

	def _add_many(self, row: Row, faults: list[str]) -> tuple:
		told = _read(row.after)
		fields = told["fields"]
		points = fields.index("loyalty_points")
		as_now = fields == list(LOGGED)
		for entry, values in told["entries"].items():
			if entry in self.entries:
				faults.append(f"log row {self.sequence}: entry {entry} was there already")
			self.entries[entry] = fingerprint(values if as_now else dict(zip(fields, values)))
		return shown_of(None, {"loyalty_points": sum(v[points] or 0 for v in told["entries"].values())})

	def _compare_columns(self, row: Row, right: tuple, faults: list[str]) -> None:
		"""No hash covers these: a rename changes the invoice's. What the row says of the entry, one does."""
		if row.shown == tuple(map(_text, right)):
			return
		for column, has, value in zip(SHOWN, row.shown, right):
			same = number if column.startswith("points") else str
			if same(has) != same(_text(value)):
				faults.append(
					f"log row {self.sequence}: {column} is {has or None}, what it says of entries has {value}"
				)


def _read(text: str):
	"""What a text in JSON says, as `json.loads`, in less time. Raises ValueError where it is none."""
	told, end = _decode(text)
	if end < len(text):
		raise ValueError
	return told


def fingerprint(kept: dict | list | None) -> int | None:
	"""What stands for an entry's values, as JSON has them, by field or in the order of `LOGGED`; empty ones count as none."""
	if not kept:
		return None
	values = [kept.get(key) for key in LOGGED] if isinstance(kept, dict) else kept
	return fingerprint_of_texts([v if type(v) is str else str(v) if v else "" for v in values])


def fingerprint_of_texts(told: Sequence[str]) -> int:
	"""What stands for an entry's values, in the order of `LOGGED` and written as a database writes them."""
	told = list(told)
	for i in NUMBERS:
		told[i] = number(told[i])
	# Of texts, each of which Python makes 64 bits of with a key of this process: of numbers, it makes the same of -1 and -2.
	return hash(tuple(told))


@lru_cache(maxsize=10_000)
def number(text: str) -> str:
	"""A number in the one way of writing it, where databases write 5, 5.0 or 5.000000000; nothing for 0.

	Raises ValueError where it is none.
	"""
	if len(text) > SHORT or "e" in text:
		text = f"{Decimal(repr(float(text))):f}"
		if text == "Infinity":
			raise ValueError
	if "." in text:
		text = text.rstrip("0").rstrip(".")
	return "" if text in ("0", "-0") else text


def said_in_texts(told: list[str]) -> dict:
	"""What the log would keep of an entry whose values a database writes as `told`, in the order of `LOGGED`."""
	values = dict(zip(LOGGED, told))
	values["loyalty_points"] = int(number(values["loyalty_points"]) or 0)
	for field in ("purchase_amount", "collection_factor"):
		values[field] = float(values[field] or 0)
	return said(values)


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
