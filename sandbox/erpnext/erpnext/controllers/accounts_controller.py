"""What every document that reaches the ledger shares: checks, totals, and the common part of a ledger row."""

import frappe
from frappe import _, throw
from frappe.utils import cint, flt, formatdate, get_link_to_form, getdate
from pypika import Case

import erpnext
from erpnext.accounts.party import (
	get_party_account_currency,
	get_party_gle_currency,
	validate_due_date,
	validate_party_frozen_disabled,
)
from erpnext.accounts.utils import get_account_currency, get_fiscal_years
from erpnext.exceptions import InvalidCurrency
from erpnext.utilities.transaction_base import TransactionBase


class AccountMissingError(frappe.ValidationError):
	pass


class InvalidQtyError(frappe.ValidationError):
	pass


class AccountsController(TransactionBase):
	@property
	def company_currency(self):
		return erpnext.get_company_currency(self.company)

	def validate(self):
		from erpnext.controllers.sales_and_purchase_return import validate_return

		if not self.get("is_return") and not self.get("is_debit_note"):
			self.validate_qty_is_not_zero()
		self.set_missing_values(for_validate=True)
		self.validate_date_with_fiscal_year()
		self.validate_party_accounts()
		self.validate_against_voucher_outstanding()
		self.validate_tax_account_company()
		self.calculate_taxes_and_totals()
		if not self.get("is_return"):
			self.validate_value("base_grand_total", ">=", 0)
		validate_return(self)
		self.validate_due_date()
		self.validate_party()
		self.validate_currency()
		self.validate_party_account_currency()
		self.validate_return_against_account()

	def set_missing_values(self, for_validate=False):
		"""Overridden where a party or a price list has something to fill in."""

	def calculate_taxes_and_totals(self):
		from erpnext.controllers.taxes_and_totals import calculate_taxes_and_totals

		calculate_taxes_and_totals(self)

	def is_rounded_total_disabled(self):
		if self.meta.get_field("disable_rounded_total"):
			return self.disable_rounded_total
		return cint(frappe.db.get_single_value("Global Defaults", "disable_rounded_total"))

	def validate_qty_is_not_zero(self):
		for item in self.items:
			if not flt(item.qty):
				frappe.throw(
					_("Row #{0}: Quantity for Item {1} cannot be zero.").format(
						item.idx, frappe.bold(item.item_code)
					),
					title=_("Invalid Quantity"),
					exc=InvalidQtyError,
				)

	def validate_date_with_fiscal_year(self):
		date_field = "posting_date" if self.meta.get_field("posting_date") else "transaction_date"
		get_fiscal_years(self.get(date_field), label=self.meta.get_label(date_field), company=self.company)

	def validate_party_accounts(self):
		if self.doctype != "Sales Invoice":
			return
		for item in self.items:
			if item.income_account and item.income_account == self.debit_to:
				frappe.throw(
					_("Row {0}: {1} {2} cannot be same as {3} (Party Account) {4}").format(
						item.idx,
						frappe.bold("Income Account"),
						item.income_account,
						frappe.bold("Debit To"),
						self.debit_to,
					)
				)

	def validate_against_voucher_outstanding(self):
		"""A credit note larger than what is still open cannot settle the original: it stays open itself."""
		if self.doctype != "Sales Invoice" or not (self.is_return and self.return_against) or self.is_pos:
			return
		outstanding = flt(frappe.db.get_value(self.doctype, self.return_against, "outstanding_amount"))
		against = get_link_to_form(self.doctype, self.return_against)
		if self.update_outstanding_for_self:
			frappe.msgprint(
				_(
					"We can see {0} is made against {1}. If you want {1}'s outstanding to be updated, uncheck '{2}' checkbox."
				).format(frappe.bold("Credit Note"), against, frappe.bold(_("Update Outstanding for Self")))
			)
		elif abs(flt(self.rounded_total) or flt(self.grand_total)) > outstanding:
			self.update_outstanding_for_self = 1
			frappe.msgprint(
				_(
					"The outstanding amount {} in {} is lesser than {}. Updating the outstanding to this invoice."
				).format(outstanding, against, flt(abs(self.outstanding_amount)))
			)

	def validate_tax_account_company(self):
		for tax in self.get("taxes") or []:
			if (
				tax.account_head
				and frappe.get_cached_value("Account", tax.account_head, "company") != self.company
			):
				frappe.throw(
					_("Row #{0}: Account {1} does not belong to company {2}").format(
						tax.idx, tax.account_head, self.company
					)
				)

	def validate_due_date(self):
		if self.doctype != "Sales Invoice" or self.is_pos or self.is_return or self.is_opening == "Yes":
			return
		if not self.due_date:
			frappe.throw(_("Due Date is mandatory"))
		validate_due_date(self.posting_date, self.due_date, doctype=self.doctype)

	def validate_party(self):
		validate_party_frozen_disabled("Customer", self.get("customer"))

	def validate_currency(self):
		"""A customer billed in a currency of their own can be billed in that one only."""
		if not self.get("customer"):
			return
		currency = get_party_account_currency("Customer", self.customer, self.company)
		if currency and currency not in (self.company_currency, self.currency):
			frappe.throw(
				_("Accounting Entry for {0}: {1} can only be made in currency: {2}").format(
					"Customer", self.customer, currency
				),
				InvalidCurrency,
			)

	def validate_party_account_currency(self):
		if self.doctype != "Sales Invoice" or self.is_opening == "Yes":
			return
		account_currency = get_account_currency(self.debit_to)
		if (
			account_currency != self.currency
			and not get_party_gle_currency("Customer", self.customer, self.company)
			and not cint(
				frappe.db.get_single_value(
					"Accounts Settings", "allow_multi_currency_invoices_against_single_party_account"
				)
			)
		):
			frappe.throw(
				_("Party Account {0} currency ({1}) and document currency ({2}) should be same").format(
					frappe.bold(self.debit_to), account_currency, self.currency
				)
			)

	def validate_return_against_account(self):
		if self.doctype != "Sales Invoice" or not (self.is_return and self.return_against):
			return
		original = frappe.db.get_value(self.doctype, self.return_against, "debit_to")
		if original != self.debit_to:
			frappe.throw(
				_(
					"Please set {0} to {1}, the same account that was used in the original invoice {2}."
				).format(
					frappe.bold(_(self.meta.get_label("debit_to"))),
					frappe.bold(original),
					frappe.bold(self.return_against),
				)
			)

	def check_conversion_rate(self):
		currency = self.company_currency
		if not currency:
			throw(_("Please enter default currency in Company Master"))
		if not self.conversion_rate:
			throw(_("Conversion rate cannot be 0"))
		if self.currency == currency and flt(self.conversion_rate) != 1:
			throw(_("Conversion rate must be 1.00 if document currency is same as company currency"))
		if self.currency != currency and flt(self.conversion_rate) == 1:
			frappe.msgprint(
				_("Conversion rate is 1.00, but document currency is different from company currency")
			)

	def raise_missing_debit_credit_account_error(self, party_type, party):
		company = get_link_to_form("Company", self.company)
		frappe.throw(
			_("{0} Account not found against Customer {1}.").format(
				frappe.bold(_("Debit To")), frappe.bold(party) or ""
			)
			+ "<br>"
			+ _("Please set one of the following:")
			+ "<br><ul><li>"
			+ _("'Account' in the Accounting section of Customer {0}").format(
				get_link_to_form(party_type, party)
			)
			+ "</li><li>"
			+ _("'Default {0} Account' in Company {1}").format("Receivable", company)
			+ "</li></ul>",
			title=_("Account Missing"),
			exc=AccountMissingError,
		)

	def get_company_default(self, fieldname, ignore_validation=False):
		from erpnext.accounts.utils import get_company_default

		return get_company_default(self.company, fieldname, ignore_validation=ignore_validation)

	def get_gl_dict(self, args, account_currency=None, item=None):
		"""Return a ledger row with what all rows of this voucher share.

		`args` gives debit or credit in company currency; the amounts in account currency follow from the
		document's conversion rate where they are not given.
		"""
		posting_date = args.get("posting_date") or self.get("posting_date")
		years = get_fiscal_years(posting_date, company=self.company)
		if len(years) > 1:
			frappe.throw(
				_("Multiple fiscal years exist for the date {0}. Please set company in Fiscal Year").format(
					formatdate(posting_date)
				)
			)
		row = frappe._dict(
			{
				"company": self.company,
				"posting_date": posting_date,
				"fiscal_year": years[0][0],
				"voucher_type": self.doctype,
				"voucher_no": self.name,
				"voucher_subtype": self.get_voucher_subtype(),
				"remarks": self.get("remarks"),
				"debit": 0,
				"credit": 0,
				"debit_in_account_currency": 0,
				"credit_in_account_currency": 0,
				"is_opening": self.get("is_opening") or "No",
				"party_type": None,
				"party": None,
			}
		)
		row.update(args)

		account_currency = account_currency or get_account_currency(row.account)
		if self.doctype != "Payment Entry":
			self.validate_account_currency(row.account, account_currency)
			set_balance_in_account_currency(
				row, account_currency, self.get("conversion_rate"), self.company_currency
			)
		return row

	def get_voucher_subtype(self):
		if self.doctype == "Payment Entry":
			return self.payment_type
		if self.doctype == "Sales Invoice" and self.is_return:
			return "Credit Note"
		if self.doctype == "Sales Invoice" and self.is_debit_note:
			return "Debit Note"
		return self.doctype

	def validate_account_currency(self, account, account_currency=None):
		valid = [self.company_currency]
		if self.get("currency") and self.currency != self.company_currency:
			valid.append(self.currency)
		if account_currency not in valid:
			frappe.throw(
				_("Account {0} is invalid. Account Currency must be {1}").format(
					account, (" " + _("or") + " ").join(valid)
				)
			)

	def set_transaction_currency_and_rate_in_gl_map(self, gl_entries):
		for row in gl_entries:
			row["transaction_currency"] = self.currency
			row["transaction_exchange_rate"] = self.get("conversion_rate") or 1

	def make_gl_entries_on_cancel(self):
		if frappe.db.exists(
			"GL Entry", {"voucher_type": self.doctype, "voucher_no": self.name, "is_cancelled": 0}
		):
			self.make_gl_entries()

	def on_cancel(self):
		if self.doctype == "Sales Invoice" and cint(
			frappe.db.get_single_value("Accounts Settings", "unlink_payment_on_cancellation_of_invoice")
		):
			self.unlink_payments()

	def unlink_payments(self):
		"""Turn payments of a cancelled invoice into unallocated ones."""
		names = set(
			frappe.get_all(
				"Payment Entry Reference",
				filters={"reference_doctype": self.doctype, "reference_name": self.name, "docstatus": 1},
				pluck="parent",
			)
		)
		for name in names:
			frappe.get_doc("Payment Entry", name).unallocate(self.doctype, self.name)

	def on_trash(self):
		if cint(frappe.db.get_single_value("Accounts Settings", "delete_linked_ledger_entries")):
			frappe.db.delete("GL Entry", {"voucher_type": self.doctype, "voucher_no": self.name})


def set_balance_in_account_currency(
	gl_dict, account_currency=None, conversion_rate=None, company_currency=None
):
	"""Fill the account-currency side of a row from its company-currency side."""
	if not conversion_rate and account_currency != company_currency:
		frappe.throw(
			_("Account: {0} with currency: {1} can not be selected").format(gl_dict.account, account_currency)
		)
	gl_dict["account_currency"] = account_currency
	for side in ("debit", "credit"):
		amount = flt(gl_dict.get(side))
		if amount and not flt(gl_dict.get(f"{side}_in_account_currency")):
			if account_currency != company_currency:
				amount = flt(amount / conversion_rate, 2)
			gl_dict[f"{side}_in_account_currency"] = amount


def validate_conversion_rate(currency, conversion_rate, conversion_rate_label, company):
	"""A document in a foreign currency needs a rate."""
	if not conversion_rate:
		throw(
			_("{0} is mandatory. Maybe Currency Exchange record is not created for {1} to {2}.").format(
				conversion_rate_label, currency, erpnext.get_company_currency(company)
			)
		)


def validate_taxes_and_charges(tax):
	"""Check a tax row's reference to an earlier row."""
	on_previous = tax.charge_type in ("On Previous Row Amount", "On Previous Row Total")
	if not on_previous and tax.row_id:
		throw(_("Can refer row only if the charge type is 'On Previous Row Amount' or 'Previous Row Total'"))
	if on_previous:
		if cint(tax.idx) == 1:
			throw(
				_(
					"Cannot select charge type as 'On Previous Row Amount' or 'On Previous Row Total' for first row"
				)
			)
		if not tax.row_id:
			throw(_("Please specify a valid Row ID for row {0} in table {1}").format(tax.idx, _(tax.doctype)))
		if cint(tax.row_id) >= cint(tax.idx):
			throw(
				_("Cannot refer row number greater than or equal to current row number for this Charge type")
			)
	if tax.charge_type == "Actual":
		tax.rate = None


def validate_inclusive_tax(tax, doc):
	"""Only a percentage can be inside a price, and only together with the rows it builds on."""
	if not cint(tax.included_in_print_rate):
		return
	if tax.charge_type == "Actual":
		throw(
			_("Charge of type 'Actual' in row {0} cannot be included in Item Rate or Paid Amount").format(
				tax.idx
			)
		)
	if tax.charge_type not in ("On Previous Row Amount", "On Previous Row Total"):
		return
	last = cint(tax.row_id)
	first = last if tax.charge_type == "On Previous Row Amount" else 1
	if not all(cint(doc.taxes[position - 1].included_in_print_rate) for position in range(first, last + 1)):
		rows = f"{first} - {last}" if first != last else last
		throw(
			_("To include tax in row {0} in Item rate, taxes in rows {1} must also be included").format(
				tax.idx, rows
			)
		)


def validate_account_head(idx, account, company, context=""):
	"""An account in a table is a leaf of the document's company."""
	account_company, is_group = frappe.get_cached_value("Account", account, ["company", "is_group"]) or (
		None,
		0,
	)
	if account_company != company:
		frappe.throw(
			_("Row {0}: {3} Account {1} does not belong to Company {2}").format(
				idx, frappe.bold(account), frappe.bold(company), context
			),
			title=_("Invalid Account"),
		)
	if is_group:
		frappe.throw(
			_("Row {0}: Account {1} is a Group Account").format(idx, frappe.bold(account)),
			title=_("Invalid Account"),
		)


@frappe.whitelist()
def get_taxes_and_charges(master_doctype, master_name):
	"""Return the rows of a tax template, ready to be put into a document."""
	if master_doctype != "Sales Taxes and Charges Template" or not master_name:
		return None
	template = frappe.get_doc(master_doctype, master_name)
	template.check_permission("read")
	return [row.as_dict(no_default_fields=True) for row in template.taxes]


def update_invoice_status():
	"""Mark unpaid invoices past their due date as overdue. Runs daily."""
	invoice = frappe.qb.DocType("Sales Invoice")
	(
		frappe.qb.update(invoice)
		.set(
			invoice.status,
			Case().when(invoice.status.like("%Discounted"), "Overdue and Discounted").else_("Overdue"),
		)
		.where((invoice.docstatus == 1) & (invoice.outstanding_amount > 0))
		.where(invoice.status.like("Unpaid%") | invoice.status.like("Partly Paid%"))
		.where(invoice.due_date < getdate())
	).run()
