"""Points that may be spent some days after they are posted only: rules 7."""

from unittest.mock import patch

import frappe
from frappe.utils import add_days, formatdate, getdate, today

from loyalty_app.ledger import membership
from loyalty_app.ledger.membership import find, spendable, summary
from loyalty_app.ledger.test_runs import run
from loyalty_app.loyalty_app.report.loyalty_balances import loyalty_balances
from loyalty_app.reporting.statement import statement
from loyalty_app.tests.test_documents import LoyaltyTestCase, balance, earned
from loyalty_app.tests.utils import (
	make_adjustment,
	make_customer,
	make_invoice,
	make_program,
	make_return,
	on_day,
)

WINDOW = 14


def day(number):
	"""The day so many days after the first, which is a month ago."""
	return getdate(add_days(today(), number - 30))


class TestMaturity(LoyaltyTestCase):
	def setUp(self):
		self.program = make_program(maturity_days=WINDOW, expiry_duration=60)
		self.customer = make_customer(loyalty_program=self.program.name)

	def buy(self, number, amount=100, **kwargs):
		with on_day(day(number)):
			return make_invoice(self.customer, amount, posting_date=day(number), **kwargs)

	def seen_on(self, number):
		"""Points to spend, pending ones and when the first of those can be spent, as shown on that day."""
		with on_day(day(number)):
			told = summary(self.customer.name)
		return told.balance, told.pending, told.pending_from

	def in_report(self, number, now=30):
		with on_day(day(now)):
			filters = {"loyalty_program": self.program.name, "on_date": str(day(number))}
			_columns, rows, *_rest = loyalty_balances.execute(filters)
		return rows[0].balance, rows[0].pending

	def change_program(self, **values):
		self.program.reload()
		self.program.update(values).save()

	def test_points_are_pending_until_their_day(self):
		entry = earned(self.buy(0))
		self.assertEqual(getdate(entry.spendable_from), day(WINDOW))
		self.buy(5, 50)
		self.assertEqual(self.seen_on(5), (0, 15, day(14)))
		self.assertEqual(self.seen_on(13), (0, 15, day(14)))
		self.assertEqual(self.seen_on(14), (10, 5, day(19)))
		self.assertEqual(self.seen_on(19), (15, 0, None))
		name = find(self.customer.name, self.program.name)
		self.assertEqual(
			[spendable(name, day(n)) for n in (-1, 0, 13, 14, 19, 60, 61, 66)], [0, 0, 0, 10, 15, 15, 5, 0]
		)

	def test_reports_tell_what_was_pending_on_a_day(self):
		self.buy(0)
		self.buy(5, 50)
		self.assertEqual(self.in_report(13, now=13), (0, 15))
		self.assertEqual(self.in_report(16, now=16), (10, 5))
		self.assertEqual([self.in_report(n) for n in (2, 13, 14, 19)], [(0, 10), (0, 15), (10, 5), (15, 0)])

	def test_a_redemption_of_immature_points_says_when_they_can_be_spent(self):
		self.buy(0)
		for submit in (False, True):
			with self.assertRaisesRegex(
				frappe.ValidationError,
				f"10 asked for, 0 spendable .* 10 more points can be spent from {formatdate(day(14))} on",
			):
				self.buy(13, 200, redeem=10, submit=submit)
		# The binding check is the ledger's, whatever was checked before.
		with patch("loyalty_app.ledger.redemption.refuse_if_short"):
			with self.assertRaisesRegex(frappe.ValidationError, "can be spent from"):
				self.buy(13, 200, redeem=10)

	def test_the_posting_date_decides_and_not_the_day_of_typing(self):
		self.buy(0)
		with on_day(day(20)), self.assertRaisesRegex(frappe.ValidationError, "can be spent from"):
			make_invoice(self.customer, 200, redeem=10, posting_date=day(13))
		with on_day(day(20)):
			make_invoice(self.customer, 200, redeem=10, posting_date=day(14))
		self.assertEqual(self.seen_on(20), (0, 19, day(28)))

	def test_mature_points_pay_beside_immature_ones_that_expire_sooner(self):
		self.buy(0)
		self.change_program(expiry_duration=20)
		self.buy(14, 100)
		self.assertEqual(self.seen_on(20), (10, 10, day(28)))
		self.buy(20, 200, redeem=10)
		self.assertEqual(self.seen_on(20)[0], 0)

	def test_changing_the_program_never_changes_what_was_earned(self):
		first = self.buy(0, items=[{"rate": 25, "qty": 4}])
		self.change_program(maturity_days=0)
		self.assertEqual(self.seen_on(10), (0, 10, day(14)))
		second = self.buy(10)
		self.assertIsNone(earned(second).spendable_from)
		self.assertEqual(self.seen_on(10), (10, 10, day(14)))
		with on_day(day(12)):
			make_return(first, qty=1, posting_date=day(12))
		entry = earned(first)
		self.assertEqual((entry.loyalty_points, getdate(entry.spendable_from)), (7, day(14)))
		self.assertEqual(self.seen_on(12), (10, 7, day(14)))

	def test_cancel_and_return_within_the_window_leave_nothing(self):
		first, second = self.buy(0), self.buy(1, items=[{"rate": 25, "qty": 4}])
		with on_day(day(5)):
			first.reload()
			first.cancel()
			back = make_return(second, qty=4, posting_date=day(5))
		self.assertEqual([self.seen_on(n) for n in (5, 20)], [(0, 0, None)] * 2)
		with on_day(day(6)):
			back.reload()
			back.cancel()
		self.assertEqual([self.seen_on(n) for n in (6, 15)], [(0, 10, day(15)), (10, 0, None)])

	def test_a_return_after_the_window_takes_spent_points_back(self):
		first = self.buy(0)
		spender = self.buy(14, 200, redeem=10)
		self.buy(15, 40)
		with on_day(day(16)):
			make_return(first, posting_date=day(16))
		# The 4 points of the third purchase are pending, and make up for what is missing at once.
		self.assertEqual([self.seen_on(n) for n in (16, 28)], [(-6, 19, day(28)), (13, 0, None)])
		self.assertEqual(self.in_report(16), (-6, 19))
		with on_day(day(17)):
			spender.reload()
			spender.cancel()
		self.assertEqual([self.seen_on(n) for n in (17, 29)], [(0, 4, day(29)), (4, 0, None)])

	def test_adjustments_are_spendable_at_once_and_take_mature_points_only(self):
		self.buy(0)
		other = make_customer(loyalty_program=self.program.name)
		with on_day(day(5)):
			make_adjustment(self.customer, 5, posting_date=day(5))
			self.assertEqual(balance(self.customer), 5)
			for values in ({"points": -6}, {"points": 6, "reason": "Transfer", "to_customer": other.name}):
				with self.assertRaisesRegex(frappe.ValidationError, "10 more points can be spent from"):
					make_adjustment(self.customer, posting_date=day(5), **values)
			make_adjustment(self.customer, 5, reason="Transfer", to_customer=other.name, posting_date=day(5))
			self.assertEqual((balance(self.customer), balance(other)), (0, 5))

	def test_entries_of_other_code_are_spendable_at_once(self):
		self.buy(0)

		def insert(points):
			values = {"customer": self.customer.name, "loyalty_program": self.program.name}
			values |= {"loyalty_points": points, "posting_date": day(5)}
			frappe.get_doc({"doctype": "Loyalty Point Entry", **values}).insert(ignore_permissions=True)

		with on_day(day(5)):
			insert(5)
			self.assertEqual(balance(self.customer), 5)
			with self.assertRaisesRegex(frappe.ValidationError, "10 more points can be spent from"):
				insert(-6)

	def test_merging_customers_keeps_the_days(self):
		self.buy(0)
		other = make_customer(loyalty_program=self.program.name)
		with on_day(day(3)):
			make_invoice(other, 50, posting_date=day(3))
			frappe.rename_doc("Customer", other.name, self.customer.name, merge=True)
		self.assertEqual([self.seen_on(n) for n in (3, 14)], [(0, 15, day(14)), (10, 5, day(17))])

	def test_what_expires_unspent(self):
		self.change_program(maturity_days=5, expiry_duration=5)
		gone = self.buy(0)
		self.assertEqual([self.seen_on(n)[0] for n in (4, 5, 6)], [0, 10, 0])
		run("Expiry")
		self.assertEqual(earned(gone).remaining_points, 0)
		self.assertEqual([self.in_report(n) for n in (4, 5, 6)], [(0, 10), (10, 0), (0, 0)])

	def test_the_statement_says_what_is_to_come(self):
		self.buy(0)
		member = frappe.get_doc("Loyalty Membership", find(self.customer.name, self.program.name))
		with on_day(day(10)):
			told = statement(member, day(0), day(10))
		self.assertEqual((told.closing, told.balance, told.pending), (10, 0, 10))
		self.assertEqual(told.movements[0].spendable_from, day(14))
		with on_day(day(14)):
			self.assertIsNone(statement(member, day(0), day(14)).movements[0].spendable_from)

	def test_erpnexts_own_methods_tell_what_can_be_spent(self):
		from loyalty_app.api.erpnext import get_loyalty_program_details_with_points

		self.buy(0)
		for number, points in ((13, 0), (14, 10)):
			details = get_loyalty_program_details_with_points(
				self.customer.name, expiry_date=str(day(number))
			)
			self.assertEqual(details.loyalty_points, points)

	def test_a_lost_day_is_found_and_counted_again(self):
		from loyalty_app.ledger import rebuild, verify

		name = (self.buy(0), find(self.customer.name, self.program.name))[1]
		frappe.db.set_value(membership.DOCTYPE, name, "all_spendable_from", day(0))
		self.assertIn("all_spendable_from", verify(name)[0])
		rebuild(name)
		self.assertEqual(self.seen_on(1), (0, 10, day(14)))
		frappe.db.set_value("Loyalty Point Entry", {"membership": name}, "spendable_from", None)
		self.assertTrue(any("spendable_from" in fault for fault in verify(name)), verify(name))
		rebuild(name)
		self.assertEqual(verify(name), [])

	def test_points_that_mature_after_they_expire_are_refused_in_the_program(self):
		with self.assertRaisesRegex(frappe.ValidationError, "Maturity .*61 days are more than the 60 days"):
			self.change_program(maturity_days=61)
		self.change_program(maturity_days=61, expiry_duration=0)
		for wrong in (-1, "x", 10**6):
			with self.subTest(wrong), self.assertRaisesRegex(frappe.ValidationError, "Maturity"):
				self.change_program(maturity_days=wrong)
