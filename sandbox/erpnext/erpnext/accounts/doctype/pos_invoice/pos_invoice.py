import frappe
from frappe import _
from frappe.utils import flt, get_link_to_form, getdate

from erpnext.accounts.doctype.loyalty_program.loyalty_program import validate_loyalty_points
from erpnext.accounts.doctype.pos_profile.pos_profile import get_pos_profile
from erpnext.accounts.doctype.sales_invoice.sales_invoice import SalesInvoice


class PartialPaymentValidationError(frappe.ValidationError):
	pass


class POSInvoice(SalesInvoice):
	"""A sale at the counter. It reaches the ledger only when it is consolidated into a Sales Invoice."""

	def validate(self):
		self.validate_auto_set_posting_time()
		# the checks of Sales Invoice itself are for documents that post
		super(SalesInvoice, self).validate()
		self.validate_pos_opening_entry()
		if not self.payments:
			frappe.throw(_("At least one mode of payment is required for POS invoice."))
		self.validate_selling_items()
		self.validate_debit_to_acc()
		self.validate_write_off_account()
		self.validate_change_amount()
		self.validate_item_cost_centers()
		self.validate_return_items_qty()
		self.set_status()
		self.validate_pos()
		self.validate_payment_amount()
		self.validate_loyalty_transaction()
		self.validate_company_with_pos_company()
		self.validate_full_payment()

	def on_submit(self):
		if not self.is_return and self.loyalty_program:
			self.make_loyalty_point_entry()
		elif self.is_return and self.return_against and self.loyalty_program:
			original = frappe.get_doc("POS Invoice", self.return_against)
			original.delete_loyalty_point_entry()
			original.make_loyalty_point_entry()
		if self.redeem_loyalty_points and self.loyalty_points:
			self.apply_loyalty_points()
		self.set_status(update=True)

	def before_cancel(self):
		if (
			self.consolidated_invoice
			and frappe.db.get_value("Sales Invoice", self.consolidated_invoice, "docstatus") == 1
		):
			merge_log = frappe.db.get_value("POS Invoice Reference", {"pos_invoice": self.name}, "parent")
			frappe.throw(
				_("You need to cancel POS Closing Entry {} to be able to cancel this document.").format(
					get_link_to_form("POS Invoice Merge Log", merge_log)
				),
				title=_("Not Allowed"),
			)

	def on_cancel(self):
		if not self.is_return and self.loyalty_program:
			self.delete_loyalty_point_entry()
		elif self.is_return and self.return_against and self.loyalty_program:
			original = frappe.get_doc("POS Invoice", self.return_against)
			original.delete_loyalty_point_entry()
			original.make_loyalty_point_entry()
		self.db_set("status", "Cancelled")

	def set_pos_fields(self, for_validate=False):
		if not self.pos_profile:
			self.pos_profile = get_pos_profile(self.company)
		if not self.pos_profile:
			frappe.throw(_("No POS Profile found. Please create a New POS Profile first"))
		profile = super().set_pos_fields(for_validate)
		self.customer = self.customer or profile.customer
		return profile

	def validate_pos_opening_entry(self):
		if not frappe.db.exists(
			"POS Opening Entry", {"pos_profile": self.pos_profile, "status": "Open", "docstatus": 1}
		):
			frappe.throw(
				title=_("POS Opening Entry Missing"),
				msg=_("No open POS Opening Entry found for POS Profile {0}.").format(
					frappe.bold(self.pos_profile)
				),
			)

	def validate_change_amount(self):
		total = flt(self.rounded_total) or flt(self.grand_total)
		base_total = flt(self.base_rounded_total) or flt(self.base_grand_total)
		if not flt(self.change_amount) and total < flt(self.paid_amount) and not self.is_return:
			self.change_amount = flt(self.paid_amount - total + flt(self.write_off_amount))
			self.base_change_amount = (
				flt(self.base_paid_amount) - base_total + flt(self.base_write_off_amount)
			)
		if flt(self.change_amount) and not self.account_for_change_amount:
			frappe.throw(_("Please enter Account for Change Amount"))

	def validate_return_items_qty(self):
		for item in self.items if self.is_return else []:
			if flt(item.qty) > 0:
				frappe.throw(
					_(
						"Row #{}: You cannot add postive quantities in a return invoice. Please remove item {} to complete the return."
					).format(item.idx, frappe.bold(item.item_code)),
					title=_("Invalid Item"),
				)

	def validate_payment_amount(self):
		self.verify_payment_amounts()
		if self.is_return and self.docstatus != 0:
			total = self.rounded_total or self.grand_total
			paid = flt(sum(flt(payment.amount) for payment in self.payments), self.precision("grand_total"))
			if paid and paid < total:
				frappe.throw(_("Total payments amount can't be greater than {}").format(-total))

	def validate_loyalty_transaction(self):
		if self.redeem_loyalty_points and not (
			self.loyalty_redemption_account and self.loyalty_redemption_cost_center
		):
			account, cost_center = frappe.db.get_value(
				"Loyalty Program", self.loyalty_program, ["expense_account", "cost_center"]
			)
			self.loyalty_redemption_account = self.loyalty_redemption_account or account
			self.loyalty_redemption_cost_center = self.loyalty_redemption_cost_center or cost_center
		if self.redeem_loyalty_points and self.loyalty_program and self.loyalty_points:
			validate_loyalty_points(self, self.loyalty_points)

	def validate_company_with_pos_company(self):
		company = frappe.db.get_value("POS Profile", self.pos_profile, "company")
		if self.company != company:
			frappe.throw(
				_("Company {} does not match with POS Profile Company {}").format(self.company, company)
			)

	def validate_full_payment(self):
		if self.docstatus != 1 or frappe.db.get_value(
			"POS Profile", self.pos_profile, "allow_partial_payment"
		):
			return
		total = flt(self.rounded_total) or flt(self.grand_total)
		if self.paid_amount < total or (self.is_return and self.paid_amount != total):
			frappe.throw(
				msg=_("Partial Payment in POS Invoice is not allowed."), exc=PartialPaymentValidationError
			)

	def get_status(self):
		if self.docstatus == 1 and self.consolidated_invoice:
			return "Consolidated"
		if self.docstatus != 1:
			return "Cancelled" if self.docstatus == 2 else "Draft"
		if flt(self.outstanding_amount) > 0:
			return "Overdue" if getdate(self.due_date) < getdate() else "Unpaid"
		if not self.is_return and frappe.db.exists(
			"POS Invoice", {"is_return": 1, "return_against": self.name, "docstatus": 1}
		):
			return "Credit Note Issued"
		return "Return" if self.is_return else "Paid"


@frappe.whitelist()
def make_sales_return(source_name, target_doc=None):
	"""Return the draft of a return at the counter."""
	from erpnext.controllers.sales_and_purchase_return import make_return_doc

	return make_return_doc("POS Invoice", source_name, target_doc)


def get_reference(invoice) -> dict:
	"""Return the row by which a merge log refers to a POS invoice."""
	return {
		"pos_invoice": invoice.name,
		"customer": invoice.customer,
		"posting_date": invoice.posting_date,
		"grand_total": invoice.grand_total,
		"is_return": invoice.is_return,
		"return_against": invoice.return_against,
	}
