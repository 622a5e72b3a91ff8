"""Points that will expire: by month and program, or by customer."""

from datetime import date

import frappe
from frappe import _
from frappe.query_builder.functions import Count, Min, Sum
from frappe.utils import cint, getdate, today
from pypika import Order

from loyalty_app.reporting import points, reading
from loyalty_app.reporting.periods import MONTH, period_of, periods
from loyalty_app.reporting.table import (
	PALETTE,
	Worth,
	column,
	company_columns,
	currency_of,
	hidden,
	money_column,
	money_summary,
	most_message,
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
	months = by_month(filters, first, last)
	message = None
	if filters.show == "Customers":
		limit = reading.rows_wanted(filters)
		rows = by_customer(filters, first, last, limit + 1)
		if len(rows) > limit:
			rows, message = rows[:limit], most_message(limit)
	else:
		rows = months
	title = "customer" if filters.show == "Customers" else "month"
	total = total_row(months, ("points", "lots"), ("worth",), **{title: _("Total")})
	data = [*rows, total] if rows else []
	return (
		get_columns(filters, rows),
		data,
		message,
		get_chart(months, first, last),
		get_summary(months, first),
	)


def by_month(filters: dict, first: date, last: date) -> list[frappe._dict]:
	"""One row for each month and program with something to expire; `from_date` and `to_date` are what it covers."""
	table, query = points.expiring(filters, first, last)
	# of the program and company the memberships know as much, and the index of open lots does not
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


def by_customer(filters: dict, first: date, last: date, limit: int) -> list[frappe._dict]:
	"""The `limit` customers with the most to lose; one row for each membership."""
	# all open lots in the order of their index, which is faster than memberships' one by one
	table, query = reading.entries(filters)
	query = query.where((table.membership != "") & (table.is_open == 1) & (table.remaining_points > 0))
	query = query.where((table.expiry_date >= first) & (table.expiry_date <= last))
	most = Sum(table.remaining_points)
	query = query.groupby(table.membership).select(
		table.membership,
		Min(table.expiry_date).as_("first_expiry"),
		most.as_("points"),
		Count("*").as_("lots"),
	)
	rows = query.orderby(most, order=Order.desc).orderby(table.membership).limit(limit).run(as_dict=True)
	about = reading.about([row.membership for row in rows])
	worth = Worth()
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


def get_summary(months: list[dict], first: date) -> list[dict]:
	this_month = period_of(first, MONTH).label
	return [
		points_summary(_("Points Expiring"), sum(row.points for row in months), "Orange"),
		*money_summary(_("Worth"), months, "worth"),
		points_summary(
			_("Expiring in {0}").format(this_month),
			sum(r.points for r in months if r.month == this_month),
			"Red",
		),
	]
