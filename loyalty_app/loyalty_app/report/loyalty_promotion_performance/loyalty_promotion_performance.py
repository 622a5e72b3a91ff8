"""What promotions gave: points and their worth, to how many invoices and customers, and how much of a limit is used."""

from datetime import date
from heapq import nlargest

import frappe
from frappe import _
from frappe.utils import cint, cstr, getdate, today

from loyalty_app.reporting import given, reading
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
	percent,
	points_column,
	points_summary,
	total_row,
)
from loyalty_app.rules.amounts import exact

PROMOTION = "Loyalty Promotion"
SUMS = ("given", "taken_back", "points")
# bars in the chart
MOST_BARS = 10


def execute(filters: dict | None = None) -> tuple:
	"""Columns, rows, message, chart and summary; filters as in the report's script.

	Points are what promotions gave for invoices posted in the period, less what returns took back since, whenever.
	Invoices and their spend are counted for each promotion that gave something, in totals once. What is used of a
	limit is as of today.
	"""
	filters = frappe._dict(filters or {})
	first, last = reading.period(filters)
	found = promotions(filters)
	if filters.promotion:
		# entries of other programs need not be read
		filters.loyalty_program = found[0].loyalty_program if found else filters.loyalty_program
	names = {promotion.name for promotion in found}
	gifts = [g for g in given.by_invoice(filters, first, last) if g.promotion in names] if names else []
	worth = Worth()
	if filters.show_by == "Invoice":
		limit = reading.rows_wanted(filters)
		rows = nlargest(limit, gifts, key=lambda g: (g.posting_date, g.invoice, g.promotion))
		rows = [_worked_out(row, worth) for row in rows]
		message = cut_message(len(rows), len(gifts)) if len(rows) < len(gifts) else None
		chart, columns = None, invoice_columns()
	else:
		rows = by_promotion(found, gifts, first, last, worth)
		message, chart, columns = None, get_chart(rows), promotion_columns()
	sums = by_promotion(found, gifts, first, last, worth)
	total = total_of(sums, gifts)
	return columns, [*rows, total] if rows else [], message, chart, get_summary(sums, total)


def promotions(filters: dict) -> list[frappe._dict]:
	"""The promotions of the company and program in `filters` that the user may read."""
	chosen = {
		field: cstr(filters[key])
		for key, field in (
			("promotion", "name"),
			("loyalty_program", "loyalty_program"),
			("company", "company"),
		)
		if filters.get(key)
	}
	return frappe.get_list(
		PROMOTION,
		filters=chosen,
		fields=[
			*("name", "loyalty_program", "company", "enabled", "from_date", "to_date"),
			*("limit_total", "limit_per_customer", "uses"),
		],
		order_by="name",
		limit_page_length=0,
	)


def by_promotion(
	found: list[dict], gifts: list[dict], first: date, last: date, worth: Worth
) -> list[frappe._dict]:
	"""One row for each promotion that gave something, or that could have: the one that gave most first."""
	of = {}
	for gift in gifts:
		of.setdefault(gift.promotion, []).append(gift)
	rows = []
	for promotion in found:
		mine = of.get(promotion.name, [])
		if not mine and not _ran(promotion, first, last):
			continue
		limit = cint(promotion.limit_total)
		# only the ledger counts, and only while there is something to count for
		used = cint(promotion.uses) if limit and promotion.enabled else None
		rows.append(
			frappe._dict(
				promotion=promotion.name,
				status=_status(promotion),
				loyalty_program=promotion.loyalty_program,
				company=promotion.company,
				currency=currency_of(promotion.company),
				invoices=len(mine),
				customers=len({gift.customer for gift in mine}),
				given=sum(gift.given for gift in mine),
				points=sum(gift.kept for gift in mine),
				spent=float(sum(exact(gift.spent) for gift in mine)),
				limit_total=limit or None,
				used=used,
				used_part=None if used is None else percent(used, limit),
			)
		)
	for row in rows:
		row.taken_back = row.given - row.points
		row.worth = worth(row.points, row.loyalty_program)
	return sorted(rows, key=lambda row: (-row.points, row.promotion))


def _ran(promotion: dict, first: date, last: date) -> bool:
	return getdate(promotion.from_date) <= last and (
		not promotion.to_date or getdate(promotion.to_date) >= first
	)


def _status(promotion: dict) -> str:
	"""As the list of promotions shows it."""
	on = getdate(today())
	if not promotion.enabled:
		return _("Disabled")
	if getdate(promotion.from_date) > on:
		return _("Not Started")
	if promotion.to_date and getdate(promotion.to_date) < on:
		return _("Ended")
	return _("Active")


def _worked_out(gift: dict, worth: Worth) -> dict:
	gift.points, gift.taken_back = gift.kept, gift.given - gift.kept
	gift.worth = worth(gift.points, gift.loyalty_program)
	gift.currency = currency_of(gift.company)
	return gift


def total_of(rows: list[dict], gifts: list[dict]) -> dict:
	"""The totals of the rows of `by_promotion`; an invoice to which several gave counts once."""
	total = total_row(rows, SUMS, ("worth",), promotion=_("Total"))
	invoices = {gift.entry: gift for gift in gifts}
	total["invoices"] = len(invoices)
	total["customers"] = len({gift.customer for gift in gifts})
	if total.get("currency"):
		total["spent"] = float(sum(exact(gift.spent) for gift in invoices.values()))
	return total


def promotion_columns() -> list[dict]:
	return [
		column("promotion", _("Promotion"), "Link", PROMOTION, 200),
		column("status", _("Status"), width=100),
		column("loyalty_program", _("Loyalty Program"), "Link", "Loyalty Program", 160),
		points_column("invoices", _("Invoices"), 90),
		points_column("customers", _("Customers"), 100),
		*_what_it_gave(),
		points_column("limit_total", _("Invoices in All"), 120),
		points_column("used", _("Used"), 80),
		column("used_part", _("Limit Used"), "Percent", None, 110, precision=1),
		*company_columns(),
	]


def invoice_columns() -> list[dict]:
	return [
		column("promotion", _("Promotion"), "Link", PROMOTION, 180),
		column("posting_date", _("Date"), "Date", width=110),
		column("customer", _("Customer"), "Link", "Customer", 180),
		hidden("invoice_type", _("Invoice Type")),
		column("invoice", _("Invoice"), "Dynamic Link", "invoice_type", 180),
		*_what_it_gave(),
		column("entry", _("Loyalty Point Entry"), "Link", "Loyalty Point Entry", 140),
		column("loyalty_program", _("Loyalty Program"), "Link", "Loyalty Program", 160),
		*company_columns(),
	]


def _what_it_gave() -> list[dict]:
	return [
		points_column("given", _("Points Given"), 120),
		points_column("taken_back", _("Taken Back"), 110),
		points_column("points", _("Points"), 100),
		money_column("worth", _("Worth"), 120),
		money_column("spent", _("Spend")),
	]


def get_chart(rows: list[dict]) -> dict | None:
	"""The points of the promotions that gave most, where there are several to compare."""
	shown = [row for row in rows if row.points][:MOST_BARS]
	if len(shown) < 2:
		return None
	return {
		"data": {
			"labels": [row.promotion for row in shown],
			"datasets": [{"name": _("Points"), "values": [row.points for row in shown]}],
		},
		"type": "bar",
		"colors": [PURPLE],
		"height": 240,
	}


def get_summary(rows: list[dict], total: dict) -> list[dict]:
	if not rows:
		return []
	return [
		points_summary(_("Points"), total["points"], "Green"),
		*money_summary(_("Worth"), rows, "worth"),
		points_summary(_("Invoices"), total["invoices"], "Blue"),
		points_summary(_("Customers"), total["customers"]),
	]
