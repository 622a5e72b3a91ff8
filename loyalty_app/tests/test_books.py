"""What redemptions and their returns do to the books: currencies, rounding, taxes, discounts, payments."""

import frappe

from loyalty_app.ledger.membership import find
from loyalty_app.tests.test_documents import LoyaltyTestCase, balance, earned, entries_of, gl_of
from loyalty_app.tests.utils import (
	account,
	make_customer,
	make_invoice,
	make_program,
	make_return,
	tax_account,
)

RATE = 1.3333


class BooksTestCase(LoyaltyTestCase):
	def assert_balanced(self, *vouchers):
		"""Debit and credit of each are the same, in company currency, to the cent."""
		for voucher in vouchers:
			rows = frappe.get_all(
				"GL Entry",
				filters={"voucher_no": voucher.name, "is_cancelled": 0},
				fields=["debit", "credit"],
			)
			self.assertTrue(rows, voucher.name)
			self.assertAlmostEqual(sum(r.debit for r in rows), sum(r.credit for r in rows), 2)

	def receivable(self, customer=None) -> float:
		"""What a customer owes by the ledger, in company currency."""
		rows = frappe.get_all(
			"GL Entry",
			filters={"party": (customer or self.customer).name, "is_cancelled": 0},
			fields=["debit", "credit"],
		)
		return round(sum(r.debit - r.credit for r in rows), 2)

	def assert_undone(self, *vouchers):
		"""Together the vouchers leave nothing on any account."""
		left = {}
		for voucher in vouchers:
			for name, amount in gl_of(voucher).items():
				left[name] = round(left.get(name, 0) + amount, 2)
		self.assertEqual({name: amount for name, amount in left.items() if amount}, {})


class BooksOfRedemptions(BooksTestCase):
	def setUp(self):
		frappe.db.set_value("Currency", "USD", "smallest_currency_fraction_value", 1)
		frappe.db.set_value("Currency", "EUR", "smallest_currency_fraction_value", 1)
		frappe.db.value_cache.clear()
		frappe.db.set_single_value(
			"Accounts Settings", "allow_multi_currency_invoices_against_single_party_account", 1
		)
		self.program = make_program()
		self.customer = self.member()

	def member(self, points: int = 1000):
		"""A customer of the program with points that no invoice stands behind."""
		customer = make_customer(loyalty_program=self.program.name)
		self.grant(customer, points)
		return customer

	def grant(self, customer, points: int):
		frappe.get_doc(
			{
				"doctype": "Loyalty Point Entry",
				"loyalty_program": self.program.name,
				"customer": customer.name,
				"loyalty_points": points,
				"discretionary_reason": "Test",
			}
		).insert(ignore_permissions=True)

	def spent(self, customer=None) -> float:
		name = find((customer or self.customer).name, self.program.name)
		return frappe.db.get_value("Loyalty Membership", name, "total_spent")

	def outstanding(self, invoice) -> float:
		"""What the invoice says is open, computed by ERPNext from its ledger, in the receivable's currency."""
		return frappe.db.get_value(invoice.doctype, invoice.name, "outstanding_amount")

	def pay(self, invoice, amount: float | None = None):
		from erpnext.accounts.doctype.payment_entry.payment_entry import get_payment_entry

		entry = get_payment_entry("Sales Invoice", invoice.name, party_amount=amount)
		entry.update({"reference_no": "1", "reference_date": invoice.posting_date})
		return entry.insert(ignore_permissions=True).submit()


def tax(rate: float = 10, **values) -> dict:
	return {
		"charge_type": "On Net Total",
		"rate": rate,
		"account_head": tax_account(),
		"description": "VAT",
		**values,
	}


def foreign(receivable: str) -> dict:
	return {
		"currency": "EUR",
		"conversion_rate": RATE,
		"debit_to": account(account_type="Receivable", currency=receivable),
	}


class TestEveryKindOfTotal(BooksOfRedemptions):
	"""The same story for each way to come to a total: sold with 40 points, returned in full, and in three parts."""

	def tell(self, rounded: bool = False, **invoice):
		customer = self.member()
		items = [{"rate": 33.3, "qty": 3}]
		invoice = {"items": items, "redeem": 40, "disable_rounded_total": int(not rounded), **invoice}
		sold = make_invoice(customer, **invoice)
		rate = sold.conversion_rate
		own_currency = sold.party_account_currency == sold.currency
		total = sold.base_rounded_total if rounded else sold.base_grand_total

		self.assertEqual(bool(sold.rounding_adjustment), rounded)
		self.assert_balanced(sold)
		self.assertEqual(gl_of(sold)[self.program.expense_account], 40)
		self.assertAlmostEqual(self.receivable(customer), total - 40, 2)
		open_amount = (total - 40) / (rate if own_currency else 1)
		self.assertAlmostEqual(self.outstanding(sold), open_amount, delta=0.011)
		self.assertAlmostEqual(earned(sold).purchase_amount, sold.base_grand_total - 40, 2)
		after_sale = (balance(customer), self.receivable(customer), self.spent(customer))

		returned = make_return(sold)
		self.assertEqual((returned.loyalty_points, returned.loyalty_amount), (-40, -40))
		self.assertEqual(gl_of(returned)[self.program.expense_account], -40)
		self.assert_balanced(returned)
		self.assert_undone(sold, returned)
		self.assertAlmostEqual(self.outstanding(returned), -self.outstanding(sold), 2)
		self.assertEqual((balance(customer), self.receivable(customer), self.spent(customer)), (1000, 0, 0))
		returned.reload()
		returned.cancel()
		self.assertEqual((balance(customer), self.receivable(customer), self.spent(customer)), after_sale)

		parts = [make_return(sold, qty=1) for _ in range(3)]
		self.assertEqual([part.loyalty_points for part in parts], [-13, -13, -14])
		self.assert_balanced(*parts)
		self.assertEqual(sum(gl_of(part)[self.program.expense_account] for part in parts), -40)
		self.assertAlmostEqual(self.receivable(customer), 0, delta=0.03 if not rounded else 2)
		self.assertEqual([e.loyalty_points for e in entries_of(sold)], [0])
		self.assertEqual((balance(customer), self.spent(customer)), (1000, 0))
		return sold

	def test_plain(self):
		self.tell()

	def test_rounded(self):
		self.tell(rounded=True)

	def test_taxes_on_top(self):
		self.tell(taxes=[tax()])

	def test_inclusive_taxes(self):
		sold = self.tell(taxes=[tax(7, included_in_print_rate=1)])
		self.assertEqual(sold.grand_total, 99.9)

	def test_a_discount_on_the_grand_total(self):
		sold = self.tell(taxes=[tax()], apply_discount_on="Grand Total", additional_discount_percentage=10)
		self.assertAlmostEqual(sold.grand_total, 98.9, 1)

	def test_a_discount_on_the_net_total_with_inclusive_taxes_rounded(self):
		self.tell(
			rounded=True,
			taxes=[tax(7, included_in_print_rate=1)],
			apply_discount_on="Net Total",
			additional_discount_percentage=5,
		)

	def test_foreign_currency_owed_in_company_currency(self):
		self.tell(**foreign("USD"))

	def test_foreign_currency_owed_in_it(self):
		self.tell(**foreign("EUR"))

	def test_foreign_currency_with_taxes_and_rounded(self):
		self.tell(rounded=True, taxes=[tax(7)], **foreign("EUR"))

	def test_foreign_currency_with_inclusive_taxes_and_a_discount(self):
		self.tell(
			taxes=[tax(7, included_in_print_rate=1)],
			apply_discount_on="Grand Total",
			additional_discount_percentage=3,
			**foreign("USD"),
		)


class TestPayments(BooksOfRedemptions):
	def sold(self, **kwargs):
		"""400, of which 80 paid with 80 points: 320 are open."""
		return make_invoice(
			self.customer, items=[{"rate": 100, "qty": 4}], redeem=80, disable_rounded_total=1, **kwargs
		)

	def test_paid_with_points_alone(self):
		sold = make_invoice(self.customer, 100, redeem=100, disable_rounded_total=1)
		self.assertEqual((self.outstanding(sold), self.receivable()), (0, 0))
		self.assertEqual(frappe.db.get_value("Sales Invoice", sold.name, "status"), "Paid")
		self.assertEqual((earned(sold).loyalty_points, earned(sold).purchase_amount), (0, 0))
		self.assert_balanced(sold)
		returned = make_return(sold)
		self.assertEqual((returned.loyalty_points, self.outstanding(returned)), (-100, 0))
		self.assert_undone(sold, returned)
		self.assertEqual(balance(self.customer), 1000)

	def test_foreign_currency_paid_with_points_alone(self):
		self.program.reload()
		self.program.conversion_factor = 0.01
		self.program.save()
		self.grant(self.customer, 20000)
		for receivable in ("EUR", "USD"):
			customer = self.member(20000)
			sold = make_invoice(customer, 99.99, redeem=13332, disable_rounded_total=1, **foreign(receivable))
			self.assertEqual((sold.base_grand_total, sold.loyalty_amount), (133.32, 133.32))
			self.assertEqual((self.outstanding(sold), self.receivable(customer)), (0, 0))
			returned = make_return(sold)
			self.assertEqual((returned.loyalty_points, self.outstanding(returned)), (-13332, 0))
			self.assert_undone(sold, returned)

	def test_amounts_in_transaction_currency_are_converted(self):
		sold = make_invoice(self.customer, 100, redeem=40, disable_rounded_total=1, **foreign("USD"))
		rows = frappe.get_all(
			"GL Entry",
			filters={"voucher_no": sold.name, "account": self.program.expense_account},
			fields=["debit", "debit_in_transaction_currency", "debit_in_account_currency"],
		)
		self.assertEqual([tuple(row.values()) for row in rows], [(40, 30, 40)])

	def test_a_paid_invoice_keeps_its_payment_when_it_is_returned(self):
		sold = self.sold()
		self.pay(sold)
		self.assertEqual((self.outstanding(sold), self.receivable()), (0, 0))
		quarter = make_return(sold, qty=1)
		self.assertEqual(
			(self.outstanding(quarter), self.outstanding(sold), self.receivable()), (-80, 0, -80)
		)
		rest = make_return(sold, qty=3)
		self.assertEqual((self.outstanding(rest), self.outstanding(sold), self.receivable()), (-240, 0, -320))
		self.assertEqual(balance(self.customer), 1000)
		rest.reload()
		rest.cancel()
		self.assertEqual((self.outstanding(sold), self.receivable()), (0, -80))
		self.pay(quarter)
		self.assertEqual((self.outstanding(quarter), self.receivable()), (0, 0))

	def test_an_unpaid_invoice_is_settled_by_credit_notes_against_it(self):
		for currency in ({}, foreign("EUR"), foreign("USD")):
			with self.subTest(**currency):
				self.customer = self.member()
				sold = self.sold(**currency)
				opened = self.outstanding(sold)
				quarter = make_return(sold, qty=1, update_outstanding_for_self=0)
				self.assertEqual(quarter.update_outstanding_for_self, 0)
				self.assertAlmostEqual(self.outstanding(sold), opened * 3 / 4, delta=0.02)
				rest = make_return(sold, qty=3, update_outstanding_for_self=0)
				self.assertEqual(rest.update_outstanding_for_self, 0)
				self.assertAlmostEqual(self.outstanding(sold), 0, delta=0.02)
				self.assertAlmostEqual(self.receivable(), 0, delta=0.02)
				self.assert_undone(sold, quarter, rest)
				rest.reload()
				rest.cancel()
				self.assertAlmostEqual(self.outstanding(sold), opened * 3 / 4, delta=0.02)

	def test_a_partly_paid_invoice(self):
		sold = self.sold()
		self.pay(sold, 100)
		self.assertEqual(self.outstanding(sold), 220)
		half = make_return(sold, qty=2, update_outstanding_for_self=0)
		self.assertEqual((half.loyalty_points, self.outstanding(sold)), (-40, 60))
		# More than is open is not settled against the invoice: ERPNext keeps it on the credit note.
		rest = make_return(sold, qty=2, update_outstanding_for_self=0)
		self.assertEqual(rest.update_outstanding_for_self, 1)
		self.assertEqual((self.outstanding(sold), self.outstanding(rest)), (60, -160))
		self.assertEqual((self.receivable(), balance(self.customer)), (-100, 1000))

	def test_points_and_a_payment_in_foreign_currency(self):
		for receivable in ("EUR", "USD"):
			self.customer = self.member()
			sold = self.sold(**foreign(receivable))
			self.pay(sold)
			self.assertEqual((self.outstanding(sold), self.receivable()), (0, 0))

	def test_a_worthless_invoice(self):
		# where Stock Settings say so, ERPNext keeps what is sold first as the item's price, and would take it for 0
		frappe.db.delete("Item Price")
		sold = make_invoice(self.customer, 0)
		self.assertEqual((earned(sold).loyalty_points, earned(sold).purchase_amount), (0, 0))
		self.assertEqual((self.receivable(), balance(self.customer)), (0, 1000))
		frappe.db.savepoint("refused")
		with self.assertRaisesRegex(frappe.ValidationError, "more value than the Total Amount"):
			make_invoice(self.customer, 0, redeem=1)
		frappe.db.rollback(save_point="refused")
		sold.reload()
		sold.cancel()
		self.assertEqual(entries_of(sold), [])

	def test_cancel_leaves_nothing(self):
		sold = self.sold()
		sold.cancel()
		self.assertEqual((gl_of(sold), self.receivable(), balance(self.customer)), ({}, 0, 1000))
