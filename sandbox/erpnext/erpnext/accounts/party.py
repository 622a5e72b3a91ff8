"""What a document takes over from its customer: account, currency, due date, names."""

import frappe
from frappe import _
from frappe.query_builder.functions import Sum
from frappe.utils import flt, getdate, nowdate

import erpnext
from erpnext.accounts.utils import get_fiscal_year
from erpnext.exceptions import InvalidAccountCurrency, PartyDisabled, PartyFrozen


class DuplicatePartyAccountError(frappe.ValidationError):
	pass


@frappe.whitelist()
def get_party_details(
	party=None,
	account=None,
	party_type="Customer",
	company=None,
	posting_date=None,
	bill_date=None,
	price_list=None,
	currency=None,
	doctype=None,
	ignore_permissions=False,
	fetch_payment_terms_template=True,
	party_address=None,
	company_address=None,
	shipping_address=None,
	dispatch_address=None,
	pos_profile=None,
):
	"""Return the fields a new document of `doctype` copies from its party.

	`ignore_permissions` is honoured for Python callers only: over HTTP the party must be readable.
	"""
	if not party:
		return frappe._dict()
	if not frappe.db.exists(party_type, party):
		frappe.throw(_("{0}: {1} does not exists").format(party_type, party))

	doc = frappe.get_cached_doc(party_type, party)
	if not ignore_permissions or _called_over_http():
		doc.check_permission("read")

	details = frappe._dict({party_type.lower(): party})
	if doctype in ("Sales Invoice", "POS Invoice"):
		details.debit_to = get_party_account(party_type, party, company)
		details.due_date = get_due_date(posting_date, party_type, party, company, bill_date)
	for field in ("customer_name", "customer_group", "territory", "language", "tax_id"):
		details[field] = doc.get(field)
	details.contact_email = doc.get("email_id")
	details.contact_mobile = doc.get("mobile_no")
	details.selling_price_list = get_default_price_list(doc) or price_list
	if details.selling_price_list:
		details.price_list_currency = frappe.get_cached_value(
			"Price List", details.selling_price_list, "currency"
		)
	details.currency = doc.get("default_currency") or currency or erpnext.get_company_currency(company)
	return details


def _called_over_http():
	form_dict = getattr(frappe.local, "form_dict", None) or {}
	return bool(getattr(frappe.local, "request", None)) and "party.get_party_details" in (
		form_dict.get("cmd") or frappe.local.request.path
	)


def get_default_price_list(party):
	"""Return the price list of a party (Document), else that of its group."""
	return party.get("default_price_list") or (
		party.get("customer_group")
		and frappe.get_cached_value("Customer Group", party.customer_group, "default_price_list")
	)


@frappe.whitelist()
def get_party_account(party_type, party=None, company=None, include_advance=False):
	"""Return the receivable account of a party: its own, its group's, the company's.

	A party with ledger entries keeps the account of the currency it was booked in.
	"""
	if not company:
		frappe.throw(_("Please select a Company"))

	default_account = frappe.get_cached_value("Company", company, "default_receivable_account")
	if not party:
		return default_account

	account = _party_account_row(party_type, party, company)
	if not account and party_type == "Customer":
		group = frappe.get_cached_value("Customer", party, "customer_group")
		account = group and _party_account_row("Customer Group", group, company)
	account = account or default_account

	booked_currency = get_party_gle_currency(party_type, party, company)
	if booked_currency and (
		not account or frappe.get_cached_value("Account", account, "account_currency") != booked_currency
	):
		account = get_party_gle_account(party_type, party, company)
	return [account] if include_advance else account


def _party_account_row(parenttype, parent, company):
	rows = frappe.get_cached_doc(parenttype, parent).accounts
	return next((row.account for row in rows if row.company == company), None)


def get_party_account_currency(party_type, party, company):
	"""Return the currency of the account a party is booked on."""
	account = get_party_account(party_type, party, company)
	return account and frappe.get_cached_value("Account", account, "account_currency")


def get_party_gle_currency(party_type, party, company):
	"""Return the currency of a party's existing ledger entries, None before the first."""
	return frappe.db.get_value(
		"GL Entry",
		{"docstatus": 1, "company": company, "party_type": party_type, "party": party, "is_cancelled": 0},
		"account_currency",
	)


def get_party_gle_account(party_type, party, company):
	"""Return the account of a party's existing ledger entries, None before the first."""
	return frappe.db.get_value(
		"GL Entry", {"docstatus": 1, "company": company, "party_type": party_type, "party": party}, "account"
	)


def validate_party_gle_currency(party_type, party, company, party_account_currency=None):
	"""Refuse an account whose currency differs from the party's existing entries."""
	party_account_currency = party_account_currency or get_party_account_currency(party_type, party, company)
	booked = get_party_gle_currency(party_type, party, company)
	if booked and party_account_currency != booked:
		frappe.throw(
			_(
				"{0} {1} has accounting entries in currency {2} for company {3}. Please select a receivable or payable account with currency {2}."
			).format(frappe.bold(party_type), frappe.bold(party), frappe.bold(booked), frappe.bold(company)),
			InvalidAccountCurrency,
		)


def validate_party_accounts(doc):
	"""One account per company, of that company, in a currency the party can be billed in."""
	from erpnext.controllers.accounts_controller import validate_account_head

	companies = set()
	for row in doc.get("accounts"):
		if row.company in companies:
			frappe.throw(
				_("There can only be 1 Account per Company in {0} {1}").format(doc.doctype, doc.name),
				DuplicatePartyAccountError,
			)
		companies.add(row.company)
		if not row.account:
			continue

		account_currency = frappe.get_cached_value("Account", row.account, "account_currency")
		default_company = frappe.db.get_default("Company") or row.company
		company_currency = frappe.get_cached_value("Company", default_company, "default_currency")
		if doc.doctype == "Customer":
			validate_party_gle_currency(doc.doctype, doc.name, row.company, account_currency)
		if doc.get("default_currency") and doc.default_currency not in (account_currency, company_currency):
			frappe.throw(
				_(
					"Billing currency must be equal to either default company's currency or party account currency"
				)
			)
		validate_account_head(row.idx, row.account, row.company)


@frappe.whitelist()
def get_due_date(posting_date, party_type, party, company=None, bill_date=None, template_name=None):
	"""Return the due date: without payment terms, the day of the bill."""
	if not party or not (bill_date or posting_date):
		return None
	return max(getdate(bill_date or posting_date), getdate(posting_date))


def validate_due_date(posting_date, due_date, bill_date=None, template_name=None, doctype=None):
	"""A bill cannot be due before it is posted."""
	if due_date and getdate(due_date) < getdate(posting_date):
		frappe.throw(
			_("Due Date cannot be before {0}").format(
				_("Posting Date") if doctype == "Sales Invoice" else _("Supplier Invoice Date")
			)
		)


def validate_party_frozen_disabled(party_type, party_name):
	"""Refuse documents for disabled parties, and for frozen ones unless the user may modify them."""
	if frappe.flags.ignore_party_validation or party_type != "Customer" or not party_name:
		return
	party = frappe.get_cached_value(party_type, party_name, ["is_frozen", "disabled"], as_dict=True)
	if party.disabled:
		frappe.throw(_("{0} {1} is disabled").format(party_type, party_name), PartyDisabled)
	elif party.is_frozen:
		modifier = frappe.db.get_single_value("Accounts Settings", "frozen_accounts_modifier")
		if modifier not in frappe.get_roles():
			frappe.throw(_("{0} {1} is frozen").format(party_type, party_name), PartyFrozen)


def get_dashboard_info(party_type, party, loyalty_program=None):
	"""Return, per company a party was billed by: billing this year, total unpaid, loyalty points."""
	year = get_fiscal_year(nowdate(), as_dict=True)
	si = frappe.qb.DocType("Sales Invoice")
	this_year = {
		row.company: row
		for row in (
			frappe.qb.from_(si)
			.select(
				si.company, Sum(si.grand_total).as_("grand_total"), Sum(si.base_grand_total).as_("base_total")
			)
			.where((si.docstatus == 1) & (si.customer == party))
			.where(si.posting_date[getdate(year.year_start_date) : getdate(year.year_end_date)])
			.groupby(si.company)
		).run(as_dict=True)
	}

	gle = frappe.qb.DocType("GL Entry")
	unpaid = dict(
		frappe.qb.from_(gle)
		.select(gle.company, Sum(gle.debit_in_account_currency) - Sum(gle.credit_in_account_currency))
		.where((gle.party_type == party_type) & (gle.party == party) & (gle.is_cancelled == 0))
		.groupby(gle.company)
		.run()
	)

	lpe = frappe.qb.DocType("Loyalty Point Entry")
	points = dict(
		frappe.qb.from_(lpe)
		.select(lpe.company, Sum(lpe.loyalty_points))
		.where((lpe.customer == party) & (lpe.expiry_date >= getdate()))
		.groupby(lpe.company)
		.run()
	)

	info = []
	for company in frappe.get_all(
		"Sales Invoice", filters={"docstatus": 1, "customer": party}, distinct=True, pluck="company"
	):
		currency = get_party_account_currency(party_type, party, company)
		billed = this_year.get(company) or {}
		in_company_currency = currency == erpnext.get_company_currency(company)
		row = {
			"billing_this_year": flt(billed.get("base_total" if in_company_currency else "grand_total"), 2),
			"currency": currency,
			"total_unpaid": flt(unpaid.get(company), 2),
			"company": company,
		}
		if points:
			row["loyalty_points"] = points.get(company)
		info.append(row)
	return info
