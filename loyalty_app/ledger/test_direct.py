"""Entries inserted by other code: rules 8."""

import frappe
from frappe.custom.doctype.custom_field.custom_field import create_custom_fields
from frappe.utils import add_days, getdate, today

from loyalty_app.tests.test_documents import LoyaltyTestCase, balance, earned
from loyalty_app.tests.utils import company, make_customer, make_invoice, make_program


class TestDirectInsert(LoyaltyTestCase):
	def setUp(self):
		self.program = make_program()
		self.customer = make_customer(loyalty_program=self.program.name)

	def insert(self, points, **values):
		return frappe.get_doc(
			{
				"doctype": "Loyalty Point Entry",
				"loyalty_program": self.program.name,
				"customer": self.customer.name,
				"loyalty_points": points,
				**values,
			}
		).insert(ignore_permissions=True)

	def test_a_bonus_becomes_a_lot(self):
		entry = self.insert(
			50, discretionary_reason="Referral", expiry_date=add_days(today(), 9), posting_date=today()
		)
		entry = frappe.get_doc("Loyalty Point Entry", entry.name)
		self.assertEqual(
			(entry.entry_type, entry.remaining_points, entry.company, entry.discretionary_reason),
			("Adjusted", 50, company(), "Referral"),
		)
		self.assertEqual(balance(self.customer), 50)
		make_invoice(self.customer, 100, redeem=50)
		self.assertEqual(balance(self.customer), 5)

	def test_what_a_member_has_stays_countable(self):
		self.insert(2**31 - 1)
		with self.assertRaisesRegex(frappe.ValidationError, "points in all"):
			self.insert(1)

	def test_fields_of_others_are_kept(self):
		create_custom_fields(
			{"Loyalty Point Entry": [{"fieldname": "bonus_note", "fieldtype": "Data", "label": "Bonus Note"}]}
		)
		entry = self.insert(5, bonus_note="for the birthday")
		self.assertEqual(
			frappe.db.get_value("Loyalty Point Entry", entry.name, "bonus_note"), "for the birthday"
		)

	def test_it_expires_like_earned_points_unless_it_says_otherwise(self):
		self.assertEqual(
			getdate(self.insert(5).expiry_date), getdate(add_days(today(), self.program.expiry_duration))
		)

	def test_negative_points_are_allotted_to_lots(self):
		first, second = make_invoice(self.customer, 100), make_invoice(self.customer, 100)
		entry = self.insert(-15, discretionary_reason="Correction")
		rows = frappe.get_all(
			"Loyalty Point Entry",
			filters={"customer": self.customer.name, "loyalty_points": ("<", 0)},
			fields=["name", "redeem_against", "loyalty_points", "expiry_date", "discretionary_reason"],
			order_by="loyalty_points",
		)
		self.assertEqual([r.loyalty_points for r in rows], [-10, -5])
		self.assertEqual({r.redeem_against for r in rows}, {earned(first).name, earned(second).name})
		self.assertEqual({r.discretionary_reason for r in rows}, {"Correction"})
		self.assertEqual((rows[0].name, entry.redeem_against), (entry.name, rows[0].redeem_against))
		self.assertEqual(balance(self.customer), 5)

	def test_points_that_were_good_on_the_posting_date_are_found_after_they_expired(self):
		start = add_days(today(), -400)
		lot = earned(make_invoice(self.customer, 100, posting_date=start))
		entry = self.insert(-4, posting_date=add_days(start, 365))
		self.assertEqual(entry.redeem_against, lot.name)
		self.assertEqual(balance(self.customer), 0)

	def test_a_named_lot_is_drawn_on(self):
		make_invoice(self.customer, 100, posting_date=add_days(today(), -5))
		lot = earned(make_invoice(self.customer, 100))
		self.insert(-4, redeem_against=lot.name)
		self.assertEqual(frappe.db.get_value("Loyalty Point Entry", lot.name, "remaining_points"), 6)

	def test_a_bonus_settles_a_shortfall_first(self):
		source = make_invoice(self.customer, 1000)
		make_invoice(self.customer, 200, redeem=100)
		source.reload()
		source.cancel()
		self.assertEqual(frappe.get_doc("Loyalty Point Entry", self.insert(60).name).remaining_points, 0)
		self.assertEqual(balance(self.customer), 60 + 10 - 100)

	def test_what_cannot_be_recorded_is_refused(self):
		other = make_customer(loyalty_program=self.program.name)
		foreign = earned(make_invoice(other, 100)).name
		for message, points, values in (
			("spendable", -1, {}),
			("must not be zero", 0, {}),
			("whole number", 1.5, {}),
			("not be more than", 2**31, {}),
			("Purchase Amount", 5, {"purchase_amount": "abc"}),
			("Purchase Amount", 5, {"purchase_amount": 1e30}),
			("Company must be", 5, {"company": company("Loyalty Test Other Co", "LTO")}),
			("before Posting Date", 5, {"expiry_date": add_days(today(), -1)}),
			("Purchase Amount", -5, {"purchase_amount": 10}),
			("Purchase Amount", 5, {"purchase_amount": -10}),
			("not an entry with points", -5, {"redeem_against": foreign}),
			("set Customer", 5, {"customer": None}),
			("Could not find Customer", 5, {"customer": "Nobody at all"}),
			("Could not find Loyalty Program", 5, {"loyalty_program": "No such program"}),
		):
			with self.subTest(message=message, points=points):
				frappe.db.savepoint("refused")
				with self.assertRaisesRegex(frappe.ValidationError, message):
					self.insert(points, **values)
				frappe.db.rollback(save_point="refused")
		self.assertEqual(balance(self.customer), 0)
