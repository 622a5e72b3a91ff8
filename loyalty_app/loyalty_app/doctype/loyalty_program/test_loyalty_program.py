# Copyright (c) 2026, loyalty_app maintainers
# See license.txt

from unittest.mock import patch

import frappe
from frappe.utils import add_days, today

from loyalty_app.ledger import LedgerBusy, membership, verify
from loyalty_app.tests.utils import (
	COMPANY,
	IntegrationTestCase,
	account,
	company,
	cost_center,
	make_customer,
	make_invoice,
	make_item,
	make_program,
	store,
	tree_node,
	unique,
)

OTHER_COMPANY = "Loyalty Test Other Co"


class TestLoyaltyProgram(IntegrationTestCase):
	def refuse(self, *words: str, **fields):
		"""Check that a program with these fields is refused with a message that has all the words."""
		with self.assertRaises(frappe.ValidationError) as refused:
			make_program(**fields)
		message = frappe.utils.strip_html(str(refused.exception))
		for word in words:
			self.assertIn(word, message)

	def test_valid_programs_are_saved(self):
		single = make_program()
		self.assertEqual(single.loyalty_program_type, "Single Tier Program")
		self.assertEqual(single.earn_on, "Grand Total")
		self.assertEqual(single.if_points_already_spent, "Allow Negative Balance")
		make_program(expense_account=None, cost_center=None, expiry_duration=0, conversion_factor=0)
		make_program(from_date=today(), to_date=today())

	def test_rules_may_be_entered_in_any_order(self):
		program = make_program(tiers=[("Gold", 20000, 1), ("Bronze", 0, 3), ("Silver", 10000, 2)])
		self.assertEqual([row.tier_name for row in program.collection_rules], ["Gold", "Bronze", "Silver"])

	def test_lowest_minimum_may_be_above_zero(self):
		make_program(tiers=[("Silver", 1000, 1000)])

	def test_the_programs_of_erpnext_s_own_tests(self):
		for tiers in (
			[("Silver", 1000, 1000)],
			[("Silver", 10000, 1000), ("Gold", 19000, 1000)],
			[("Bronce", 0, 1000)],
		):
			make_program(
				tiers=tiers, from_date=today(), auto_opt_in=1, conversion_factor=1, expiry_duration=10
			)

	def test_at_least_one_rule(self):
		self.refuse(
			"Collection Rules", "at least one row", tiers=[], loyalty_program_type="Single Tier Program"
		)

	def test_single_tier_has_exactly_one_rule(self):
		self.refuse(
			"Row 2",
			"Single Tier Program",
			tiers=[("Silver", 0, 10), ("Gold", 100, 10)],
			loyalty_program_type="Single Tier Program",
		)

	def test_unknown_type(self):
		self.refuse("Loyalty Program Type", "Triple Tier", loyalty_program_type="Triple Tier")

	def test_factor_must_be_positive(self):
		for factor in (0, -1, "0", None):
			self.refuse("Row 1", "Collection Factor", "greater than 0", tiers=[("Silver", 0, factor)])
		self.refuse("Row 2", "Collection Factor", tiers=[("Silver", 0, 1), ("Gold", 10, 0)])

	def test_factor_must_survive_storage(self):
		self.refuse("Row 1", "Collection Factor", "greater than 0", tiers=[("Silver", 0, 1e-12)])
		self.assertEqual(
			make_program(tiers=[("Silver", 0, "0.1")]).collection_rules[0].collection_factor, 0.1
		)

	def test_numbers_that_are_none(self):
		for factor in ("inf", "nan", float("inf"), float("nan"), 1e15):
			self.refuse("Row 1", "Collection Factor", "too large", tiers=[("Silver", 0, factor)])
		self.refuse("Row 1", "Collection Factor", "not a number", tiers=[("Silver", 0, "ten")])
		self.refuse("Row 1", "Minimum Total Spent", tiers=[("Silver", "inf", 1)])
		self.refuse("Conversion Factor", "too large", conversion_factor="nan")
		self.refuse("Conversion Factor", "too large", conversion_factor=-1e30)
		self.refuse("Expiry Duration", "too large", expiry_duration=10**9)
		self.refuse("Expiry Duration", "whole number", expiry_duration="1.5")

	def test_minimums(self):
		self.refuse("Row 1", "Minimum Total Spent", "negative", tiers=[("Silver", -1, 10)])
		self.refuse(
			"Row 2", "Minimum Total Spent", "row 1", tiers=[("Silver", 100, 10), ("Gold", "100.0", 10)]
		)
		self.refuse("Row 2", "Minimum Total Spent", tiers=[("Silver", None, 10), ("Gold", 0, 10)])

	def test_tier_names(self):
		self.refuse("Row 1", "Tier Name", "enter a name", tiers=[("  ", 0, 10)])
		for again in ("Gold", "gold", " GOLD ", "Gold\t"):
			self.refuse("Row 2", "Tier Name", "row 1", tiers=[("Gold", 0, 10), (again, 100, 10)])
		self.refuse("Row 2", "Tier Name", tiers=[("Old  gold", 0, 10), ("old gold", 100, 10)])
		self.assertEqual(
			make_program(tiers=[(" Rose  Gold ", 0, 10)]).collection_rules[0].tier_name, "Rose Gold"
		)

	def test_dates(self):
		self.refuse("To Date", "From Date", from_date=today(), to_date=add_days(today(), -1))
		self.refuse("From Date", "2024-02-30", "not a date", from_date="2024-02-30")
		self.refuse("To Date", "soon", "not a date", to_date="soon")

	def test_negative_terms(self):
		self.refuse("Conversion Factor", "negative", conversion_factor=-1)
		self.refuse("Expiry Duration", "negative", expiry_duration=-1)
		self.refuse("Minimum Points", "negative", minimum_redemption_points=-1)
		self.refuse("Steps", "negative", redemption_step=-1)
		self.refuse("Maximum Share", "negative", maximum_redemption_share=-1)
		self.refuse("Maximum Share", "100", maximum_redemption_share=101)
		self.refuse("Accounts Users May Submit Up To", "negative", adjustment_limit=-1)

	def test_company_is_required(self):
		program = make_program(expense_account=None, cost_center=None)
		program.company = None
		self.assertRaises(frappe.MandatoryError, program.save)

	def test_expense_account(self):
		group = frappe.db.get_value("Account", {"company": company(), "is_group": 1, "root_type": "Expense"})
		self.refuse("Expense Account", "is a group", expense_account=group)
		income = account(root_type="Income")
		self.refuse("Expense Account", income, "Expense account", expense_account=income)
		foreign = account(company(OTHER_COMPANY, "LTOC"), root_type="Expense")
		self.refuse("Expense Account", OTHER_COMPANY, COMPANY, expense_account=foreign)

	def test_disabled_account(self):
		name = account(root_type="Expense")
		frappe.db.set_value("Account", name, "disabled", 1)
		try:
			self.refuse("Expense Account", "disabled", expense_account=name)
		finally:
			frappe.db.set_value("Account", name, "disabled", 0)

	def test_cost_center(self):
		group = frappe.db.get_value("Cost Center", {"company": company(), "is_group": 1})
		self.refuse("Cost Center", "is a group", cost_center=group)
		foreign = cost_center(company(OTHER_COMPANY, "LTOC"))
		self.refuse("Cost Center", OTHER_COMPANY, cost_center=foreign)

	def test_links_must_exist(self):
		for field in ("customer_group", "customer_territory", "expense_account", "cost_center", "company"):
			program = make_program()
			program.set(field, unique("Nowhere"))
			self.assertRaises(frappe.LinkValidationError, program.save)

	def test_no_group_or_territory_is_set_that_was_not_given(self):
		"""Empty means all customers; the defaults for new customers say nothing about programs."""
		defaults = {
			"customer_group": tree_node("Customer Group"),
			"customer_territory": tree_node("Territory"),
		}
		with patch.object(frappe.defaults, "get_defaults", lambda *args: defaults):
			program = make_program()
			self.assertEqual((program.customer_group, program.customer_territory), (None, None))
			self.assertEqual(make_program(**defaults).customer_territory, defaults["customer_territory"])

	def test_exclusions(self):
		item = make_item().name
		group = tree_node("Item Group")
		program = make_program(
			exclusions=[
				{"exclude_type": "Item", "exclude_value": item},
				{"exclude_type": "Item Group", "exclude_value": group},
			]
		)
		self.assertEqual(len(program.exclusions), 2)
		self.refuse(
			"Row 2",
			"Items that never earn",
			"row 1",
			exclusions=[{"exclude_type": "Item", "exclude_value": item}] * 2,
		)
		with self.assertRaises(frappe.LinkValidationError):
			make_program(exclusions=[{"exclude_type": "Item", "exclude_value": unique("No Item")}])
		with self.assertRaises(frappe.ValidationError):
			make_program(exclusions=[{"exclude_type": "User", "exclude_value": "Administrator"}])

	def test_program_with_entries_stays(self):
		program = make_program()
		self.add_entry(program)
		with self.assertRaises(frappe.ValidationError) as refused:
			program.delete()
		self.assertIn("cannot be deleted", str(refused.exception))

		program.company = company(OTHER_COMPANY, "LTOC")
		program.expense_account = program.cost_center = None
		with self.assertRaises(frappe.ValidationError) as refused:
			program.save()
		self.assertIn("cannot be changed", str(refused.exception))

	def test_program_without_entries_goes_with_its_memberships(self):
		program, customer = make_program(), make_customer()
		name = membership.ensure(customer.name, program.name)
		program.delete()
		self.assertFalse(frappe.db.exists("Loyalty Membership", name))

	def test_program_goes_though_runs_name_it(self):
		program = make_program()
		for kind in ("Tiers", "Enrolment"):
			store("Loyalty Ledger Run", kind=kind, loyalty_program=program.name)
		program.delete()
		self.assertFalse(frappe.db.exists("Loyalty Program", program.name))

	def test_program_with_a_log_stays(self):
		program = make_program()
		store("Loyalty Point Log", loyalty_program=program.name, membership="none", sequence=1)
		with self.assertRaises(frappe.ValidationError) as refused:
			program.delete()
		self.assertIn("history", str(refused.exception))

	def test_shown_tiers_follow_the_rules(self):
		program = make_program(tiers=[("Silver", 0, 10), ("Gold", 500, 5)])
		members = [make_customer(loyalty_program=program.name) for _ in range(3)]
		for member, amount in zip(members, (600, 100, 0)):
			if amount:
				make_invoice(member, amount)
		program.reload()
		program.collection_rules[1].min_spent = 5000
		program.append("collection_rules", {"tier_name": "Bronze", "min_spent": 400, "collection_factor": 5})
		program.save()
		for member, tier in zip(members, ("Bronze", "Silver", None)):
			for doctype, filters in (
				("Customer", member.name),
				("Loyalty Membership", {"customer": member.name}),
			):
				self.assertEqual(frappe.db.get_value(doctype, filters, "loyalty_program_tier"), tier)
			name = frappe.db.get_value("Loyalty Membership", {"customer": member.name})
			self.assertEqual(verify(name), [])

	def test_customers_are_locked_before_their_memberships(self):
		"""As by invoices: whoever locked them the other way round would wait for one that waits for this."""
		program = make_program()
		make_customer(loyalty_program=program.name)
		order = []

		def noted(name):
			function = getattr(membership, name)

			def called(*arguments):
				order.append(name)
				return function(*arguments)

			return patch.object(membership, name, called)

		program.tier_period, program.tier_period_months = "Last N Months", 3
		with noted("lock_customers"), noted("begin_period"):
			program.save()
		self.assertEqual(order[:2], ["lock_customers", "begin_period"])

		program.company, program.tier_period = company(OTHER_COMPANY, "LTOC"), "Lifetime"
		program.expense_account = program.cost_center = None
		order.clear()
		with noted("lock_customers"), noted("are_used"), noted("follow_company"):
			program.save()
		self.assertEqual(order[:2], ["lock_customers", "are_used"])
		self.assertIn("follow_company", order)

	def test_who_meets_a_deadlock_is_asked_to_try_again(self):
		program = make_program(expense_account=None, cost_center=None)
		deadlock = patch.object(membership, "are_used", side_effect=frappe.QueryDeadlockError)
		with deadlock, self.assertRaises(LedgerBusy):
			program.delete()
		program.company = company(OTHER_COMPANY, "LTOC")
		with deadlock, self.assertRaises(LedgerBusy):
			program.save()

	def test_company_may_change_without_entries(self):
		program = make_program(expense_account=None, cost_center=None)
		member = make_customer(loyalty_program=program.name)
		program.company = company(OTHER_COMPANY, "LTOC")
		program.save()
		self.assertEqual(
			frappe.db.get_value("Loyalty Membership", {"customer": member.name}, "company"), program.company
		)

	def add_entry(self, program):
		store(
			"Loyalty Point Entry",
			loyalty_program=program.name,
			customer=make_customer().name,
			loyalty_points=1,
			posting_date=today(),
			expiry_date=today(),
			company=program.company,
		)


class TestPermissions(IntegrationTestCase):
	def test_roles(self):
		"""Full for System and Accounts Manager; Accounts User, Auditor and Sales User read."""
		meta = frappe.get_meta("Loyalty Program")
		rights = {p.role: (p.read, p.write, p.create, p.delete, p.submit) for p in meta.permissions}
		self.assertEqual(
			rights,
			{
				"System Manager": (1, 1, 1, 1, 0),
				"Accounts Manager": (1, 1, 1, 1, 0),
				"Accounts User": (1, 0, 0, 0, 0),
				"Auditor": (1, 0, 0, 0, 0),
				"Sales User": (1, 0, 0, 0, 0),
			},
		)
