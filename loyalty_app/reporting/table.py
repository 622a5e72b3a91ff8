"""How the reports look: columns, total rows, summaries, and what points are worth."""

from collections.abc import Iterable

import frappe
from frappe import _
from frappe.utils import flt, fmt_money

from loyalty_app.ledger import membership
from loyalty_app.rules import redemption
from loyalty_app.rules.amounts import exact

# The colours of charts: earned, redeemed and expired, as the lists show them; and those of several programs.
GREEN, BLUE, GREY, PURPLE, ORANGE = "#2f9e44", "#3b6fd4", "#98a2b3", "#5b3fd1", "#e08e45"
PALETTE = (PURPLE, "#2a9d8f", ORANGE, BLUE, "#c2417c", GREY)


def column(
	fieldname: str, label: str, fieldtype: str = "Data", options: str | None = None, width=120, **more
):
	"""A report's column. A link to what the user may not read is plain text: Frappe would refuse the whole report."""
	if fieldtype == "Link" and not may_open(options):
		fieldtype, options = "Data", None
	return {
		"fieldname": fieldname,
		"label": label,
		"fieldtype": fieldtype,
		"options": options,
		"width": width,
		**more,
	}


def may_open(doctype: str) -> bool:
	"""Whether the user's roles let them read or choose documents of `doctype` at all."""
	return any(frappe.has_permission(doctype, ptype) for ptype in ("read", "select"))


def points_column(fieldname: str, label: str, width=110) -> dict:
	return column(fieldname, label, "Int", None, width)


def money_column(fieldname: str, label: str, width=130) -> dict:
	"""A column of amounts in the row's `currency`."""
	return column(fieldname, label, "Currency", "currency", width)


def hidden(fieldname: str, label: str, fieldtype: str = "Data", options: str | None = None) -> dict:
	"""A column that others refer to, or that an export may want."""
	return column(fieldname, label, fieldtype, options, hidden=1)


def company_columns() -> list[dict]:
	"""The columns that end every row: its company and currency."""
	return [
		column("company", _("Company"), "Link", "Company", 150),
		hidden("currency", _("Currency")),
	]


def currency_of(company: str | None) -> str | None:
	"""The currency in which `company` keeps its books."""
	return frappe.get_cached_value("Company", company, "default_currency") if company else None


class Worth:
	"""What points are worth by their program's present conversion factor, in company currency."""

	def __init__(self):
		self.terms = {}

	def __call__(self, points: int, program: str) -> float:
		"""The worth of `points`; points below 0 are worth nothing."""
		if program not in self.terms:
			found = frappe.db.get_value(
				"Loyalty Program", program, ["conversion_factor", "company"], as_dict=True
			) or frappe._dict(conversion_factor=0)
			places = membership.currency_places(found.company) if found.company else 2
			self.terms[program] = exact(found.conversion_factor), places
		factor, places = self.terms[program]
		return float(redemption.worth(max(int(points or 0), 0), factor, places))


def total_row(rows: Iterable[dict], sums: Iterable[str], money: Iterable[str] = (), **more) -> dict:
	"""A bold row with the totals of `rows`; amounts in more than one currency have none."""
	rows = list(rows)
	total = {field: sum(row.get(field) or 0 for row in rows) for field in sums}
	currencies = {row.get("currency") for row in rows}
	if len(currencies) == 1:
		total["currency"] = currencies.pop()
		total |= {field: flt(sum(exact(row.get(field)) for row in rows), 9) for field in money}
	return {**total, "bold": 1, "is_total": 1, **more}


def money_summary(label: str, rows: Iterable[dict], field: str) -> list[dict]:
	"""A summary of `field` for each currency in `rows`."""
	sums = {}
	for row in rows:
		if row.get("currency"):
			sums[row["currency"]] = sums.get(row["currency"], 0) + exact(row.get(field))
	return [
		{"label": label, "value": float(value), "datatype": "Currency", "currency": currency}
		for currency, value in sorted(sums.items())
	]


def points_summary(label: str, value: int, indicator: str | None = None) -> dict:
	"""A number in the summary, written with the separators that the desk leaves out of whole numbers."""
	return {"label": label, "value": number(value), "datatype": "Data", "indicator": indicator}


def number(value: int) -> str:
	return fmt_money(int(value or 0), precision=0)


def names_say_more(rows: Iterable[dict]) -> bool:
	"""Whether a column of customer names beside the customers would tell anything."""
	return any(row.get("customer_name") and row["customer_name"] != row["customer"] for row in rows)


def percent(part: int, whole: int) -> float | None:
	"""`part` of `whole` in percent, to a tenth; None where there is no whole."""
	return flt(100 * part / whole, 1) if whole > 0 else None


def cut_message(shown: int, found: int | None = None) -> str:
	"""What is said above a report that shows not all of its rows."""
	if found is None:
		return _(
			"Only the newest {0} rows are shown. Raise Rows at Most, choose a shorter period or a customer to see the others."
		).format(number(shown))
	return _(
		"{0} of {1} rows are shown; totals are of all. Raise Rows at Most, or choose a customer, to see the others."
	).format(number(shown), number(found))
