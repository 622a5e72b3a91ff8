"""The walk-throughs of the two source documents, played literally, and the known figures of ERPNext's tests."""

import frappe
from frappe.utils import add_days, getdate, today

from loyalty_app.ledger import verify
from loyalty_app.ledger.membership import find, spendable, summary
from loyalty_app.tests.utils import (
	IntegrationTestCase,
	company,
	expense_account,
	make_customer,
	make_invoice,
	make_program,
	make_return,
)


def entries_of(invoice) -> list[frappe._dict]:
	"""All entries of an invoice, earned ones first."""
	return frappe.get_all(
		"Loyalty Point Entry",
		filters={"invoice_type": invoice.doctype, "invoice": invoice.name},
		fields=["*"],
		order_by="loyalty_points desc",
	)


def earned(invoice) -> frappe._dict:
	return entries_of(invoice)[0]


def balance(customer) -> int:
	return summary(customer.name).balance


def tier(customer) -> str | None:
	return frappe.db.get_value("Customer", customer.name, "loyalty_program_tier") or None


def gl_of(invoice) -> dict[str, float]:
	"""Debit less credit by account, of the entries that stand."""
	sums = {}
	for row in frappe.get_all(
		"GL Entry",
		filters={"voucher_no": invoice.name, "is_cancelled": 0},
		fields=["account", "debit", "credit"],
	):
		sums[row.account] = round(sums.get(row.account, 0) + row.debit - row.credit, 2)
	return {account: amount for account, amount in sums.items() if amount}


class LoyaltyTestCase(IntegrationTestCase):
	"""Every test ends with the proof that log, entries and memberships agree."""

	def tearDown(self):
		self.assertEqual(verify(), [])


class TestLoyaltyProgramDocument(LoyaltyTestCase):
	"""Source: "Loyalty Program", chapters 2 and 3."""

	def setUp(self):
		self.program = make_program(
			tiers=[("Silver", 2000, 300), ("Gold", 6000, 200)], conversion_factor=1, expiry_duration=30
		)
		self.customer = make_customer(loyalty_program=self.program.name)

	def test_walk_through(self):
		# 3.1: 3,000 spent, Silver from 2,000, 1 point for each 300
		first = make_invoice(self.customer, 3000)
		entry = earned(first)
		self.assertEqual((entry.loyalty_points, entry.loyalty_program_tier), (10, "Silver"))
		self.assertEqual(tier(self.customer), "Silver")
		for field, value in {
			"loyalty_program": self.program.name,
			"customer": self.customer.name,
			"invoice_type": "Sales Invoice",
			"invoice": first.name,
			"redeem_against": None,
			"purchase_amount": 3000,
			"posting_date": getdate(today()),
			"expiry_date": getdate(add_days(today(), 30)),
			"company": company(),
		}.items():
			self.assertEqual(entry[field] or None, value, field)

		# 3.1: the same again makes 6,000 in all: Gold, at the new spend
		second = make_invoice(self.customer, 3000)
		self.assertEqual(tier(self.customer), "Gold")
		self.assertEqual(earned(second).loyalty_points, 15)
		self.assertEqual(balance(self.customer), 25)

		# 3.2: more than there is, is an error, and nothing is saved
		with self.assertRaisesRegex(frappe.ValidationError, "enough Loyalty Points"):
			make_invoice(self.customer, 3000, redeem=26)
		self.assertEqual(balance(self.customer), 25)

		# 3.2: redeeming all: account and cost center from the program, two kinds of entries, the amount paid
		third = make_invoice(self.customer, 3000, redeem=25)
		self.assertEqual(third.loyalty_amount, 25)
		self.assertEqual(third.loyalty_redemption_account, self.program.expense_account)
		self.assertEqual(third.loyalty_redemption_cost_center, self.program.cost_center)
		self.assertEqual(third.outstanding_amount, 2975)
		self.assertEqual([e.loyalty_points for e in entries_of(third)], [14, -10, -15])
		self.assertEqual(
			sorted(e.redeem_against for e in entries_of(third) if e.loyalty_points < 0),
			sorted([entry.name, earned(second).name]),
		)
		self.assertEqual(gl_of(third)[self.program.expense_account], 25)
		self.assertEqual(balance(self.customer), 14)

	def test_a_return_replaces_the_entry_and_a_cancel_deletes_it(self):
		invoice = make_invoice(self.customer, items=[{"rate": 3000, "qty": 2}])
		before = earned(invoice)
		self.assertEqual((before.loyalty_points, tier(self.customer)), (30, "Gold"))

		returned = make_return(invoice, qty=1)
		after = entries_of(invoice)
		self.assertEqual(len(after), 1)
		self.assertNotEqual(after[0].name, before.name)
		self.assertFalse(frappe.db.exists("Loyalty Point Entry", before.name))
		self.assertEqual((after[0].loyalty_points, after[0].purchase_amount), (15, 3000))
		# The lot keeps the terms it was granted at; the customer's own tier follows the spend.
		self.assertEqual(after[0].loyalty_program_tier, "Gold")
		self.assertEqual(after[0].expiry_date, before.expiry_date)
		self.assertEqual(tier(self.customer), "Silver")

		returned.cancel()
		self.assertEqual((earned(invoice).loyalty_points, tier(self.customer)), (30, "Gold"))

		invoice.reload()
		invoice.cancel()
		self.assertEqual(entries_of(invoice), [])
		self.assertEqual((balance(self.customer), tier(self.customer)), (0, None))

	def test_points_are_not_good_after_their_last_day(self):
		start = add_days(today(), -40)
		make_invoice(self.customer, 3000, posting_date=start)
		name = find(self.customer.name, self.program.name)
		self.assertEqual(spendable(name, getdate(add_days(start, 30))), 10)
		self.assertEqual(spendable(name, getdate(add_days(start, 31))), 0)
		self.assertEqual(balance(self.customer), 0)


class TestLoyaltyPointEntryDocument(LoyaltyTestCase):
	"""Source: "Loyalty Point Entry": an audit trail of all point movements."""

	def test_the_balance_follows_every_movement_and_the_log_remembers_it(self):
		program = make_program(tiers=[("Silver", 0, 10)])
		customer = make_customer(loyalty_program=program.name)
		invoice = make_invoice(customer, 100)
		spent = make_invoice(customer, 50, redeem=4)
		spent.cancel()
		invoice.cancel()
		self.assertEqual(balance(customer), 0)
		log = frappe.get_all(
			"Loyalty Point Log",
			filters={"customer": customer.name},
			fields=["event", "action", "points_before", "points_after", "reference_name", "user"],
			order_by="sequence",
		)
		self.assertEqual(
			[(row.event, row.action) for row in log],
			[("Submit", "Insert")] * 3 + [("Cancel", "Delete")] * 3,
		)
		self.assertEqual(
			sorted((row.points_before, row.points_after) for row in log),
			[(-4, 0), (0, -4), (0, 4), (0, 10), (4, 0), (10, 0)],
		)
		self.assertEqual({row.reference_name for row in log}, {invoice.name, spent.name})
		self.assertEqual({row.user for row in log}, {frappe.session.user})


class TestKnownFigures(LoyaltyTestCase):
	"""Figures that ERPNext's own tests state."""

	def setUp(self):
		self.program = make_program(tiers=[("Silver", 1000, 1000)], expiry_duration=10)
		self.customer = make_customer(loyalty_program=self.program.name)

	def test_earn_and_redeem(self):
		first = make_invoice(self.customer, 10000)
		self.assertEqual(earned(first).loyalty_points, 10)
		second = make_invoice(self.customer, 10000, redeem=10)
		rows = entries_of(second)
		self.assertEqual([r.loyalty_points for r in rows], [9, -10])
		self.assertEqual(rows[1].redeem_against, earned(first).name)
		self.assertEqual((rows[1].purchase_amount, rows[0].purchase_amount), (0, 9990))
		self.assertEqual(balance(self.customer), 9)

	def test_half_returned(self):
		invoice = make_invoice(self.customer, items=[{"rate": 10000, "qty": 2}])
		before = earned(invoice)
		self.assertEqual(before.loyalty_points, 20)
		make_return(invoice, qty=1)
		self.assertEqual(earned(invoice).loyalty_points, 10)
		self.assertNotEqual(earned(invoice).name, before.name)

	def test_tiers(self):
		program = make_program(tiers=[("Bronze", 0, 10), ("Silver", 10000, 10), ("Gold", 20000, 10)])
		for before, amount, expected in (
			(0, 6000, "Bronze"),
			(0, 15000, "Silver"),
			(0, 25000, "Gold"),
			(4000, 500, "Bronze"),
			(8000, 3000, "Silver"),
			(18000, 3000, "Gold"),
			(22000, 5000, "Gold"),
		):
			with self.subTest(before=before, amount=amount):
				customer = make_customer(loyalty_program=program.name)
				if before:
					make_invoice(customer, before)
				invoice = make_invoice(customer, amount)
				self.assertEqual(earned(invoice).loyalty_program_tier, expected)
				self.assertEqual(tier(customer), expected)

	def test_points_on_a_shopping_cart_order_become_the_invoices_redemption(self):
		from erpnext.selling.doctype.sales_order.sales_order import make_sales_invoice

		program = make_program(tiers=[("Silver", 0, 10)], expense_account=expense_account())
		customer = make_customer(loyalty_program=program.name)
		make_invoice(customer, 1000)
		sample = make_invoice(customer, 200, submit=False)
		order = frappe.get_doc(
			{
				"doctype": "Sales Order",
				"customer": customer.name,
				"company": sample.company,
				"order_type": "Shopping Cart",
				"transaction_date": today(),
				"delivery_date": today(),
				"currency": sample.currency,
				"conversion_rate": 1,
				"selling_price_list": sample.selling_price_list,
				"price_list_currency": sample.currency,
				"plc_conversion_rate": 1,
				"loyalty_points": 50,
				"loyalty_amount": 50,
				"items": [
					{"item_code": sample.items[0].item_code, "qty": 1, "rate": 200, "delivery_date": today()}
				],
			}
		).insert(ignore_permissions=True)
		order.submit()
		invoice = make_sales_invoice(order.name, ignore_permissions=True)
		invoice.insert(ignore_permissions=True)
		self.assertEqual((invoice.redeem_loyalty_points, invoice.loyalty_points), (1, 50))
		invoice.submit()
		self.assertEqual(invoice.loyalty_amount, 50)
		self.assertEqual(invoice.outstanding_amount, 150)
		self.assertEqual(gl_of(invoice)[program.expense_account], 50)
		self.assertEqual(balance(customer), 100 - 50 + 15)
