"""The entries of a period, with opening and running balance; on request with those deleted since."""

from collections import defaultdict
from datetime import date

import frappe
from frappe import _
from frappe.query_builder.functions import Count, Sum
from frappe.utils import cint, cstr, format_datetime, formatdate, getdate, today
from pypika import Case

from loyalty_app.ledger import entries as ledger_entries
from loyalty_app.reporting import points, reading
from loyalty_app.reporting.table import (
	PURPLE,
	column,
	company_columns,
	currency_of,
	cut_message,
	hidden,
	money_column,
	points_column,
	points_summary,
)

FIELDS = (
	"name",
	"membership",
	"customer",
	"loyalty_program",
	"company",
	"entry_type",
	"posting_date",
	"expiry_date",
	"spendable_from",
	"loyalty_points",
	"purchase_amount",
	"loyalty_program_tier",
	"invoice_type",
	"invoice",
	"discretionary_reason",
	"creation",
)
MEMBER = ("customer", "loyalty_program", "company", "currency")
# Deleted entries are looked through for those posted in the period: so many at the most.
MOST_DELETED = 20_000
POINTS_IN_CHART = 11


def execute(filters: dict | None = None) -> tuple:
	"""Columns, rows, message, chart and summary; filters as in the report's script.

	Points that have expired leave the balance on the day after their date: where the daily job has not written
	their row yet, one is shown in its place. Deleted entries stand at their posting date and count for nothing.
	"""
	filters = filters if isinstance(filters, reading.OfMember) else frappe._dict(filters or {})
	first, last = reading.period(filters)
	opening, days, rows_of_day = by_day(filters, first, last)
	found, limit = sum(rows_of_day.values()), reading.rows_wanted(filters)
	until = last if cint(filters.by_member) else shown_until(rows_of_day, limit, last)
	rows = [*entries(filters, first, until, limit), *lapsed(filters, first, until, limit)]
	rows, messages = sorted(rows, key=order(filters))[:limit], []
	if len(rows) < found:
		messages.append(cut_message(len(rows), found))
	gone, notice = deleted(filters, first, last) if cint(filters.show_deleted) else ([], None)
	if notice:
		messages.append(notice)
	if not rows and not gone and not opening:
		return get_columns(filters), [], None, None, None
	cut = len(rows) < found
	if cint(filters.by_member):
		data = by_member(filters, rows, gone, first, cut)
	else:
		data = [opening_row(opening, first), *running([*rows, *gone], opening)]
	if not cint(filters.by_member) or cut or {} in data or not data:
		label = _("Total") if cint(filters.by_member) else _("Closing Balance")
		data.append(closing_row(label, opening, [change for day in days.values() for change in day], last))
	return (
		get_columns(filters),
		data,
		" ".join(messages) or None,
		get_chart(opening, days, first, last),
		get_summary(opening, days),
	)


def order(filters: dict):
	"""By day; what expires leaves before anything else happens on a day; then as written."""

	def key(row):
		member = row.membership if cint(filters.by_member) else ""
		return member, row.posting_date, row.entry_type != points.EXPIRED, cstr(row.creation), row.name

	return key


def by_day(filters: dict, first: date, last: date) -> tuple[int, dict[date, list[tuple[str, int]]], dict]:
	"""The opening balance, what each day changes (entry type and points), and how many rows each day has."""
	days, found = defaultdict(list), defaultdict(int)
	table, query = reading.posted(filters, first, last)
	value = table.loyalty_points
	query = query.groupby(table.entry_type, table.posting_date).select(
		table.posting_date,
		table.entry_type,
		points.sum_if(value > 0, value).as_("points_in"),
		points.sum_if(value < 0, value).as_("points_out"),
		Count("*").as_("entries"),
	)
	for row in query.run(as_dict=True):
		day = getdate(row.posting_date)
		days[day] += [(row.entry_type, cint(value)) for value in (row.points_in, row.points_out) if value]
		found[day] += row.entries
	table, query = _lapsed(filters, first, last)
	query = query.groupby(table.expiry_date).select(table.expiry_date)
	query = query.select(Sum(table.remaining_points).as_("points"), Count("*").as_("entries"))
	for row in query.run(as_dict=True):
		day = getdate(row.expiry_date) + points.DAY
		days[day].append((points.EXPIRED, -cint(row.points)))
		found[day] += row.entries
	return opening_of_all(filters, first), {day: days[day] for day in sorted(days)}, dict(found)


def opening_of_all(filters: dict, first: date) -> int:
	"""The balance before the day `first`: all that was posted, less what has lapsed unwritten."""
	table, query = reading.posted(filters, None, first - points.DAY)
	lot, lapsed = _lapsed(filters, None, first - points.DAY)
	balance, gone = (
		query.select(Sum(table.loyalty_points)).run()[0][0],
		lapsed.select(Sum(lot.remaining_points)).run()[0][0],
	)
	return cint(balance) - cint(gone)


def shown_until(found: dict[date, int], limit: int, last: date) -> date:
	"""The day by which there are `limit` rows, so that no more are read than are shown."""
	rows = 0
	for day in sorted(found):
		rows += found[day]
		if rows >= limit:
			return day
	return last


def entries(filters: dict, first: date, last: date, limit: int) -> list[frappe._dict]:
	"""The first `limit` entries posted from `first` to `last`, in the order they are shown in."""
	table, query = reading.posted(filters, first, last)
	query = query.select(*(table[field] for field in FIELDS))
	if cint(filters.by_member):
		query = query.where(table.membership.isin(first_members(filters, first, last, limit)))
		query = query.orderby(table.membership)
	query = query.orderby(table.posting_date)
	query = query.orderby(Case().when(table.entry_type == points.EXPIRED, 0).else_(1))
	rows = query.orderby(table.creation).orderby(table.name).limit(limit).run(as_dict=True)
	return [_shown(row) for row in rows]


def first_members(filters: dict, first: date, last: date, limit: int) -> list[str]:
	"""The first memberships, by name, that have `limit` entries between them, so that no more are read than are shown."""
	table, query = reading.entries(filters)
	query = query.where(
		(table.posting_date >= first) & (table.posting_date <= last) & (table.membership != "")
	)
	query = query.groupby(table.membership).orderby(table.membership).limit(limit)
	names, found = [], 0
	for name, count in query.select(table.membership, Count("*")).run():
		if found >= limit:
			break
		names.append(name)
		found += count
	return names or [""]


def _lapsed(filters: dict, first: date | None, last: date):
	"""What leaves the balance from `first` to `last`, on the day after its date, without a row that says so yet."""
	table, query = reading.lapsed(filters)
	query = query.where(table.expiry_date <= last - points.DAY)
	return table, query.where(table.expiry_date >= first - points.DAY) if first else query


def lapsed(filters: dict, first: date, last: date, limit: int) -> list[frappe._dict]:
	"""Rows for points that have expired in the period, of lots that the daily job has not closed yet."""
	table, query = _lapsed(filters, first, last)
	query = query.select(*(table[field] for field in FIELDS), table.remaining_points)
	if cint(filters.by_member):
		query = query.orderby(table.membership)
	rows = query.orderby(table.expiry_date).orderby(table.name).limit(limit).run(as_dict=True)
	for row in rows:
		row.update(
			entry_type=points.EXPIRED,
			loyalty_points=-row.remaining_points,
			posting_date=getdate(row.expiry_date) + points.DAY,
			purchase_amount=0,
			discretionary_reason=_("Expired; the daily job has not closed it yet"),
			creation="",
		)
	return [_shown(row) for row in rows]


def deleted(filters: dict, first: date, last: date) -> tuple[list[frappe._dict], str | None]:
	"""Rows for entries posted in the period and deleted since, by the log; and what to say where that is not all.

	Without a customer the log is read from the first day on, as hardly anything is deleted before its posting date.
	"""
	table, query = reading.log(filters)
	query = query.where(table.action == "Delete")
	if not filters.customer:
		query = query.where(table.logged_at >= first)
	found = (
		query.select(
			table.entry.as_("name"),
			table.membership,
			table.customer,
			table.loyalty_program,
			table.company,
			table.before,
			table.event,
			table.reference_name,
			table.user,
			table.logged_at,
		)
		.orderby(table.logged_at)
		.limit(MOST_DELETED)
		.run(as_dict=True)
	)
	rows = []
	for entry in found:
		row = frappe._dict(ledger_entries.told(entry.pop("before")), **entry)
		if first <= getdate(row.posting_date) <= last:
			row.discretionary_reason = _("Deleted on {0} by {1}: {2} {3}").format(
				format_datetime(row.logged_at), row.user, _(row.event), row.reference_name or ""
			)
			row.creation = row.logged_at
			rows.append(_shown(row, is_deleted=True))
	if len(found) < MOST_DELETED:
		return rows, None
	return rows, _(
		"Not all deleted entries are shown. Choose a customer or a later period to see the others."
	)


def _shown(row: frappe._dict, is_deleted: bool = False) -> frappe._dict:
	"""A row as the table has it."""
	value = cint(row.loyalty_points)
	row.posting_date = getdate(row.posting_date)
	row.movement = _("{0}, deleted").format(_(row.entry_type)) if is_deleted else _(row.entry_type)
	row.currency = currency_of(row.company)
	row.deleted = int(is_deleted)
	row.entry = None if is_deleted else row.name
	row.remarks = row.discretionary_reason
	if is_deleted:
		row.deleted_points = value
	else:
		row.points_in, row.points_out = max(value, 0), max(-value, 0)
	return row


def running(rows: list[dict], opening: int) -> list[dict]:
	"""`rows` in order, each with the balance after it; deleted ones after the others of their day, with none."""
	rows = sorted(rows, key=lambda row: (row.posting_date, row.deleted))
	balance = opening
	for row in rows:
		if not row.deleted:
			balance += row.loyalty_points
			row.balance = balance
	return rows


def by_member(filters: dict, rows: list[dict], gone: list[dict], first: date, cut: bool) -> list[dict]:
	"""The rows of one membership after another, each with opening and closing balance; a customer's own all."""
	of_member, about = defaultdict(list), {}
	for row in (*rows, *gone):
		of_member[row.membership].append(row)
		about[row.membership] = {field: row[field] for field in MEMBER}
	if filters.customer:
		table, query = reading.memberships(filters)
		for member in query.select(table.name, table.customer, table.loyalty_program, table.company).run(
			as_dict=True
		):
			about[member.pop("name")] = {**member, "currency": currency_of(member.company)}
	openings = opening_of(filters, list(about), first)
	unfinished = rows[-1].membership if cut else None
	data = []
	for name in sorted(about, key=lambda name: (about[name]["customer"], name)):
		mine, opening = of_member[name], openings.get(name, 0)
		if not mine and not opening:
			continue
		data += [opening_row(opening, first, **about[name]), *running(mine, opening)]
		if name != unfinished:
			changes = [(row.entry_type, row.loyalty_points) for row in mine if not row.deleted]
			data.append(closing_row(_("Closing Balance"), opening, changes, None, **about[name]))
		data.append({})
	return data[:-1]


def opening_of(filters: dict, names: list[str], first: date) -> dict[str, int]:
	"""The balance of these memberships before the day `first`."""
	table, query = reading.entries(filters)
	query = query.where(table.membership.isin(names or [""]) & (table.posting_date < first))
	query = query.groupby(table.membership)
	return {
		name: cint(balance)
		for name, balance in query.select(
			table.membership, points.balance_on(table, first - points.DAY)
		).run()
	}


def opening_row(opening: int, first: date, **about) -> dict:
	return {"posting_date": first, "movement": _("Opening Balance"), "balance": opening, "bold": 1, **about}


def closing_row(label: str, opening: int, changes: list[tuple[str, int]], last: date | None, **about) -> dict:
	values = [value for _type, value in changes]
	return {
		"posting_date": last,
		"movement": label,
		"points_in": sum(value for value in values if value > 0),
		"points_out": -sum(value for value in values if value < 0),
		"balance": opening + sum(values),
		"bold": 1,
		"is_total": 1,
		**about,
	}


def get_columns(filters: dict) -> list[dict]:
	return [
		column("posting_date", _("Posting Date"), "Date", None, 110),
		column("movement", _("Movement"), width=140),
		column("customer", _("Customer"), "Link", "Customer", 180),
		column("loyalty_program", _("Loyalty Program"), "Link", "Loyalty Program", 150),
		points_column("points_in", _("Points In"), 100),
		points_column("points_out", _("Points Out"), 100),
		points_column("balance", _("Balance"), 110),
		*([points_column("deleted_points", _("Deleted Points"), 120)] if cint(filters.show_deleted) else []),
		hidden("invoice_type", _("Invoice Type")),
		column("invoice", _("Invoice"), "Dynamic Link", "invoice_type", 200),
		column("expiry_date", _("Expiry Date"), "Date", None, 110),
		money_column("purchase_amount", _("Purchase Amount")),
		column("loyalty_program_tier", _("Tier"), width=90),
		column("remarks", _("Remarks"), width=260),
		column("entry", _("Entry"), "Link", "Loyalty Point Entry", 110),
		*company_columns(),
	]


def get_chart(opening: int, days: dict, first: date, last: date) -> dict | None:
	"""The balance of everything that the filters choose, at even distances."""
	if not days:
		return None
	last = max(min(last, getdate(today())), max(days))
	ends = steps(first - points.DAY, last)
	values = [opening + sum(sum_of(days[day]) for day in days if day <= end) for end in ends]
	written = "d MMM" if (last - first).days < 365 else "MMM ’yy"
	return {
		"data": {
			"labels": [formatdate(day, written) for day in ends],
			"datasets": [{"name": _("Balance"), "values": values}],
		},
		"type": "line",
		"lineOptions": {"regionFill": 1},
		"colors": [PURPLE],
		"height": 220,
	}


def steps(first: date, last: date) -> list[date]:
	"""Days from `first` to `last`, both included, at even distances, no more than a chart has room to name."""
	distance = max(1, -(-(last - first).days // POINTS_IN_CHART)) * points.DAY
	found = [last]
	while found[-1] - distance > first:
		found.append(found[-1] - distance)
	return [first, *reversed(found)]


def sum_of(changes: list[tuple[str, int]]) -> int:
	return sum(value for _type, value in changes)


def get_summary(opening: int, days: dict) -> list[dict]:
	changes = [change for day in days.values() for change in day]

	def total(condition):
		return sum(value for kind, value in changes if condition(kind, value))

	return [
		points_summary(_("Opening Balance"), opening),
		points_summary(_("Points In"), total(lambda kind, value: value > 0), "Green"),
		points_summary(_("Redeemed"), -total(lambda kind, value: kind == points.REDEEMED), "Blue"),
		points_summary(_("Expired"), -total(lambda kind, value: kind == points.EXPIRED)),
		points_summary(_("Closing Balance"), opening + total(lambda kind, value: True)),
	]
