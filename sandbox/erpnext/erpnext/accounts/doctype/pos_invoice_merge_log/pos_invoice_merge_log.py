import frappe
from frappe import _
from frappe.model.document import Document
from frappe.model.mapper import map_child_doc, map_doc
from frappe.utils import flt, get_time, getdate, nowdate, nowtime

from erpnext.accounts.doctype.pos_invoice.pos_invoice import get_reference


class POSInvoiceMergeLog(Document):
	"""Turns POS invoices of a customer into one Sales Invoice (and one credit note) that posts."""

	def validate(self):
		names = [row.pos_invoice for row in self.pos_invoices]
		if len(names) != len(set(names)):
			frappe.throw(_("Duplicate POS Invoices found"))
		for row in self.pos_invoices:
			self.validate_pos_invoice(row, names)

	def validate_pos_invoice(self, row, names):
		invoice = frappe.db.get_value(
			"POS Invoice",
			row.pos_invoice,
			["status", "docstatus", "customer", "is_return", "return_against"],
			as_dict=True,
		)
		name = frappe.bold(row.pos_invoice)
		if self.merge_invoices_based_on != "Customer Group" and invoice.customer != self.customer:
			frappe.throw(
				_("Row #{}: POS Invoice {} is not against customer {}").format(
					row.idx, row.pos_invoice, self.customer
				)
			)
		if invoice.docstatus != 1:
			frappe.throw(_("Row #{}: POS Invoice {} is not submitted yet").format(row.idx, name))
		if invoice.status == "Consolidated" and self.docstatus == 0:
			frappe.throw(
				_("Row #{}: POS Invoice {} has been {}").format(row.idx, name, frappe.bold(invoice.status))
			)
		if (
			invoice.is_return
			and invoice.return_against
			and invoice.return_against not in names
			and frappe.db.get_value("POS Invoice", invoice.return_against, "status") != "Consolidated"
		):
			frappe.throw(
				_("Row #{}: The original Invoice {} of return invoice {} is not consolidated.").format(
					row.idx, frappe.bold(invoice.return_against), name
				)
			)

	def on_submit(self):
		invoices = [frappe.get_doc("POS Invoice", row.pos_invoice) for row in self.pos_invoices]
		sales = [invoice for invoice in invoices if not invoice.is_return]
		consolidated = self.consolidate(sales) if sales else None
		for invoice in sales:
			self.mark(invoice, consolidated.name)

		by_original = {}
		for invoice in invoices:
			if invoice.is_return:
				original = frappe.db.get_value("POS Invoice", invoice.return_against, "consolidated_invoice")
				by_original.setdefault(original, []).append(invoice)
		credit_note = None
		for original, returns in by_original.items():
			credit_note = self.consolidate(returns, return_against=original)
			for invoice in returns:
				self.mark(invoice, credit_note.name)

		self.db_set(
			{
				"consolidated_invoice": consolidated and consolidated.name,
				"consolidated_credit_note": credit_note and credit_note.name,
			}
		)

	def on_cancel(self):
		self.ignore_linked_doctypes = ("Sales Invoice", "POS Invoice")
		for row in self.pos_invoices:
			self.mark(frappe.get_doc("POS Invoice", row.pos_invoice), None)
		for name in (self.consolidated_credit_note, self.consolidated_invoice):
			if name:
				invoice = frappe.get_doc("Sales Invoice", name)
				# this log is what a consolidated invoice otherwise refuses to be cancelled without
				invoice.flags.ignore_validate = True
				invoice.cancel()

	@staticmethod
	def mark(invoice, consolidated_invoice):
		invoice.db_set("consolidated_invoice", consolidated_invoice)
		invoice.set_status(update=True)

	def consolidate(self, pos_invoices, return_against=None):
		"""Submit one Sales Invoice over POS invoices, whose amounts it takes over as they are."""
		invoice = frappe.new_doc("Sales Invoice")
		points = amount = 0
		items, taxes, payments = [], {}, {}
		for source in pos_invoices:
			map_doc(source, invoice, table_map={"doctype": "Sales Invoice"})
			if source.redeem_loyalty_points:
				invoice.loyalty_redemption_account = source.loyalty_redemption_account
				invoice.loyalty_redemption_cost_center = source.loyalty_redemption_cost_center
				points += source.loyalty_points
				amount += source.loyalty_amount
			items += [self.map_item(source, item, invoice) for item in source.items]
			self.add_up_taxes(source, taxes)
			self.add_up_payments(source, payments)

		invoice.update(
			{
				"naming_series": "ACC-SINV-RET-.YYYY.-" if return_against else "ACC-SINV-.YYYY.-",
				"customer": self.customer,
				"is_pos": 1,
				"is_consolidated": 1,
				"is_return": int(bool(return_against)),
				"return_against": return_against,
				"update_outstanding_for_self": 1,
				"set_posting_time": 1,
				"posting_date": getdate(self.posting_date),
				"posting_time": get_time(self.posting_time),
				"due_date": None,
				"additional_discount_percentage": 0,
				"discount_amount": 0,
				"taxes_and_charges": None,
				"disable_rounded_total": frappe.db.get_value(
					"POS Profile", invoice.pos_profile, "disable_rounded_total"
				),
				"redeem_loyalty_points": int(bool(points)),
				"loyalty_points": points,
				"loyalty_amount": amount,
			}
		)
		for field in (
			"rounding_adjustment",
			"base_rounding_adjustment",
			"rounded_total",
			"base_rounded_total",
		):
			invoice.set(field, sum(flt(source.get(field)) for source in pos_invoices))
		invoice.set("items", items)
		invoice.set("taxes", list(taxes.values()))
		invoice.set("payments", list(payments.values()))
		invoice.insert()
		invoice.submit()
		return invoice

	@staticmethod
	def map_item(source, item, invoice):
		row = map_child_doc(item, invoice, {"doctype": "Sales Invoice Item"})
		# discounts and inclusive taxes are in the net amounts already
		row.update(
			{
				"rate": item.net_rate,
				"amount": item.net_amount,
				"base_rate": item.base_net_rate,
				"base_amount": item.base_net_amount,
				"net_amount": item.net_amount,
				"base_net_amount": item.base_net_amount,
				"net_rate": item.net_rate,
				"base_net_rate": item.base_net_rate,
				"price_list_rate": 0,
				"discount_percentage": 0,
				"pos_invoice": source.name,
				"pos_invoice_item": item.name,
			}
		)
		if source.is_return:
			row.sales_invoice_item = frappe.db.get_value(
				"Sales Invoice Item",
				{"pos_invoice": source.return_against, "pos_invoice_item": item.pos_invoice_item},
			)
		return row

	@staticmethod
	def add_up_taxes(source, taxes):
		for tax in source.taxes:
			row = taxes.setdefault(
				(tax.account_head, tax.cost_center),
				{
					"charge_type": "Actual",
					"account_head": tax.account_head,
					"cost_center": tax.cost_center,
					"description": tax.description,
					"item_wise_tax_detail": tax.item_wise_tax_detail,
					"tax_amount": 0,
					"base_tax_amount": 0,
				},
			)
			row["tax_amount"] += flt(tax.tax_amount_after_discount_amount)
			row["base_tax_amount"] += flt(tax.base_tax_amount_after_discount_amount)

	@staticmethod
	def add_up_payments(source, payments):
		for payment in source.payments:
			row = payments.setdefault(
				(payment.account, payment.mode_of_payment),
				{
					"mode_of_payment": payment.mode_of_payment,
					"type": payment.type,
					"account": payment.account,
					"amount": 0,
					"base_amount": 0,
				},
			)
			row["amount"] += flt(payment.amount)
			row["base_amount"] += flt(payment.base_amount)


def consolidate_pos_invoices(pos_invoices=None, closing_entry=None):
	"""Consolidate POS invoices (list of {"pos_invoice": ...}; by default all that wait), customer by customer."""
	names = [row.get("pos_invoice") or row.get("name") for row in pos_invoices or []]
	filters = {"docstatus": 1, "consolidated_invoice": ("is", "not set")}
	if names:
		filters["name"] = ("in", names)

	by_customer = {}
	for name in frappe.get_all("POS Invoice", filters=filters, pluck="name", order_by="creation"):
		invoice = frappe.get_doc("POS Invoice", name)
		by_customer.setdefault(invoice.customer, []).append(get_reference(invoice))

	logs = []
	for customer, references in by_customer.items():
		log = frappe.get_doc(
			{
				"doctype": "POS Invoice Merge Log",
				"posting_date": nowdate(),
				"posting_time": nowtime(),
				"merge_invoices_based_on": "Customer",
				"customer": customer,
				"pos_invoices": references,
			}
		)
		log.insert(ignore_permissions=True)
		log.submit()
		logs.append(log.name)
	return logs
