"""The log in readable words: who changed what, when, by which event of which document."""

import json
from collections import defaultdict
from datetime import date

import frappe
from frappe import _
from frappe.query_builder.functions import Count, Date
from frappe.utils import cint, cstr, fmt_money, formatdate, getdate
from pypika import Order

from loyalty_app.ledger import entries, log
from loyalty_app.reporting import points, reading
from loyalty_app.reporting.periods import MONTH, period_of, periods
from loyalty_app.reporting.table import (
	GREEN,
	ORANGE,
	PURPLE,
	column,
	company_columns,
	currency_of,
	cut_message,
	hidden,
	number,
	points_column,
	points_summary,
)

INSERT, UPDATE, DELETE = "Insert", "Update", "Delete"
# The kinds of change and the log's actions that are one.
ACTIONS = {INSERT: [INSERT, log.INSERT_MANY], UPDATE: [UPDATE], DELETE: [DELETE], log.MEND: [log.MEND]}
# Entries that one row is shown to tell of.
MOST_TOLD = 5
FIELDS = (
	"name",
	"logged_at",
	"user",
	"event",
	"reference_doctype",
	"reference_name",
	"action",
	"customer",
	"loyalty_program",
	"company",
	"entry",
	"invoice_type",
	"invoice",
	"points_before",
	"points_after",
	"before",
	"after",
	"membership",
	"sequence",
)
COLORS = {INSERT: GREEN, UPDATE: PURPLE, DELETE: "#d64545", log.MEND: ORANGE}
INDICATORS = {INSERT: "Green", UPDATE: "Blue", DELETE: "Red", log.MEND: "Orange"}

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
	if filters.action:
		query = query.where(table.action.isin(ACTIONS.get(filters.action) or [cstr(filters.action)]))
	for field in ("event", "user", "invoice"):
		if filters.get(field):
			query = query.where(table[field] == cstr(filters[field]))
	return table, query


def by_day(filters: dict, first: date, last: date) -> dict[date, dict[str, int]]:
	"""How many rows of each kind the log has of each day."""
	table, query = _logged(filters, first, last)
	day = Date(table.logged_at)
	query = query.groupby(day, table.action).select(day.as_("day"), table.action, Count("*").as_("changes"))
	days = defaultdict(lambda: dict.fromkeys(ACTIONS, 0))
	for row in query.run(as_dict=True):
		days[getdate(row.day)][kind_of(row.action)] += cint(row.changes)
	return days


def changes(filters: dict, first: date, last: date, limit: int) -> list[frappe._dict]:
	"""The newest `limit` rows of the log.

	First their names, which the index has in this order, then what they say: a page of the log is long.
	"""
	table, query = _logged(filters, first, last)
	for field in ("logged_at", "membership", "sequence"):
		query = query.orderby(table[field], order=Order.desc)
	newest = query.select(table.name).limit(limit).as_("newest")
	row = frappe.qb.DocType(reading.LOG)
	query = frappe.qb.from_(newest).join(row).on(row.name == newest.name).select(*(row[f] for f in FIELDS))
	for field in ("logged_at", "membership", "sequence"):
		query = query.orderby(row[field], order=Order.desc)
	return query.run(as_dict=True)


def kind_of(action: str) -> str:
	"""Which of the three kinds of change an action of the log is."""
	return next((kind for kind, actions in ACTIONS.items() if action in actions), action)


def as_row(row: frappe._dict) -> frappe._dict:
	row.currency = currency_of(row.company)
	before, after = row.pop("before"), row.pop("after")
	if row.action == log.INSERT_MANY:
		row.change = many_in_words(log.told_in(after), row.currency)
	elif row.action == log.MEND:
		row.change = mended_in_words(json.loads(before), json.loads(after))
	else:
		row.change = in_words(entries.told(before), entries.told(after), row.currency)
	row.kind = kind_of(row.action)
	row.action = names_of_kinds().get(row.kind, row.action)
	row.event = _(row.event)
	return row


def names_of_kinds() -> dict[str, str]:
	return {INSERT: _("Written"), UPDATE: _("Changed"), DELETE: _("Deleted"), log.MEND: _("Counted Again")}


def many_in_words(inserted: dict[str, dict], currency: str | None) -> str:
	"""What a row says that tells of many entries: the first of them, and how many more there are."""
	told = [in_words(None, entries.told(values), currency) for values in list(inserted.values())[:MOST_TOLD]]
	if len(inserted) > MOST_TOLD:
		told.append(_("{0} more").format(number(len(inserted) - MOST_TOLD)))
	return "; ".join(told)


def mended_in_words(before: dict, after: dict) -> str:
	"""What rebuilding put right that is counted from the entries."""
	meta = frappe.get_meta(reading.MEMBERSHIP)
	told = [
		f"{_(meta.get_label(field))}: {before.get(field) or '–'} → {value or '–'}"
		for field, value in after.items()
		if meta.has_field(field)
	]
	lots = after.get("lots", {})
	told += [_("{0} points left of {1}").format(left, name) for name, left in list(lots.items())[:MOST_TOLD]]
	if len(lots) > MOST_TOLD:
		told.append(_("{0} more").format(number(len(lots) - MOST_TOLD)))
	if given_back := after.get("given_back"):
		told.append(_("{0} entries were given back to the member").format(number(len(given_back))))
	if after.get("shown"):
		told.append(_("the tier that the customer shows"))
	return "; ".join(told)


def in_words(before: dict | None, after: dict | None, currency: str | None) -> str:
	"""What happened to an entry, in a sentence: what it says, or each value before → after."""
	if before and after:
		return "; ".join(
			f"{label(field)}: {shown(field, before.get(field), currency)} → {shown(field, after.get(field), currency)}"
			for field in log.LOGGED
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
	if field in ("posting_date", "expiry_date", "spendable_from"):
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
		column("action", _("Entry Was"), width=140),
		column("change", _("Change"), width=480),
		points_column("points_before", _("Points Before"), 130),
		points_column("points_after", _("Points After"), 130),
		hidden("reference_doctype", _("Caused By Type")),
		column("reference_name", _("Caused By"), "Dynamic Link", "reference_doctype", 200),
		column("customer", _("Customer"), "Link", "Customer", 170),
		column("loyalty_program", _("Loyalty Program"), "Link", "Loyalty Program", 150),
		hidden("invoice_type", _("Invoice Type")),
		column("invoice", _("Invoice"), "Dynamic Link", "invoice_type", 200),
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
		labels, firsts = [month.short for month in months], [month.first for month in months]
		place = {day: firsts.index(period_of(day, MONTH).first) for day in counts}
	values = {kind: [0] * len(labels) for kind in kinds_in(counts)}
	for day, rows in counts.items():
		for kind in values:
			values[kind][place[day]] += rows[kind]
	names = names_of_kinds()
	return {
		"data": {
			"labels": labels,
			"datasets": [{"name": names[kind], "values": values[kind]} for kind in values],
		},
		"type": "bar",
		"barOptions": {"stacked": 1},
		"colors": [COLORS[kind] for kind in values],
		"height": 200,
	}


def get_summary(counts: dict) -> list[dict]:
	names = names_of_kinds()
	return [
		points_summary(names[kind], sum(day[kind] for day in counts.values()), INDICATORS[kind])
		for kind in kinds_in(counts)
	]


def kinds_in(counts: dict) -> list[str]:
	"""The kinds of change to show: that rebuilding counted again is rare, and told of where it did."""
	return [kind for kind in ACTIONS if kind != log.MEND or any(day[kind] for day in counts.values())]
