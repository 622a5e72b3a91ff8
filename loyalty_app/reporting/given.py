"""What promotions gave: line by line of one entry, and in all."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import date

import frappe
from frappe.model.document import Document
from frappe.utils import flt, getdate

from loyalty_app.ledger import invoices, membership, promotions
from loyalty_app.reporting import reading
from loyalty_app.rules import earning
from loyalty_app.rules.amounts import exact
from loyalty_app.rules.lots import Kind
from loyalty_app.rules.promotions import Given

SHOWN = ("entry", "loyalty_program", "company", "customer", "invoice_type", "invoice", "spent")


def by_line(entry: Document) -> list[dict]:
	"""What promotions gave for the invoice of `entry`, in the order of its lines.

	Keys: promotion, points (given at the submit), kept (what returns have left of them); row, qty and item of the line.
	All but the first two are None where the user may not read the invoice, or it is gone.
	"""
	given = promotions.in_text(entry.promotions)
	if not given:
		return []
	invoice = _invoice(entry)
	lines = {row.name: row for row in invoice.items} if invoice else {}
	now = invoices.given_now(invoice, entry.membership) if invoice else ()
	kept = {(g.promotion, g.line): g.points for g in now}
	rows = []
	for g in given:
		line = lines.get(g.line)
		rows.append(
			{
				"promotion": g.promotion,
				"points": g.points,
				"kept": kept.get((g.promotion, g.line), 0) if invoice else None,
				"row": line.idx if line else None,
				"qty": flt(line.qty) if line else None,
				"item": (line.item_name or line.item_code) if line else None,
			}
		)
	return sorted(rows, key=lambda row: (row["row"] or 0, row["promotion"]))


def _invoice(entry: Document) -> Document | None:
	if not entry.invoice or not frappe.db.exists(entry.invoice_type, entry.invoice):
		return None
	invoice = frappe.get_doc(entry.invoice_type, entry.invoice)
	return invoice if invoice.has_permission("read") else None


def by_invoice(filters: dict, first: date, last: date) -> list[frappe._dict]:
	"""What each promotion gave for each invoice posted from `first` to `last`, as far as the user may read its entry.

	Keys: promotion, entry, loyalty_program, company, customer, invoice_type, invoice, posting_date, spent (company
	currency), given (points), kept (points that returns have left).
	Runs one statement, and two more for each type of invoice where some came back in part that several promotions gave
	for: of any other the entry itself says what is left.
	"""
	table, query = reading.posted(filters, first, last)
	query = query.where((table.entry_type == Kind.EARNED.value) & table.promotions.isnotnull())
	rows = query.select(
		table.name.as_("entry"),
		table.loyalty_program,
		table.company,
		table.customer,
		table.invoice_type,
		table.invoice,
		table.posting_date,
		table.purchase_amount.as_("spent"),
		table.loyalty_points,
		table.collection_factor,
		table.promotions,
	).run(as_dict=True)
	given = {row.entry: promotions.in_text(row.promotions) for row in rows}
	kept = _kept(rows, given)
	told = []
	for row in rows:
		before, after = _by_promotion(given[row.entry]), _by_promotion(kept[row.entry])
		row = frappe._dict({key: row[key] for key in SHOWN}, posting_date=getdate(row.posting_date))
		told += [
			frappe._dict(row, promotion=promotion, given=points, kept=after[promotion])
			for promotion, points in before.items()
		]
	return told


def _by_promotion(given: Iterable[Given]) -> Counter:
	points = Counter()
	for g in given:
		points[g.promotion] += g.points
	return points


def _kept(rows: list[frappe._dict], given: dict[str, tuple[Given, ...]]) -> dict[str, tuple[Given, ...]]:
	"""What is left of what promotions have `given`, by entry: one has base points for its amount, and beside them these."""
	kept, in_part = {}, defaultdict(list)
	for row in rows:
		mine = given[row.entry]
		base = earning.points_for(exact(row.spent), exact(row.collection_factor))
		left = row.loyalty_points - base
		if left == sum(g.points for g in mine):
			kept[row.entry] = mine
		elif left <= 0:
			kept[row.entry] = ()
		elif len({g.promotion for g in mine}) == 1:
			kept[row.entry] = (mine[0]._replace(points=left),)
		else:
			in_part[row.invoice_type].append(row)
	for invoice_type, rows_of_type in in_part.items():
		found = promotions.kept_of_many(
			invoice_type,
			{row.invoice: given[row.entry] for row in rows_of_type},
			{row.invoice: membership.currency_places(row.company) for row in rows_of_type},
		)
		kept |= {row.entry: found[row.invoice] for row in rows_of_type}
	return kept
