"""Closing lots whose last day has passed: rules 7."""

from unittest.mock import patch

import frappe
from frappe.utils import add_days, getdate, today

from loyalty_app.ledger import bulk, entries, log, rebuild, verify
from loyalty_app.ledger.membership import find
from loyalty_app.ledger.test_runs import run
from loyalty_app.rules import lots
from loyalty_app.tests.test_documents import LoyaltyTestCase, balance, earned
from loyalty_app.tests.utils import make_customer, make_invoice, make_program, names_with_letters, on_day


class TestExpiry(LoyaltyTestCase):
	def setUp(self):
		self.program = make_program(expiry_duration=30)

	def member(self, *days_ago):
		"""A customer who bought for 100 on some days, 40 of them ago at the most, as the ledger was 40 days ago."""
		customer = make_customer(loyalty_program=self.program.name)
		with on_day(add_days(today(), -40)):
			return customer, [
				make_invoice(customer, 100, posting_date=add_days(today(), -d)) for d in days_ago
			]

	def state(self, customer):
		return frappe.db.get_value(
			"Loyalty Membership",
			find(customer.name, self.program.name),
			["balance", "points_expired", "next_expiry"],
		)

	def test_the_daily_job_closes_what_has_expired_and_nothing_else(self):
		customer, (gone, last_day, good) = self.member(31, 30, 1)
		members = [self.member(40)[0] for _ in range(4)]
		idle = make_customer(loyalty_program=self.program.name)
		never = make_program(expiry_duration=0)
		forever = make_customer(loyalty_program=never.name)
		make_invoice(forever, 100, posting_date=add_days(today(), -400))
		self.assertEqual([balance(c) for c in (customer, *members, idle, forever)], [20, 0, 0, 0, 0, 0, 10])

		self.assertEqual(run("Expiry").changed, 5)
		self.assertEqual([earned(i).remaining_points for i in (gone, last_day, good)], [0, 10, 10])
		row = frappe.get_doc("Loyalty Point Entry", {"redeem_against": earned(gone).name})
		self.assertEqual(
			(row.entry_type, row.loyalty_points, row.purchase_amount, row.invoice),
			("Expired", -10, 0, gone.name),
		)
		self.assertEqual(getdate(row.posting_date), getdate(today()))
		self.assertEqual(self.state(customer), (20, 10, getdate(today())))
		self.assertEqual([balance(c) for c in (customer, *members, idle, forever)], [20, 0, 0, 0, 0, 0, 10])

		count = frappe.db.count("Loyalty Point Entry")
		self.assertEqual(run("Expiry").changed, 0)
		self.assertEqual(frappe.db.count("Loyalty Point Entry"), count)

	def test_the_next_movement_closes_what_has_expired(self):
		customer, (gone,) = self.member(31)
		make_invoice(customer, 200)
		self.assertEqual(earned(gone).remaining_points, 0)
		self.assertEqual(self.state(customer), (20, 10, getdate(add_days(today(), 30))))
		self.assertEqual(run("Expiry").changed, 0)

	def test_what_is_posted_after_it_has_expired_is_closed_at_once(self):
		customer = make_customer(loyalty_program=self.program.name)
		late = make_invoice(customer, 100, posting_date=add_days(today(), -31))
		self.assertEqual(earned(late).remaining_points, 0)
		self.assertEqual(self.state(customer), (0, 10, None))

	def test_sets_are_closed_as_the_rules_say(self):
		customer, _invoices = self.member(40, 35, 31, 30, 2)
		with on_day(add_days(today(), -40)):
			make_invoice(customer, 50, redeem=13, posting_date=add_days(today(), -33))
		name = find(customer.name, self.program.name)
		mine = frappe.qb.DocType("Loyalty Point Entry").membership == name
		by_rules = lots.expire(entries.read(mine), getdate(today()), bulk.new_name)
		self.assertEqual(run("Expiry").changed, 3)
		found = {e.name: e for e in entries.read(mine)}

		def without_names(book):
			rows = [lots.replace(e, name=e.name if e.is_lot else "") for e in book.values()]
			return sorted(rows, key=str)

		self.assertEqual(without_names(found), without_names(by_rules))

	def test_cancel_takes_the_expiry_along(self):
		customer, (invoice,) = self.member(40)
		run("Expiry")
		invoice.reload()
		invoice.cancel()
		self.assertEqual(frappe.db.count("Loyalty Point Entry", {"customer": customer.name}), 0)

	def test_very_many_lots_of_a_customer_are_told_of_in_several_rows(self):
		customers = [self.member(40, 39, 38, 37, 36)[0], self.member(40)[0]]
		names = [find(customer.name, self.program.name) for customer in customers]
		told = {"membership": ("in", names), "action": log.INSERT_MANY}
		with patch.object(log, "MOST_IN_ROW", 2):
			self.assertEqual(run("Expiry").changed, 6)
		rows = frappe.get_all(log.DOCTYPE, told, ["after", "points_after"])
		self.assertEqual(sorted(len(log.told_in(row.after)) for row in rows), [1, 1, 2, 2])
		self.assertEqual(sorted(row.points_after for row in rows), [-20, -20, -10, -10])
		self.assertEqual(verify(), [])

	def test_a_lot_is_closed_whose_membership_somebody_wrote_in_capitals(self):
		"""Which is the same name to MariaDB, and another to SQLite."""
		with names_with_letters():
			customer, (invoice,) = self.member(40)
		name = find(customer.name, self.program.name)
		frappe.db.set_value("Loyalty Point Entry", earned(invoice).name, "membership", name.upper())
		self.assertEqual(run("Expiry").faults, 0)
		is_closed = frappe.db.db_type == "mariadb"
		self.assertEqual(earned(invoice).remaining_points, 0 if is_closed else 10)
		self.assertNotEqual(verify(name), [])
		frappe.db.set_value("Loyalty Point Entry", {"customer": customer.name}, "membership", name)
		rebuild(name)

	def test_lots_are_closed_again_that_rebuilding_has_opened(self):
		"""Somebody deletes what was drawn from one before it expired, then gives it more points, in the table."""
		customer, (invoice,) = self.member(40)
		lot, first_day = earned(invoice).name, add_days(today(), -40)
		with on_day(first_day):
			redeeming = make_invoice(customer, 50, redeem=6, posting_date=first_day)
		run("Expiry")
		frappe.db.delete("Loyalty Point Entry", {"invoice": redeeming.name, "entry_type": "Redeemed"})
		self.assert_opened_by_rebuilding(lot, 6)
		run("Expiry")
		self.assert_closed(lot, -4, -6)
		frappe.db.set_value("Loyalty Point Entry", lot, "loyalty_points", 15)
		self.assert_opened_by_rebuilding(lot, 5)
		make_invoice(customer, 100)
		self.assert_closed(lot, -4, -5, -6)
		invoice.reload()
		invoice.cancel()
		self.assert_closed(lot)

	def assert_opened_by_rebuilding(self, lot, points):
		rebuild(frappe.db.get_value("Loyalty Point Entry", lot, "membership"))
		self.assertEqual(frappe.db.get_value("Loyalty Point Entry", lot, "remaining_points"), points)

	def assert_closed(self, lot, *points):
		"""Nothing is left of `lot`, and so many points have expired, each time that it was closed."""
		self.assertFalse(frappe.db.get_value("Loyalty Point Entry", lot, "remaining_points"))
		rows = frappe.get_all("Loyalty Point Entry", {"redeem_against": lot}, pluck="loyalty_points")
		self.assertEqual(sorted(rows), sorted(points))
		self.assertEqual(verify(), [])
