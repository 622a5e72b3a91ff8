# Copyright (c) 2026, loyalty_app maintainers
# See license.txt

import frappe
from frappe.utils import today

from loyalty_app.loyalty_app.doctype.loyalty_point_entry import loyalty_point_entry
from loyalty_app.loyalty_app.doctype.loyalty_point_log import loyalty_point_log
from loyalty_app.patches.v0_2 import drop_old_indexes
from loyalty_app.setup.install import after_migrate
from loyalty_app.tests.utils import (
	IntegrationTestCase,
	as_user,
	make_customer,
	make_invoice,
	make_item,
	make_program,
	make_promotion,
	make_return,
	make_user,
	store,
	unique,
)

ENTRY, LOG = "Loyalty Point Entry", "Loyalty Point Log"
READERS = {"Accounts User", "Accounts Manager", "Auditor"}


class TestLoyaltyPointEntry(IntegrationTestCase):
	"""Nobody edits points by hand, Administrator neither."""

	def setUp(self):
		frappe.set_user("Administrator")

	def entry(self):
		program = make_program()
		return store(
			"Loyalty Point Entry",
			loyalty_program=program.name,
			customer=make_customer().name,
			company=program.company,
			loyalty_points=5,
			posting_date=today(),
			expiry_date="9999-12-31",
		)

	def membership(self):
		return store("Loyalty Membership", customer=make_customer().name, loyalty_program=make_program().name)

	def log(self):
		return store("Loyalty Point Log", membership=self.membership().name, sequence=1, action="Insert")

	def test_entry_is_not_edited(self):
		entry = self.entry()
		entry.loyalty_points = 500
		self.assertRaises(frappe.ValidationError, entry.save)
		self.assertRaises(frappe.ValidationError, entry.save, ignore_permissions=True)
		self.assertEqual(frappe.db.get_value(entry.doctype, entry.name, "loyalty_points"), 5)

	def test_entry_is_not_deleted_or_renamed(self):
		entry = self.entry()
		self.assertRaises(frappe.ValidationError, entry.delete)
		self.assertRaises(frappe.ValidationError, frappe.delete_doc, entry.doctype, entry.name, force=True)
		self.assertRaises(
			frappe.ValidationError, frappe.rename_doc, entry.doctype, entry.name, "renamed", force=True
		)
		self.assertTrue(frappe.db.exists(entry.doctype, entry.name))

	def test_membership_is_the_ledger_s(self):
		new = frappe.get_doc(
			{
				"doctype": "Loyalty Membership",
				"customer": make_customer().name,
				"loyalty_program": make_program().name,
				"balance": 1000,
			}
		)
		self.assertRaises(frappe.ValidationError, new.insert)

		member = self.membership()
		member.balance = 1000
		self.assertRaises(frappe.ValidationError, member.save)
		self.assertRaises(frappe.ValidationError, member.delete)
		self.assertRaises(
			frappe.ValidationError, frappe.rename_doc, member.doctype, member.name, "renamed", force=True
		)

	def test_one_membership_per_customer_and_program(self):
		member = self.membership()
		with self.assertRaises(frappe.UniqueValidationError):
			store("Loyalty Membership", customer=member.customer, loyalty_program=member.loyalty_program)

	def test_log_only_grows(self):
		new = frappe.get_doc(
			{"doctype": "Loyalty Point Log", "membership": self.membership().name, "sequence": 1}
		)
		self.assertRaises(frappe.ValidationError, new.insert)

		log = self.log()
		log.points_after = 9
		self.assertRaises(frappe.ValidationError, log.save)
		self.assertRaises(frappe.ValidationError, log.delete)
		self.assertRaises(
			frappe.ValidationError, frappe.rename_doc, log.doctype, log.name, "renamed", force=True
		)

	def test_what_promotions_gave_is_shown_by_line(self):
		program = make_program()
		double = make_promotion(program, promotion_name=unique('Double "Friday" &'))
		customer, coffee = (
			make_customer(loyalty_program=program.name),
			make_item(item_name="<b>Coffee</b>").name,
		)
		invoice = make_invoice(
			customer.name, items=[{"item_code": coffee, "qty": 2, "rate": 50}, {"qty": 1, "rate": 30}]
		)

		def shown():
			entry = frappe.get_doc("Loyalty Point Entry", {"invoice": invoice.name})
			entry.run_method("onload")
			return entry.get_onload("promotions")

		first, second = shown()
		self.assertEqual(
			first,
			{"promotion": double.name, "points": 10, "kept": 10, "row": 1, "qty": 2, "item": "<b>Coffee</b>"},
		)
		self.assertEqual((second["row"], second["points"]), (2, 3))
		make_return(invoice, qty=1)
		self.assertEqual([(row["points"], row["kept"]) for row in shown()], [(10, 5), (3, 3)])

		with as_user(make_user("Auditor")):
			may_read = frappe.has_permission("Sales Invoice", "read", invoice.name)
			self.assertEqual(shown()[0]["item"], "<b>Coffee</b>" if may_read else None)
		plain = self.entry()
		plain.run_method("onload")
		self.assertEqual(plain.get_onload("promotions"), [])

	def test_no_role_writes(self):
		for doctype, readers in (
			("Loyalty Point Entry", READERS),
			("Loyalty Point Log", READERS),
			("Loyalty Membership", READERS | {"Sales User"}),
		):
			permissions = frappe.get_meta(doctype).permissions
			self.assertEqual({p.role for p in permissions}, readers, doctype)
			for p in permissions:
				self.assertEqual((p.read, p.report, p.export, p.print), (1, 1, 1, 1))
				self.assertFalse(p.write or p.create or p.delete or p.submit or p.cancel or p.amend, doctype)

	def test_entries_do_not_stand_in_the_way_of_cancelling(self):
		self.assertTrue(loyalty_point_entry.exclude_from_linked_with)


class TestIndexes(IntegrationTestCase):
	"""Apart from tests that store entries: to change tables commits what is there."""

	def test_indexes(self):
		self.assert_indexes()

	def test_indexes_outlive_what_a_migration_does_to_the_tables(self):
		"""Frappe drops indexes of one column for which the field does not ask."""
		for doctype in (ENTRY, LOG):
			frappe.db.updatedb(doctype)
		self.assert_indexes()

	def test_those_of_former_versions_are_dropped(self):
		former = "loyalty_point_entry_member"
		frappe.db.add_index(ENTRY, ["membership", "posting_date", "expiry_date"], index_name=former)
		for _ in range(2):
			drop_old_indexes.execute()
			self.assertFalse(frappe.db.has_index(f"tab{ENTRY}", former))
		self.assert_indexes()

	def test_a_migration_adds_what_an_installation_left_out_that_was_broken_off(self):
		index = "loyalty_point_entry_lots"
		is_mariadb = frappe.db.db_type == "mariadb"
		frappe.db.sql_ddl(
			f"alter table `tab{ENTRY}` drop index {index}" if is_mariadb else f"drop index {index}"
		)
		after_migrate()
		self.assert_indexes()

	def assert_indexes(self):
		for doctype, index in (
			*((ENTRY, name) for name in loyalty_point_entry.INDEXES),
			*((LOG, name) for name in (*loyalty_point_log.INDEXES, "membership_sequence")),
			("Loyalty Membership", "customer_program"),
		):
			index = f"{frappe.scrub(doctype)}_{index}"
			self.assertTrue(frappe.db.has_index(f"tab{doctype}", index), index)
