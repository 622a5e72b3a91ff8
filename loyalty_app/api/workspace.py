"""The Loyalty workspace's number cards and charts, of what the user may read.

Charts are not kept in Frappe's cache for charts: what one user may see would be shown to all.
"""

import frappe
from frappe import _
from frappe.desk.doctype.number_card.number_card import get_result
from frappe.query_builder.functions import Count, Sum
from frappe.utils import add_days, add_months, cint, fmt_money, get_first_day, getdate, today

from loyalty_app.loyalty_app.report.loyalty_balances import loyalty_balances
from loyalty_app.reporting import points, reading
from loyalty_app.reporting.periods import MONTH, period_of, periods
from loyalty_app.reporting.table import percent
from loyalty_app.rules.lots import Kind

ENTRY = "Loyalty Point Entry"
MONTHS = 12


@frappe.whitelist()
def points_outstanding(filters: str | dict | None = None) -> dict:
	"""The number card Loyalty Points Outstanding: what members may spend today."""
	return {
		"value": sum(row.balance for row in _balances()),
		"fieldtype": "Int",
		"route": ["query-report", "Loyalty Balances"],
	}


@frappe.whitelist()
def worth_outstanding(filters: str | dict | None = None) -> str:
	"""The number card Loyalty Worth Outstanding: what those points are worth, as text, each currency apart.

	Text, because a card has no currency of its own: it would show every amount in the site's.
	"""
	worth = {}
	for row in _balances():
		worth[row.currency] = worth.get(row.currency, 0) + row.worth
	if not worth:
		return fmt_money(0, currency=frappe.db.get_default("currency"))
	return " + ".join(fmt_money(worth[currency], currency=currency) for currency in sorted(worth))


@frappe.whitelist()
def points_expiring(filters: str | dict | None = None) -> dict:
	"""The number card Loyalty Points Expiring in 30 Days."""
	first = getdate(today())
	last = add_days(first, 30)
	table, query = points.expiring({}, first, last)
	return {
		"value": cint(query.select(Sum(table.remaining_points)).run()[0][0]),
		"fieldtype": "Int",
		"route": ["query-report", "Points Expiring"],
		"route_options": {"from_date": str(first), "to_date": str(last), "show": "Customers"},
	}


@frappe.whitelist()
def points_redeemed_this_month(filters: str | dict | None = None) -> dict:
	"""The number card Loyalty Points Redeemed this Month, as far as the user may read entries.

	A method because redemptions are negative, and a card on a doctype can only sum what is there.
	"""
	redeemed = [
		[ENTRY, "entry_type", "=", Kind.REDEEMED.value],
		[ENTRY, "posting_date", ">=", get_first_day(today())],
	]
	card = {"document_type": ENTRY, "function": "Sum", "aggregate_function_based_on": "loyalty_points"}
	return {
		"value": -cint(get_result(card, redeemed)),
		"fieldtype": "Int",
		"route": ["List", ENTRY, "List"],
		"route_options": {field: [operator, str(value)] for _doctype, field, operator, value in redeemed},
	}


def _balances() -> list[frappe._dict]:
	return loyalty_balances.by_program(points.per_member({}), frappe._dict())


@frappe.whitelist()
def points_by_month(filters: str | dict | None = None, **kwargs) -> dict:
	"""The chart Loyalty Points by Month: earned, redeemed and expired in this and the eleven months before."""
	months = _months(filters)
	return {
		"labels": list(months),
		"datasets": [
			{"name": title, "values": [month[field] for month in months.values()]}
			for title, field in (
				(_("Earned"), "earned"),
				(_("Redeemed"), "redeemed"),
				(_("Expired"), "expired"),
			)
		],
	}


@frappe.whitelist()
def redemption_rate(filters: str | dict | None = None, **kwargs) -> dict:
	"""The chart Loyalty Redemption Rate: redeemed in percent of earned and adjusted, in each of the same months."""
	months = _months(filters)
	rates = [
		percent(month["redeemed"], month["earned"] + month["adjusted"]) or 0 for month in months.values()
	]
	return {"labels": list(months), "datasets": [{"name": _("Redemption Rate (%)"), "values": rates}]}


def _months(filters: str | dict | None) -> dict[str, dict]:
	last = getdate(today())
	first = add_months(get_first_day(last), 1 - MONTHS)
	months = {
		period.label: dict.fromkeys(("earned", "adjusted", "redeemed", "expired"), 0)
		for period in periods(first, last, MONTH)
	}
	for flow in points.flows(_chosen(filters), first, last):
		month = months[period_of(flow.day, MONTH).label]
		for field in month:
			month[field] += cint(flow.get(field))
	return months


@frappe.whitelist()
def members_by_tier(filters: str | dict | None = None, **kwargs) -> dict:
	"""The chart Loyalty Members by Tier: active members, from the lowest tier up, those without one first."""
	table, query = reading.memberships(_chosen(filters))
	query = query.where(table.active == 1).groupby(table.loyalty_program_tier)
	rows = query.select(table.loyalty_program_tier.as_("tier"), Count("*").as_("members")).run(as_dict=True)
	rules = frappe.get_all("Loyalty Program Collection", fields=["tier_name", "min_spent"], limit=0)
	# one of several programs' tiers of a name decides
	minimum = {rule.tier_name: rule.min_spent for rule in rules}
	rows.sort(key=lambda row: (bool(row.tier), minimum.get(row.tier, 0), row.tier or ""))
	return {
		"labels": [row.tier or _("No tier") for row in rows],
		"datasets": [{"name": _("Members"), "values": [row.members for row in rows]}],
	}


def _chosen(filters: str | dict | None) -> dict:
	"""The filters of a chart; a chart without any has an empty list."""
	try:
		given = frappe.parse_json(filters)
	except ValueError:
		frappe.throw(_("{0}: must be a list of filters").format("filters"))
	return given if isinstance(given, dict) else {}
