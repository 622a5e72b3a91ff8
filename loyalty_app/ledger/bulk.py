"""Inserting and changing many rows."""

from collections import defaultdict

import frappe
from frappe.utils import now

# SQLite takes 32,766 values in a statement, the least of the supported databases.
VALUES_AT_ONCE = 32_000

# Of the rows that a statement changes, each is compared with every other's name.
CHANGES_AT_ONCE = 250

# Rows that are set to the same values by a statement of their own, and how many names it may list.
WORTH_A_STATEMENT = 20
NAMES_AT_ONCE = 10_000


# 64 bits: among a hundred million names two are the same with a chance of 1 to 4,000. With the 40 bits of Frappe's usual
# ten digits, every millionth movement in a ledger of a million entries would fail.
DIGITS = 16


def new_name() -> str:
	"""A name, made by chance, of an entry or a membership."""
	return frappe.generate_hash(length=DIGITS)


def made() -> dict:
	"""What the database row of every new document says of its making."""
	stamp, user = now(), frappe.session.user
	return {"owner": user, "modified_by": user, "creation": stamp, "modified": stamp, "docstatus": 0}


def insert(doctype: str, rows: list[dict], same: dict | None = None) -> None:
	"""Insert `rows` of `doctype`, which need not have the same columns, in as few statements as it takes; `same`
	are columns that have one value in all of them.

	`frappe.db.bulk_insert` does this by the query builder, which spends several times as long on writing
	the statement as the database does on running it.
	"""
	by_columns = defaultdict(list)
	for row in rows:
		by_columns[tuple(row)].append(row)
	fixed, bound = _written_out(same or {})
	for columns, found in by_columns.items():
		names = ", ".join(f"`{column}`" for column in (*columns, *bound, *fixed))
		marks = ", ".join(["%s"] * (len(columns) + len(bound)) + list(fixed.values()))
		at_once = VALUES_AT_ONCE // (len(columns) + len(bound))
		for start in range(0, len(found), at_once):
			part = found[start : start + at_once]
			frappe.db.sql(
				f"insert into `tab{doctype}` ({names}) values {', '.join([f'({marks})'] * len(part))}",
				[value for row in part for value in (*row.values(), *bound.values())],
			)


def update(doctype: str, rows: dict[str, dict]) -> None:
	"""Set columns of rows of `doctype`, by name, each to values of its own."""
	alike, others = defaultdict(list), defaultdict(dict)
	for name in sorted(rows):
		alike[tuple(rows[name].items())].append(name)
	for values, names in alike.items():
		if len(names) > WORTH_A_STATEMENT:
			_set(
				doctype,
				[f"`{column}` = %s" for column, _value in values],
				[v for _column, v in values],
				names,
			)
			continue
		columns = tuple(column for column, _value in values)
		others[columns].update((name, rows[name]) for name in names)
	for columns, found in others.items():
		names = list(found)
		for start in range(0, len(names) if columns else 0, CHANGES_AT_ONCE):
			part = names[start : start + CHANGES_AT_ONCE]
			cases = [f"`{column}` = case `name` {'when %s then %s ' * len(part)}end" for column in columns]
			_set(
				doctype,
				cases,
				[v for column in columns for name in part for v in (name, found[name][column])],
				part,
			)


def _set(doctype: str, assignments: list[str], values: list, names: list[str]) -> None:
	assignments += ["`modified` = %s", "`modified_by` = %s"]
	for start in range(0, len(names), NAMES_AT_ONCE):
		part = names[start : start + NAMES_AT_ONCE]
		frappe.db.sql(
			f"update `tab{doctype}` set {', '.join(assignments)} where `name` in ({', '.join(['%s'] * len(part))})",
			[*values, now(), frappe.session.user, *part],
		)


def clear_cache(doctype: str, names: list[str]) -> None:
	"""Forget cached documents of `doctype` that were changed: each, or all of them where that is less work."""
	if len(names) > WORTH_A_STATEMENT:
		frappe.clear_document_cache(doctype)
		return
	for name in names:
		frappe.clear_document_cache(doctype, name)


def _written_out(same: dict) -> tuple[dict, dict]:
	"""Values that can stand in the statement's text, written once and not for each row, and those that cannot."""
	fixed, bound = {}, {}
	for column, value in same.items():
		if value is None:
			fixed[column] = "null"
		elif isinstance(value, int):
			fixed[column] = str(int(value))
		elif "%" in str(value):  # it would be taken for the mark of a value
			bound[column] = value
		else:
			fixed[column] = frappe.db.escape(str(value))
	return fixed, bound
