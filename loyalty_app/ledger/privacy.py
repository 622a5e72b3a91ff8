"""Forgetting a person: points, lots and totals stay to the point, and no text of ours says any more whose they were.

The log, whose rows are chained by their hashes, names people too: who did it, reasons in free text, customers that were
merged. Rows that change get new hashes, and so do those after them. A hash that was wrong before stays wrong: what
somebody has tampered with still shows.
"""

import json
import re
from collections.abc import Iterable
from functools import reduce
from operator import or_
from typing import NamedTuple

import frappe
from frappe.model.rename_doc import rename_doc

from loyalty_app.ledger import adjustments, audit, bulk, entries, log, membership, merge, promotions

# As Frappe writes it where it deletes personal data.
REDACTED = "[REDACTED]"

IMPORT_ROW = "Loyalty Import Row"
REASON = "discretionary_reason"

# What changes of a row of the log, and how many rows are written at a time.
REWRITTEN = ("user", "reference_name", "before", "after", "previous_hash", "hash")
ROWS_AT_ONCE = 1_000

# Free text, in which anybody may be mentioned. Nothing that the ledger reads: a tier may be called like somebody.
TEXTS = (
	(adjustments.DOCTYPE, "explanation"),
	(IMPORT_ROW, "message"),
	(IMPORT_ROW, "parsed"),
	("Loyalty Ledger Run", "notes"),
	("Loyalty Ledger Run Finding", "fault"),
)


class Person(NamedTuple):
	"""Who is to be forgotten: the user and what that is called from now on, words that name the person, and the
	customers that are this person and nobody else, with the names these have from now on."""

	user: str
	alias: str
	words: tuple[str, ...]
	customers: dict[str, str]

	@property
	def forms(self) -> list[str]:
		"""The words as they stand in text and in JSON, the longest first."""
		return sorted({form for w in self.words for form in (w, json.dumps(w)[1:-1])}, key=len, reverse=True)

	def taken_out_of(self, text: str) -> str:
		found = "|".join(map(re.escape, self.forms))
		return re.sub(rf"(?<!\w)(?:{found})(?!\w)", REDACTED, text, flags=re.IGNORECASE)

	def may_be_in(self, column):
		"""The condition that `column` may mention the person. Of what is found, `taken_out_of` takes what is meant."""
		# A backslash, as JSON has them, would be one sign in MariaDB's LIKE and another in SQLite's.
		likes = [column.like(f"%{form.replace(chr(92), '_')}%") for form in self.forms]
		return reduce(or_, likes)


def forget(person: Person) -> None:
	"""Take `person` out of the ledger's tables, and the name out of the customers, in the caller's transaction."""
	own, others = _memberships_with(person)
	names = sorted(own | others)
	parts = [
		names[at : at + audit.MEMBERSHIPS_AT_ONCE] for at in range(0, len(names), audit.MEMBERSHIPS_AT_ONCE)
	]
	# All customers before the first membership: those of later parts, and those that are renamed at the end.
	if customers := {*person.customers, *(customer for part in parts for customer in _customers_of(part))}:
		membership.hold(*customers)
	for part in parts:
		members = {member.name: member for member in membership.lock_all(part)}
		for name in part:
			_rewrite_log(name, members.get(name), person, name in own)
		_rewrite_reasons(part, person, own)
	_empty_texts_about(person.customers, person.alias)
	for doctype, field in TEXTS:
		_rewrite_text(doctype, field, person)
	for customer, name in person.customers.items():
		_rename(customer, name, person.alias)


def _memberships_with(person: Person) -> tuple[set[str], set[str]]:
	"""The names of the person's own memberships, also of those that were emptied since or in which nothing happened,
	and of others whose log or entries may mention the person."""
	table, entry = frappe.qb.DocType(log.DOCTYPE), frappe.qb.DocType(entries.DOCTYPE)
	is_own = table.customer.isin(list(person.customers) or [""])
	mentions = (table.user == person.user) | person.may_be_in(table.before) | person.may_be_in(table.after)
	logs = frappe.qb.from_(table).select(table.membership).distinct()
	own = set(logs.where(is_own).run(pluck=True)) | set(_memberships_of(person.customers))
	others = set(logs.where(mentions).run(pluck=True))
	query = frappe.qb.from_(entry).select(entry.membership).distinct().where(entry.membership.isnotnull())
	others.update(query.where(person.may_be_in(entry.discretionary_reason)).run(pluck=True))
	return own, others


def _memberships_of(customers: Iterable[str]) -> list[str]:
	filters = {"customer": ("in", list(customers) or [""])}
	return frappe.get_all(membership.DOCTYPE, filters=filters, pluck="name", limit=0)


def _customers_of(memberships: list[str]) -> list[str]:
	filters = {"name": ("in", memberships)}
	return frappe.get_all(membership.DOCTYPE, filters=filters, pluck="customer", limit=0)


def _rewrite_log(name: str, member: frappe._dict | None, person: Person, is_own: bool) -> None:
	"""Write the log of the membership `name`, locked as `member` if it is still there, without `person`."""
	was = now_is = ""
	changed = {}
	for row in log.pages(name, _locked_rows):
		clean = _log_row_without(row, person, is_own)
		if (row["previous_hash"] or "") == was:
			clean["previous_hash"] = now_is
		if row["hash"] == log.row_hash(row):
			clean["hash"] = log.row_hash(clean)
		was, now_is = row["hash"], clean["hash"]
		if clean != row:
			changed[row["name"]] = {key: clean[key] for key in REWRITTEN}
		if len(changed) == ROWS_AT_ONCE:
			bulk.update(log.DOCTYPE, changed)
			changed = {}
	bulk.update(log.DOCTYPE, changed)
	if member and now_is != was == member.log_hash:
		bulk.update(membership.DOCTYPE, {name: {"log_hash": now_is}})
		bulk.clear_cache(membership.DOCTYPE, [name])


def _locked_rows(query) -> list[dict]:
	return query.select("name", "previous_hash", "hash", *log.HASHED).for_update().run(as_dict=True)


def _log_row_without(row: dict, person: Person, is_own: bool) -> dict:
	clean = dict(row)
	if row["user"] == person.user:
		clean["user"] = person.alias
	if is_own and row["reference_doctype"] == "Customer":
		# By whatever name they went when they were merged.
		clean["reference_name"] = person.alias
	for key in ("before", "after"):
		if row[key]:
			clean[key] = _told_without(row[key], person, is_own)
	return clean


def _told_without(text: str, person: Person, is_own: bool) -> str:
	"""What a row of the log tells of one entry, or of many, without `person`."""
	told = json.loads(text)
	if "entries" in told:
		if REASON not in told["fields"]:
			return text
		reason, source = (told["fields"].index(field) for field in (REASON, "invoice_type"))
		for values in told["entries"].values():
			values[reason] = _reason_without(values[reason], values[source], person, is_own)
	elif told.get(REASON):
		told[REASON] = _reason_without(told[REASON], told.get("invoice_type"), person, is_own)
	return text if told == json.loads(text) else json.dumps(told, sort_keys=True)


def _reason_without(reason: str | None, source: str | None, person: Person, is_own: bool) -> str | None:
	"""The reason of an entry of a document of the kind `source`. That of an adjustment is one of a list, any other is
	somebody's words about the customer."""
	if not reason or source == adjustments.DOCTYPE:
		return reason
	# A name may be shorter than what stands for it.
	return REDACTED if is_own else person.taken_out_of(reason)[: frappe.db.VARCHAR_LEN]


def _rewrite_reasons(memberships: list[str], person: Person, own: set[str]) -> None:
	table = frappe.qb.DocType(entries.DOCTYPE)
	query = frappe.qb.from_(table).select(table.name, table.membership, table[REASON], table.invoice_type)
	query = query.where(table.membership.isin(memberships) & (table[REASON] != "")).for_update()
	changed = {}
	for name, member, reason, source in query.run():
		clean = _reason_without(reason, source, person, member in own)
		if clean != reason:
			changed[name] = {REASON: clean}
	bulk.update(entries.DOCTYPE, changed)
	bulk.clear_cache(entries.DOCTYPE, list(changed))


def _empty_texts_about(customers: Iterable[str], alias: str) -> None:
	"""Empty what was written about `customers`, and call them `alias` where their names are copied."""
	customers = list(customers) or [""]
	for link in ("customer", "to_customer"):
		made = frappe.get_all(adjustments.DOCTYPE, filters={link: ("in", customers)}, pluck="name")
		# What an explanation was before it was changed.
		frappe.db.delete("Version", {"ref_doctype": adjustments.DOCTYPE, "docname": ("in", made or [""])})
	for customer in customers:
		for link, title in (("customer", "customer_name"), ("to_customer", "to_customer_name")):
			frappe.db.set_value(
				adjustments.DOCTYPE, {link: customer}, {title: alias, "explanation": REDACTED}
			)
			frappe.db.set_value(IMPORT_ROW, {link: customer}, {"message": None, "parsed": "{}"})


def _rewrite_text(doctype: str, field: str, person: Person) -> None:
	table = frappe.qb.DocType(doctype)
	query = frappe.qb.from_(table).select(table.name, table[field]).where(person.may_be_in(table[field]))
	bulk.update(doctype, {name: {field: person.taken_out_of(text)} for name, text in query.run()})
	frappe.clear_document_cache(doctype)


def _rename(customer: str, name: str, title: str) -> None:
	"""Take out of a Customer what loyalty reads of the person, and call it `title`; nothing is sold to it any more."""
	values = {"customer_name": title, "email_id": None, "mobile_no": None, "disabled": 1}
	values["loyalty_statement_by_email"] = 0
	if birthday := promotions.birthday_field():
		values[birthday] = None
	frappe.db.set_value("Customer", customer, values)
	if customer == name:
		merge.refresh_customer(customer)
	else:
		rename_doc("Customer", customer, name, force=True, ignore_permissions=True, show_alert=False)
