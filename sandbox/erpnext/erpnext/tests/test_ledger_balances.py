"""Whatever is sold, the ledger balances, and credit notes and cancels bring it back to nothing."""

import os

import frappe
from frappe.utils import flt
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from erpnext.accounts.doctype.sales_invoice.sales_invoice import make_sales_return
from erpnext.accounts.doctype.sales_invoice.test_sales_invoice import create_sales_invoice
from erpnext.tests.utils import StandInTestCase, get_ledger

money = st.integers(1, 999_99).map(lambda cents: cents / 100)
items = st.lists(
	st.builds(lambda qty, rate: {"qty": qty, "rate": rate}, st.sampled_from([1, 2, 3, 7, 0.5]), money),
	min_size=1,
	max_size=4,
)


def tax(charge_type, rate, inclusive):
	row = {"charge_type": charge_type, "account_head": "_Test VAT - LD", "description": "VAT"}
	if charge_type == "Actual":
		return {**row, "tax_amount": rate}
	return {**row, "rate": rate, "included_in_print_rate": int(inclusive)}


taxes = st.lists(
	st.builds(
		tax,
		st.sampled_from(["On Net Total", "On Item Quantity", "Actual"]),
		st.sampled_from([0.5, 7, 19, 33.33]),
		st.booleans(),
	),
	max_size=3,
)


class TestLedgerBalances(StandInTestCase):
	@settings(
		max_examples=int(os.environ.get("HYPOTHESIS_EXAMPLES", 15)),
		deadline=None,
		derandomize=True,
		suppress_health_check=list(HealthCheck),
	)
	@given(
		items=items,
		taxes=taxes,
		discount=st.sampled_from([0, 0, 3.33, 12.5, 50]),
		on=st.sampled_from(["Grand Total", "Net Total"]),
		rate=st.sampled_from([1, 1.2345, 0.0137, 83.1]),
		fraction=st.sampled_from([0.01, 0.05, 1]),
		cash=st.booleans(),
	)
	def test_sell_return_cancel(self, items, taxes, discount, on, rate, fraction, cash):
		foreign = rate != 1
		currency = "EUR" if foreign else "USD"
		frappe.db.savepoint("example")
		frappe.db.set_value("Currency", currency, "smallest_currency_fraction_value", fraction)
		try:
			si = create_sales_invoice(
				customer="_Test Customer EUR" if foreign else "_Test Customer",
				currency=currency,
				conversion_rate=rate,
				items=items,
				taxes=taxes,
				apply_discount_on=on,
				additional_discount_percentage=discount,
				is_pos=int(cash and not foreign),
				payments=[{"mode_of_payment": "Cash", "amount": 10**6}] if cash and not foreign else None,
				do_not_submit=True,
			)
			assume(flt(si.base_net_total, 2) > 0 and flt(si.grand_total, 2) > 0)
			si.submit()
			self.check(si)

			note = make_sales_return(si.name)
			for payment in note.payments:
				payment.amount = flt(note.rounded_total) or flt(note.grand_total)
			note.insert().submit()
			self.check(note)
			self.assertEqual(self.sums(si.name), {k: -v for k, v in self.sums(note.name).items()})

			for each in (note, si):
				each.reload()
				each.cancel()
			for each in (si, note):
				self.assertEqual(get_ledger(each.name), [])
				self.assertLedgerBalances(each.name, cancelled=1)
		finally:
			frappe.db.rollback(save_point="example")
			frappe.clear_document_cache("Currency", currency)

	def check(self, doc):
		self.assertLedgerBalances(doc.name)
		doc.reload()
		owed = 0 if doc.is_pos else flt(doc.rounded_total) or flt(doc.grand_total)
		self.assertEqual(flt(doc.outstanding_amount, 2), flt(owed, 2))
		self.assertEqual(flt(doc.grand_total + doc.rounding_adjustment, 2), flt(doc.rounded_total, 2))

	def sums(self, voucher_no):
		sums = {}
		for row in get_ledger(voucher_no):
			sums[row.account] = flt(sums.get(row.account, 0) + row.debit - row.credit, 2)
		return {account: amount for account, amount in sums.items() if amount}
