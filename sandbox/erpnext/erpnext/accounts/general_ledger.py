"""From a voucher's ledger map to GL Entry rows that balance, and back on cancel."""

import frappe
from frappe import _
from frappe.model.meta import get_field_precision
from frappe.utils import flt, formatdate, get_link_to_form, getdate, now

import erpnext

AMOUNT_PAIRS = (
	("debit", "credit"),
	("debit_in_account_currency", "credit_in_account_currency"),
	("debit_in_transaction_currency", "credit_in_transaction_currency"),
)
MERGE_KEY = (
	"account",
	"cost_center",
	"party",
	"party_type",
	"voucher_detail_no",
	"against_voucher",
	"against_voucher_type",
	"voucher_no",
)


def make_gl_entries(
	gl_map,
	cancel=False,
	adv_adj=False,
	merge_entries=True,
	update_outstanding="Yes",
	from_repost=False,
):
	"""Post a ledger map (list of dicts in company, account and transaction currency).

	Negative amounts change side, a rounding difference goes to the round off account, anything larger is
	refused. With `update_outstanding` "Yes" the invoices the rows are against get their outstanding anew.
	"""
	if not gl_map:
		return
	if cancel:
		make_reverse_gl_entries(gl_map, adv_adj=adv_adj, update_outstanding=update_outstanding)
		return

	validate_disabled_accounts(gl_map)
	gl_map = process_gl_map(gl_map, merge_entries)
	if len(gl_map) < 2:
		frappe.throw(
			_(
				"Incorrect number of General Ledger Entries found. You might have selected a wrong Account in the transaction."
			)
		)
	save_entries(gl_map, adv_adj, update_outstanding, from_repost)


def validate_disabled_accounts(gl_map):
	"""Refuse rows on disabled accounts."""
	accounts = {row.account for row in gl_map if row.account}
	disabled = frappe.get_all(
		"Account", filters={"disabled": 1, "name": ("in", list(accounts))}, pluck="name"
	)
	if disabled:
		frappe.throw(
			_("Cannot create accounting entries against disabled accounts: {0}").format(
				"<br>" + ", ".join(frappe.bold(account) for account in disabled)
			),
			title=_("Disabled Account Selected"),
		)


def process_gl_map(gl_map, merge_entries=True, precision=None, from_repost=False):
	"""Return the rows merged (if asked) and with no negative amount."""
	if merge_entries:
		gl_map = merge_similar_entries(gl_map, precision)
	return toggle_debit_credit_if_negative(gl_map)


def merge_similar_entries(gl_map, precision=None):
	"""Add up rows that differ in amount only, and drop those that come to nothing."""
	merged = {}
	for row in gl_map:
		key = tuple(row.get(field) or "" for field in MERGE_KEY)
		if key not in merged:
			merged[key] = row
			continue
		for pair in AMOUNT_PAIRS:
			for field in pair:
				merged[key][field] = flt(merged[key].get(field)) + flt(row.get(field))
	precision = precision or _ledger_precision(gl_map[0].company if gl_map else None)
	return [row for row in merged.values() if flt(row.debit, precision) or flt(row.credit, precision)]


def toggle_debit_credit_if_negative(gl_map):
	"""A negative debit is a credit, and the other way round."""
	for row in gl_map:
		for debit_field, credit_field in AMOUNT_PAIRS:
			debit, credit = flt(row.get(debit_field)), flt(row.get(credit_field))
			row[debit_field] = max(debit, 0.0) + max(-credit, 0.0)
			row[credit_field] = max(credit, 0.0) + max(-debit, 0.0)
	return gl_map


def save_entries(gl_map, adv_adj, update_outstanding, from_repost=False):
	"""Balance the map, insert its rows and refresh the invoices they are against."""
	process_debit_credit_difference(gl_map)
	check_freezing_date(gl_map[0]["posting_date"], adv_adj)
	for row in gl_map:
		make_entry(row, adv_adj, update_outstanding, from_repost)
	if update_outstanding == "Yes":
		update_outstanding_of_vouchers(gl_map)


def make_entry(args, adv_adj, update_outstanding, from_repost=False):
	"""Insert one submitted GL Entry."""
	gle = frappe.new_doc("GL Entry")
	gle.update(args)
	gle.flags.ignore_permissions = True
	# the voucher's links were checked when the voucher was saved
	gle.flags.ignore_links = True
	gle.flags.from_repost = from_repost
	gle.flags.adv_adj = adv_adj
	gle.flags.notify_update = False
	gle.submit()
	return gle


def update_outstanding_of_vouchers(gl_map):
	"""Recompute the outstanding amount of every invoice named in `against_voucher`, once each."""
	from erpnext.accounts.doctype.gl_entry.gl_entry import update_outstanding_amt

	done = set()
	for row in gl_map:
		key = (row.get("against_voucher_type"), row.get("against_voucher"), row.get("party"))
		if key[0] != "Sales Invoice" or not all(key) or key in done:
			continue
		done.add(key)
		update_outstanding_amt(row.get("account"), row.get("party_type"), row.get("party"), key[0], key[1])


def process_debit_credit_difference(gl_map):
	"""Book a rounding difference on the round off account; refuse a real one."""
	precision = _ledger_precision(gl_map[0].company)
	voucher_type, voucher_no = gl_map[0].voucher_type, gl_map[0].voucher_no
	allowance = 5.0 / 10**precision
	if voucher_type != "Payment Entry":
		# cents of a strong document currency are more than that in company currency
		allowance = max(0.5, allowance * flt(gl_map[0].get("transaction_exchange_rate") or 1))

	difference = _round_and_compare(gl_map, precision)
	if abs(difference) > allowance:
		frappe.throw(
			_("Debit and Credit not equal for {0} #{1}. Difference is {2}.").format(
				voucher_type, voucher_no, difference
			)
		)
	if difference:
		make_round_off_gle(gl_map, difference)


def _round_and_compare(gl_map, precision):
	for row in gl_map:
		for pair in AMOUNT_PAIRS:
			for field in pair:
				row[field] = flt(row.get(field), precision)
	return flt(sum(row.debit - row.credit for row in gl_map), precision)


def make_round_off_gle(gl_map, difference):
	"""Append the row that takes up a difference in company currency (debit minus credit)."""
	first = gl_map[0]
	account, cost_center, opening_account = get_round_off_account_and_cost_center(
		first.company, first.voucher_type, first.voucher_no
	)
	is_opening = any(row.get("is_opening") == "Yes" for row in gl_map)
	if is_opening:
		if not opening_account:
			frappe.throw(
				_("Please set '{0}' in Company: {1}").format(
					frappe.bold("Round Off for Opening"), get_link_to_form("Company", first.company)
				)
			)
		account = opening_account

	debit, credit = max(-difference, 0.0), max(difference, 0.0)
	row = frappe._dict(
		{
			key: first.get(key)
			for key in (
				"company",
				"posting_date",
				"fiscal_year",
				"voucher_type",
				"voucher_no",
				"voucher_subtype",
				"remarks",
				"transaction_currency",
				"transaction_exchange_rate",
			)
		}
	)
	row.update(
		{
			"account": account,
			"account_currency": erpnext.get_company_currency(first.company),
			"cost_center": cost_center,
			"debit": debit,
			"credit": credit,
			"debit_in_account_currency": debit,
			"credit_in_account_currency": credit,
			"debit_in_transaction_currency": 0.0,
			"credit_in_transaction_currency": 0.0,
			"is_opening": "Yes" if is_opening else "No",
		}
	)
	gl_map.append(row)


def get_round_off_account_and_cost_center(company, voucher_type, voucher_no, use_company_default=False):
	"""Return the accounts for rounding differences; the voucher's own cost center goes first."""
	account, cost_center, opening_account, fallback = frappe.get_cached_value(
		"Company",
		company,
		["round_off_account", "round_off_cost_center", "round_off_for_opening", "default_expense_account"],
	)
	account = account or fallback
	if not use_company_default and frappe.get_meta(voucher_type).has_field("cost_center"):
		cost_center = frappe.db.get_value(voucher_type, voucher_no, "cost_center") or cost_center

	for label, value in (("Round Off Account", account), ("Round Off Cost Center", cost_center)):
		if not value:
			frappe.throw(
				_("Please mention '{0}' in Company: {1}").format(
					frappe.bold(label), get_link_to_form("Company", company)
				)
			)
	return account, cost_center, opening_account


def make_reverse_gl_entries(
	gl_entries=None,
	voucher_type=None,
	voucher_no=None,
	adv_adj=False,
	update_outstanding="Yes",
	partial_cancel=False,
):
	"""Take a voucher out of the books: mirror rows, both sides marked as cancelled."""
	if not gl_entries:
		gl_entries = frappe.get_all(
			"GL Entry",
			filters={"voucher_type": voucher_type, "voucher_no": voucher_no, "is_cancelled": 0},
			fields=["*"],
			order_by="creation",
		)
	if not gl_entries:
		return

	check_freezing_date(gl_entries[0]["posting_date"], adv_adj)
	gle = frappe.qb.DocType("GL Entry")
	(
		frappe.qb.update(gle)
		.set(gle.is_cancelled, 1)
		.set(gle.modified, now())
		.set(gle.modified_by, frappe.session.user)
		.where(gle.voucher_type == gl_entries[0]["voucher_type"])
		.where(gle.voucher_no == gl_entries[0]["voucher_no"])
		.where(gle.is_cancelled == 0)
	).run()

	for entry in gl_entries:
		mirror = frappe._dict(entry)
		for field in ("name", "creation", "modified", "owner", "modified_by", "docstatus", "idx"):
			mirror.pop(field, None)
		for debit_field, credit_field in AMOUNT_PAIRS:
			mirror[debit_field], mirror[credit_field] = (
				flt(entry.get(credit_field)),
				flt(entry.get(debit_field)),
			)
		mirror.remarks = "On cancellation of " + entry["voucher_no"]
		mirror.is_cancelled = 1
		make_entry(mirror, adv_adj, "Yes")

	if update_outstanding == "Yes":
		update_outstanding_of_vouchers(gl_entries)


def check_freezing_date(posting_date, adv_adj=False):
	"""Refuse entries into a frozen period, unless the user may modify frozen accounts."""
	frozen_upto = frappe.db.get_single_value("Accounts Settings", "acc_frozen_upto")
	if adv_adj or not frozen_upto or getdate(posting_date) > getdate(frozen_upto):
		return
	modifier = frappe.db.get_single_value("Accounts Settings", "frozen_accounts_modifier")
	# Administrator holds every role: freezing must bind them too
	if modifier not in frappe.get_roles() or frappe.session.user == "Administrator":
		frappe.throw(
			_("You are not authorized to add or update entries before {0}").format(formatdate(frozen_upto))
		)


def _ledger_precision(company):
	return get_field_precision(
		frappe.get_meta("GL Entry").get_field("debit"),
		currency=erpnext.get_company_currency(company) if company else None,
	)
