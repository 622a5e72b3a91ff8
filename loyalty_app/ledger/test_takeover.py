"""Installing over entries that are there already."""

from unittest.mock import patch

import frappe
from frappe.utils import add_days, getdate, today

from loyalty_app.ledger import expiry, membership, takeover, verify
from loyalty_app.ledger.membership import find
from loyalty_app.loyalty_app.report.loyalty_installation_corrections.loyalty_installation_corrections import (
	execute,
)
from loyalty_app.tests.test_documents import LoyaltyTestCase, balance, earned, entries_of, tier
from loyalty_app.tests.utils import make_customer, make_invoice, make_program, make_return, store


class TestTakeOver(LoyaltyTestCase):
	def setUp(self):
		self.program = make_program(tiers=[("Silver", 0, 10), ("Gold", 1500, 5)])
		self.customer = make_customer(loyalty_program=self.program.name)
		self.later, self.earlier = add_days(today(), 30), add_days(today(), -30)

	def left_by_erpnext(self, points, invoice="INV", expiry_date=None, **values):
		"""An entry as ERPNext 15 writes it; the invoice need not be there any more."""
		return store(
			"Loyalty Point Entry",
			loyalty_program=self.program.name,
			loyalty_program_tier="Silver",
			company=self.program.company,
			invoice_type="Sales Invoice",
			invoice=invoice,
			loyalty_points=points,
			posting_date=add_days(today(), -60),
			expiry_date=expiry_date or self.later,
			**{"customer": self.customer.name, "purchase_amount": max(points, 0) * 10, **values},
		)

	def take_over(self):
		frappe.db.delete("Loyalty Membership", {"customer": self.customer.name})
		with (
			patch.object(frappe.db, "commit"),
			patch.object(takeover, "MEMBERSHIPS_AT_ONCE", 1),
			patch.object(takeover, "ENTRIES_AT_ONCE", 2),
		):
			takeover.find_members()
			takeover.build_memberships()
		return frappe.get_doc("Loyalty Membership", find(self.customer.name, self.program.name))

	def points_of_erpnext(self):
		rows = frappe.get_all(
			"Loyalty Point Entry",
			filters={"customer": self.customer.name, "expiry_date": (">=", today())},
			pluck="loyalty_points",
		)
		return sum(rows)

	def corrections(self):
		return frappe.get_all(
			"Loyalty Point Log",
			filters={"customer": self.customer.name, "event": takeover.CORRECTED.event},
			pluck="entry",
		)

	def test_half_spent_lots(self):
		first = self.left_by_erpnext(100, "INV-1")
		second = self.left_by_erpnext(60, "INV-2", self.earlier)
		self.left_by_erpnext(-30, "INV-3", redeem_against=first.name, purchase_amount=500)
		before = self.points_of_erpnext()
		member = self.take_over()
		self.assertEqual((member.balance, balance(self.customer)), (before, 70))
		# The total of the redeeming invoice, which ERPNext counted as spend, is none.
		self.assertEqual((member.total_spent, tier(self.customer)), (1600, "Gold"))
		lots = {e.name: e for e in frappe.get_all("Loyalty Point Entry", {"membership": member.name}, ["*"])}
		self.assertEqual((lots[first.name].remaining_points, lots[second.name].remaining_points), (70, 0))
		self.assertEqual(lots[first.name].collection_factor, 10)
		self.assertEqual(str(lots[first.name].creation), str(first.creation))
		self.assertEqual(self.corrections(), [])
		make_invoice(self.customer, 500, redeem=70)

	def test_overdrawn_and_orphaned_redemptions_keep_the_balance_and_are_listed(self):
		first = self.left_by_erpnext(100, "INV-1")
		one = self.left_by_erpnext(-80, "INV-2", redeem_against=first.name)
		other = self.left_by_erpnext(-70, "INV-3", redeem_against=first.name)
		orphan = self.left_by_erpnext(-5, "INV-4", redeem_against="no-such-entry")
		before = self.points_of_erpnext()
		member = self.take_over()
		self.assertEqual((before, member.balance, member.shortfall), (-55, -55, 55))
		self.assertIn(orphan.name, self.corrections())
		self.assertTrue({one.name, other.name} & set(self.corrections()))
		_columns, rows = execute({"customer": self.customer.name})
		self.assertEqual({row["entry"] for row in rows}, set(self.corrections()))
		(row,) = (row for row in rows if row["entry"] == orphan.name)
		self.assertEqual((row["found_lot"], row["lot"], row["points"]), ("no-such-entry", None, -5))
		self.assertIn("open until the next points", row["correction"])
		make_invoice(self.customer, 600)
		self.assertEqual(balance(self.customer), 65)

	def test_what_was_overdrawn_and_has_expired_counts_no_more(self):
		first = self.left_by_erpnext(10, "INV-1", self.earlier)
		self.left_by_erpnext(-25, "INV-2", self.earlier, redeem_against=first.name)
		self.assertEqual((self.take_over().balance, balance(self.customer)), (0, 0))

	def test_entries_without_expiry_date_do_not_count(self):
		entry = self.left_by_erpnext(10, "INV-1")
		frappe.db.set_value("Loyalty Point Entry", entry.name, "expiry_date", None)
		self.assertEqual(self.take_over().points_earned, 10)
		self.assertEqual(balance(self.customer), 0)

	def test_running_again_changes_nothing(self):
		self.left_by_erpnext(100, "INV-1")
		member = self.take_over()
		with patch.object(frappe.db, "commit"):
			takeover.find_members()
			self.assertEqual(takeover.build_memberships(), 0)
		self.assertEqual(frappe.get_doc("Loyalty Membership", member.name).as_dict(), member.as_dict())

	def test_entries_of_nobody_are_left_alone(self):
		entry = self.left_by_erpnext(100, "INV-1", customer="Gone Customer")
		self.take_over_nothing()
		self.assertIsNone(frappe.db.get_value("Loyalty Point Entry", entry.name, "membership"))
		self.assertEqual(verify(), [f"entry {entry.name} belongs to no membership"])
		frappe.db.delete("Loyalty Point Entry", {"name": entry.name})

	def take_over_nothing(self):
		with patch.object(frappe.db, "commit"):
			takeover.find_members()
			self.assertEqual(takeover.build_memberships(), 0)

	def test_installing_again_detaches_entries_of_former_memberships(self):
		member = membership.ensure(self.customer.name, self.program.name)
		former = self.left_by_erpnext(7, "INV-1", remaining_points=3, membership="gone with the app")
		present = self.left_by_erpnext(7, "INV-2", remaining_points=3, membership=member)
		takeover.release_entries()
		fields = ["membership", "remaining_points"]
		self.assertEqual(frappe.db.get_value("Loyalty Point Entry", former.name, fields), (None, 0))
		self.assertEqual(frappe.db.get_value("Loyalty Point Entry", present.name, fields), (member, 3))
		frappe.db.delete("Loyalty Point Entry", {"customer": self.customer.name})

	def test_what_this_app_wrote_before_is_taken_over_with_its_terms(self):
		invoice = make_invoice(self.customer, items=[{"rate": 400, "qty": 4}])
		redeeming = make_invoice(self.customer, 200, redeem=50)
		expected = [
			{**e, "modified": None, "membership": None} for i in (invoice, redeeming) for e in entries_of(i)
		]
		self.program.reload()
		for rule in self.program.collection_rules:
			rule.collection_factor = 1
		self.program.save()

		for doctype in ("Loyalty Membership", "Loyalty Point Log"):
			frappe.db.delete(doctype, {"customer": self.customer.name})
		takeover.release_entries()
		member = self.take_over()
		found = [
			{**e, "modified": None, "membership": None} for i in (invoice, redeeming) for e in entries_of(i)
		]
		self.assertEqual(found, expected)
		self.assertEqual(member.balance, 320 + 40 - 50 - 10)
		self.assertEqual(getdate(earned(invoice).posting_date), getdate(today()))
		make_return(invoice, qty=2)
		self.assertEqual(earned(invoice).loyalty_points, 160)

	def test_what_has_expired_expires_again_when_erpnext_gave_points_back_meanwhile(self):
		"""Without this app, ERPNext deletes the entries of an invoice that is cancelled, and no others."""
		lot = make_invoice(self.customer, 1000, posting_date=self.earlier)
		redeeming = make_invoice(self.customer, 600, redeem=60, posting_date=self.earlier)
		name = find(self.customer.name, self.program.name)
		table = frappe.qb.DocType("Loyalty Point Entry")
		frappe.qb.update(table).set(table.expiry_date, self.earlier).where(table.membership == name).run()
		frappe.db.set_value("Loyalty Membership", name, "next_expiry", self.earlier)
		expiry.close_all([name])
		self.assertEqual(balance(self.customer), 0)

		for doctype in ("Loyalty Membership", "Loyalty Point Log"):
			frappe.db.delete(doctype, {"customer": self.customer.name})
		frappe.db.delete("Loyalty Point Entry", {"invoice": redeeming.name})
		takeover.release_entries()
		self.assertEqual((self.take_over().points_expired, balance(self.customer)), (100, 0))
		rows = [e.loyalty_points for e in entries_of(lot)]
		self.assertEqual(rows, [100, -40, -60])

	def test_what_was_taken_over_comes_back_when_other_code_deletes_it(self):
		"""The log tells of what it found in rows of many."""
		make_invoice(self.customer, 1600)
		redeeming = make_invoice(self.customer, 200, redeem=50)
		for doctype in ("Loyalty Membership", "Loyalty Point Log"):
			frappe.db.delete(doctype, {"customer": self.customer.name})
		takeover.release_entries()
		self.take_over()
		before = balance(self.customer)
		frappe.db.delete("Loyalty Point Entry", {"invoice": redeeming.name})
		redeeming.reload()
		redeeming.cancel()
		self.assertEqual(entries_of(redeeming), [])
		self.assertEqual(balance(self.customer), before + 50 - 30)
