import frappe

from loyalty_app.tests.utils import (
	IntegrationTestCase,
	as_user,
	make_item,
	make_program,
	make_promotion,
	make_user,
)


class TestLoyaltyPromotion(IntegrationTestCase):
	def setUp(self):
		self.program = make_program(tiers=[("Silver", 0, 10), ("Gold", 1000, 5)])

	def refused(self, message, **kwargs):
		with self.assertRaisesRegex(frappe.ValidationError, message):
			make_promotion(self.program, **kwargs)

	def test_what_cannot_be_is_refused_by_name(self):
		item = make_item().name
		amount = {"effect": "Points per Amount", "points": 5, "per_amount": 10}
		for message, values in {
			"Multiplier.*greater than 1": {"multiplier": 1},
			"Multiplier.*too large": {"multiplier": 1001},
			"Multiplier.*not a number": {"multiplier": "many"},
			"Effect.*must be one of.*Fixed Bonus": {"effect": "Halve Points"},
			"Points.*greater than 0": {"effect": "Fixed Bonus", "points": 0},
			"Points.*not a whole number": {"effect": "Fixed Bonus", "points": "1.5"},
			"Per Amount.*greater than 0": amount | {"per_amount": 0},
			"To Date.*is before.*From Date": {"to_date": "2019-01-01"},
			"From Date.*is not a date": {"from_date": "soon"},
			"From Time.*not a time": {"from_time": "late"},
			"From Time.*To Time.*both": {"from_time": "16:00", "to_time": "16:00"},
			"Tier.*no tier.*Bronze.*Silver, Gold": {"tier": "Bronze"},
			"Minimum Amount.*negative": {"minimum_amount": -1},
			"Invoices in All.*negative": {"limit_total": -1},
			"Row 2 of.*Only These Items.*row 1 already": {"items": [("Item", item)] * 2},
			"No Such Item": {"exclusions": [("Item", "No Such Item")]},
			"Month of Birth.*Birthday Field.*Loyalty Settings": {"birthday_month": 1},
		}.items():
			with self.subTest(message):
				self.refused(f"(?s){message}", **values)

	def test_what_belongs_to_another_effect_is_emptied(self):
		promotion = make_promotion(self.program, effect="Fixed Bonus", points=5, per_amount=10)
		self.assertEqual((promotion.multiplier, promotion.points, promotion.per_amount), (0, 5, 0))
		self.assertEqual(promotion.company, self.program.company)

	def test_hours_are_kept_as_they_are_read(self):
		promotion = make_promotion(self.program, from_time="9:05", to_time="23:59:59")
		self.assertEqual((promotion.from_time, promotion.to_time), ("09:05", "23:59:59"))
		for empty in ("", None):
			self.assertIsNone(make_promotion(self.program, from_time=empty).from_time)

	def test_who_may_do_what(self):
		promotion = make_promotion(self.program)
		for role, may_write in (
			("Accounts Manager", True),
			("System Manager", True),
			("Accounts User", False),
			("Auditor", False),
			("Sales User", False),
		):
			with self.subTest(role), as_user(make_user(role)):
				self.assertTrue(frappe.has_permission("Loyalty Promotion", "read", promotion))
				for action in ("write", "create", "delete"):
					self.assertEqual(frappe.has_permission("Loyalty Promotion", action, promotion), may_write)
		with as_user(make_user("Sales Manager")):
			self.assertFalse(frappe.has_permission("Loyalty Promotion", "read", promotion))
		self.assertFalse(frappe.has_permission("Loyalty Settings", "write", user=make_user("Accounts User")))

	def test_only_date_fields_of_customer_have_the_birthday(self):
		for field in ("customer_name", "no_such_field"):
			settings = frappe.get_doc("Loyalty Settings")
			settings.birthday_field = field
			with self.assertRaisesRegex(frappe.ValidationError, "Birthday Field.*not a date field"):
				settings.save()
