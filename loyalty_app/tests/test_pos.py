"""Points at the counter: POS Invoices, their returns and their consolidation, and Sales Invoices with payments."""

from unittest.mock import patch

import frappe
from frappe.utils import add_days, today

from loyalty_app.ledger import promotions
from loyalty_app.setup import pos_settings
from loyalty_app.tests.test_books import BooksTestCase
from loyalty_app.tests.test_documents import balance, earned, entries_of, gl_of
from loyalty_app.tests.utils import (
	IntegrationTestCase,
	account,
	cost_center,
	income_account,
	make_customer,
	make_invoice,
	make_pos_profile,
	make_program,
	make_return,
	unique,
)

POS = "POS Invoice"


def consolidate(*invoices) -> list[str]:
	"""Consolidate these POS Invoices as closing the till does; return the names of the Sales Invoices."""
	from erpnext.accounts.doctype.pos_invoice_merge_log import pos_invoice_merge_log

	rows = [
		frappe._dict(
			pos_invoice=doc.name,
			customer=doc.customer,
			posting_date=doc.posting_date,
			grand_total=doc.grand_total,
			is_return=doc.is_return,
			return_against=doc.return_against,
		)
		for doc in invoices
	]
	with patch.object(frappe.db, "commit"):  # closing a till commits
		pos_invoice_merge_log.consolidate_pos_invoices(pos_invoices=rows)
	names = [frappe.db.get_value(POS, doc.name, "consolidated_invoice") for doc in invoices]
	assert all(names)
	return list(dict.fromkeys(names))


def amounts_paid(doc) -> list[float]:
	return [payment.amount for payment in doc.payments]


class POSTestCase(BooksTestCase):
	def setUp(self):
		self.program = make_program(tiers=[("Silver", 0, 10)])
		self.customer = make_customer(loyalty_program=self.program.name)

	def sell(self, amount: float = 100, **kwargs):
		return make_invoice(self.customer, amount, doctype=POS, **kwargs)


class TestPOSInvoice(POSTestCase):
	def test_it_earns_redeems_and_cancels_like_a_sales_invoice(self):
		first = self.sell(1000)
		row = earned(first)
		self.assertEqual(
			(row.invoice_type, row.loyalty_points, row.loyalty_program_tier), (POS, 100, "Silver")
		)
		second = self.sell(500, redeem=60)
		self.assertEqual([e.loyalty_points for e in entries_of(second)], [44, -60])
		self.assertEqual((second.loyalty_amount, amounts_paid(second)), (60, [440]))
		self.assertEqual(balance(self.customer), 84)
		second.reload()
		second.cancel()
		self.assertEqual((entries_of(second), balance(self.customer)), ([], 100))
		self.assertEqual(earned(first).remaining_points, 100)

	def test_points_of_one_document_type_are_spent_on_the_other(self):
		invoice, counter = make_invoice(self.customer, 1000), self.sell(100)
		sold = self.sell(500, redeem=105)
		self.assertEqual(
			{e.redeem_against for e in entries_of(sold) if e.loyalty_points < 0},
			{earned(invoice).name, earned(counter).name},
		)
		make_invoice(self.customer, 500, redeem=44)
		self.assertEqual(balance(self.customer), 110 - 105 + 39 - 44 + 45)

	def test_it_may_be_submitted_at_once_saved_first_or_paid_with_points_alone(self):
		make_invoice(self.customer, 3000)
		at_once = self.sell(200, redeem=50, submit=False)
		at_once = frappe.copy_doc(at_once)
		at_once.redeem_loyalty_points, at_once.loyalty_points = 1, 50
		at_once.set("payments", [{"mode_of_payment": "Cash", "amount": 150}])
		at_once.insert()
		at_once.submit()
		self.assertEqual((at_once.paid_amount, at_once.base_paid_amount), (200, 200))
		alone = self.sell(100, redeem=100)
		self.assertEqual((amounts_paid(alone), alone.status), ([0], "Paid"))
		self.assertEqual(earned(alone).loyalty_points, 0)

	def test_too_little_is_still_refused(self):
		make_invoice(self.customer, 3000)
		invoice = self.sell(200, redeem=50, submit=False)
		invoice.payments[0].amount = 149
		invoice.save()
		with self.assertRaisesRegex(frappe.ValidationError, "Partial Payment"):
			invoice.submit()

	def test_change_is_given_on_money_and_points_together(self):
		make_invoice(self.customer, 3000)
		invoice = self.sell(200, redeem=50, submit=False)
		invoice.payments[0].amount = 170
		invoice.save()
		self.assertEqual(invoice.change_amount, 20)
		invoice.submit()
		self.assertEqual(earned(invoice).purchase_amount, 150)

	def test_refusals_are_the_same(self):
		self.sell(1000)
		frappe.db.savepoint("refused")
		for message, kwargs in (
			("enough Loyalty Points", {"redeem": 101, "amount": 500}),
			(
				"more value than the Total Amount",
				{"redeem": 51, "amount": 50, "payments": [{"mode_of_payment": "Cash", "amount": 0}]},
			),
		):
			with self.assertRaisesRegex(frappe.ValidationError, message):
				self.sell(**kwargs)
			frappe.db.rollback(save_point="refused")
		self.assertEqual(balance(self.customer), 100)


class TestPOSReturn(POSTestCase):
	def redeemed(self, qty: int = 4):
		"""400, of which 80 paid with 80 points and 320 in cash."""
		self.source = make_invoice(self.customer, 800)
		return make_invoice(self.customer, items=[{"rate": 100, "qty": qty}], redeem=80, doctype=POS)

	def test_a_full_return_gives_back_points_and_the_cash_that_was_paid(self):
		invoice = self.redeemed()
		returned = make_return(invoice)
		self.assertEqual((returned.loyalty_points, returned.loyalty_amount), (-80, -80))
		self.assertEqual(amounts_paid(returned), [-320])
		self.assertEqual(balance(self.customer), 80)
		self.assertEqual(earned(self.source).remaining_points, 80)
		self.assertEqual([e.loyalty_points for e in entries_of(invoice)], [0])
		returned.reload()
		returned.cancel()
		self.assertEqual([e.loyalty_points for e in entries_of(invoice)], [32, -80])

	def test_partial_returns_give_back_in_proportion(self):
		invoice = self.redeemed()
		for qty, points, cash, left in (
			(1, -20, -80, [24, -60]),
			(2, -40, -160, [8, -20]),
			(1, -20, -80, [0]),
		):
			returned = make_return(invoice, qty=qty)
			self.assertEqual((returned.loyalty_points, amounts_paid(returned)), (points, [cash]))
			self.assertEqual([e.loyalty_points for e in entries_of(invoice)], left)
		self.assertEqual(balance(self.customer), 80)

	def test_the_cashier_pays_back_no_more_than_the_cash_part(self):
		invoice = self.redeemed()
		returned = make_return(invoice, qty=1, submit=False)
		returned.payments[0].amount = -100
		returned.save()
		self.assertEqual(amounts_paid(returned), [-80])
		returned.submit()
		self.assertEqual((returned.paid_amount, returned.loyalty_amount), (-100, -20))

	def test_a_return_of_an_invoice_without_points_is_left_to_erpnext(self):
		make_invoice(self.customer, 800)
		invoice = make_invoice(self.customer, items=[{"rate": 100, "qty": 4}], doctype=POS)
		returned = make_return(invoice)
		self.assertEqual((amounts_paid(returned), returned.redeem_loyalty_points), ([-400], 0))
		self.assertEqual(balance(self.customer), 80)

	def test_what_was_paid_with_points_alone_goes_back_as_points_alone(self):
		make_invoice(self.customer, 4000)
		invoice = make_invoice(self.customer, items=[{"rate": 100, "qty": 4}], redeem=400, doctype=POS)
		for _ in range(2):
			returned = make_return(invoice, qty=2)
			self.assertEqual((returned.loyalty_points, sum(amounts_paid(returned))), (-200, 0))
		self.assertEqual(balance(self.customer), 400)


class TestConsolidation(POSTestCase):
	def test_no_points_twice_and_books_right(self):
		first = self.sell(1000)
		second = self.sell(500, redeem=60)
		third = make_invoice(self.customer, items=[{"rate": 100, "qty": 4}], redeem=80, doctype=POS)
		points, rows = balance(self.customer), frappe.db.count("Loyalty Point Entry")
		self.assertEqual(points, 100 - 60 + 44 - 80 + 32)

		(name,) = consolidate(first, second, third)
		self.assertEqual(frappe.db.count("Loyalty Point Entry"), rows)
		self.assertEqual(balance(self.customer), points)
		merged = frappe.get_doc("Sales Invoice", name)
		self.assertEqual((merged.loyalty_amount, merged.outstanding_amount), (140, 0))
		books = gl_of(merged)
		self.assert_balanced(merged)
		self.assertEqual(books[self.program.expense_account], 140)
		self.assertEqual(self.receivable(), 0)

		returned = make_return(third, qty=1)
		(note,) = consolidate(returned)
		note = frappe.get_doc("Sales Invoice", note)
		self.assert_balanced(note)
		self.assertEqual(gl_of(note)[self.program.expense_account], -20)
		self.assertEqual((self.receivable(), note.outstanding_amount), (0, 0))
		merged.reload()
		self.assertEqual(merged.outstanding_amount, 0)
		self.assertEqual(balance(self.customer), points + 20 - 8)

	def test_sale_and_return_in_one_closing(self):
		source = make_invoice(self.customer, 800)
		sold = make_invoice(self.customer, items=[{"rate": 100, "qty": 4}], redeem=80, doctype=POS)
		returned = make_return(sold)
		before = self.receivable()
		names = consolidate(sold, returned)
		self.assertEqual(len(names), 2)
		expense = sum(gl_of(frappe._dict(name=name)).get(self.program.expense_account, 0) for name in names)
		self.assertEqual((expense, self.receivable() - before), (0, 0))
		self.assertEqual((balance(self.customer), earned(source).remaining_points), (80, 80))

	def test_each_program_is_charged_for_its_own_points(self):
		self.sell(1000)
		one = self.sell(200, redeem=50)
		other_account = self.another_expense_account()
		other = make_program(tiers=[("Silver", 0, 10)], expense_account=other_account)
		self.customer.reload()
		self.customer.loyalty_program = other.name
		self.customer.save()
		self.sell(1000)
		two = self.sell(200, redeem=30)
		(name,) = consolidate(one, two)
		books = gl_of(frappe._dict(name=name))
		self.assertEqual((books[self.program.expense_account], books[other_account]), (50, 30))
		self.assert_balanced(frappe._dict(name=name))

	def another_expense_account(self) -> str:
		model = frappe.get_doc("Account", self.program.expense_account)
		values = {"account_name": unique("Loyalty Test Expense"), "is_group": 0}
		fields = ("company", "parent_account", "root_type")
		return (
			frappe.get_doc({"doctype": "Account", **values, **{f: model.get(f) for f in fields}})
			.insert(ignore_permissions=True)
			.name
		)

	def test_undoing_a_consolidation_moves_no_points(self):
		self.sell(1000)
		sold = self.sell(500, redeem=60)
		points, rows = balance(self.customer), frappe.db.count("Loyalty Point Entry")
		(name,) = consolidate(sold)
		log = frappe.get_doc("POS Invoice Merge Log", {"consolidated_invoice": name})
		log.cancel()
		self.assertEqual((balance(self.customer), frappe.db.count("Loyalty Point Entry")), (points, rows))
		self.assertEqual(gl_of(frappe._dict(name=name)), {})
		sold.reload()
		sold.cancel()
		self.assertEqual((entries_of(sold), balance(self.customer)), ([], 100))

	def test_points_earned_at_the_counter_expire_with_their_own_date(self):
		sold = self.sell(1000, posting_date=add_days(today(), -2))
		consolidate(sold)
		self.assertEqual(str(earned(sold).posting_date), add_days(today(), -2))


class TestSalesInvoiceWithPayments(POSTestCase):
	def redeemed(self, **kwargs):
		"""400, of which 80 paid with 80 points and 320 in cash, in a Sales Invoice."""
		make_invoice(self.customer, 800)
		return make_invoice(
			self.customer,
			items=[{"rate": 100, "qty": 4}],
			redeem=80,
			paid=True,
			disable_rounded_total=1,
			**kwargs,
		)

	def test_points_and_cash_pay_it(self):
		before = make_invoice(self.customer, 1000).outstanding_amount
		invoice = self.redeemed()
		self.assertEqual((invoice.outstanding_amount, amounts_paid(invoice)), (0, [320]))
		self.assert_balanced(invoice)
		self.assertEqual(gl_of(invoice)[self.program.expense_account], 80)
		self.assertEqual(self.receivable(), before + 800)

	def test_returns_give_back_cash_and_points_in_proportion(self):
		invoice = self.redeemed()
		owed = self.receivable()
		returned = [make_return(invoice, qty=qty) for qty in (1, 3)]
		self.assertEqual([amounts_paid(doc) for doc in returned], [[-80], [-240]])
		self.assertEqual([doc.loyalty_points for doc in returned], [-20, -60])
		for doc in returned:
			self.assert_balanced(doc)
			self.assertEqual(doc.outstanding_amount, 0)
		self.assertEqual(self.receivable(), owed)
		self.assert_undone(invoice, *returned)
		self.assertEqual(balance(self.customer), 80)

	def test_a_write_off_is_not_paid_back(self):
		invoice = self.redeemed(
			write_off_amount=10,
			write_off_account=account(root_type="Expense"),
			write_off_cost_center=cost_center(),
			payments=[{"mode_of_payment": "Cash", "amount": 310}],
			pos_profile=make_pos_profile(),
		)
		self.assertEqual(invoice.outstanding_amount, 0)
		self.assert_balanced(invoice)
		self.assertEqual(earned(invoice).purchase_amount, 320)
		self.assertEqual(gl_of(invoice)[income_account()], -400)
		returned = make_return(invoice)
		self.assertEqual((returned.loyalty_points, amounts_paid(returned)), (-80, [-310]))
		self.assert_balanced(returned)
		self.assertEqual(balance(self.customer), 80)


class TestPointOfSale(IntegrationTestCase):
	"""The page asks for what *POS Settings* lists, and sets it on the invoice."""

	def asked_for(self):
		rows = frappe.get_single("POS Settings").invoice_fields
		return [(row.fieldname, row.fieldtype) for row in rows if row.fieldname == promotions.CODE]

	def test_it_asks_for_a_promotion_code_once(self):
		pos_settings.ask_no_more()
		self.assertEqual(self.asked_for(), [])
		for _ in range(2):
			pos_settings.ask_for_code()
			self.assertEqual(self.asked_for(), [(promotions.CODE, "Data")])
		for doctype in (POS, "Sales Invoice"):
			self.assertEqual(frappe.get_meta(doctype).get_field(promotions.CODE).fieldtype, "Data")
