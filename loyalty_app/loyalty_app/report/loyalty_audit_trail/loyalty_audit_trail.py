"""The log in readable words: who changed what, when, by which event of which document."""

from collections import defaultdict
from datetime import date

import frappe
from frappe import _
from frappe.query_builder.functions import Count, Date
from frappe.utils import cint, fmt_money, formatdate, getdate
from pypika import Order

from loyalty_app.ledger import entries
from loyalty_app.reporting import points, reading
from loyalty_app.reporting.periods import MONTH, period_of, periods
from loyalty_app.reporting.table import (
	GREEN,
	PURPLE,
	column,
	company_columns,
	currency_of,
	cut_message,
	hidden,
	points_column,
	points_summary,
)

INSERT, UPDATE, DELETE = "Insert", "Update", "Delete"
RED = "#d64545"

# More days than that are shown by month.
DAYS_IN_CHART = 62


def execute(filters: dict | None = None) -> tuple:
	"""Columns, rows (the newest first), message, chart and summary; filters as in the report's script."""
	filters = frappe._dict(filters or {})
	first, last = reading.period(filters)
	limit = reading.rows_wanted(filters)
	counts = by_day(filters, first, last)
	rows = [as_row(row) for row in changes(filters, first, last, limit)]
	found = sum(sum(day.values()) for day in counts.values())
	message = cut_message(len(rows)) if len(rows) < found else None
	return get_columns(), rows, message, get_chart(counts, first, last), get_summary(counts)


def _logged(filters: dict, first: date, last: date):
	table, query = reading.log(filters)
	query = query.where((table.logged_at >= first) & (table.logged_at < last + points.DAY))
	for field in ("action", "event", "user", "entry", "invoice"):
		if filters.get(field):
			query = query.where(table[field] == filters[field])
	return table, query


def by_day(filters: dict, first: date, last: date) -> dict[date, dict[str, int]]:
	"""How many changes of each kind there were on each day."""
	table, query = _logged(filters, first, last)
	day = Date(table.logged_at)
	query = query.groupby(day, table.action).select(day.as_("day"), table.action, Count("*").as_("changes"))
	days = defaultdict(dict)
	for row in query.run(as_dict=True):
		days[getdate(row.day)][row.action] = cint(row.changes)
	return days


def changes(filters: dict, first: date, last: date, limit: int) -> list[frappe._dict]:
	table, query = _logged(filters, first, last)
	# in this order the index of the log has them
	for field in ("logged_at", "membership", "sequence"):
		query = query.orderby(table[field], order=Order.desc)
	return (
		query.select(
			table.name,
			table.logged_at,
			table.user,
			table.event,
			table.reference_doctype,
			table.reference_name,
			table.action,
			table.customer,
			table.loyalty_program,
			table.company,
			table.entry,
			table.invoice_type,
			table.invoice,
			table.points_before,
			table.points_after,
			table.before,
			table.after,
			table.membership,
			table.sequence,
		)
		.limit(limit)
		.run(as_dict=True)
	)


def as_row(row: frappe._dict) -> frappe._dict:
	before, after = (entries.told(row.pop(key)) for key in ("before", "after"))
	row.currency = currency_of(row.company)
	row.change = in_words(before, after, row.currency)
	row.kind = row.action
	row.action = {INSERT: _("Written"), UPDATE: _("Changed"), DELETE: _("Deleted")}[row.action]
	row.event = _(row.event)
	return row


def in_words(before: dict | None, after: dict | None, currency: str | None) -> str:
	"""What happened to an entry, in a sentence: what it says, or each value before → after."""
	if before and after:
		return "; ".join(
			f"{label(field)}: {shown(field, before.get(field), currency)} → {shown(field, after.get(field), currency)}"
			for field in entries.LOGGED
			if before.get(field) != after.get(field)
		)
	entry = after or before
	points_of = entry["loyalty_points"] or 0
	parts = [_("{0}: {1} points").format(_(entry["entry_type"]), shown("loyalty_points", points_of, None))]
	if points_of > 0:
		parts.append(
			_("never expire")
			if is_never(entry["expiry_date"])
			else _("good through {0}").format(shown("expiry_date", entry["expiry_date"], None))
		)
	if entry.get("purchase_amount"):
		parts.append(_("for {0}").format(shown("purchase_amount", entry["purchase_amount"], currency)))
	if entry.get("redeem_against"):
		parts.append(_("from lot {0}").format(entry["redeem_against"]))
	elif points_of < 0:
		parts.append(_("no lot covers it"))
	if entry.get("discretionary_reason"):
		parts.append(entry["discretionary_reason"])
	return ", ".join(parts)


def label(field: str) -> str:
	"""The name of an entry's field, as its form has it."""
	return _(frappe.get_meta(reading.ENTRY).get_label(field))


def is_never(value) -> bool:
	return getdate(value) == points.NEVER


def shown(field: str, value, currency: str | None) -> str:
	"""A logged value as people write it."""
	if value in (None, ""):
		return "–"
	if field in ("posting_date", "expiry_date"):
		return _("Never") if is_never(value) else formatdate(value)
	if field == "purchase_amount":
		return fmt_money(value, currency=currency)
	if field == "loyalty_points":
		return frappe.format(value, "Int")
	if field == "collection_factor":
		return frappe.format(value, "Float")
	if field == "entry_type":
		return _(value)
	return str(value).replace("\n", ", ")


def get_columns() -> list[dict]:
	return [
		column("logged_at", _("When"), "Datetime", None, 185),
		column("user", _("Who"), width=200),
		column("event", _("Event"), width=120),
		column("action", _("Entry Was"), width=95),
		column("change", _("Change"), width=480),
		points_column("points_before", _("Points Before"), 110),
		points_column("points_after", _("Points After"), 110),
		hidden("reference_doctype", _("Caused By Type")),
		column("reference_name", _("Caused By"), "Dynamic Link", "reference_doctype", 170),
		column("customer", _("Customer"), "Link", "Customer", 170),
		column("loyalty_program", _("Loyalty Program"), "Link", "Loyalty Program", 150),
		hidden("invoice_type", _("Invoice Type")),
		column("invoice", _("Invoice"), "Dynamic Link", "invoice_type", 170),
		column("entry", _("Entry"), width=110),
		column("name", _("Log Row"), "Link", "Loyalty Point Log", 150),
		*company_columns(),
	]


def get_chart(counts: dict, first: date, last: date) -> dict | None:
	"""Changes by day; by month, where that would be too many."""
	if not counts:
		return None
	if (last - first).days < DAYS_IN_CHART:
		days = [first + n * points.DAY for n in range((last - first).days + 1)]
		labels, place = [formatdate(day, "d") for day in days], {day: n for n, day in enumerate(days)}
	else:
		months = periods(first, last, MONTH)
		labels = [month.short for month in months]
		place = {day: labels.index(period_of(day, MONTH).short) for day in counts}
	values = {action: [0] * len(labels) for action in (INSERT, UPDATE, DELETE)}
	for day, actions in counts.items():
		for action, number in actions.items():
			values[action][place[day]] += number
	names = {INSERT: _("Written"), UPDATE: _("Changed"), DELETE: _("Deleted")}
	return {
		"data": {
			"labels": labels,
			"datasets": [{"name": names[action], "values": values[action]} for action in values],
		},
		"type": "bar",
		"barOptions": {"stacked": 1},
		"colors": [GREEN, PURPLE, RED],
		"height": 200,
	}


def get_summary(counts: dict) -> list[dict]:
	def total(action):
		return sum(day.get(action, 0) for day in counts.values())

	return [
		points_summary(_("Entries Written"), total(INSERT), "Green"),
		points_summary(_("Entries Changed"), total(UPDATE), "Blue"),
		points_summary(_("Entries Deleted"), total(DELETE), "Red"),
	]
