import frappe
from frappe import _
from frappe.utils import flt, getdate, nowdate

import erpnext
from erpnext.accounts.doctype.sales_invoice.sales_invoice import get_bank_cash_account
from erpnext.accounts.party import validate_party_frozen_disabled
from erpnext.accounts.utils import get_account_currency
from erpnext.controllers.accounts_controller import AccountsController


class PaymentEntry(AccountsController):
	"""Money received from a customer (or paid back), allocated to sales invoices."""

	def validate(self):
		self.set_missing_values()
		self.validate_mandatory()
		self.set_amounts()
		self.validate_references()
		self.validate_bank_reference()
		self.title = self.party_name
		self.set_status()

	def on_submit(self):
		if flt(self.difference_amount):
			frappe.throw(_("Difference Amount must be zero"))
		self.make_gl_entries()
		self.set_status(update=True)

	def on_cancel(self):
		self.ignore_linked_doctypes = ("GL Entry",)
		self.make_gl_entries()
		self.set_status(update=True)

	def set_missing_values(self, for_validate=False):
		if self.payment_type not in ("Receive", "Pay") or self.party_type != "Customer":
			frappe.throw(_("Payment Type must be one of Receive, Pay and Internal Transfer"))
		if not self.party:
			frappe.throw(_("Party is mandatory"))
		validate_party_frozen_disabled(self.party_type, self.party)
		self.party_name = frappe.db.get_value("Customer", self.party, "customer_name")

		bank_field = "paid_to" if self.payment_type == "Receive" else "paid_from"
		if self.mode_of_payment and not self.get(bank_field):
			self.set(bank_field, get_bank_cash_account(self.mode_of_payment, self.company)["account"])
		for field in ("paid_from", "paid_to"):
			account = self.get(field)
			self.set(f"{field}_account_currency", get_account_currency(account))
			self.set(
				f"{field}_account_type",
				account and frappe.get_cached_value("Account", account, "account_type"),
			)
		for field, account in (("source_exchange_rate", "paid_from"), ("target_exchange_rate", "paid_to")):
			if self.get(f"{account}_account_currency") == self.company_currency:
				self.set(field, 1)

	@property
	def party_account_field(self):
		return "paid_from" if self.payment_type == "Receive" else "paid_to"

	@property
	def party_account(self):
		return self.get(self.party_account_field)

	@property
	def party_account_rate(self):
		return flt(
			self.source_exchange_rate
			if self.party_account_field == "paid_from"
			else self.target_exchange_rate
		)

	def validate_mandatory(self):
		for field in ("paid_amount", "received_amount", "source_exchange_rate", "target_exchange_rate"):
			if not self.get(field):
				frappe.throw(_("{0} is mandatory").format(self.meta.get_label(field)))

	def set_amounts(self):
		"""Compute base amounts, the part that is allocated and what is missing to a balanced entry."""
		self.base_paid_amount = flt(
			flt(self.paid_amount) * flt(self.source_exchange_rate), self.precision("base_paid_amount")
		)
		self.base_received_amount = flt(
			flt(self.received_amount) * flt(self.target_exchange_rate), self.precision("base_received_amount")
		)
		party_amount = self.paid_amount if self.payment_type == "Receive" else self.received_amount
		sign = 1 if self.payment_type == "Receive" else -1
		allocated = sum(flt(row.allocated_amount) for row in self.references)
		self.total_allocated_amount = abs(flt(allocated, self.precision("total_allocated_amount")))
		self.base_total_allocated_amount = flt(
			self.total_allocated_amount * self.party_account_rate,
			self.precision("base_total_allocated_amount"),
		)
		self.unallocated_amount = flt(party_amount - sign * allocated, self.precision("unallocated_amount"))
		self.difference_amount = flt(
			self.base_paid_amount - self.base_received_amount, self.precision("difference_amount")
		)

	def validate_references(self):
		for row in self.references:
			if row.reference_doctype != "Sales Invoice":
				frappe.throw(_("Reference Doctype must be one of {0}").format("Sales Invoice"))
			invoice = frappe.db.get_value(
				"Sales Invoice",
				row.reference_name,
				[
					"docstatus",
					"customer",
					"debit_to",
					"outstanding_amount",
					"grand_total",
					"due_date",
					"conversion_rate",
				],
				as_dict=True,
			)
			if not invoice:
				frappe.throw(_("{0} {1} does not exist").format(row.reference_doctype, row.reference_name))
			if invoice.customer != self.party:
				frappe.throw(
					_("{0} {1} is not associated with {2} {3}").format(
						row.reference_doctype, row.reference_name, self.party_type, self.party
					)
				)
			if invoice.docstatus != 1:
				frappe.throw(_("{0} {1} must be submitted").format(row.reference_doctype, row.reference_name))
			if invoice.debit_to != self.party_account:
				frappe.throw(
					_("{0} {1} is associated with {2}, but Party Account is {3}").format(
						row.reference_doctype, row.reference_name, invoice.debit_to, self.party_account
					)
				)
			if abs(flt(row.allocated_amount)) > abs(flt(invoice.outstanding_amount)):
				frappe.throw(
					_("Row #{0}: Allocated Amount cannot be greater than outstanding amount.").format(row.idx)
				)
			row.total_amount, row.outstanding_amount = invoice.grand_total, invoice.outstanding_amount
			row.due_date, row.exchange_rate = invoice.due_date, invoice.conversion_rate
		if flt(self.unallocated_amount) < 0:
			frappe.throw(_("Total Allocated Amount cannot be greater than {0}").format(self.paid_amount))

	def validate_bank_reference(self):
		bank = self.paid_to if self.payment_type == "Receive" else self.paid_from
		if frappe.get_cached_value("Account", bank, "account_type") == "Bank" and not (
			self.reference_no and self.reference_date
		):
			frappe.throw(_("Reference No and Reference Date is mandatory for Bank transaction"))

	def set_status(self, update=False):
		self.status = {0: "Draft", 1: "Submitted", 2: "Cancelled"}[int(self.docstatus)]
		if update:
			self.db_set("status", self.status)

	def make_gl_entries(self):
		from erpnext.accounts.general_ledger import make_gl_entries, make_reverse_gl_entries

		if self.docstatus == 2:
			make_reverse_gl_entries(voucher_type=self.doctype, voucher_no=self.name)
		else:
			make_gl_entries(self.get_gl_entries(), merge_entries=False)

	def get_gl_entries(self):
		"""Return a party row per invoice and one for the rest, the bank row, and the exchange difference."""
		bank_field = "paid_to" if self.payment_type == "Receive" else "paid_from"
		bank = self.get(bank_field)
		sign = 1 if self.payment_type == "Receive" else -1
		rows = []

		booked = 0.0
		for reference in self.references:
			amount = flt(reference.allocated_amount)
			# the receivable goes at the rate it was booked at
			base_amount = flt(amount * flt(reference.exchange_rate or 1), 2)
			if get_account_currency(self.party_account) == self.company_currency:
				base_amount = amount
			rows.append(self.get_party_row(amount, base_amount, bank, reference.reference_name))
			booked += base_amount
		if flt(self.unallocated_amount):
			amount = sign * flt(self.unallocated_amount)
			base_amount = flt(amount * self.party_account_rate, 2)
			rows.append(self.get_party_row(amount, base_amount, bank, None))
			booked += base_amount

		base_bank = sign * flt(
			self.base_received_amount if self.payment_type == "Receive" else self.base_paid_amount
		)
		bank_amount = sign * flt(self.received_amount if self.payment_type == "Receive" else self.paid_amount)
		rows.append(
			self.get_row(
				bank, "debit", bank_amount, base_bank, against=self.party, cost_center=self.cost_center
			)
		)

		difference = flt(base_bank - booked, 2)
		if difference:
			account = self.get_company_default("exchange_gain_loss_account")
			rows.append(
				self.get_row(
					account,
					"credit",
					difference,
					difference,
					against=self.party,
					cost_center=self.cost_center or erpnext.get_default_cost_center(self.company),
				)
			)
		return rows

	def get_party_row(self, amount, base_amount, bank, invoice):
		return self.get_row(
			self.party_account,
			"credit",
			amount,
			base_amount,
			party_type=self.party_type,
			party=self.party,
			against=bank,
			against_voucher_type="Sales Invoice" if invoice else None,
			against_voucher=invoice,
			cost_center=self.cost_center,
		)

	def get_row(self, account, side, amount, base_amount, **more):
		currency = get_account_currency(account)
		in_account_currency = base_amount if currency == self.company_currency else amount
		return self.get_gl_dict(
			{
				"account": account,
				"account_currency": currency,
				side: base_amount,
				f"{side}_in_account_currency": in_account_currency,
				f"{side}_in_transaction_currency": in_account_currency,
				"transaction_currency": currency,
				"transaction_exchange_rate": 1,
				**more,
			},
			currency,
		)

	def unallocate(self, doctype, name):
		"""Take an invoice that is being cancelled out of this payment: the money stays, unallocated."""
		rows = [
			row for row in self.references if (row.reference_doctype, row.reference_name) == (doctype, name)
		]
		freed = sum(flt(row.allocated_amount) for row in rows)
		for row in rows:
			frappe.db.delete("Payment Entry Reference", {"name": row.name})
		sign = 1 if self.payment_type == "Receive" else -1
		self.db_set(
			{
				"total_allocated_amount": flt(self.total_allocated_amount) - abs(freed),
				"unallocated_amount": flt(self.unallocated_amount) + sign * freed,
			}
		)
		gle = frappe.qb.DocType("GL Entry")
		(
			frappe.qb.update(gle)
			.set(gle.against_voucher, None)
			.set(gle.against_voucher_type, None)
			.where((gle.voucher_type == self.doctype) & (gle.voucher_no == self.name))
			.where((gle.against_voucher_type == doctype) & (gle.against_voucher == name))
		).run()


@frappe.whitelist()
def get_payment_entry(
	dt,
	dn,
	party_amount=None,
	bank_account=None,
	bank_amount=None,
	party_type=None,
	payment_type=None,
	reference_date=None,
	ignore_permissions=False,
	created_from_payment_request=False,
):
	"""Return the draft of a payment that settles what is open of a sales invoice."""
	invoice = frappe.get_doc(dt, dn)
	invoice.check_permission("read")
	outstanding = flt(party_amount) or flt(invoice.outstanding_amount)
	receives = outstanding >= 0
	company = frappe.get_cached_doc("Company", invoice.company)
	bank = bank_account or company.default_cash_account
	rate = invoice.conversion_rate if invoice.party_account_currency != company.default_currency else 1
	bank_rate = rate if get_account_currency(bank) == invoice.party_account_currency else 1
	bank_total = abs(flt(outstanding * rate / bank_rate, 2))

	payment = frappe.new_doc("Payment Entry")
	payment.update(
		{
			"payment_type": "Receive" if receives else "Pay",
			"company": invoice.company,
			"posting_date": getdate(nowdate()),
			"reference_date": reference_date,
			"mode_of_payment": None
			if bank_account
			else frappe.db.get_value("Mode of Payment", {"type": "Cash"}),
			"party_type": "Customer",
			"party": invoice.customer,
			"party_name": invoice.customer_name,
			"paid_from": invoice.debit_to if receives else bank,
			"paid_to": bank if receives else invoice.debit_to,
			"paid_amount": abs(outstanding) if receives else bank_total,
			"received_amount": bank_total if receives else abs(outstanding),
			"source_exchange_rate": rate if receives else bank_rate,
			"target_exchange_rate": bank_rate if receives else rate,
			"cost_center": invoice.cost_center,
		}
	)
	payment.append(
		"references",
		{
			"reference_doctype": dt,
			"reference_name": dn,
			"due_date": invoice.due_date,
			"total_amount": invoice.grand_total,
			"outstanding_amount": invoice.outstanding_amount,
			"allocated_amount": outstanding,
			"exchange_rate": invoice.conversion_rate,
		},
	)
	payment.set_missing_values()
	payment.set_amounts()
	return payment
