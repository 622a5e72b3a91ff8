"""What members have: balance, worth, tier and spend, on a day; or the same by program."""

from collections import defaultdict
from datetime import date
from heapq import nsmallest

import frappe
from frappe import _
from frappe.query_builder.functions import Count, Sum
from frappe.utils import cint, cstr, flt, getdate, today
from pypika import Order, Table

from loyalty_app.reporting import points, reading
from loyalty_app.reporting.table import (
	PURPLE,
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
from loyalty_app.rules.amounts import exact

POINTS = ("balance", "pending", "earned", "redeemed", "expired")
SUMS = ("members", "worthy", *POINTS)
MEMBERS = Table("members")


def execute(filters: dict | None = None) -> tuple:
	"""Columns, rows, message, chart and summary; filters as in the report's script.

	Today's balances are what may be spent today, as the forms show it. Those of an earlier day are counted by
	posting date from the entries there are now.
	"""
	filters = frappe._dict(filters or {})
	on = getdate(filters.on_date or today())
	limit = reading.rows_wanted(filters)
	if on < getdate(today()):
		# counted from all their entries: once, for the rows and for the totals
		everybody = numbers_on(filters, on)
		programs = in_programs(summed_up(everybody))
		largest = nsmallest(limit, everybody, key=rank)
	else:
		queries = points.per_member(filters)
		programs = by_program(queries, filters)
		largest = sorted(numbers(queries, filters, limit), key=rank)[:limit]
	if filters.show == "Programs":
		rows, message = programs, None
	else:
		rows = by_member(largest)
		found = sum(row.members for row in programs)
		message = cut_message(len(rows), found) if len(rows) < found else None
	data = [*rows, total_of(programs, filters)] if rows else []
	return get_columns(filters, on, rows), data, message, get_chart(programs), get_summary(programs)


def rank(row: dict) -> tuple:
	return -row.balance, row.membership


def numbers(queries: list, filters: dict, limit: int) -> list[frappe._dict]:
	"""What members have that meet `filters`: the `limit` with the most points in each of `queries`.

	Without names: with them, what the database has to sort would not fit into its memory.
	"""
	fields = ("membership", "next_expiry", "spent", *POINTS)
	rows = []
	for members in _chosen(queries, filters):
		query = members.select(*(MEMBERS[field] for field in fields))
		query = query.orderby(MEMBERS.balance, order=Order.desc).orderby(MEMBERS.membership)
		rows += query.limit(limit).run(as_dict=True)
	return rows


def numbers_on(filters: dict, on: date) -> list[frappe._dict]:
	"""What each member had on the day `on` that meets `filters`."""
	rows = points.per_member_on(filters, on).run(as_dict=True)
	if cint(filters.hide_zero):
		rows = [row for row in rows if row.balance or row.pending]
	if filters.tier or cint(filters.active_only):
		table, query = reading.memberships(filters)
		if filters.tier:
			query = query.where(table.loyalty_program_tier == cstr(filters.tier))
		if cint(filters.active_only):
			query = query.where(table.active == 1)
		chosen = set(query.select(table.name).run(pluck=True))
		rows = [row for row in rows if row.membership in chosen]
	return rows


def by_program(queries: list, filters: dict) -> list[frappe._dict]:
	"""One row for each program, of all its members that meet `filters`; `queries` are those of `points.per_member`."""
	sums = []
	for members in _chosen(queries, filters):
		query = members.groupby(MEMBERS.loyalty_program, MEMBERS.company).select(
			MEMBERS.loyalty_program,
			MEMBERS.company,
			Count("*").as_("members"),
			points.sum_if(MEMBERS.balance > 0, MEMBERS.balance).as_("worthy"),
			*(Sum(MEMBERS[field]).as_(field) for field in (*POINTS, "spent")),
		)
		sums += query.run(as_dict=True)
	return in_programs(sums)


def summed_up(everybody: list[dict]) -> list[frappe._dict]:
	"""The sums over the rows of `numbers_on`, as the database makes them in `by_program`."""
	of_program = defaultdict(list)
	for row in everybody:
		of_program[row.loyalty_program, row.company].append(row)
	return [
		frappe._dict(
			loyalty_program=program,
			company=company,
			members=len(rows),
			worthy=sum(max(row.balance, 0) for row in rows),
			spent=sum(exact(row.spent) for row in rows),
			**{field: sum(row[field] for row in rows) for field in POINTS},
		)
		for (program, company), rows in of_program.items()
	]


def in_programs(sums: list[dict]) -> list[frappe._dict]:
	"""The report's rows by program from `sums`, of which a program may have several."""
	programs, worth = {}, Worth()
	for found in sums:
		row = programs.setdefault(
			found.loyalty_program,
			frappe._dict(
				loyalty_program=found.loyalty_program,
				company=found.company,
				currency=currency_of(found.company),
				spent=0,
				**dict.fromkeys(SUMS, 0),
			),
		)
		row.update({field: row[field] + cint(found[field]) for field in SUMS})
		row.spent = flt(exact(row.spent) + exact(found.spent), 9)
	for row in programs.values():
		row.worth = worth(row.worthy, row.loyalty_program)
	return sorted(programs.values(), key=lambda row: (-row.balance, row.loyalty_program))


def by_member(rows: list[frappe._dict]) -> list[frappe._dict]:
	"""The report's rows by member: those of `numbers` or `numbers_on`, with who it is, and what the points are worth."""
	about, worth = reading.about([row.membership for row in rows]), Worth()
	for row in rows:
		row.update(about[row.membership])
		row.update({field: cint(row[field]) for field in POINTS})
		row.worth = worth(row.balance, row.loyalty_program)
		row.currency = currency_of(row.company)
		row.status = _("Active") if row.active else _("Left")
	return rows


def _chosen(queries: list, filters: dict) -> list:
	"""The members in `queries` that meet `filters`, as queries of the table MEMBERS."""
	chosen = [frappe.qb.from_(query.as_(MEMBERS.get_table_name())) for query in queries]
	if filters.tier:
		chosen = [query.where(MEMBERS.tier == cstr(filters.tier)) for query in chosen]
	if cint(filters.active_only):
		chosen = [query.where(MEMBERS.active == 1) for query in chosen]
	if cint(filters.hide_zero):
		chosen = [query.where((MEMBERS.balance != 0) | (MEMBERS.pending != 0)) for query in chosen]
	return chosen


def total_of(programs: list[dict], filters: dict) -> dict:
	title = "loyalty_program" if filters.show == "Programs" else "customer"
	return total_row(programs, (*POINTS, "members"), ("worth", "spent"), **{title: _("Total")})


def get_columns(filters: dict, on: date, rows: list[dict]) -> list[dict]:
	if filters.show == "Programs":
		first = [
			column("loyalty_program", _("Loyalty Program"), "Link", "Loyalty Program", 220),
			points_column("members", _("Members")),
		]
	else:
		first = [
			column("customer", _("Customer"), "Link", "Customer", 200),
			*([column("customer_name", _("Customer Name"), width=200)] if names_say_more(rows) else []),
			column("loyalty_program", _("Loyalty Program"), "Link", "Loyalty Program", 170),
			column("tier", _("Tier"), width=100),
		]
	numbers = [
		points_column("balance", _("Balance")),
		money_column("worth", _("Worth")),
		points_column("pending", _("Pending")),
		money_column("spent", _("Total Spent")),
		points_column("earned", _("Earned")),
		points_column("redeemed", _("Redeemed")),
		points_column("expired", _("Expired")),
	]
	last = []
	if filters.show != "Programs":
		expiry = [column("next_expiry", _("Next Expiry"), "Date")] if on >= getdate(today()) else []
		last = [
			*expiry,
			column("status", _("Status"), width=90),
			hidden("membership", _("Membership"), "Link", "Loyalty Membership"),
		]
	return [*first, *numbers, *last, *company_columns()]


def get_chart(programs: list[dict]) -> dict | None:
	if not programs:
		return None
	# a chart's labels are for the eye: the ten largest
	shown = programs[:10]
	return {
		"data": {
			"labels": [row.loyalty_program for row in shown],
			"datasets": [{"name": _("Balance"), "values": [row.balance for row in shown]}],
		},
		"type": "bar",
		"colors": [PURPLE],
		"height": 220,
	}


def get_summary(programs: list[dict]) -> list[dict]:
	def total(field):
		return sum(row[field] for row in programs)

	return [
		points_summary(_("Members"), total("members")),
		points_summary(_("Balance"), total("balance"), "Green"),
		*money_summary(_("Worth"), programs, "worth"),
		points_summary(_("Redeemed"), total("redeemed"), "Blue"),
		points_summary(_("Expired"), total("expired")),
	]
