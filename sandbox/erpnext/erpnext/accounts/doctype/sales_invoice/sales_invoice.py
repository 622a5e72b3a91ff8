import frappe
from frappe import _
from frappe.query_builder.functions import Sum
from frappe.utils import add_days, cint, cstr, flt, formatdate, get_link_to_form, getdate

from erpnext.accounts.doctype.loyalty_program.loyalty_program import (
	get_loyalty_program_details_with_points,
	validate_loyalty_points,
)
from erpnext.accounts.general_ledger import get_round_off_account_and_cost_center
from erpnext.accounts.party import get_due_date, get_party_account
from erpnext.accounts.utils import get_account_currency, update_voucher_outstanding
from erpnext.controllers.accounts_controller import validate_account_head
from erpnext.controllers.selling_controller import SellingController


class SalesInvoice(SellingController):
	# life cycle

	def validate(self):
		self.validate_auto_set_posting_time()
		super().validate()
		self.validate_pos_return()
		self.validate_selling_items()
		self.validate_debit_to_acc()
		self.validate_item_cost_centers()
		self.check_conversion_rate()
		self.validate_accounts()
		if cint(self.is_pos):
			self.validate_pos()
		if not self.is_opening:
			self.is_opening = "No"

		if self.redeem_loyalty_points:
			program = frappe.get_doc("Loyalty Program", self.loyalty_program)
			self.loyalty_redemption_account = self.loyalty_redemption_account or program.expense_account
			self.loyalty_redemption_cost_center = self.loyalty_redemption_cost_center or program.cost_center

		self.set_against_income_account()
		self.set_status()
		if self.is_pos:
			self.verify_payment_amounts()

		if (
			self.redeem_loyalty_points
			and self.loyalty_program
			and self.loyalty_points
			and not self.is_consolidated
		):
			validate_loyalty_points(self, self.loyalty_points)

		self.allow_write_off_only_on_pos()

	def before_save(self):
		self.set_account_for_mode_of_payment()
		self.set_paid_amount()

	def before_submit(self):
		self.add_remarks()

	def on_submit(self):
		self.validate_pos_paid_amount()
		self.check_prev_docstatus()
		self.update_billing_status_in_so()
		self.clear_unallocated_mode_of_payments()
		self.make_gl_entries()

		if (
			not self.is_return
			and not self.is_consolidated
			and self.loyalty_program
			and not self.dont_create_loyalty_points
		):
			self.make_loyalty_point_entry()
		elif self.is_return and self.return_against and not self.is_consolidated and self.loyalty_program:
			original = frappe.get_doc("Sales Invoice", self.return_against)
			original.delete_loyalty_point_entry()
			original.make_loyalty_point_entry()
		if self.redeem_loyalty_points and not self.is_consolidated and self.loyalty_points:
			self.apply_loyalty_points()

	def before_cancel(self):
		self.check_if_consolidated_invoice()

	def on_cancel(self):
		super().on_cancel()
		self.update_billing_status_in_so()
		self.make_gl_entries_on_cancel()
		self.db_set("status", "Cancelled")

		if not self.is_return and not self.is_consolidated and self.loyalty_program:
			self.delete_loyalty_point_entry()
		elif self.is_return and self.return_against and not self.is_consolidated and self.loyalty_program:
			original = frappe.get_doc("Sales Invoice", self.return_against)
			original.delete_loyalty_point_entry()
			original.make_loyalty_point_entry()

		self.ignore_linked_doctypes = ("GL Entry",)

	# validation and defaults

	def validate_auto_set_posting_time(self):
		# an amended invoice keeps the date of the one it replaces
		if self.is_new() and self.amended_from:
			self.set_posting_time = 1
		self.validate_posting_time()

	def set_missing_values(self, for_validate=False):
		self.set_pos_fields(for_validate)
		if not self.debit_to:
			self.debit_to = get_party_account("Customer", self.customer, self.company)
		if self.debit_to:
			self.party_account_currency = get_account_currency(self.debit_to)
		if not self.due_date and self.customer:
			self.due_date = get_due_date(self.posting_date, "Customer", self.customer, self.company)
		super().set_missing_values(for_validate)

	def set_pos_fields(self, for_validate=False):
		if not cint(self.is_pos):
			return None
		if not self.account_for_change_amount:
			self.account_for_change_amount = frappe.get_cached_value(
				"Company", self.company, "default_cash_account"
			)
		if not self.pos_profile:
			return None
		profile = frappe.get_cached_doc("POS Profile", self.pos_profile)
		if not self.get("payments") and not for_validate:
			for row in profile.payments:
				self.append("payments", {"mode_of_payment": row.mode_of_payment, "default": row.default})
		for field in ("write_off_account", "write_off_cost_center", "cost_center", "selling_price_list"):
			if profile.get(field) and not self.get(field):
				self.set(field, profile.get(field))
		return profile

	def validate_pos_return(self):
		if self.is_consolidated or not (self.is_pos and self.is_return):
			return
		total = flt(self.rounded_total) or flt(self.grand_total)
		if flt(sum(flt(payment.amount) for payment in self.payments), 2) < flt(total, 2):
			frappe.throw(_("Total payments amount can't be greater than {}").format(-total))

	def validate_debit_to_acc(self):
		if not self.debit_to:
			self.debit_to = get_party_account("Customer", self.customer, self.company)
			if not self.debit_to:
				self.raise_missing_debit_credit_account_error("Customer", self.customer)

		account = frappe.get_cached_value(
			"Account", self.debit_to, ["account_type", "report_type", "account_currency"], as_dict=True
		)
		if not account:
			frappe.throw(_("Debit To is required"), title=_("Account Missing"))
		if account.report_type != "Balance Sheet":
			frappe.throw(
				_("Please ensure {} account is a Balance Sheet account.").format(frappe.bold(_("Debit To")))
				+ " "
				+ _(
					"You can change the parent account to a Balance Sheet account or select a different account."
				),
				title=_("Invalid Account"),
			)
		if self.customer and account.account_type != "Receivable":
			frappe.throw(
				_("Please ensure {} account {} is a Receivable account.").format(
					frappe.bold(_("Debit To")), frappe.bold(self.debit_to)
				)
				+ " "
				+ _("Change the account type to Receivable or select a different account."),
				title=_("Invalid Account"),
			)
		self.party_account_currency = account.account_currency

	def validate_item_cost_centers(self):
		for item in self.items:
			if frappe.get_cached_value("Cost Center", item.cost_center, "company") != self.company:
				frappe.throw(
					_("Row #{0}: Cost Center {1} does not belong to company {2}").format(
						frappe.bold(item.idx), frappe.bold(item.cost_center), frappe.bold(self.company)
					)
				)

	def validate_accounts(self):
		self.validate_write_off_account()
		if flt(self.change_amount) and not self.account_for_change_amount:
			frappe.throw(_("Please enter Account for Change Amount"))
		for item in self.items:
			validate_account_head(item.idx, item.income_account, self.company, _("Income"))

	def validate_write_off_account(self):
		if not flt(self.write_off_amount):
			return
		if not self.write_off_account:
			self.write_off_account = frappe.get_cached_value("Company", self.company, "write_off_account")
		if not self.write_off_account:
			frappe.throw(_("Please enter Write Off Account"))

	def validate_pos(self):
		if not self.is_return:
			return
		total = flt(self.rounded_total) or flt(self.grand_total)
		excess = abs(flt(self.paid_amount)) + abs(flt(self.write_off_amount)) - abs(total)
		if excess > 1.0 / 10.0 ** (self.precision("grand_total") + 1.0):
			frappe.throw(_("Paid amount + Write Off Amount can not be greater than Grand Total"))

	def verify_payment_amounts(self):
		for payment in self.payments:
			if not self.is_return and flt(payment.amount) < 0:
				frappe.throw(_("Row #{0} (Payment Table): Amount must be positive").format(payment.idx))
			if self.is_return and flt(payment.amount) > 0:
				frappe.throw(_("Row #{0} (Payment Table): Amount must be negative").format(payment.idx))

	def validate_pos_paid_amount(self):
		if not self.payments and self.is_pos and flt(self.grand_total) > 0:
			frappe.throw(_("At least one mode of payment is required for POS invoice."))

	def allow_write_off_only_on_pos(self):
		if not self.is_pos and self.write_off_account:
			self.write_off_account = None

	def set_against_income_account(self):
		accounts = dict.fromkeys(item.income_account for item in self.items if item.income_account)
		self.against_income_account = ",".join(accounts)

	def add_remarks(self):
		if self.remarks:
			return
		self.remarks = _("No Remarks")
		if self.po_no:
			self.remarks = _("Against Customer Order {0}").format(self.po_no)
			if self.po_date:
				self.remarks += " " + _("dated {0}").format(formatdate(self.po_date))

	def set_account_for_mode_of_payment(self):
		for payment in self.payments:
			payment.account = get_bank_cash_account(payment.mode_of_payment, self.company).get("account")

	def set_paid_amount(self):
		paid = base_paid = 0.0
		for payment in self.payments:
			payment.base_amount = flt(
				payment.amount * self.conversion_rate, self.precision("base_paid_amount")
			)
			paid += flt(payment.amount)
			base_paid += payment.base_amount
		self.paid_amount = paid
		self.base_paid_amount = base_paid

	def clear_unallocated_mode_of_payments(self):
		self.set("payments", [payment for payment in self.payments if flt(payment.amount)])
		frappe.db.delete("Sales Invoice Payment", {"parent": self.name, "amount": 0})

	def check_prev_docstatus(self):
		for item in self.items:
			if (
				item.get("sales_order")
				and frappe.db.get_value("Sales Order", item.sales_order, "docstatus") != 1
			):
				frappe.throw(_("Sales Order {0} is not submitted").format(item.sales_order))

	def update_billing_status_in_so(self):
		orders = {item.sales_order for item in self.items if item.get("sales_order")}
		for order in orders:
			frappe.get_doc("Sales Order", order).update_billing_status()

	def check_if_consolidated_invoice(self):
		if self.doctype != "Sales Invoice" or not self.is_consolidated or self.flags.ignore_validate:
			return
		field = "consolidated_credit_note" if self.is_return else "consolidated_invoice"
		merge_log = frappe.db.get_value("POS Invoice Merge Log", {field: self.name, "docstatus": 1})
		if merge_log:
			frappe.throw(
				_("To cancel a {} you need to cancel the POS Closing Entry {}.").format(
					frappe.bold(_("Consolidated Sales Invoice")),
					get_link_to_form("POS Invoice Merge Log", merge_log),
				),
				title=_("Not Allowed"),
			)

	# ledger

	def make_gl_entries(self, gl_entries=None, from_repost=False):
		"""Post the invoice's rows, or reverse them on cancel, and refresh the outstanding amount.

		With payments, write-off or points in it the outstanding amount is computed once everything is posted.
		"""
		from erpnext.accounts.general_ledger import make_gl_entries, make_reverse_gl_entries

		if not gl_entries:
			gl_entries = self.get_gl_entries()
		if not gl_entries:
			return

		update_outstanding = (
			"No" if cint(self.is_pos) or self.write_off_account or cint(self.redeem_loyalty_points) else "Yes"
		)
		if self.docstatus == 1:
			make_gl_entries(
				gl_entries,
				update_outstanding=update_outstanding,
				merge_entries=False,
				from_repost=from_repost,
			)
		elif self.docstatus == 2:
			make_reverse_gl_entries(voucher_type=self.doctype, voucher_no=self.name)

		if update_outstanding == "No":
			update_voucher_outstanding(
				voucher_type=self.doctype,
				voucher_no=self.return_against if cint(self.is_return) and self.return_against else self.name,
				account=self.debit_to,
				party_type="Customer",
				party=self.customer,
			)

	def get_gl_entries(self, warehouse_account=None):
		"""Return the ledger rows of this invoice (list of dicts)."""
		from erpnext.accounts.general_ledger import merge_similar_entries

		gl_entries = []
		self.make_customer_gl_entry(gl_entries)
		self.make_tax_gl_entries(gl_entries)
		self.make_item_gl_entries(gl_entries)
		# payments and points stay rows of their own
		gl_entries = merge_similar_entries(gl_entries)
		self.make_loyalty_point_redemption_gle(gl_entries)
		self.make_pos_gl_entries(gl_entries)
		self.make_write_off_gl_entry(gl_entries)
		self.make_gle_for_rounding_adjustment(gl_entries)
		self.set_transaction_currency_and_rate_in_gl_map(gl_entries)
		return gl_entries

	def get_amounts(self, side, amount, base_amount, account_currency):
		"""Return the three currency versions of one side of a row."""
		return {
			side: base_amount,
			f"{side}_in_account_currency": base_amount
			if account_currency == self.company_currency
			else amount,
			f"{side}_in_transaction_currency": amount,
		}

	def get_customer_gl_dict(self, side, amount, base_amount, against, **more):
		"""Return a row on the receivable account."""
		against_voucher = self.name
		if self.is_return and self.return_against and not self.update_outstanding_for_self:
			against_voucher = self.return_against
		return self.get_gl_dict(
			{
				"account": self.debit_to,
				"party_type": "Customer",
				"party": self.customer,
				"against": against,
				"against_voucher": against_voucher,
				"against_voucher_type": self.doctype,
				"cost_center": self.cost_center,
				**self.get_amounts(side, amount, base_amount, self.party_account_currency),
				**more,
			},
			self.party_account_currency,
			item=self,
		)

	def make_customer_gl_entry(self, gl_entries):
		rounded = self.rounding_adjustment and self.rounded_total
		grand_total = self.rounded_total if rounded else self.grand_total
		base_grand_total = flt(
			self.base_rounded_total if rounded else self.base_grand_total, self.precision("base_grand_total")
		)
		if grand_total:
			gl_entries.append(
				self.get_customer_gl_dict(
					"debit",
					grand_total,
					base_grand_total,
					self.against_income_account,
					due_date=self.due_date,
				)
			)

	def make_tax_gl_entries(self, gl_entries):
		for tax in self.taxes:
			base_amount = flt(
				tax.base_tax_amount_after_discount_amount,
				tax.precision("base_tax_amount_after_discount_amount"),
			)
			if not base_amount:
				continue
			amount = flt(
				tax.tax_amount_after_discount_amount, tax.precision("tax_amount_after_discount_amount")
			)
			currency = get_account_currency(tax.account_head)
			gl_entries.append(
				self.get_gl_dict(
					{
						"account": tax.account_head,
						"against": self.customer,
						"cost_center": tax.cost_center,
						**self.get_amounts("credit", amount, base_amount, currency),
					},
					currency,
					item=tax,
				)
			)

	def make_item_gl_entries(self, gl_entries):
		for item in self.items:
			base_amount = flt(item.base_net_amount, item.precision("base_net_amount"))
			if not base_amount:
				continue
			amount = flt(item.net_amount, item.precision("net_amount"))
			currency = get_account_currency(item.income_account)
			gl_entries.append(
				self.get_gl_dict(
					{
						"account": item.income_account,
						"against": self.customer,
						"cost_center": item.cost_center,
						**self.get_amounts("credit", amount, base_amount, currency),
					},
					currency,
					item=item,
				)
			)

	def make_loyalty_point_redemption_gle(self, gl_entries):
		"""Points pay a part of the invoice at the program's expense (amounts in company currency)."""
		if not cint(self.redeem_loyalty_points):
			return
		amount = flt(self.loyalty_amount)
		gl_entries.append(
			self.get_gl_dict(
				{
					"account": self.debit_to,
					"party_type": "Customer",
					"party": self.customer,
					"against": "Expense account - "
					+ cstr(self.loyalty_redemption_account)
					+ " for the Loyalty Program",
					"credit": amount,
					"credit_in_transaction_currency": amount,
					"against_voucher": self.return_against if cint(self.is_return) else self.name,
					"against_voucher_type": self.doctype,
					"cost_center": self.cost_center,
				},
				item=self,
			)
		)
		gl_entries.append(
			self.get_gl_dict(
				{
					"account": self.loyalty_redemption_account,
					"cost_center": self.cost_center or self.loyalty_redemption_cost_center,
					"against": self.customer,
					"debit": amount,
					"debit_in_transaction_currency": amount,
					"remark": "Loyalty Points redeemed by the customer",
				},
				item=self,
			)
		)

	def make_pos_gl_entries(self, gl_entries):
		if not cint(self.is_pos):
			return
		post_change = cint(frappe.db.get_single_value("Accounts Settings", "post_change_gl_entries"))
		for payment in self.payments:
			amount, base_amount = flt(payment.amount), flt(payment.base_amount)
			if not post_change and payment.account == self.account_for_change_amount:
				amount -= flt(self.change_amount)
				base_amount -= flt(self.base_change_amount)
			if not base_amount:
				continue
			currency = get_account_currency(payment.account)
			gl_entries.append(self.get_customer_gl_dict("credit", amount, base_amount, payment.account))
			gl_entries.append(
				self.get_gl_dict(
					{
						"account": payment.account,
						"against": self.customer,
						"cost_center": self.cost_center,
						**self.get_amounts("debit", amount, base_amount, currency),
					},
					currency,
					item=self,
				)
			)
		if post_change:
			self.make_gle_for_change_amount(gl_entries)

	def make_gle_for_change_amount(self, gl_entries):
		if not flt(self.change_amount):
			return
		if not self.account_for_change_amount:
			frappe.throw(_("Select change amount account"), title=_("Mandatory Field"))
		amount, base_amount = flt(self.change_amount), flt(self.base_change_amount)
		gl_entries.append(
			self.get_customer_gl_dict("debit", amount, base_amount, self.account_for_change_amount)
		)
		currency = get_account_currency(self.account_for_change_amount)
		gl_entries.append(
			self.get_gl_dict(
				{
					"account": self.account_for_change_amount,
					"against": self.customer,
					"cost_center": self.cost_center,
					**self.get_amounts("credit", amount, base_amount, currency),
				},
				currency,
				item=self,
			)
		)

	def make_write_off_gl_entry(self, gl_entries):
		amount = flt(self.write_off_amount, self.precision("write_off_amount"))
		if not (self.is_pos and self.write_off_account and amount):
			return
		base_amount = flt(self.base_write_off_amount, self.precision("base_write_off_amount"))
		currency = get_account_currency(self.write_off_account)
		gl_entries.append(self.get_customer_gl_dict("credit", amount, base_amount, self.write_off_account))
		gl_entries.append(
			self.get_gl_dict(
				{
					"account": self.write_off_account,
					"against": self.customer,
					"cost_center": self.cost_center
					or self.write_off_cost_center
					or frappe.get_cached_value("Company", self.company, "cost_center"),
					**self.get_amounts("debit", amount, base_amount, currency),
				},
				currency,
				item=self,
			)
		)

	def make_gle_for_rounding_adjustment(self, gl_entries):
		amount = flt(self.rounding_adjustment, self.precision("rounding_adjustment"))
		# what rounds to nothing is owed as it is, see make_customer_gl_entry
		if not amount or not self.rounded_total or not self.base_rounding_adjustment:
			return
		account, cost_center, opening_account = get_round_off_account_and_cost_center(
			self.company, self.doctype, self.name, self.use_company_roundoff_cost_center
		)
		if self.is_opening == "Yes":
			account = opening_account or frappe.throw(
				_("Please set '{0}' in Company: {1}").format(
					frappe.bold("Round Off for Opening"), get_link_to_form("Company", self.company)
				)
			)
		base_amount = flt(self.base_rounding_adjustment, self.precision("base_rounding_adjustment"))
		gl_entries.append(
			self.get_gl_dict(
				{
					"account": account,
					"against": self.customer,
					"credit": base_amount,
					"credit_in_account_currency": base_amount,
					"credit_in_transaction_currency": amount,
					"cost_center": cost_center
					if self.use_company_roundoff_cost_center
					else self.cost_center or cost_center,
				},
				item=self,
			)
		)

	# loyalty, as ERPNext does it

	def make_loyalty_point_entry(self):
		current_amount = flt(self.grand_total) - cint(self.loyalty_amount)
		eligible_amount = current_amount - self.get_returned_amount()
		details = get_loyalty_program_details_with_points(
			self.customer,
			company=self.company,
			current_transaction_amount=current_amount,
			loyalty_program=self.loyalty_program,
			expiry_date=self.posting_date,
			include_expired_entry=True,
		)
		posting_date = getdate(self.posting_date)
		if getdate(details.from_date) > posting_date or (
			details.to_date and getdate(details.to_date) < posting_date
		):
			return
		entry = frappe.get_doc(
			{
				"doctype": "Loyalty Point Entry",
				"company": self.company,
				"loyalty_program": details.loyalty_program,
				"loyalty_program_tier": details.tier_name,
				"customer": self.customer,
				"invoice_type": self.doctype,
				"invoice": self.name,
				"loyalty_points": cint(eligible_amount / (details.collection_factor or 1.0)),
				"purchase_amount": eligible_amount,
				"expiry_date": add_days(self.posting_date, details.expiry_duration),
				"posting_date": self.posting_date,
			}
		)
		entry.flags.ignore_permissions = 1
		entry.save()
		self.set_loyalty_program_tier()

	def delete_loyalty_point_entry(self):
		entry = frappe.db.get_value("Loyalty Point Entry", {"invoice": self.name})
		if not entry:
			return
		redeemed_by = frappe.get_all(
			"Loyalty Point Entry", filters={"redeem_against": entry}, pluck="invoice"
		)
		if redeemed_by:
			frappe.throw(
				_(
					"{} can't be cancelled since the Loyalty Points earned has been redeemed. First cancel the {} No {}"
				).format(self.doctype, self.doctype, ", ".join(redeemed_by))
			)
		frappe.db.delete("Loyalty Point Entry", {"invoice": self.name})
		self.set_loyalty_program_tier()

	def set_loyalty_program_tier(self):
		details = get_loyalty_program_details_with_points(
			self.customer,
			company=self.company,
			loyalty_program=self.loyalty_program,
			include_expired_entry=True,
		)
		frappe.db.set_value("Customer", self.customer, "loyalty_program_tier", details.tier_name)

	def get_returned_amount(self):
		invoice = frappe.qb.DocType(self.doctype)
		returned = (
			frappe.qb.from_(invoice)
			.select(Sum(invoice.grand_total))
			.where((invoice.docstatus == 1) & (invoice.is_return == 1))
			.where(invoice.return_against == self.name)
		).run()[0][0]
		return abs(flt(returned))

	def apply_loyalty_points(self):
		from erpnext.accounts.doctype.loyalty_point_entry.loyalty_point_entry import (
			get_loyalty_point_entries,
			get_redemption_details,
		)

		redeemed = get_redemption_details(self.customer, self.loyalty_program, self.company)
		points_left = self.loyalty_points
		for lot in get_loyalty_point_entries(
			self.customer, self.loyalty_program, self.company, self.posting_date
		):
			if lot.invoice_type != self.doctype or lot.invoice == self.name:
				continue
			points = min(points_left, lot.loyalty_points - flt(redeemed.get(lot.name)))
			entry = frappe.get_doc(
				{
					"doctype": "Loyalty Point Entry",
					"company": self.company,
					"loyalty_program": self.loyalty_program,
					"loyalty_program_tier": lot.loyalty_program_tier,
					"customer": self.customer,
					"invoice_type": self.doctype,
					"invoice": self.name,
					"redeem_against": lot.name,
					"loyalty_points": -points,
					"purchase_amount": self.grand_total,
					"expiry_date": lot.expiry_date,
					"posting_date": self.posting_date,
				}
			)
			entry.flags.ignore_permissions = 1
			entry.save()
			points_left -= points
			if points_left < 1:
				break

	# status

	def set_status(self, update=False, status=None, update_modified=True):
		if self.is_new():
			if self.get("amended_from"):
				self.status = "Draft"
			return
		self.status = status or self.get_status()
		if update:
			self.db_set("status", self.status, update_modified=update_modified)

	def get_status(self):
		if self.docstatus == 2:
			return "Cancelled"
		if self.docstatus == 0:
			return "Draft"
		outstanding = flt(self.outstanding_amount, self.precision("outstanding_amount"))
		if outstanding > 0:
			if getdate(self.due_date) < getdate():
				return "Overdue"
			return "Partly Paid" if outstanding < get_total_in_party_account_currency(self) else "Unpaid"
		if not self.is_return and frappe.db.exists(
			"Sales Invoice", {"is_return": 1, "return_against": self.name, "docstatus": 1}
		):
			return "Credit Note Issued"
		return "Return" if self.is_return else "Paid"


def get_total_in_party_account_currency(doc):
	"""Return what the customer owes in all, in the currency of the receivable account."""
	field = "grand_total" if doc.disable_rounded_total else "rounded_total"
	if doc.party_account_currency != doc.currency:
		field = "base_" + field
	return flt(doc.get(field), doc.precision(field))


@frappe.whitelist()
def get_bank_cash_account(mode_of_payment, company):
	"""Return the account a mode of payment is booked on in a company."""
	account = frappe.db.get_value(
		"Mode of Payment Account", {"parent": mode_of_payment, "company": company}, "default_account"
	)
	if not account:
		frappe.throw(
			_("Please set default Cash or Bank account in Mode of Payment {0}").format(
				get_link_to_form("Mode of Payment", mode_of_payment)
			),
			title=_("Missing Account"),
		)
	return {"account": account}


@frappe.whitelist()
def make_sales_return(source_name, target_doc=None):
	"""Return the draft of a credit note for an invoice."""
	from erpnext.controllers.sales_and_purchase_return import make_return_doc

	return make_return_doc("Sales Invoice", source_name, target_doc)


@frappe.whitelist()
def get_loyalty_programs(customer):
	"""Enrol a customer where exactly one program applies; return the programs to choose from otherwise."""
	from erpnext.selling.doctype.customer.customer import get_loyalty_programs

	doc = frappe.get_doc("Customer", customer)
	if doc.loyalty_program:
		return [doc.loyalty_program]

	programs = get_loyalty_programs(doc)
	if len(programs) == 1:
		doc.db_set("loyalty_program", programs[0])
	return programs
