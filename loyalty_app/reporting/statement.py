"""A member's statement: the rows that the report Loyalty Point Ledger has of one membership, as its customer is told.

No number is counted here: opening, rows and closing are the report's, how the member stands today is
`ledger.membership.summary`. Lots are the ledger's business: what an invoice redeems is one movement, however many lots
it draws on.
"""

from collections import defaultdict
from datetime import date

import frappe
from frappe import _
from frappe.model.document import Document
from frappe.query_builder.functions import Count
from frappe.utils import add_months, get_first_day, getdate, today

from loyalty_app import portal
from loyalty_app.ledger import membership
from loyalty_app.loyalty_app.report.loyalty_point_ledger import loyalty_point_ledger
from loyalty_app.reporting import points, reading
from loyalty_app.reporting.table import Worth

# An invoice type of entries to the names of invoices.
Invoices = dict[str, set[str]]


def statement(member: Document, from_date=None, to_date=None) -> frappe._dict:
	"""What the Loyalty Membership `member` is told of a period: from the beginning of last month to today, if none is
	given.

	Opening, closing and the balance after a movement count what is posted, whether or not it may be spent yet.

	Keys: those of `membership.summary`, as of today; customer, customer_name, first, last; and, for who may see its
	movements, opening, points_in, points_out, closing (points), closing_worth (company currency, by the program's
	present factor), movements and, where there are more than those, is_cut. A movement has date, what, remark,
	invoice_type, invoice, points (below 0 where they left), balance, expiry_date and spendable_from, if that is to come.
	The caller checks that the user may see the membership.
	"""
	first, last = period(from_date, to_date)
	told = membership.summary(member.customer, member.loyalty_program)
	told.update(customer=member.customer, customer_name=member.customer_name, first=first, last=last)
	if filters := _whose(member):
		filters.update({"from_date": first, "to_date": last})
		told.update(_movements(filters, member.loyalty_program))
	return told


def newest(member: Document, until: date, rows: int) -> tuple[date, bool]:
	"""The first day of the stretch up to `until` that has `rows` rows of the ledger, in whole days; and whether
	anything happened before. A page of a statement, the newest first."""
	filters, days = _whose(member), defaultdict(int)
	table, query = reading.posted(filters, None, until)
	query = query.groupby(table.posting_date).orderby(table.posting_date, order=frappe.qb.desc)
	for day, found in query.select(table.posting_date, Count("*")).limit(rows + 1).run():
		days[getdate(day)] += found
	table, query = reading.lapsed(filters)
	query = query.where(table.expiry_date < until).groupby(table.expiry_date)
	for day, found in query.select(table.expiry_date, Count("*")).run():
		days[getdate(day) + points.DAY] += found
	shown, first = 0, until
	for day in sorted(days, reverse=True):
		if shown >= rows:
			return first, True
		shown, first = shown + days[day], day
	return first, False


def period(from_date=None, to_date=None) -> tuple[date, date]:
	"""The days of a statement. Raises ValidationError for what is no date, or the wrong way round."""
	last = _day(to_date, _("To Date")) or getdate(today())
	first = _day(from_date, _("From Date")) or add_months(get_first_day(last), -1)
	return reading.period({"from_date": first, "to_date": last})


def _day(given, label: str) -> date | None:
	try:
		return getdate(given) if given else None
	except (frappe.ValidationError, ValueError, TypeError, OverflowError):
		frappe.throw(_("{0}: {1} is not a date.").format(label, given), title=_("Period"))


def _whose(member: Document) -> frappe._dict | None:
	"""Filters for the movements of `member`; None where the user may not see them."""
	if frappe.has_permission(reading.ENTRY, "read"):
		return frappe._dict(customer=member.customer, loyalty_program=member.loyalty_program)
	if portal.has_website_permission(member):
		return reading.OfMember(membership=member.name)
	return None


def _movements(filters: frappe._dict, program: str) -> dict:
	_columns, rows, message, _chart, _summary = loyalty_point_ledger.execute(filters)
	opening, *rows, closing = rows or [{"balance": 0}, {"balance": 0}]
	returned, movements, balance = _returned(rows), [], opening["balance"]
	for row in _joined(rows):
		balance += row.points
		movements.append(_movement(row, balance, returned))
	return {
		"opening": opening["balance"],
		"points_in": closing.get("points_in", 0),
		"points_out": closing.get("points_out", 0),
		"closing": closing["balance"],
		"closing_worth": Worth()(closing["balance"], program),
		"movements": movements,
		"is_cut": bool(message),
	}


def _joined(rows: list[frappe._dict]) -> list[frappe._dict]:
	"""`rows` with all that an invoice earns, redeems or loses on a day in one, with its `points`. It redeems before it
	earns: its own points never pay it."""
	joined, place = {}, {}
	for row in rows:
		invoice = (
			row.posting_date,
			row.entry_type == points.EXPIRED,
			row.invoice_type,
			row.invoice or row.name,
		)
		place.setdefault(invoice, len(place))
		movement = joined.setdefault((place[invoice], row.entry_type != points.REDEEMED, row.entry_type), row)
		movement.points = movement.get("points", 0) + row.points_in - row.points_out
	return [joined[key] for key in sorted(joined)]


def _movement(row: frappe._dict, balance: int, returned: Invoices) -> frappe._dict:
	return frappe._dict(
		date=row.posting_date,
		what=_in_words(row.entry_type, row.points, row.invoice in returned.get(row.invoice_type, ())),
		remark=row.discretionary_reason if row.entry_type == points.ADJUSTED else None,
		invoice_type=row.invoice_type,
		invoice=row.invoice,
		points=row.points,
		balance=balance,
		expiry_date=row.expiry_date if row.points > 0 else None,
		spendable_from=_to_come(row.spendable_from) if row.points > 0 else None,
	)


def _to_come(day) -> date | None:
	return getdate(day) if day and getdate(day) > getdate(today()) else None


def _in_words(entry_type: str, value: int, came_back: bool) -> str:
	"""What happened, as a customer would say it; `came_back`: something of the invoice was returned since."""
	if entry_type == points.EARNED and came_back:
		return _("Earned, less what was returned") if value else _("Returned")
	if entry_type == points.EARNED:
		return _("Earned") if value else _("Purchase that earns no points yet")
	if entry_type == points.REDEEMED:
		return _("Redeemed, less what a return gave back") if came_back else _("Redeemed")
	if entry_type == points.EXPIRED:
		return _("Expired")
	return _("Granted") if value > 0 else _("Taken off")


def _returned(rows: list[dict]) -> Invoices:
	"""Invoices among those of `rows` of which something was returned."""
	asked: Invoices = {}
	for row in rows:
		if row.invoice_type and row.invoice and row.entry_type in (points.EARNED, points.REDEEMED):
			asked.setdefault(row.invoice_type, set()).add(row.invoice)
	return {
		doctype: set(
			frappe.get_all(
				doctype,
				filters={"return_against": ["in", sorted(names)], "is_return": 1, "docstatus": 1},
				pluck="return_against",
				limit=0,
			)
		)
		for doctype, names in asked.items()
		if frappe.get_meta(doctype).has_field("return_against")
	}
