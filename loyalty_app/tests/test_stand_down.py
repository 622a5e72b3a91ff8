"""Other code writes or deletes an invoice's entries: the ledger ends right all the same, and says so once."""

from contextlib import contextmanager
from unittest.mock import patch

import frappe
from frappe.cache_manager import clear_controller_cache
from frappe.model import base_document
from frappe.utils import today

from loyalty_app.ledger import foreign
from loyalty_app.tests.test_documents import LoyaltyTestCase, balance, earned, entries_of, gl_of, tier
from loyalty_app.tests.utils import company, make_customer, make_invoice, make_program, make_return, store

BYPASSED = "Loyalty App is bypassed by another app"


def erpnexts_class(doctype: str) -> type:
	from erpnext.accounts.doctype.pos_invoice.pos_invoice import POSInvoice
	from erpnext.accounts.doctype.sales_invoice.sales_invoice import SalesInvoice

	return {"Sales Invoice": SalesInvoice, "POS Invoice": POSInvoice}[doctype]


@contextmanager
def in_charge(cls: type, doctype: str):
	"""Let `cls`, which knows nothing of this app, be the controller, as when another app overrides it too."""
	original = base_document.import_controller

	def imported(name: str):
		return cls if name == doctype else original(name)

	clear_controller_cache(doctype)
	try:
		with patch.object(base_document, "import_controller", imported):
			yield
	finally:
		clear_controller_cache(doctype)


class StandDownTestCase(LoyaltyTestCase):
	def setUp(self):
		self.program = make_program(tiers=[("Silver", 0, 10), ("Gold", 1000, 5)])
		self.customer = make_customer(loyalty_program=self.program.name)
		frappe.db.delete("Error Log", {"method": ("in", [BYPASSED, foreign.TITLE])})

	def errors(self) -> list[str]:
		return frappe.get_all(
			"Error Log", filters={"method": ("in", [BYPASSED, foreign.TITLE])}, pluck="method"
		)

	def points(self, invoice) -> list[int]:
		return [e.loyalty_points for e in entries_of(invoice)]


class TestAnotherClassInCharge(StandDownTestCase):
	"""ERPNext's own methods run: they write, sum and delete entries before our handlers do."""

	def test_one_right_set_of_entries_is_left_and_the_clash_is_reported_once(self):
		for doctype in ("Sales Invoice", "POS Invoice"):
			with self.subTest(doctype), in_charge(erpnexts_class(doctype), doctype):
				first = make_invoice(self.customer, 600, doctype=doctype)
				second = make_invoice(self.customer, 200, doctype=doctype, redeem=10)
				self.assertEqual(type(second), erpnexts_class(doctype))
				self.assertEqual(self.points(second), [19 if doctype == "Sales Invoice" else 38, -10])
				self.assertEqual({e.membership for e in entries_of(second)}, {earned(first).membership})
		self.assertEqual(tier(self.customer), "Gold")
		self.assertEqual(sorted(self.errors()), sorted([BYPASSED, foreign.TITLE]))

	def test_an_invoice_without_points_and_one_of_another_company(self):
		with in_charge(erpnexts_class("Sales Invoice"), "Sales Invoice"):
			self.assertEqual(self.points(make_invoice(self.customer, 5)), [0])
			other = make_invoice(self.customer, 100, company=company("Loyalty Test Other Co", "LTO"))
			self.assertEqual(self.points(other), [])
		self.assertEqual(tier(self.customer), "Silver")

	def test_cancel_gives_the_points_back_to_their_lots(self):
		source = make_invoice(self.customer, 600)
		with in_charge(erpnexts_class("Sales Invoice"), "Sales Invoice"):
			invoice = make_invoice(self.customer, 500, redeem=40)
			self.assertEqual(earned(source).remaining_points, 20)
			invoice.reload()
			invoice.cancel()
		self.assertEqual(entries_of(invoice), [])
		self.assertEqual((earned(source).remaining_points, balance(self.customer)), (60, 60))
		self.assertEqual(tier(self.customer), "Silver")

	def test_a_return_keeps_the_recorded_terms_that_erpnext_deleted(self):
		make_invoice(self.customer, 600)
		invoice = make_invoice(self.customer, items=[{"rate": 100, "qty": 4}], redeem=20)
		before = earned(invoice)
		self.program.reload()
		self.program.collection_rules[0].collection_factor = 1
		self.program.expiry_duration = 1
		self.program.save()
		with in_charge(erpnexts_class("Sales Invoice"), "Sales Invoice"):
			returned = make_return(invoice, qty=1)
			self.assertEqual(self.points(invoice), [28, -15])
			self.assertEqual(self.points(returned), [])
			row = earned(invoice)
			self.assertEqual(
				(row.collection_factor, row.expiry_date, row.loyalty_program_tier),
				(10, before.expiry_date, "Silver"),
			)
			returned.reload()
			returned.cancel()
			self.assertEqual(self.points(invoice), [38, -20])
		self.assertEqual(balance(self.customer), 60 + 38 - 20)

	def test_entries_written_into_the_table_itself_are_removed_and_the_log_tells_of_it(self):
		class Careless(erpnexts_class("Sales Invoice")):
			def make_loyalty_point_entry(self):
				store(
					"Loyalty Point Entry",
					loyalty_program=self.loyalty_program,
					customer=self.customer,
					company=self.company,
					invoice_type=self.doctype,
					invoice=self.name,
					loyalty_points=999,
					purchase_amount=self.grand_total,
					posting_date=self.posting_date,
					expiry_date=today(),
				)

		with in_charge(Careless, "Sales Invoice"):
			invoice = make_invoice(self.customer, 100)
		self.assertEqual(self.points(invoice), [10])
		self.assertEqual(balance(self.customer), 10)
		log = frappe.get_all(
			"Loyalty Point Log",
			filters={"invoice": invoice.name, "event": foreign.WRITTEN_ELSEWHERE},
			fields=["action", "points_before", "points_after", "reference_name"],
			order_by="sequence",
			as_list=True,
		)
		self.assertEqual(list(log), [("Insert", 0, 999, invoice.name), ("Delete", 999, 0, invoice.name)])

	def test_entries_deleted_from_the_table_itself(self):
		class Forgetful(erpnexts_class("Sales Invoice")):
			def delete_loyalty_point_entry(self):
				frappe.db.delete("Loyalty Point Entry", {"invoice": self.name})

		make_invoice(self.customer, 600)
		invoice = make_invoice(self.customer, 500, redeem=40)
		make_invoice(self.customer, 100, redeem=50)
		with in_charge(Forgetful, "Sales Invoice"):
			invoice = frappe.get_doc("Sales Invoice", invoice.name)
			invoice.cancel()
		self.assertEqual(entries_of(invoice), [])
		self.assertEqual(balance(self.customer), 60 + 10 - 50)


class TestOurClassInCharge(StandDownTestCase):
	def test_a_service_that_the_methods_call_writes_nothing(self):
		"""Newer ERPNext moves entries in a class of its own instead of in methods that ours replaces."""

		def service(invoice, write):
			if invoice.loyalty_program and invoice.docstatus == 1 and not invoice.is_return:
				write.append(invoice.name)
			if invoice.loyalty_program and invoice.is_return and invoice.return_against:
				frappe.db.delete("Loyalty Point Entry", {"invoice": invoice.return_against})
			if invoice.loyalty_program and invoice.docstatus == 2:
				frappe.db.delete("Loyalty Point Entry", {"invoice": invoice.name})

		for doctype in ("Sales Invoice", "POS Invoice"):
			cls, written = erpnexts_class(doctype), []
			on_submit, on_cancel = cls.on_submit, cls.on_cancel

			def submitting(self, original=on_submit, written=written):
				original(self)
				service(self, written)

			def cancelling(self, original=on_cancel, written=written):
				original(self)
				service(self, written)

			with (
				self.subTest(doctype),
				patch.object(cls, "on_submit", submitting),
				patch.object(cls, "on_cancel", cancelling),
			):
				customer = make_customer(loyalty_program=self.program.name)
				make_invoice(customer, 600, doctype=doctype)
				invoice = make_invoice(customer, items=[{"rate": 100, "qty": 2}], doctype=doctype, redeem=10)
				returned = make_return(invoice, qty=1)
				self.assertEqual(self.points(invoice), [9, -5])
				returned.reload()
				returned.cancel()
				self.assertEqual(self.points(invoice), [19, -10])
				invoice.reload()
				self.assertEqual(invoice.loyalty_program, self.program.name)
				invoice.cancel()
				self.assertEqual((self.points(invoice), balance(customer)), ([], 60))
				self.assertEqual(written, [])
		self.assertEqual(self.errors(), [])

	def test_a_bonus_that_another_app_grants_with_the_invoice_stays(self):
		class Granting(base_document.get_controller("Sales Invoice")):
			def on_submit(self):
				super().on_submit()
				if not self.is_return:
					self.grant()

			def grant(self):
				frappe.get_doc(
					{
						"doctype": "Loyalty Point Entry",
						"loyalty_program": self.loyalty_program,
						"customer": self.customer,
						"invoice_type": self.doctype,
						"invoice": self.name,
						"loyalty_points": 7,
					}
				).insert(ignore_permissions=True)

		with in_charge(Granting, "Sales Invoice"):
			invoice = make_invoice(self.customer, items=[{"rate": 100, "qty": 2}])
			self.assertEqual(sorted(self.points(invoice)), [7, 20])
			make_return(invoice, qty=1)
		self.assertEqual(sorted(self.points(invoice)), [7, 10])
		self.assertEqual(balance(self.customer), 17)
		self.assertEqual(self.errors(), [])

	def test_an_entry_for_an_invoice_that_is_not_in_hand_goes_through_the_ledger(self):
		invoice = make_invoice(self.customer, 100)
		with self.assertRaisesRegex(frappe.ValidationError, "Purchase Amount must be 0"):
			frappe.get_doc(
				{
					"doctype": "Loyalty Point Entry",
					"loyalty_program": self.program.name,
					"customer": self.customer.name,
					"invoice_type": "Sales Invoice",
					"invoice": invoice.name,
					"loyalty_points": -5,
					"purchase_amount": 100,
				}
			).insert(ignore_permissions=True)
		self.assertEqual(self.points(invoice), [10])
		self.assertEqual(foreign.in_hand(), {})

	def test_an_entry_for_an_invoice_whose_submit_failed_goes_through_the_ledger(self):
		"""The same request goes on, as a script does that submits many."""
		sold = make_invoice(self.customer, 100)
		draft = make_invoice(self.customer, 100, submit=False)
		returned = make_return(sold, submit=False)
		sold.reload()
		for doc, act in ((draft, draft.submit), (returned, returned.submit), (sold, sold.cancel)):
			frappe.db.savepoint("failed")
			refusal = patch.object(
				type(doc), "on_cancel" if doc is sold else "on_submit", side_effect=KeyError
			)
			with refusal, self.assertRaises(KeyError):
				act()
			frappe.db.rollback(save_point="failed")
			invoice = doc.get("return_against") or doc.name
			with self.subTest(doc.doctype, invoice=invoice):
				entry = frappe.get_doc(
					{
						"doctype": "Loyalty Point Entry",
						"loyalty_program": self.program.name,
						"customer": self.customer.name,
						"invoice_type": "Sales Invoice",
						"invoice": invoice,
						"loyalty_points": 5,
						"purchase_amount": 50,
					}
				).insert(ignore_permissions=True)
				self.assertTrue(frappe.db.get_value("Loyalty Point Entry", entry.name, "membership"))
		self.assertEqual(balance(self.customer), 10 + 3 * 5)

	def test_an_invoice_whose_program_is_gone_can_be_cancelled(self):
		"""ERPNext lets programs be deleted that entries are of; installing leaves such entries as they are."""
		invoice = make_invoice(self.customer, 100)
		frappe.db.set_value("Loyalty Point Entry", {"invoice": invoice.name}, "membership", None)
		for doctype in ("Loyalty Membership", "Loyalty Point Log"):
			frappe.db.delete(doctype, {"customer": self.customer.name})
		frappe.db.delete("Loyalty Program", {"name": self.program.name})
		frappe.clear_document_cache("Loyalty Program", self.program.name)
		invoice.reload()
		invoice.cancel()
		self.assertEqual(entries_of(invoice), [])

	def test_books_of_a_redemption_do_not_depend_on_the_program_being_seen(self):
		make_invoice(self.customer, 600)
		invoice = make_invoice(self.customer, 100, redeem=30)
		self.assertEqual(gl_of(invoice)[self.program.expense_account], 30)
