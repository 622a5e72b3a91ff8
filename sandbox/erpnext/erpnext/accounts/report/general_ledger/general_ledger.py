import frappe
from frappe import _
from frappe.query_builder.functions import Sum
from frappe.utils import flt, getdate

import erpnext


def execute(filters=None):
	"""Ledger rows of a company between two dates, with a running balance in company currency."""
	filters = frappe._dict(filters or {})
	if not filters.company:
		frappe.throw(_("{0} is mandatory").format(_("Company")))
	frappe.has_permission("Company", doc=filters.company, throw=True)
	filters.from_date, filters.to_date = getdate(filters.from_date), getdate(filters.to_date)
	return get_columns(filters), get_data(filters)


def get_columns(filters):
	currency = erpnext.get_company_currency(filters.company)

	def column(fieldname, label, fieldtype="Data", width=140, **more):
		return {"fieldname": fieldname, "label": label, "fieldtype": fieldtype, "width": width, **more}

	return [
		column("posting_date", _("Posting Date"), "Date", 110),
		column("account", _("Account"), width=190),
		column("debit", _("Debit ({0})").format(currency), "Currency", 120, options="currency"),
		column("credit", _("Credit ({0})").format(currency), "Currency", 120, options="currency"),
		column("balance", _("Balance ({0})").format(currency), "Currency", 120, options="currency"),
		column("voucher_type", _("Voucher Type"), width=120),
		column("voucher_no", _("Voucher No"), "Dynamic Link", 190, options="voucher_type"),
		column("against", _("Against Account"), width=160),
		column("party", _("Party"), width=150),
		column("cost_center", _("Cost Center"), "Link", 120, options="Cost Center"),
		column("against_voucher", _("Against Voucher"), "Dynamic Link", 180, options="against_voucher_type"),
		column("remarks", _("Remarks"), width=200),
	]


def get_data(filters):
	gle = frappe.qb.DocType("GL Entry")
	currency = erpnext.get_company_currency(filters.company)

	def narrowed(query):
		query = query.where(gle.company == filters.company)
		if not filters.show_cancelled_entries:
			query = query.where(gle.is_cancelled == 0)
		for field in ("account", "party", "voucher_no", "cost_center", "against_voucher"):
			if filters.get(field):
				query = query.where(gle[field] == filters.get(field))
		return query

	opening = flt(
		narrowed(frappe.qb.from_(gle).select(Sum(gle.debit) - Sum(gle.credit)))
		.where(gle.posting_date < filters.from_date)
		.run()[0][0]
	)
	rows = (
		narrowed(
			frappe.qb.from_(gle).select(
				gle.posting_date,
				gle.account,
				gle.debit,
				gle.credit,
				gle.voucher_type,
				gle.voucher_no,
				gle.against,
				gle.party,
				gle.cost_center,
				gle.against_voucher_type,
				gle.against_voucher,
				gle.remarks,
			)
		)
		.where((gle.posting_date >= filters.from_date) & (gle.posting_date <= filters.to_date))
		.orderby(gle.posting_date)
		.orderby(gle.creation)
	).run(as_dict=True)

	balance = opening
	for row in rows:
		balance = flt(balance + row.debit - row.credit, 2)
		row.update({"balance": balance, "currency": currency})

	totals = {
		"debit": flt(sum(row.debit for row in rows), 2),
		"credit": flt(sum(row.credit for row in rows), 2),
	}
	return [
		{"account": _("'Opening'"), "balance": opening, "currency": currency},
		*rows,
		{"account": _("'Total'"), **totals, "balance": balance, "currency": currency},
	]
