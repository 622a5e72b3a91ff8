import frappe
from frappe import _
from frappe.model.mapper import get_mapped_doc
from frappe.utils import flt, getdate

from erpnext.accounts.party import get_party_account
from erpnext.controllers.selling_controller import SellingController


class SalesOrder(SellingController):
	def validate(self):
		super().validate()
		self.validate_delivery_date()
		self.validate_selling_items()
		self.set_status()

	def on_submit(self):
		self.update_billing_status()

	def on_cancel(self):
		self.db_set("status", "Cancelled")

	def validate_delivery_date(self):
		if self.order_type != "Sales" or self.skip_delivery_note:
			return
		for item in self.items:
			item.delivery_date = item.delivery_date or self.delivery_date
			if not item.delivery_date:
				frappe.throw(_("Please enter Delivery Date"))
			if getdate(item.delivery_date) < getdate(self.transaction_date):
				frappe.throw(_("Expected Delivery Date should be after Sales Order Date"))
		self.delivery_date = max(getdate(item.delivery_date) for item in self.items)

	def set_status(self, update=False):
		if self.docstatus == 0:
			self.status = "Draft"
		elif self.docstatus == 2:
			self.status = "Cancelled"
		elif flt(self.per_billed, 2) >= 100:
			self.status = "Completed"
		else:
			self.status = "To Bill" if self.skip_delivery_note else "To Deliver and Bill"
		if update:
			self.db_set("status", self.status)

	def update_billing_status(self):
		"""Recompute what is billed from the submitted invoices."""
		billed = {}
		for row in frappe.get_all(
			"Sales Invoice Item",
			filters={"sales_order": self.name, "docstatus": 1},
			fields=["so_detail", "amount"],
		):
			billed[row.so_detail] = flt(billed.get(row.so_detail)) + flt(row.amount)
		for item in self.items:
			item.db_set("billed_amt", flt(billed.get(item.name)), update_modified=False)

		total = sum(flt(item.amount) for item in self.items)
		done = sum(min(flt(item.billed_amt), flt(item.amount)) for item in self.items)
		self.per_billed = flt(done / total * 100, 6) if total else 100.0
		self.billing_status = (
			"Fully Billed"
			if self.per_billed >= 99.999999
			else "Partly Billed"
			if self.per_billed
			else "Not Billed"
		)
		self.db_set(
			{"per_billed": self.per_billed, "billing_status": self.billing_status}, update_modified=False
		)
		if self.docstatus == 1:
			self.set_status(update=True)


@frappe.whitelist()
def make_sales_invoice(source_name, target_doc=None, ignore_permissions=False):
	"""Return the draft of an invoice over what of a submitted order is not billed yet.

	A shopping cart order's points become the invoice's redemption. `ignore_permissions` is for Python
	callers only.
	"""
	ignore_permissions = ignore_permissions and not getattr(frappe.local, "request", None)

	def set_missing_values(source, target):
		target.flags.ignore_permissions = ignore_permissions
		target.debit_to = get_party_account("Customer", source.customer, source.company)
		target.run_method("set_missing_values")
		target.run_method("calculate_taxes_and_totals")
		if source.loyalty_points and source.order_type == "Shopping Cart":
			target.redeem_loyalty_points = 1

	def update_item(source, target, source_parent):
		open_amount = flt(source.amount) - flt(source.billed_amt)
		if source.rate and source.billed_amt:
			target.qty = open_amount / flt(source.rate)
		target.amount = open_amount
		target.base_amount = open_amount * flt(source_parent.conversion_rate)

	return get_mapped_doc(
		"Sales Order",
		source_name,
		{
			"Sales Order": {"doctype": "Sales Invoice", "validation": {"docstatus": ["=", 1]}},
			"Sales Order Item": {
				"doctype": "Sales Invoice Item",
				"field_map": {"name": "so_detail", "parent": "sales_order"},
				"postprocess": update_item,
				"condition": lambda row: row.qty and abs(flt(row.billed_amt)) < abs(flt(row.amount)),
			},
			"Sales Taxes and Charges": {"doctype": "Sales Taxes and Charges", "reset_value": True},
		},
		target_doc,
		set_missing_values,
		ignore_permissions=ignore_permissions,
	)
