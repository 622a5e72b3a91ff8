"""Lookups over fiscal years, accounts and balances, at ERPNext's paths and with its signatures."""

import frappe
from frappe import _
from frappe.utils import cstr, formatdate, getdate


class FiscalYearError(frappe.ValidationError):
	pass


def get_fiscal_years(
	transaction_date=None,
	fiscal_year=None,
	label="Date",
	verbose=1,
	company=None,
	as_dict=False,
	boolean=False,
):
	"""Return the active fiscal years a date falls into, newest first.

	Raises FiscalYearError when there is none, unless `boolean` asks for a plain False.
	"""
	years = _active_fiscal_years(company)
	if not transaction_date and not fiscal_year:
		return years

	date = getdate(transaction_date) if transaction_date else None
	for year in years:
		by_name = fiscal_year and year.name == fiscal_year
		by_date = date and getdate(year.year_start_date) <= date <= getdate(year.year_end_date)
		if by_name or by_date:
			return (year,) if as_dict else ((year.name, year.year_start_date, year.year_end_date),)

	if boolean:
		return False

	message = _("{0} {1} is not in any active Fiscal Year").format(_(label), formatdate(transaction_date))
	if company:
		message = _("{0} for {1}").format(message, frappe.bold(company))
	if verbose == 1:
		frappe.msgprint(message)
	raise FiscalYearError(message)


def _active_fiscal_years(company):
	"""Fiscal years open to a company: those naming it, and those naming nobody."""
	cached = frappe.cache().hget("fiscal_years", company or "")
	if cached:
		return cached

	years = frappe.get_all(
		"Fiscal Year",
		filters={"disabled": 0},
		fields=["name", "year_start_date", "year_end_date"],
		order_by="year_start_date desc",
	)
	if company:
		restricted = {}
		for row in frappe.get_all("Fiscal Year Company", fields=["parent", "company"]):
			restricted.setdefault(row.parent, set()).add(row.company)
		years = [year for year in years if company in restricted.get(year.name, {company})]

	if years:
		frappe.cache().hset("fiscal_years", company or "", years)
	return years


def get_fiscal_year(
	date=None, fiscal_year=None, label="Date", verbose=1, company=None, as_dict=False, boolean=False
):
	"""Return the one fiscal year of a date as (name, start, end), or a dict, or a bool."""
	years = get_fiscal_years(date, fiscal_year, label, verbose, company, as_dict=as_dict, boolean=boolean)
	return bool(years) if boolean else years[0]


def get_account_currency(account):
	"""Return the currency an account is kept in."""
	if not account:
		return None
	currency, company = frappe.get_cached_value("Account", account, ["account_currency", "company"])
	return currency or frappe.get_cached_value("Company", company, "default_currency")


def get_company_default(company, fieldname, ignore_validation=False):
	"""Return a default from the Company, or throw naming the missing field."""
	value = frappe.get_cached_value("Company", company, fieldname)
	if not value and not ignore_validation:
		frappe.throw(
			_("Please set default {0} in Company {1}").format(
				frappe.get_meta("Company").get_label(fieldname), company
			)
		)
	return value


def get_autoname_with_number(number_value, doc_title, company):
	"""Return "1000 - Title - ABBR", without the number when there is none."""
	parts = [
		cstr(number_value).strip(),
		doc_title.strip(),
		frappe.get_cached_value("Company", company, "abbr"),
	]
	return " - ".join(part for part in parts if part)


def update_voucher_outstanding(voucher_type, voucher_no, account, party_type, party):
	"""Recompute an invoice's outstanding amount from the ledger and refresh its status."""
	from erpnext.accounts.doctype.gl_entry.gl_entry import update_outstanding_amt

	update_outstanding_amt(account, party_type, party, voucher_type, voucher_no)


@frappe.whitelist()
def get_children(doctype, parent, company, is_root=False):
	"""Return the child nodes of an account or cost center for the tree view."""
	parent_field = "parent_" + doctype.lower().replace(" ", "_")
	filters = [["docstatus", "<", 2], ["company", "=", company]]
	# the tree's own root is not a node: it carries the doctype's plural as its name
	if frappe.utils.cint(is_root) or not frappe.db.exists(doctype, parent):
		filters.append([parent_field, "is", "not set"])
	else:
		filters.append([parent_field, "=", parent])
	return frappe.get_list(
		doctype, fields=["name as value", "is_group as expandable"], filters=filters, order_by="name"
	)
