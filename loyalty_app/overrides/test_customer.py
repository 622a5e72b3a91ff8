"""Joining, leaving, switching, merging and deleting: rules 3."""

import frappe

from loyalty_app.ledger.membership import find
from loyalty_app.tests.test_documents import LoyaltyTestCase, balance, earned, entries_of, tier
from loyalty_app.tests.utils import make_customer, make_invoice, make_program, unique


class TestCustomer(LoyaltyTestCase):
	def test_joining_opens_a_membership_and_leaving_keeps_it(self):
		program = make_program()
		customer = make_customer(loyalty_program=program.name)
		name = find(customer.name, program.name)
		self.assertEqual(frappe.db.get_value("Loyalty Membership", name, "active"), 1)
		invoice = make_invoice(customer, 100)
		self.assertEqual(tier(customer), "Silver")

		customer.reload()
		customer.loyalty_program = None
		customer.save()
		self.assertIsNone(tier(customer))
		self.assertEqual(frappe.db.get_value("Loyalty Membership", name, ["active", "balance"]), (0, 10))
		self.assertEqual(len(entries_of(invoice)), 1)

	def test_switching_resets_the_tier_and_coming_back_restores_it(self):
		one = make_program(tiers=[("Silver", 0, 10), ("Gold", 1000, 10)])
		other = make_program(tiers=[("Bronze", 0, 10)])
		customer = make_customer(loyalty_program=one.name)
		make_invoice(customer, 1000)
		self.assertEqual(tier(customer), "Gold")
		for program, expected in ((other, None), (one, "Gold")):
			customer.reload()
			customer.loyalty_program = program.name
			customer.save()
			self.assertEqual(tier(customer), expected)
			active = frappe.get_all(
				"Loyalty Membership",
				filters={"customer": customer.name, "active": 1},
				pluck="loyalty_program",
			)
			self.assertEqual(active, [program.name])

	def test_a_forged_tier_is_not_kept(self):
		customer = make_customer(loyalty_program=make_program().name)
		customer.loyalty_program_tier = "Platinum"
		customer.save()
		self.assertIsNone(tier(customer))

	def test_renaming_keeps_the_points(self):
		customer = make_customer(loyalty_program=make_program().name)
		invoice = make_invoice(customer, 100)
		new = frappe.rename_doc("Customer", customer.name, unique("Renamed"), force=True)
		self.assertEqual(balance(frappe.get_doc("Customer", new)), 10)
		self.assertEqual(earned(invoice).customer, new)

	def test_merging_pools_memberships_and_entries(self):
		program = make_program(tiers=[("Silver", 0, 10), ("Gold", 2000, 10)])
		elsewhere = make_program()
		old, new = (make_customer(loyalty_program=program.name) for _ in range(2))
		first = make_invoice(old, 1000)
		second = make_invoice(new, 1000)
		old.reload()
		old.loyalty_program = elsewhere.name
		old.save()
		make_invoice(old, 500)

		made = {e.name: str(e.creation) for e in entries_of(first)}
		frappe.rename_doc("Customer", old.name, new.name, merge=True, force=True)
		self.assertEqual({e.name: str(e.creation) for e in entries_of(first)}, made)
		# The log names the customer in the merge; it is still sound when that customer gets another name.
		new = frappe.get_doc(
			"Customer", frappe.rename_doc("Customer", new.name, unique("Renamed"), force=True)
		)
		self.assertEqual((balance(new), tier(new)), (200, "Gold"))
		self.assertEqual(
			{earned(first).membership, earned(second).membership}, {find(new.name, program.name)}
		)
		kept = frappe.db.get_value(
			"Loyalty Membership", find(new.name, elsewhere.name), ["balance", "active"]
		)
		self.assertEqual(kept, (50, 0))
		# The old customer's invoice can be paid with and reversed as before.
		make_invoice(new, 1000, redeem=150)
		first.reload()
		first.cancel()
		self.assertEqual(entries_of(first), [])
		self.assertEqual(balance(new), 100 - 150 + 85)

	def test_merging_settles_a_shortfall(self):
		program = make_program()
		old, new = (make_customer(loyalty_program=program.name) for _ in range(2))
		source = make_invoice(old, 1000)
		spent = make_invoice(old, 200, redeem=100)
		source.reload()
		source.cancel()
		make_invoice(new, 1000)
		frappe.rename_doc("Customer", old.name, new.name, merge=True, force=True)
		new.reload()
		self.assertEqual(balance(new), 100 + 10 - 100)
		self.assertEqual(
			frappe.db.get_value("Loyalty Membership", find(new.name, program.name), "shortfall"), 0
		)
		self.assertTrue(entries_of(spent)[-1].redeem_against)

	def test_deleting_is_refused_once_points_are_on_record(self):
		program = make_program()
		idle, busy = (make_customer(loyalty_program=program.name) for _ in range(2))
		make_invoice(busy, 100)
		frappe.delete_doc("Customer", idle.name)
		self.assertIsNone(find(idle.name, program.name))
		with self.assertRaisesRegex(frappe.LinkExistsError, "loyalty points are on record"):
			frappe.delete_doc("Customer", busy.name)
