"""How programs do: earned, redeemed, expired, what became of the points, and what members spend."""

from datetime import date

import frappe
from frappe import _
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

SUMS = ("earned", "adjusted", "redeemed", "expired", "invoices")


def execute(filters: dict | None = None) -> tuple:
	"""Columns, rows, message, chart and summary; filters as in the report's script.

	Redemption rate and breakage rate are what was redeemed and what expired in the period, of what was earned and
	adjusted in it. An average is the spend of the period by invoice, or by member that bought something.
	"""
	filters = frappe._dict(filters or {})
	first, last = reading.period(filters)
	by_tier = filters.show_by == "Tier"
	flows = points.flows(filters, first, last, by_tier)
	rows = by_tier_of(flows) if by_tier else by_period(flows, filters.show_by or MONTH, first, last)
	for row in rows:
		add_rates(row)
	total = total_row(rows, SUMS, ("spent",), **{"tier" if by_tier else "period": _("Total")})
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
			spent=exact(0),
			members=0,
			**dict.fromkeys(SUMS, 0),
		),
	)
	for field in (*SUMS, "members"):
		row[field] += cint(flow.get(field))
	row.spent += exact(flow.get("spent"))
	return row


def add_rates(row: dict) -> None:
	"""Add what follows from the sums in `row`: rates in percent, averages in company currency."""
	given = row["earned"] + row["adjusted"]
	row["redemption_rate"] = percent(row["redeemed"], given)
	row["breakage_rate"] = percent(row["expired"], given)
	if "spent" in row:
		spent = row["spent"] = float(row["spent"])
		row["average_invoice"] = flt(spent / row["invoices"], 9) if row["invoices"] else None
		# a member may buy in several tiers: no total of members, and none by them
		row["average_member"] = flt(spent / row["members"], 9) if row.get("members") else None


def get_columns(by_tier: bool) -> list[dict]:
	program = column("loyalty_program", _("Loyalty Program"), "Link", "Loyalty Program", 190)
	first = (
		[
			column("tier", _("Tier"), width=130),
			program,
			points_column("members", _("Buying Members"), 130),
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
		column("redemption_rate", _("Redemption Rate"), "Percent", None, 130, precision=1),
		column("breakage_rate", _("Breakage Rate"), "Percent", None, 130, precision=1),
		points_column("invoices", _("Invoices"), 90),
		money_column("spent", _("Spend")),
		money_column("average_invoice", _("Average Invoice")),
		*([money_column("average_member", _("Average by Member"), 150)] if by_tier else []),
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
	"""What a member of each tier spends on the average, a program beside another."""
	several = len({row.loyalty_program for row in rows}) > 1
	return {
		"data": {
			"labels": [f"{row.tier} · {row.loyalty_program}" if several else row.tier for row in rows],
			"datasets": [
				{"name": _("Average by Member"), "values": [flt(row.average_member, 2) for row in rows]}
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
