"""The daily job: rules 7, first paragraph."""

from unittest.mock import patch

import frappe
from frappe.utils import add_days, getdate, today

from loyalty_app.ledger import expiry
from loyalty_app.ledger.membership import find
from loyalty_app.tests.test_documents import LoyaltyTestCase, balance, earned
from loyalty_app.tests.utils import make_customer, make_invoice, make_program


class TestExpiry(LoyaltyTestCase):
	def setUp(self):
		self.program = make_program(expiry_duration=30)

	def member(self, *days_ago):
		customer = make_customer(loyalty_program=self.program.name)
		return customer, [make_invoice(customer, 100, posting_date=add_days(today(), -d)) for d in days_ago]

	def sweep(self):
		with patch.object(frappe.db, "commit"), patch.object(expiry, "AT_ONCE", 2):
			return expiry.sweep()

	def test_it_closes_what_has_expired_and_nothing_else(self):
		customer, (gone, last_day, good) = self.member(31, 30, 1)
		members = [self.member(40)[0] for _ in range(4)]
		idle = make_customer(loyalty_program=self.program.name)
		never = make_program(expiry_duration=0)
		forever = make_customer(loyalty_program=never.name)
		make_invoice(forever, 100, posting_date=add_days(today(), -400))

		self.sweep()
		self.assertEqual([earned(i).remaining_points for i in (gone, last_day, good)], [0, 10, 10])
		row = frappe.get_doc("Loyalty Point Entry", {"redeem_against": earned(gone).name})
		self.assertEqual(
			(row.entry_type, row.loyalty_points, row.purchase_amount, row.invoice),
			("Expired", -10, 0, gone.name),
		)
		self.assertEqual(getdate(row.posting_date), getdate(today()))
		values = frappe.db.get_value(
			"Loyalty Membership",
			find(customer.name, self.program.name),
			["balance", "points_expired", "next_expiry"],
		)
		self.assertEqual(values, (20, 10, getdate(today())))
		self.assertEqual([balance(c) for c in (customer, *members, idle, forever)], [20, 0, 0, 0, 0, 0, 10])

		entries = frappe.db.count("Loyalty Point Entry")
		self.assertEqual(self.sweep(), 0)
		self.assertEqual(frappe.db.count("Loyalty Point Entry"), entries)

	def test_cancel_takes_the_expiry_along(self):
		customer, (invoice,) = self.member(40)
		self.sweep()
		invoice.reload()
		invoice.cancel()
		self.assertEqual(frappe.db.count("Loyalty Point Entry", {"customer": customer.name}), 0)
