import json

import frappe
from frappe.desk.desktop import get_desktop_page
from frappe.utils import fmt_money, get_first_day, getdate

from loyalty_app.api import workspace
from loyalty_app.tests.reports import ReportTestCase
from loyalty_app.tests.utils import (
	IntegrationTestCase,
	as_user,
	make_customer,
	make_invoice,
	make_program,
	make_user,
)

WORKSPACE = {"name": "Loyalty", "title": "Loyalty", "public": 1}


class TestWorkspace(ReportTestCase):
	"""Cards and charts, seen by a user who may see one customer or one company, so that other records do not count."""

	def test_cards_are_of_what_the_user_may_read(self):
		with self.only_ann():
			self.assertEqual(workspace.points_outstanding()["value"], 127)
			self.assertEqual(workspace.worth_outstanding(), fmt_money(63.5, currency="USD"))
			self.assertEqual(workspace.points_expiring()["value"], 0)
		with self.only_bob():
			self.assertEqual(workspace.points_outstanding()["value"], 55)
			self.assertEqual(workspace.points_expiring()["value"], 30 + 15)
		with self.only_other_company():
			self.assertEqual(workspace.worth_outstanding(), fmt_money(100, currency="EUR"))
		stranger = make_customer().name
		with as_user(self.restricted_user("Customer", stranger)):
			self.assertEqual(workspace.points_outstanding()["value"], 0)
			self.assertIn("0.00", workspace.worth_outstanding())
			self.assertEqual(workspace.points_expiring()["value"], 0)

	def test_currencies_are_not_added(self):
		with as_user(make_user("Auditor")):
			self.assertIn(" + ", workspace.worth_outstanding())

	def test_the_sweep_changes_no_card(self):
		with self.only_ann():
			before = workspace.points_outstanding(), workspace.points_by_month()
		with self.after_sweep(), self.only_ann():
			self.assertEqual((workspace.points_outstanding(), workspace.points_by_month()), before)

	def test_charts_are_of_what_the_user_may_read(self):
		with self.only_ann():
			chart = workspace.points_by_month()
			rates = workspace.redemption_rate()
			tiers = workspace.members_by_tier()
		self.assertEqual(len(chart["labels"]), 12)
		self.assertEqual([sum(dataset["values"]) for dataset in chart["datasets"]], [177, 30, 20])
		self.assertEqual(len(rates["datasets"][0]["values"]), 12)
		self.assertEqual((tiers["labels"], tiers["datasets"][0]["values"]), (["Gold"], [1]))
		with self.only_other_company():
			self.assertEqual(sum(workspace.points_by_month()["datasets"][0]["values"]), 100)

	def test_charts_take_filters(self):
		chart = workspace.points_by_month(filters=json.dumps({"loyalty_program": self.program}))
		# this month's points are not all there yet: one invoice is of a day to come
		earned = sum(
			entry.loyalty_points
			for entry in self.entries(loyalty_program=self.program, entry_type="Earned")
			if entry.posting_date <= getdate()
			and entry.posting_date >= get_first_day(getdate()).replace(year=2000)
		)
		self.assertEqual(sum(chart["datasets"][0]["values"]), earned)
		self.assertEqual(workspace.points_by_month(filters="[]")["labels"], chart["labels"])

	def test_nobody_else(self):
		with as_user(make_user("Sales User")):
			for method in (
				workspace.points_outstanding,
				workspace.worth_outstanding,
				workspace.points_expiring,
				workspace.points_by_month,
				workspace.redemption_rate,
			):
				with self.subTest(method=method.__name__), self.assertRaises(frappe.PermissionError):
					method()

	def test_the_workspace_shows_what_the_role_may_open(self):
		page = {}
		for role in ("Accounts User", "Sales User"):
			with as_user(make_user(role)):
				page[role] = get_desktop_page(json.dumps(WORKSPACE))
		shown = {row.chart_name for row in page["Accounts User"]["charts"]["items"]}
		self.assertEqual(
			shown, {"Loyalty Points by Month", "Loyalty Redemption Rate", "Loyalty Members by Tier"}
		)
		cards = {row.number_card_name for row in page["Accounts User"]["number_cards"]["items"]}
		self.assertGreaterEqual(
			cards,
			{
				"Active Loyalty Members",
				"Loyalty Points Outstanding",
				"Loyalty Worth Outstanding",
				"Loyalty Points Redeemed this Month",
				"Loyalty Points Expiring in 30 Days",
			},
		)
		links = {
			link["link_to"] for card in page["Accounts User"]["cards"]["items"] for link in card["links"]
		}
		reports = {"Loyalty Balances", "Points Expiring", "Loyalty Point Ledger", "Loyalty Audit Trail"}
		reports |= {"Loyalty Program Performance", "Loyalty Promotion Performance"}
		self.assertGreaterEqual(links, reports)
		for_sales = {
			link["link_to"] for card in page["Sales User"]["cards"]["items"] for link in card["links"]
		}
		self.assertFalse(for_sales & reports)

	def test_five_steps_to_the_first_redeemed_point(self):
		onboarding = frappe.get_doc("Module Onboarding", "Loyalty")
		steps = onboarding.get_steps()
		self.assertEqual(len(steps), 5)
		for step in steps:
			target = step.reference_document or step.reference_report or step.path
			self.assertTrue(target)
			if step.reference_document:
				self.assertTrue(frappe.db.exists("DocType", step.reference_document))
			if step.reference_report:
				self.assertTrue(frappe.db.exists("Report", step.reference_report))

	def test_what_the_workspace_names_is_there(self):
		doc = frappe.get_doc("Workspace", "Loyalty")
		for row in doc.number_cards:
			self.assertTrue(frappe.db.exists("Number Card", row.number_card_name), row.number_card_name)
		for row in doc.charts:
			self.assertTrue(frappe.db.exists("Dashboard Chart", row.chart_name), row.chart_name)
		blocks = json.loads(doc.content)
		for kind, field, rows in (
			("number_card", "number_card_name", [row.label for row in doc.number_cards]),
			("chart", "chart_name", [row.label for row in doc.charts]),
			("shortcut", "shortcut_name", [row.label for row in doc.shortcuts]),
			("card", "card_name", [row.label for row in doc.links if row.type == "Card Break"]),
		):
			self.assertEqual([b["data"][field] for b in blocks if b["type"] == kind], rows)


class TestRedeemedThisMonth(IntegrationTestCase):
	def test_redeemed_points_are_a_positive_number_of_what_the_user_may_read(self):
		customer = make_customer(loyalty_program=make_program().name)
		make_invoice(customer, 1000)
		before = workspace.points_redeemed_this_month()["value"]
		make_invoice(customer, 100, redeem=30)
		self.assertEqual(workspace.points_redeemed_this_month()["value"], before + 30)
		user = make_user("Accounts User")
		frappe.get_doc(
			{"doctype": "User Permission", "user": user, "allow": "Customer", "for_value": customer.name}
		).insert(ignore_permissions=True)
		with as_user(user):
			self.assertEqual(workspace.points_redeemed_this_month()["value"], 30)
		with as_user(make_user("Sales User")), self.assertRaises(frappe.PermissionError):
			workspace.points_redeemed_this_month()
