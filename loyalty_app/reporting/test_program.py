import json
from decimal import Decimal

import frappe

from loyalty_app.api import desk
from loyalty_app.reporting.program import Program
from loyalty_app.tests.test_rest import RestTestCase
from loyalty_app.tests.utils import (
	IntegrationTestCase,
	as_user,
	make_customer,
	make_invoice,
	make_program,
	make_user,
)

TIERS = [("Silver", 0, 100), ("Gold", 6000, 75)]


def preview(doc, spent=None, amount=None, **changes) -> frappe._dict:
	"""What the form of `doc` is answered, with unsaved `changes`."""
	sent = json.dumps({**doc.as_dict(), **changes}, default=str)
	return frappe._dict(desk.program_preview(sent, spent=spent, amount=amount))


class TestExample(IntegrationTestCase):
	def example(self, spent, amount, tiers=TIERS, **fields) -> str:
		fields = {"conversion_factor": 0.5, **fields}
		return Program(make_program(tiers=tiers, **fields)).example(Decimal(spent), Decimal(str(amount)))

	def test_in_words(self):
		for spent, amount, expected in (
			(
				5500,
				1000,
				"A customer who has spent $ 5,500.00 and buys for $ 1,000.00 becomes Gold and earns 13 points,"
				" worth $ 6.50.",
			),
			(
				6000,
				100,
				"A customer who has spent $ 6,000.00 and buys for $ 100.00 stays Gold and earns 1 point,"
				" worth $ 0.50.",
			),
			(
				0,
				99.99,
				"A customer who has spent $ 0.00 and buys for $ 99.99 becomes Silver and earns 0 points.",
			),
		):
			self.assertEqual(self.example(spent, amount), expected)
		late = [("Silver", 1000, 10)]
		self.assertIn("earns no points yet; it counts towards Silver.", self.example(0, 999.99, late))
		self.assertIn("earns 0 points", self.example(0, 0))

	def test_a_submit_does_what_it_says(self):
		program = make_program(tiers=TIERS, conversion_factor=0.5)
		customer = make_customer(loyalty_program=program.name)
		make_invoice(customer, 5500)
		invoice = make_invoice(customer, 1000)
		entry = frappe.get_doc("Loyalty Point Entry", {"invoice": invoice.name})
		self.assertIn(
			f"becomes {entry.loyalty_program_tier} and earns {entry.loyalty_points} points",
			Program(program).example(Decimal(5500), Decimal(1000)),
		)

	def test_a_telling_purchase_leads_into_the_second_tier(self):
		for tiers in (
			TIERS,
			[("Only", 0, 10)],
			[("Late", 500, 10)],
			[("A", 0, 3), ("B", 9, 0.3), ("C", 99, 1)],
		):
			program = Program(make_program(tiers=tiers))
			self.assertIn("becomes", program.example(*program.telling()))


class TestPreview(RestTestCase):
	method = "loyalty_app.api.desk.program_preview"

	def test_of_what_is_not_saved(self):
		saved = make_program(tiers=TIERS, conversion_factor=0.5)
		rules = [
			{"tier_name": "Bronze", "min_spent": 0, "collection_factor": 10},
			{"tier_name": "Top", "min_spent": 100, "collection_factor": "5"},
		]
		answer = preview(saved, collection_rules=rules, conversion_factor="0.1", expiry_duration=0)
		self.assertEqual(
			answer.terms,
			[
				"Bronze: 1 point for every $ 10.00",
				"Top, from $ 100.00 spent in all: 1 point for every $ 5.00",
				"100 points pay $ 10.00",
				"Points never expire",
			],
		)
		self.assertIn("becomes Top and earns 100 points, worth $ 10.00", answer.example)
		self.assertEqual(frappe.get_doc("Loyalty Program", saved.name).conversion_factor, 0.5)
		new = preview(saved, name="new-loyalty-program-1", __islocal=1, company=None)
		self.assertIn("who has spent 2,250.00 and buys for 7,500.00 becomes Gold", new.example)

	def test_when_spend_counts_and_when_points_can_be_spent(self):
		saved = make_program(tiers=TIERS)
		months = {"tier_period": "Last N Months", "tier_period_months": 6, "tier_downgrade": "One Tier"}
		answer = preview(saved, maturity_days=14, **months)
		for said in (
			"Each month, a tier that was not earned again falls by one",
			"Points can be spent 14 days after the purchase",
		):
			self.assertIn(said, answer.terms)
		self.assertTrue(any("spent in the last 6 months: 1 point" in term for term in answer.terms))
		self.assertRegex(answer.example, "who has spent .* in the last 6 months and buys for")
		answer = preview(saved, tier_period="Fiscal Year", tier_downgrade="To the Tier Earned")
		self.assertIn("A tier earned in a fiscal year is held to the end of the next", answer.terms)
		self.assertIn("A tier once reached is kept", preview(saved, tier_period="Fiscal Year").terms)
		self.assertIn("Months", preview(saved, **months | {"tier_period_months": 0}).refusal)

	def test_what_is_wrong_is_said(self):
		program = make_program(tiers=TIERS)
		for rules, words in (
			([{"tier_name": "A", "min_spent": 0, "collection_factor": 0}], "must be greater than 0"),
			([{"tier_name": "", "min_spent": 0, "collection_factor": 1}], "enter a name"),
			([], "add at least one row"),
		):
			refusal = preview(
				program, collection_rules=rules, loyalty_program_type="Multiple Tier Program"
			).refusal
			self.assertIn(words, refusal)
			self.assertNotIn("<", refusal)

	def test_garbage_is_refused_in_words(self):
		program = make_program(tiers=TIERS)
		for amounts in ({"spent": "x"}, {"amount": "nan"}, {"spent": -1}, {"amount": "1e99"}):
			with self.assertRaisesRegex(frappe.ValidationError, "enter an amount"):
				preview(program, **amounts)
		for changes, words in (
			({"to_date": "soon"}, "soon is not a date"),
			({"company": ["x"]}, None),
			({"exclusions": [{"exclude_type": "Item", "exclude_value": 7}]}, None),
		):
			self.assertIn(words or "becomes", str(preview(program, **changes)))
		for sent in ("x", "[]", {"doctype": "User"}, {"doctype": "Loyalty Program", "collection_rules": "x"}):
			with self.assertRaisesRegex(frappe.ValidationError, "Not a Loyalty Program"):
				desk.program_preview(sent)

	def test_doors(self):
		program = make_program(tiers=TIERS)
		sent = json.dumps(program.as_dict(), default=str)
		for role, expected in (("Accounts Manager", 200), ("Sales User", 200), ("Report Manager", 403)):
			with self.subTest(role=role):
				self.assertEqual(self.as_role(role).call(self.method, doc=sent)[0], expected)


class TestStanding(IntegrationTestCase):
	def test_members_points_and_worth(self):
		program = make_program(conversion_factor=0.5)
		self.assertEqual(desk.program_standing(program.name)["members"], 0)
		one, two = (make_customer(loyalty_program=program.name) for _i in range(2))
		make_invoice(one, 1000)
		make_invoice(two, 300)
		expected = {"members": 2, "balance": 130, "worth": 65, "currency": "USD"}
		self.assertEqual(desk.program_standing(program.name), expected)
		for role, shown in (("Auditor", expected), ("Sales User", {}), ("System Manager", {})):
			with as_user(make_user(role)):
				self.assertEqual(desk.program_standing(program.name), shown)

	def test_of_what_the_user_may_read(self):
		program = make_program(conversion_factor=0.5)
		one, two = (make_customer(loyalty_program=program.name) for _i in range(2))
		make_invoice(one, 1000)
		make_invoice(two, 300)
		user = make_user("Accounts User")
		frappe.get_doc(
			{"doctype": "User Permission", "user": user, "allow": "Customer", "for_value": two.name}
		).insert()
		with as_user(user):
			standing = desk.program_standing(program.name)
			self.assertEqual((standing["members"], standing["balance"]), (1, 30))
		with as_user(make_user("Report Manager")), self.assertRaises(frappe.PermissionError):
			desk.program_standing(program.name)
