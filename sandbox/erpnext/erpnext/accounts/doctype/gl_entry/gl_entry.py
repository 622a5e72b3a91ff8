import frappe
from frappe import _
from frappe.model.document import Document
from frappe.query_builder.functions import Sum
from frappe.utils import flt

import erpnext
from erpnext.accounts.party import validate_party_frozen_disabled, validate_party_gle_currency
from erpnext.accounts.utils import get_account_currency, get_fiscal_year
from erpnext.exceptions import InvalidAccountCurrency

exclude_from_linked_with = True


class GLEntry(Document):
	def autoname(self):
		# a series would make every posting wait for the one before it
		self.name = frappe.generate_hash(length=10)

	def validate(self):
		self.flags.ignore_submit_comment = True
		if not self.fiscal_year:
			self.fiscal_year = get_fiscal_year(self.posting_date, company=self.company)[0]
		self.account_details = frappe.get_cached_value(
			"Account", self.account, ["is_group", "company", "account_type", "report_type"], as_dict=True
		)
		self.check_mandatory()
		self.validate_account()
		self.validate_cost_center()
		self.validate_party()
		self.validate_currency()

	def check_mandatory(self):
		for field in ("account", "voucher_type", "voucher_no", "company"):
			if not self.get(field):
				frappe.throw(_("{0} is required").format(_(self.meta.get_label(field))))

		if not self.is_cancelled and not (self.party_type and self.party):
			account_type = self.account_details.account_type
			if account_type in ("Receivable", "Payable"):
				message = (
					_("{0} {1}: Customer is required against Receivable account {2}")
					if account_type == "Receivable"
					else _("{0} {1}: Supplier is required against Payable account {2}")
				)
				frappe.throw(message.format(self.voucher_type, self.voucher_no, self.account))

		if not flt(self.debit, self.precision("debit")) and not flt(self.credit, self.precision("credit")):
			frappe.throw(
				_("{0} {1}: Either debit or credit amount is required for {2}").format(
					self.voucher_type, self.voucher_no, self.account
				)
			)

	def validate_account(self):
		if self.account_details.is_group:
			frappe.throw(
				_(
					"{0} {1}: Account {2} is a Group Account and group accounts cannot be used in transactions"
				).format(self.voucher_type, self.voucher_no, self.account)
			)
		if self.account_details.company != self.company:
			frappe.throw(
				_("{0} {1}: Account {2} does not belong to Company {3}").format(
					self.voucher_type, self.voucher_no, self.account, self.company
				)
			)
		if self.account_details.report_type != "Profit and Loss":
			return
		if not self.cost_center:
			frappe.throw(
				_("{0} {1}: Cost Center is required for 'Profit and Loss' account {2}.").format(
					self.voucher_type, self.voucher_no, self.account
				)
				+ " "
				+ _(
					"Please set the cost center field in {0} or setup a default Cost Center for the Company."
				).format(self.voucher_type),
				title=_("Missing Cost Center"),
			)
		if self.is_opening == "Yes" and not self.is_cancelled:
			frappe.throw(
				_("{0} {1}: 'Profit and Loss' type account {2} not allowed in Opening Entry").format(
					self.voucher_type, self.voucher_no, self.account
				)
			)

	def validate_cost_center(self):
		if not self.cost_center:
			return
		is_group, company = frappe.get_cached_value("Cost Center", self.cost_center, ["is_group", "company"])
		if company != self.company:
			frappe.throw(
				_("{0} {1}: Cost Center {2} does not belong to Company {3}").format(
					self.voucher_type, self.voucher_no, self.cost_center, self.company
				)
			)
		if is_group:
			frappe.throw(
				_(
					"{0} {1}: Cost Center {2} is a group cost center and group cost centers cannot be used in transactions"
				).format(self.voucher_type, self.voucher_no, frappe.bold(self.cost_center))
			)

	def validate_party(self):
		validate_party_frozen_disabled(self.party_type, self.party)
		if self.is_cancelled or not (self.party_type and self.party):
			return
		account_type = self.account_details.account_type
		if account_type and account_type not in ("Receivable", "Payable", "Equity"):
			frappe.throw(
				_("Party Type and Party can only be set for Receivable / Payable account<br><br>{0}").format(
					self.account
				)
			)

	def validate_currency(self):
		if self.is_cancelled:
			return
		account_currency = get_account_currency(self.account)
		self.account_currency = self.account_currency or account_currency
		if account_currency != self.account_currency:
			frappe.throw(
				_("{0} {1}: Accounting Entry for {2} can only be made in currency: {3}").format(
					self.voucher_type,
					self.voucher_no,
					self.account,
					account_currency or erpnext.get_company_currency(self.company),
				),
				InvalidAccountCurrency,
			)
		if self.party_type and self.party:
			validate_party_gle_currency(self.party_type, self.party, self.company, self.account_currency)

	def on_cancel(self):
		frappe.throw(
			_("Individual GL Entry cannot be cancelled.") + "<br>" + _("Please cancel related transaction.")
		)


def update_outstanding_amt(
	account, party_type, party, against_voucher_type, against_voucher, on_cancel=False
):
	"""Set an invoice's outstanding amount, in the currency of its receivable account, from the ledger.

	Everything booked against the invoice on its receivable account counts, whichever voucher booked it.
	"""
	if against_voucher_type != "Sales Invoice":
		return

	doc = frappe.get_doc(against_voucher_type, against_voucher)
	gle = frappe.qb.DocType("GL Entry")
	query = (
		frappe.qb.from_(gle)
		.select(Sum(gle.debit_in_account_currency) - Sum(gle.credit_in_account_currency))
		.where((gle.against_voucher_type == against_voucher_type) & (gle.against_voucher == against_voucher))
		.where(gle.account.isin(list({account, doc.debit_to} - {None})))
	)
	if party_type and party:
		query = query.where((gle.party_type == party_type) & (gle.party == party))

	doc.outstanding_amount = flt(query.run()[0][0], doc.precision("outstanding_amount"))
	frappe.db.set_value(against_voucher_type, against_voucher, "outstanding_amount", doc.outstanding_amount)
	doc.set_status(update=True)


def on_doctype_update():
	frappe.db.add_index("GL Entry", ["voucher_type", "voucher_no"])
	frappe.db.add_index("GL Entry", ["against_voucher_type", "against_voucher"])
	frappe.db.add_index("GL Entry", ["posting_date", "company"])
	frappe.db.add_index("GL Entry", ["party_type", "party"])
