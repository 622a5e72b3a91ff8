"""How programs do: earned, redeemed, expired, what became of the points, and what members spend."""

from datetime import date

import frappe
from frappe import _
from frappe.query_builder.functions import Count, Sum
from frappe.utils import cint, flt

from loyalty_app.reporting import points, reading
from loyalty_app.reporting.periods import MONTH, period_of, periods
from loyalty_app.reporting.table import (
	BLUE,
	GREEN,
	GREY,
	PURPLE,
	column,
	company_columns,
	currency_of,
	hidden,
	money_column,
	percent,
	points_column,
	points_summary,
	total_row,
)
from loyalty_app.rules.amounts import exact

SUMS = ("earned", "adjusted", "redeemed", "expired", "invoices", "members")
MONEY = ("spent", "spent_by_members")


def execute(filters: dict | None = None) -> tuple:
	"""Columns, rows, message, chart and summary; filters as in the report's script.

	Redemption rate and breakage rate are what was redeemed and what expired in the period, of what was earned and
	adjusted in it. By tier, members and what they spend on the average are those who have the tier today, since they
	joined.
	"""
	filters = frappe._dict(filters or {})
	first, last = reading.period(filters)
	by_tier = filters.show_by == "Tier"
	flows = points.flows(filters, first, last)
	if by_tier:
		rows = by_tier_of([*flows, *members_by_tier(filters)])
	else:
		rows = by_period(flows, filters.show_by or MONTH, first, last)
	for row in rows:
		add_rates(row)
	total = total_row(rows, SUMS, MONEY, **{"tier" if by_tier else "period": _("Total")})
	add_rates(total)
	chart = tier_chart(rows) if by_tier else period_chart(rows, filters.show_by or MONTH, first, last)
	data = [*rows, total] if rows else []
	return get_columns(by_tier), data, None, chart if rows else None, get_summary(rows, total)


def by_period(flows: list[dict], kind: str, first: date, last: date) -> list[frappe._dict]:
	"""One row for each month or quarter and program in which something happened."""
	rows = {}
	for flow in flows:
		period = period_of(flow.day, kind)
		row = _row(rows, (period.first, flow.loyalty_program), flow)
		row.update(
			period=period.label, from_date=max(period.first, first), to_date=min(period.last, last), tier=None
		)
	return [rows[key] for key in sorted(rows)]


def by_tier_of(flows: list[dict]) -> list[frappe._dict]:
	"""One row for each program and tier; redeemed and expired points are those of the tier that earned them."""
	rows = {}
	for flow in flows:
		_row(rows, (flow.loyalty_program, flow.tier or ""), flow).tier = flow.tier or _("No tier")
	order = _tier_order({program for program, _tier in rows})
	return [rows[key] for key in sorted(rows, key=lambda key: (key[0], order.get(key, -1), key[1]))]


def members_by_tier(filters: dict) -> list[frappe._dict]:
	"""How many active members each tier has today, and what they have spent in all."""
	table, query = reading.memberships(filters)
	group = (table.loyalty_program, table.company, table.loyalty_program_tier)
	query = query.where(table.active == 1).groupby(*group)
	return query.select(
		table.loyalty_program,
		table.company,
		table.loyalty_program_tier.as_("tier"),
		Count("*").as_("members"),
		Sum(table.total_spent).as_("spent_by_members"),
	).run(as_dict=True)


def _tier_order(programs: set[str]) -> dict:
	rules = frappe.get_all(
		"Loyalty Program Collection",
		filters={"parent": ("in", sorted(programs) or [""]), "parenttype": "Loyalty Program"},
		fields=["parent", "tier_name", "min_spent"],
		limit=0,
	)
	return {(rule.parent, rule.tier_name): rule.min_spent for rule in rules}


def _row(rows: dict, key: tuple, flow: dict) -> frappe._dict:
	row = rows.setdefault(
		key,
		frappe._dict(
			loyalty_program=flow.loyalty_program,
			company=flow.company,
			currency=currency_of(flow.company),
			**dict.fromkeys(SUMS, 0),
			**dict.fromkeys(MONEY, exact(0)),
		),
	)
	for field in SUMS:
		row[field] += cint(flow.get(field))
	for field in MONEY:
		row[field] += exact(flow.get(field))
	return row


def add_rates(row: dict) -> None:
	"""Add what follows from the sums in `row`: rates in percent, averages in company currency."""
	given = row["earned"] + row["adjusted"]
	row["redemption_rate"] = percent(row["redeemed"], given)
	row["breakage_rate"] = percent(row["expired"], given)
	for field in MONEY:
		if field in row:
			row[field] = float(row[field])
	row["average_invoice"] = average(row.get("spent"), row["invoices"])
	row["average_member"] = average(row.get("spent_by_members"), row["members"])


def average(amount: float | None, number: int) -> float | None:
	return flt(amount / number, 9) if amount is not None and number else None


def get_columns(by_tier: bool) -> list[dict]:
	program = column("loyalty_program", _("Loyalty Program"), "Link", "Loyalty Program", 190)
	first = (
		[
			column("tier", _("Tier"), width=130),
			program,
			points_column("members", _("Members Today"), 130),
			money_column("average_member", _("Average Spend of a Member"), 200),
		]
		if by_tier
		else [column("period", _("Period"), width=130), program]
	)
	return [
		*first,
		points_column("earned", _("Earned")),
		points_column("adjusted", _("Adjusted")),
		points_column("redeemed", _("Redeemed")),
		points_column("expired", _("Expired")),
		column("redemption_rate", _("Redemption Rate"), "Percent", None, 150, precision=1),
		column("breakage_rate", _("Breakage Rate"), "Percent", None, 130, precision=1),
		points_column("invoices", _("Invoices"), 90),
		money_column("spent", _("Spend")),
		money_column("average_invoice", _("Average Invoice")),
		*company_columns(),
		*(
			[]
			if by_tier
			else [hidden("from_date", _("From Date"), "Date"), hidden("to_date", _("To Date"), "Date")]
		),
	]


def period_chart(rows: list[dict], kind: str, first: date, last: date) -> dict:
	"""Earned, redeemed and expired, all programs together."""
	shown = periods(first, last, kind)
	sums = {period.label: dict.fromkeys(("earned", "redeemed", "expired"), 0) for period in shown}
	for row in rows:
		for field in sums[row.period]:
			sums[row.period][field] += row[field]
	return {
		"data": {
			"labels": [period.short for period in shown],
			"datasets": [
				{"name": title, "values": [sums[period.label][field] for period in shown]}
				for title, field in (
					(_("Earned"), "earned"),
					(_("Redeemed"), "redeemed"),
					(_("Expired"), "expired"),
				)
			],
		},
		"type": "bar",
		"colors": [GREEN, BLUE, GREY],
		"height": 240,
	}


def tier_chart(rows: list[dict]) -> dict:
	"""What a member of each tier has spent on the average, a program beside another."""
	several = len({row.loyalty_program for row in rows}) > 1
	return {
		"data": {
			"labels": [f"{row.tier} · {row.loyalty_program}" if several else row.tier for row in rows],
			"datasets": [
				{
					"name": _("Average Spend of a Member"),
					"values": [flt(row.average_member, 2) for row in rows],
				}
			],
		},
		"type": "bar",
		"colors": [PURPLE],
		"fieldtype": "Float",
		"height": 240,
	}


def get_summary(rows: list[dict], total: dict) -> list[dict]:
	if not rows:
		return []

	def rate(label, value):
		return {"label": label, "value": "–" if value is None else f"{value}%", "datatype": "Data"}

	return [
		points_summary(_("Earned"), total["earned"], "Green"),
		points_summary(_("Redeemed"), total["redeemed"], "Blue"),
		points_summary(_("Expired"), total["expired"]),
		rate(_("Redemption Rate"), total["redemption_rate"]),
		rate(_("Breakage Rate"), total["breakage_rate"]),
	]
