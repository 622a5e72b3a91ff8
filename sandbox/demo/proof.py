"""What must be true of the demo site, and what must be there."""

from collections import Counter

import frappe
from frappe.query_builder.functions import Sum
from frappe.utils import add_days, cint, flt, getdate, today

from loyalty_app.ledger import verify
from sandbox.demo.shop import ABBR


def faults() -> list[str]:
	"""Return everything that is not true in the site's points and books, in words."""
	return [*verify(), *wrong_balances(), *wrong_books(), *wrong_outstanding(), *wrong_expense()]


def wrong_balances() -> list[str]:
	"""Memberships whose balance is not the sum of their unexpired entries."""
	entry = frappe.qb.DocType("Loyalty Point Entry")
	sums = dict(
		frappe.qb.from_(entry)
		.select(entry.membership, Sum(entry.loyalty_points))
		.where(entry.expiry_date >= today())
		.groupby(entry.membership)
		.run()
	)
	return [
		f"{row.customer} in {row.loyalty_program}: balance {row.balance}, entries {cint(sums.get(row.name))}"
		for row in frappe.get_all(
			"Loyalty Membership", fields=["name", "customer", "loyalty_program", "balance"], limit=0
		)
		if row.balance != cint(sums.get(row.name))
	]


def wrong_books() -> list[str]:
	"""Vouchers whose ledger rows do not balance, the cancelled ones and their mirror rows apart."""
	gle = frappe.qb.DocType("GL Entry")
	sums = (
		frappe.qb.from_(gle)
		.select(gle.voucher_no, gle.is_cancelled, Sum(gle.debit), Sum(gle.credit))
		.groupby(gle.voucher_no, gle.is_cancelled)
		.run()
	)
	return [
		f"{no}: debit {debit}, credit {credit}" for no, _c, debit, credit in sums if flt(debit - credit, 2)
	]


def wrong_outstanding() -> list[str]:
	"""Invoices whose outstanding amount is not what the ledger says is open."""
	gle = frappe.qb.DocType("GL Entry")
	open_amounts = dict(
		frappe.qb.from_(gle)
		.select(gle.against_voucher, Sum(gle.debit_in_account_currency) - Sum(gle.credit_in_account_currency))
		.where((gle.is_cancelled == 0) & gle.account.like("Debtors%"))
		.groupby(gle.against_voucher)
		.run()
	)
	return [
		f"{row.name}: outstanding {row.outstanding_amount}, ledger {flt(open_amounts.get(row.name), 2)}"
		for row in frappe.get_all(
			"Sales Invoice", filters={"docstatus": 1}, fields=["name", "outstanding_amount"], limit=0
		)
		if flt(row.outstanding_amount - flt(open_amounts.get(row.name)), 2)
	]


def wrong_expense() -> list[str]:
	"""The expense of redeemed points is what invoices were paid with in points, less what returns gave back."""
	gle = frappe.qb.DocType("GL Entry")
	booked = (
		frappe.qb.from_(gle)
		.select(Sum(gle.debit) - Sum(gle.credit))
		.where((gle.account == f"Loyalty Points Redeemed - {ABBR}") & (gle.is_cancelled == 0))
		.run()[0][0]
	)
	paid = sum(
		flt(amount)
		for amount in frappe.get_all(
			"Sales Invoice",
			filters={"docstatus": 1, "redeem_loyalty_points": 1},
			pluck="loyalty_amount",
			limit=0,
		)
	)
	return [f"loyalty expense {booked}, redeemed on invoices {paid}"] if flt(flt(booked) - paid, 2) else []


def census() -> dict[str, int]:
	"""Return how many there are of each kind of thing a visitor may look for."""
	count = frappe.db.count
	invoices = frappe.get_all(
		"Sales Invoice",
		fields=[
			*(
				"name",
				"docstatus",
				"status",
				"is_return",
				"is_pos",
				"is_consolidated",
				"return_against",
				"amended_from",
			),
			*(
				"redeem_loyalty_points",
				"total_taxes_and_charges",
				"grand_total",
				"currency",
				"outstanding_amount",
			),
		],
		limit=0,
	)
	by_name = {row.name: row for row in invoices}
	live = [row for row in invoices if row.docstatus == 1 and not row.is_consolidated]
	returns = [row for row in live if row.is_return and row.return_against]
	sales = [row for row in live if not row.is_return]
	returned = Counter()
	for row in returns:
		returned[row.return_against] += -row.grand_total
	points = frappe.get_all(
		"Loyalty Point Entry", fields=["entry_type", "remaining_points", "expiry_date"], limit=0
	)
	kinds = Counter(row.entry_type for row in points)
	merged = frappe.get_all("Loyalty Point Log", {"event": "Merge"}, pluck="reference_name", distinct=True)
	soon = getdate(add_days(today(), 30))
	statuses = Counter(row.status for row in invoices)
	return {
		"customers": count("Customer"),
		"items": count("Item"),
		"sales invoices": len(sales),
		"POS-paid sales invoices": sum(row.is_pos for row in sales),
		"POS invoices": count("POS Invoice"),
		"consolidated invoices": sum(row.is_consolidated for row in invoices),
		"invoices with tax": sum(bool(row.total_taxes_and_charges) for row in sales),
		"invoices in euros": sum(row.currency == "EUR" for row in sales),
		"returns": len(returns),
		"full returns": sum(flt(by_name[no].grand_total - back, 2) == 0 for no, back in returned.items()),
		"partial returns": sum(flt(by_name[no].grand_total - back, 2) > 0 for no, back in returned.items()),
		"returns of invoices paid with points": sum(by_name[no].redeem_loyalty_points for no in returned),
		"cancelled invoices": sum(row.docstatus == 2 and not row.is_return for row in invoices),
		"cancelled returns": sum(row.docstatus == 2 and row.is_return for row in invoices),
		"amended invoices": sum(bool(row.amended_from) for row in invoices),
		"drafts": statuses["Draft"],
		"drafts that redeem": sum(row.docstatus == 0 and row.redeem_loyalty_points for row in invoices),
		**{
			f"{status.lower()} invoices": statuses[status]
			for status in ("Paid", "Partly Paid", "Unpaid", "Overdue")
		},
		"payments": count("Payment Entry", {"docstatus": 1}),
		"redemptions": sum(row.redeem_loyalty_points for row in sales),
		**{f"entries {kind.lower()}": kinds[kind] for kind in ("Earned", "Redeemed", "Expired", "Adjusted")},
		"lots expiring within 30 days": sum(r.remaining_points > 0 and r.expiry_date <= soon for r in points),
		"promotions that give points": len(promotions_that_gave()),
		"shortfalls": sum(row.remaining_points < 0 for row in points),
		"memberships left": count("Loyalty Membership", {"active": 0}),
		"merged customers": len(merged),
		**{
			f"tier {tier}": count("Loyalty Membership", {"loyalty_program_tier": tier})
			for tier in ("Card", "Bronze", "Silver", "Gold")
		},
	}


def promotions_that_gave() -> set[str]:
	"""Return the promotions from which some entry has points."""
	records = frappe.get_all(
		"Loyalty Point Entry", filters={"promotions": ("is", "set")}, pluck="promotions", limit=0
	)
	return {name for record in records for name in frappe.parse_json(record)}
