import frappe

from erpnext.accounts.doctype.payment_entry.payment_entry import get_payment_entry
from erpnext.accounts.doctype.sales_invoice.sales_invoice import make_sales_return
from erpnext.accounts.doctype.sales_invoice.test_sales_invoice import create_sales_invoice
from erpnext.tests.utils import StandInTestCase, get_ledger


class TestPaymentEntry(StandInTestCase):
	def test_payment_settles_the_invoice(self):
		si = create_sales_invoice(rate=100)
		payment = get_payment_entry("Sales Invoice", si.name)
		payment.insert().submit()
		self.assertRegex(payment.name, r"^ACC-PAY-\d{4}-\d{5}$")
		self.assertLedger(payment.name, {"Cash - LD": 100, "Debtors - LD": -100})
		si.reload()
		self.assertEqual((si.status, si.outstanding_amount), ("Paid", 0))
		payment.cancel()
		si.reload()
		self.assertEqual((si.status, si.outstanding_amount), ("Unpaid", 100))

	def test_part_payment(self):
		si = create_sales_invoice(rate=100)
		get_payment_entry("Sales Invoice", si.name, party_amount=40).insert().submit()
		si.reload()
		self.assertEqual((si.status, si.outstanding_amount), ("Partly Paid", 60))

	def test_more_than_outstanding(self):
		si = create_sales_invoice(rate=100)
		payment = get_payment_entry("Sales Invoice", si.name, party_amount=140)
		self.assertRaisesRegex(
			frappe.ValidationError,
			"Allocated Amount cannot be greater than outstanding amount",
			payment.insert,
		)
		payment = get_payment_entry("Sales Invoice", si.name)
		payment.paid_amount = payment.received_amount = 140
		payment.insert().submit()
		self.assertEqual(payment.unallocated_amount, 40)
		self.assertLedger(payment.name, {"Cash - LD": 140, "Debtors - LD": -140})

	def test_foreign_currency_with_exchange_gain(self):
		si = create_sales_invoice(
			customer="_Test Customer EUR", currency="EUR", conversion_rate=1.2, rate=100
		)
		payment = get_payment_entry("Sales Invoice", si.name)
		payment.update({"source_exchange_rate": 1.25, "received_amount": 125})
		payment.insert().submit()
		self.assertLedger(
			payment.name,
			{"Cash - LD": 125, "_Test Receivable EUR - LD": -120, "Exchange Gain/Loss - LD": -5},
		)
		si.reload()
		self.assertEqual((si.status, si.outstanding_amount), ("Paid", 0))

	def test_refund_of_a_credit_note(self):
		si = create_sales_invoice(rate=100)
		ret = make_sales_return(si.name).insert().submit()
		refund = get_payment_entry("Sales Invoice", ret.name).insert().submit()
		self.assertEqual(refund.payment_type, "Pay")
		self.assertLedger(refund.name, {"Cash - LD": -100, "Debtors - LD": 100})
		ret.reload()
		self.assertEqual((ret.status, ret.outstanding_amount), ("Return", 0))

	def test_cancelled_invoice_frees_its_payment(self):
		si = create_sales_invoice(rate=100)
		payment = get_payment_entry("Sales Invoice", si.name).insert().submit()
		si.reload()
		si.cancel()
		payment.reload()
		self.assertEqual((payment.docstatus, payment.references, payment.unallocated_amount), (1, [], 100))
		self.assertEqual({row.against_voucher for row in get_ledger(payment.name)}, {None})
