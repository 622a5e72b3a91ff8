"""What promotions gave: line by line of one entry, and in all."""

import frappe
from frappe.model.document import Document
from frappe.utils import flt

from loyalty_app.ledger import invoices, promotions


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
