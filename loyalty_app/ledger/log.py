"""The append-only Loyalty Point Log.

Each row tells one entry's insertion, change or deletion, and carries the hash of the row before it within
the membership, so that a change made in the database itself shows.
"""

import hashlib
import json
from collections.abc import Iterable
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


class Cause(NamedTuple):
	"""Why entries change: the event and the document it happened to."""

	event: str
	doctype: str | None = None
	name: str | None = None


class Change(NamedTuple):
	"""An entry's logged values before and after; None where it did not or does not exist."""

	entry: str
	before: dict | None
	after: dict | None

	@property
	def action(self) -> str:
		if self.before is None:
			return "Insert"
		return "Delete" if self.after is None else "Update"


def append(member: frappe._dict, changes: Iterable[Change], cause: Cause) -> None:
	"""Add `changes` to the log of the locked `member`, whose `log_count` and `log_hash` go on."""
	bulk.insert(DOCTYPE, rows(member, changes, cause))


def rows(member: frappe._dict, changes: Iterable[Change], cause: Cause) -> list[frappe._dict]:
	"""The log rows that tell `changes`, going on from `member`'s `log_count` and `log_hash`, which they move."""
	now = now_datetime()
	added = []
	for change in changes:
		shown = change.after or change.before
		row = frappe._dict(
			name=frappe.generate_hash(length=16),
			membership=member.name,
			sequence=member.log_count + 1,
			action=change.action,
			entry=change.entry,
			customer=member.customer,
			loyalty_program=member.loyalty_program,
			company=member.company,
			invoice_type=shown["invoice_type"],
			invoice=shown["invoice"],
			points_before=change.before["loyalty_points"] if change.before else 0,
			points_after=change.after["loyalty_points"] if change.after else 0,
			event=cause.event,
			reference_doctype=cause.doctype,
			reference_name=cause.name,
			user=frappe.session.user,
			logged_at=now,
			before=_json(change.before),
			after=_json(change.after),
			previous_hash=member.log_hash or "",
			owner=frappe.session.user,
			modified_by=frappe.session.user,
			creation=now,
			modified=now,
		)
		row.hash = row_hash(row)
		member.log_count, member.log_hash = row.sequence, row.hash
		added.append(row)
	return added


def _json(values: dict | None) -> str | None:
	return json.dumps(values, sort_keys=True, default=str) if values is not None else None


def row_hash(row: dict) -> str:
	"""SHA-256 over the row before it and what this one says."""
	said = [row["previous_hash"] or "", *(str(row[key] if row[key] is not None else "") for key in HASHED)]
	return hashlib.sha256(json.dumps(said).encode()).hexdigest()


def replay(rows: Iterable[dict]) -> tuple[dict[str, dict], list[str]]:
	"""The entries that the log `rows` of one membership, in sequence, come to; and what is wrong with them."""
	entries, faults, previous, sequence = {}, [], "", 0
	for row in rows:
		sequence += 1
		if row["sequence"] != sequence:
			faults.append(f"log row {sequence} is missing")
			sequence = row["sequence"]
		if (row["previous_hash"] or "") != previous or row["hash"] != row_hash(row):
			faults.append(f"log row {sequence} ({row['name']}) was changed after it was written")
		previous = row["hash"]
		before = json.loads(row["before"]) if row["before"] else None
		if entries.get(row["entry"]) != before:
			faults.append(
				f"log row {sequence}: entry {row['entry']} was not as the log says before the change"
			)
		if row["after"]:
			entries[row["entry"]] = json.loads(row["after"])
		else:
			entries.pop(row["entry"], None)
	return entries, faults
