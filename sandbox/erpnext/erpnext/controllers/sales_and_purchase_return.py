"""Returns: what may be returned, and the draft of a credit note."""

import frappe
from frappe import _
from frappe.model.mapper import get_mapped_doc
from frappe.query_builder.functions import Abs, Sum
from frappe.utils import flt, format_datetime, get_datetime


class StockOverReturnError(frappe.ValidationError):
	pass


def validate_return(doc):
	"""Check a return against the document it names."""
	if doc.meta.get_field("is_return") and doc.is_return and doc.return_against:
		validate_return_against(doc)
		validate_returned_items(doc)


def validate_return_against(doc):
	if not frappe.db.exists(doc.doctype, doc.return_against):
		frappe.throw(_("Invalid {0}: {1}").format(doc.meta.get_label("return_against"), doc.return_against))

	original = frappe.get_doc(doc.doctype, doc.return_against)
	if not (
		original.company == doc.company and original.customer == doc.customer and original.docstatus == 1
	):
		return

	posted, returned = (
		get_datetime(f"{each.posting_date} {each.get('posting_time') or '00:00:00'}")
		for each in (original, doc)
	)
	if returned < posted:
		frappe.throw(_("Posting timestamp must be after {0}").format(format_datetime(posted)))
	if doc.conversion_rate != original.conversion_rate:
		frappe.throw(
			_("Exchange Rate must be same as {0} {1} ({2})").format(
				doc.doctype, doc.return_against, original.conversion_rate
			)
		)


def validate_returned_items(doc):
	"""Only what was sold can be returned, and only what is left of it."""
	row_field = frappe.scrub(doc.doctype) + "_item"
	sold = {}
	for row in frappe.get_all(
		doc.doctype + " Item",
		filters={"parent": doc.return_against},
		fields=["name", "item_code", "qty", "rate", "conversion_factor"],
	):
		for key in (row.item_code, (row.item_code, row.name)):
			entry = sold.setdefault(key, frappe._dict(qty=0.0, rate=0.0))
			entry.qty += flt(row.qty) * flt(row.conversion_factor or 1)
			entry.rate = max(entry.rate, flt(row.rate))
	returned = get_already_returned_items(doc)

	something_returned = False
	for item in doc.items:
		if not (item.item_code and flt(item.qty) <= 0):
			something_returned = something_returned or (not item.item_code and bool(item.item_name))
			if item.item_code and flt(item.qty) > 0:
				frappe.throw(_("{0} must be negative in return document").format("Qty"))
			continue
		something_returned = True
		key = (item.item_code, item.get(row_field)) if item.get(row_field) else item.item_code
		if key not in sold:
			frappe.msgprint(
				_("Row # {0}: Returned Item {1} does not exist in {2} {3}").format(
					item.idx, item.item_code, doc.doctype, doc.return_against
				),
				raise_exception=bool(item.get(row_field)),
			)
			continue
		validate_quantity(item, sold[key], flt(returned.get(key)))
		if sold[key].rate and flt(item.rate) > sold[key].rate and doc.doctype == "Sales Invoice":
			frappe.throw(
				_("Row # {0}: Rate cannot be greater than the rate used in {1} {2}").format(
					item.idx, doc.doctype, doc.return_against
				)
			)
	if not something_returned:
		frappe.throw(_("Atleast one item should be entered with negative quantity in return document"))


def validate_quantity(item, sold, returned_qty):
	precision = item.precision("qty")
	left = flt(sold.qty - returned_qty, precision)
	qty = abs(flt(flt(item.qty) * flt(item.conversion_factor or 1), precision))
	if sold.qty and qty > left:
		frappe.throw(
			_("Row # {0}: Cannot return more than {1} for Item {2}").format(item.idx, left, item.item_code),
			StockOverReturnError,
		)


def get_already_returned_items(doc):
	"""Return quantities of other submitted returns, by item code and by (item code, original row)."""
	row_field = frappe.scrub(doc.doctype) + "_item"
	parent, child = frappe.qb.DocType(doc.doctype), frappe.qb.DocType(doc.doctype + " Item")
	rows = (
		frappe.qb.from_(child)
		.inner_join(parent)
		.on(child.parent == parent.name)
		.select(
			child.item_code,
			child[row_field].as_("row"),
			Sum(Abs(child.qty * child.conversion_factor)).as_("qty"),
		)
		.where((parent.docstatus == 1) & (parent.is_return == 1))
		.where((parent.return_against == doc.return_against) & (parent.name != (doc.name or "")))
		.groupby(child.item_code, child[row_field])
	).run(as_dict=True)
	returned = {}
	for row in rows:
		returned[row.item_code] = flt(returned.get(row.item_code)) + flt(row.qty)
		if row.row:
			returned[(row.item_code, row.row)] = flt(row.qty)
	return returned


def make_return_doc(doctype: str, source_name: str, target_doc=None, return_against_rejected_qty=False):
	"""Return an unsaved credit note over everything of a submitted invoice that was not returned yet."""
	row_field = frappe.scrub(doctype) + "_item"
	if doctype == "Sales Invoice":
		consolidated, is_pos = frappe.db.get_value(doctype, source_name, ["is_consolidated", "is_pos"])
		if consolidated and is_pos:
			frappe.throw(
				_("Cannot create return for consolidated invoice {0}.").format(source_name),
				title=_("Cannot Create Return"),
			)

	def set_missing_values(source, target):
		target.is_return = 1
		target.return_against = source.name
		target.ignore_pricing_rule = 1
		target.is_pos = source.is_pos
		target.party_account_currency = source.party_account_currency
		if target.meta.has_field("consolidated_invoice"):
			target.consolidated_invoice = ""
		for tax in target.taxes:
			if tax.charge_type == "Actual":
				tax.tax_amount = -flt(tax.tax_amount)
		target.set("payments", [])
		for payment in source.payments:
			target.append(
				"payments",
				{
					"mode_of_payment": payment.mode_of_payment,
					"type": payment.type,
					"account": payment.account,
					"default": payment.default,
					"amount": -flt(payment.amount),
					"base_amount": -flt(
						payment.amount * source.conversion_rate, source.precision("base_paid_amount")
					),
				},
			)
		if target.is_pos:
			target.paid_amount = -flt(source.paid_amount)
		if target.discount_amount:
			target.discount_amount = -flt(source.discount_amount)
		target.run_method("calculate_taxes_and_totals")

	def update_item(source, target, source_parent):
		left = flt(source.qty) - _returned_qty_of_row(doctype, source_parent, row_field, source.name)
		target.qty = -left
		target.stock_qty = -left * flt(source.conversion_factor or 1)
		target.set(row_field, source.name)
		for field in ("sales_order", "so_detail", "expense_account"):
			if target.meta.has_field(field):
				target.set(field, source.get(field))

	return get_mapped_doc(
		doctype,
		source_name,
		{
			doctype: {"doctype": doctype, "validation": {"docstatus": ["=", 1]}},
			doctype + " Item": {
				"doctype": doctype + " Item",
				"postprocess": update_item,
				"condition": lambda row: row.qty,
			},
		},
		target_doc,
		set_missing_values,
	)


def _returned_qty_of_row(doctype, original, row_field, row_name):
	parent, child = frappe.qb.DocType(doctype), frappe.qb.DocType(doctype + " Item")
	rows = (
		frappe.qb.from_(child)
		.inner_join(parent)
		.on(child.parent == parent.name)
		.select(Sum(Abs(child.qty)))
		.where((parent.return_against == original.name) & (parent.docstatus == 1) & (parent.is_return == 1))
		.where(child[row_field] == row_name)
	).run()
	return flt(rows[0][0])
