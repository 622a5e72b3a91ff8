import json

import frappe

from loyalty_app.api import desk
from loyalty_app.tests.utils import IntegrationTestCase, as_user, make_program, make_user


class TestPromotionInWords(IntegrationTestCase):
	def setUp(self):
		self.program = make_program(tiers=[("Silver", 0, 10), ("Gold", 1000, 5)]).name

	def preview(self, **values) -> frappe._dict:
		"""What the form is answered while these fields are typed."""
		new = {
			"doctype": "Loyalty Promotion",
			"loyalty_program": self.program,
			"enabled": 1,
			"effect": "Multiply Points",
			"multiplier": 2,
			"combination": "Add Up",
		}
		return frappe._dict(desk.promotion_preview(json.dumps(new | values)))

	def says(self, **values) -> str:
		return self.preview(**values).terms[0]

	def test_one_sentence_of_all_conditions(self):
		self.assertEqual(
			self.says(
				customer_group="Cafés",
				customer_territory="Harbour",
				tier="Gold",
				items=[{"apply_to": "Item Group", "apply_to_value": "Beverages"}],
				exclusions=[{"exclude_type": "Item", "exclude_value": "Tea"}],
				minimum_amount=50,
				friday=1,
				saturday=1,
				from_time="16:00",
				to_time="18:00",
				from_date="2026-03-01",
				to_date="2026-03-31",
				first_purchase=1,
				birthday_month=1,
				code="FRIDAY",
				limit_per_customer=2,
				limit_total=500,
			),
			"Customers of Cafés in Harbour at tier Gold earn double points on Beverages except Tea worth $ 50.00 or more"
			" on Fridays and Saturdays between 16:00 and 18:00 from 1 March 2026 to 31 March 2026 on their first purchase"
			" in the month of their birthday with the code FRIDAY, at most 2 times per customer, for at most 500 invoices"
			" in all.",
		)

	def test_what_it_gives(self):
		amount = {"effect": "Points per Amount", "points": 5, "per_amount": 100}
		fixed = {"effect": "Fixed Bonus", "points": 1}
		beans = {"items": [{"apply_to": "Item", "apply_to_value": item} for item in "ABCDE"]}
		for expected, values in {
			"Customers earn double points.": {},
			"Customers earn triple points.": {"multiplier": "3.0"},
			"Customers earn 1.5 times their points.": {"multiplier": 1.5},
			"Customers earn 10 times their points.": {"multiplier": 10},
			"Customers earn 5 points more for every $ 100.00.": amount,
			"Customers earn 1 point more.": fixed,
			"Customers earn 1 point more, once an invoice, on A, B, C and 2 more.": fixed | beans,
			"Customers earn double points on purchases of $ 200.00 or more.": {"minimum_amount": 200},
			"Customers earn double points on all but Tea.": {
				"exclusions": [{"exclude_type": "Item", "exclude_value": "Tea"}]
			},
			"Customers earn double points between 00:00 and 09:30.": {"to_time": "9:30"},
			"Customers earn double points between 22:00 and 24:00.": {"from_time": "22:00"},
			"Customers earn double points from 1 March 2026 on.": {"from_date": "2026-03-01"},
			"Customers earn double points on 1 March 2026.": {
				"from_date": "2026-03-01",
				"to_date": "2026-03-01",
			},
			"Customers earn double points, at most once per customer, for one invoice in all.": {
				"limit_per_customer": 1,
				"limit_total": 1,
			},
		}.items():
			with self.subTest(expected):
				self.assertEqual(self.says(**values), expected)
		every_day = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
		self.assertEqual(self.says(**dict.fromkeys(every_day, 1)), "Customers earn double points.")

	def test_what_has_to_be_added(self):
		self.assertIn("on top of other promotions", self.preview().terms[1])
		told = self.preview(combination="Best One Only", enabled=0).terms
		self.assertIn("the one that gives it most", told[1])
		self.assertEqual(told[2], "It is disabled and gives nothing.")

	def test_what_is_not_there_yet_and_what_cannot_be(self):
		for values in ({"multiplier": None}, {"effect": "Fixed Bonus", "points": 0}):
			self.assertEqual(self.preview(**values), {"terms": []})
		for message, values in {
			"Effect.*must be one of": {"effect": None},
			"Multiplier: it must be greater than 1": {"multiplier": 0.5},
			"From Time.*not a time": {"from_time": "<b>late</b>"},
			"From Date.*is not a date": {"from_date": "soon"},
			"Minimum Amount.*too large": {"minimum_amount": "1e99"},
		}.items():
			with self.subTest(message):
				self.assertRegex(self.preview(**values).refusal, message)
		self.assertEqual(self.says(loyalty_program=None), "Customers earn double points.")

	def test_in_arabic(self):
		self.addCleanup(setattr, frappe.local, "lang", frappe.local.lang)
		frappe.local.lang = "ar"
		told = self.says(
			tier="Gold", friday=1, from_date="2026-03-01", to_date="2026-03-31", limit_per_customer=3
		)
		self.assertIn("2026، 3", told)
		self.assertIn("ضعف", told)
		self.assertIn("مارس", told)
		self.assertIn("\u2068Gold\u2069", told)
		self.assertNotRegex(told.replace("Gold", ""), "[A-Za-z]")

	def test_guarded(self):
		with as_user(make_user("Sales Manager")), self.assertRaises(frappe.PermissionError):
			self.preview()
		with as_user(make_user("Sales User")):
			self.assertTrue(self.preview().terms)
