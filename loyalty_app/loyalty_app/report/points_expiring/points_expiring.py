"""Points that will expire: by month and program, or by customer."""

from datetime import date
from heapq import nsmallest

import frappe
from frappe import _
from frappe.query_builder.functions import Count, Max, Min, Sum
from frappe.utils import cint, getdate, today

from loyalty_app.reporting import points, reading
from loyalty_app.reporting.periods import MONTH, period_of, periods
from loyalty_app.reporting.table import (
	PALETTE,
	Worth,
	column,
	company_columns,
	currency_of,
	cut_message,
	hidden,
	money_column,
	money_summary,
	names_say_more,
	points_column,
	points_summary,
	total_row,
)


def execute(filters: dict | None = None) -> tuple:
	"""Columns, rows, message, chart and summary; filters as in the report's script.

	What is left of lots whose last day is in the period, from today on: what has expired already does not count.
	Points that never expire are in no month.
	"""
	filters = frappe._dict(filters or {})
	first, last = reading.period(filters)
	first, last = max(first, getdate(today())), min(last, points.NEVER - points.DAY)
	if filters.show == "Customers":
		limit = reading.rows_wanted(filters)
		everybody = by_membership(filters, first, last)
		rows = by_customer(nsmallest(limit, everybody, key=lambda row: (-row.points, row.membership)))
		sums = summed_up(everybody)
		message = cut_message(len(rows), len(everybody)) if len(rows) < len(everybody) else None
		chart = None
	else:
		rows = sums = by_month(filters, first, last)
		message, chart = None, get_chart(rows, first, last)
	title = "customer" if filters.show == "Customers" else "month"
	total = total_row(sums, ("points", "lots"), ("worth",), **{title: _("Total")})
	data = [*rows, total] if rows else []
	return get_columns(filters, rows), data, message, chart, get_summary(sums)


def by_month(filters: dict, first: date, last: date) -> list[frappe._dict]:
	"""One row for each month and program with something to expire; `from_date` and `to_date` are what it covers."""
	table, query = points.expiring(filters, first, last)
	group = (table.expiry_date, reading.MEMBER.loyalty_program, reading.MEMBER.company)
	query = query.groupby(*group).select(
		*group, Sum(table.remaining_points).as_("points"), Count("*").as_("lots")
	)
	rows = {}
	for day in query.run(as_dict=True):
		month = period_of(getdate(day.expiry_date), MONTH)
		row = rows.setdefault(
			(month.first, day.loyalty_program),
			frappe._dict(
				month=month.label,
				from_date=max(month.first, first),
				to_date=min(month.last, last),
				loyalty_program=day.loyalty_program,
				company=day.company,
				currency=currency_of(day.company),
				points=0,
				lots=0,
			),
		)
		row.points += cint(day.points)
		row.lots += cint(day.lots)
	worth = Worth()
	for row in rows.values():
		row.worth = worth(row.points, row.loyalty_program)
	return [rows[key] for key in sorted(rows)]


def by_membership(filters: dict, first: date, last: date) -> list[frappe._dict]:
	"""What each membership has to lose, in numbers; all that is asked for is in the index of open lots."""
	table, query = reading.entries(filters)
	query = query.where((table.membership != "") & (table.is_open == 1) & (table.remaining_points > 0))
	query = query.where((table.expiry_date >= first) & (table.expiry_date <= last))
	query = query.groupby(table.membership).select(
		table.membership,
		Max(table.loyalty_program).as_("loyalty_program"),
		Max(table.company).as_("company"),
		Min(table.expiry_date).as_("first_expiry"),
		Sum(table.remaining_points).as_("points"),
		Count("*").as_("lots"),
	)
	return query.run(as_dict=True)


def summed_up(everybody: list[dict]) -> list[frappe._dict]:
	"""The sums of each program over the rows of `by_membership`."""
	programs, worth = {}, Worth()
	for row in everybody:
		sums = programs.setdefault(
			row.loyalty_program, frappe._dict(currency=currency_of(row.company), points=0, lots=0)
		)
		sums.points += cint(row.points)
		sums.lots += row.lots
	for program, sums in programs.items():
		sums.worth = worth(sums.points, program)
	return list(programs.values())


def by_customer(rows: list[frappe._dict]) -> list[frappe._dict]:
	"""The report's rows by customer: those of `by_membership`, with who it is, and what the points are worth."""
	about, worth = reading.about([row.membership for row in rows]), Worth()
	for row in rows:
		row.update(about[row.membership])
		row.points = cint(row.points)
		row.currency = currency_of(row.company)
		row.worth = worth(row.points, row.loyalty_program)
	return rows


def get_columns(filters: dict, rows: list[dict]) -> list[dict]:
	if filters.show == "Customers":
		first = [
			column("customer", _("Customer"), "Link", "Customer", 200),
			*([column("customer_name", _("Customer Name"), width=200)] if names_say_more(rows) else []),
			column("loyalty_program", _("Loyalty Program"), "Link", "Loyalty Program", 170),
			column("tier", _("Tier"), width=100),
			column("first_expiry", _("First Expiry"), "Date"),
		]
	else:
		first = [
			column("month", _("Month"), width=150),
			column("loyalty_program", _("Loyalty Program"), "Link", "Loyalty Program", 220),
		]
	return [
		*first,
		points_column("points", _("Points"), 130),
		money_column("worth", _("Worth")),
		points_column("lots", _("Lots")),
		*company_columns(),
		*(
			[hidden("membership", _("Membership"), "Link", "Loyalty Membership")]
			if filters.show == "Customers"
			else [hidden("from_date", _("From Date"), "Date"), hidden("to_date", _("To Date"), "Date")]
		),
	]


def get_chart(months: list[dict], first: date, last: date) -> dict | None:
	"""Points by month, a colour for each of the largest programs."""
	if not months:
		return None
	labels = periods(first, min(last, max(row.to_date for row in months)), MONTH)
	of_program = {}
	for row in months:
		of_program.setdefault(row.loyalty_program, {})[row.month] = row.points
	largest = sorted(of_program, key=lambda program: -sum(of_program[program].values()))[: len(PALETTE)]
	return {
		"data": {
			"labels": [month.short for month in labels],
			"datasets": [
				{"name": program, "values": [of_program[program].get(month.label, 0) for month in labels]}
				for program in largest
			],
		},
		"type": "bar",
		"barOptions": {"stacked": 1},
		"colors": list(PALETTE),
		"height": 240,
	}


def get_summary(sums: list[dict]) -> list[dict]:
	return [
		points_summary(_("Points Expiring"), sum(row.points for row in sums), "Orange"),
		*money_summary(_("Worth"), sums, "worth"),
		points_summary(_("Lots"), sum(row.lots for row in sums)),
	]
