# Copyright (c) 2026, loyalty_app maintainers
# See license.txt

from unittest.mock import patch

import frappe
from frappe.model.workflow import apply_workflow
from frappe.utils import add_days, getdate, today

from loyalty_app.ledger import LedgerBusy, adjustments, verify
from loyalty_app.ledger.invoices import Event
from loyalty_app.ledger.membership import find
from loyalty_app.loyalty_app.doctype.loyalty_point_adjustment.loyalty_point_adjustment import (
	LoyaltyPointAdjustment,
)
from loyalty_app.setup import workflow
from loyalty_app.tests.test_documents import LoyaltyTestCase, balance, earned, entries_of
from loyalty_app.tests.utils import (
	as_user,
	company,
	make_adjustment,
	make_customer,
	make_invoice,
	make_program,
	make_user,
	on_day,
)


class AdjustmentTestCase(LoyaltyTestCase):
	program_values = {}

	def setUp(self):
		self.program = make_program(**self.program_values)
		self.customer = make_customer(loyalty_program=self.program.name)

	def set_program(self, **values):
		self.program.reload()
		self.program.update(values)
		self.program.save()

	def adjust(self, points, **values):
		return make_adjustment(self.customer, points, **values)

	def assert_refused(self, message, points, error=frappe.ValidationError, **values):
		frappe.db.savepoint("refused")
		with self.assertRaises(error) as refused:
			self.adjust(points, **values)
		self.assertIn(message, frappe.utils.strip_html(str(refused.exception)))
		frappe.db.rollback(save_point="refused")


class TestDatabase(AdjustmentTestCase):
	def test_a_deadlock_over_rows_of_frappe_is_to_be_tried_again(self):
		drafts = [self.adjust(5, submit=False) for _ in range(2)]
		for function, act in (
			("set_new_name", lambda: self.adjust(5, submit=False)),
			("db_insert", lambda: self.adjust(5, submit=False)),
			("db_update", drafts[0].save),
			("db_update", drafts[1].submit),
		):
			deadlock = patch.object(LoyaltyPointAdjustment, function, side_effect=frappe.QueryDeadlockError)
			with self.subTest(function), deadlock, self.assertRaises(LedgerBusy):
				act()

	def test_those_of_a_membership_are_found_as_those_of_a_customer_are(self):
		"""By an index, where the database has any."""
		customer, member = (
			bool(frappe.db.get_column_index(f"tab{adjustments.DOCTYPE}", field))
			for field in ("customer", "membership")
		)
		self.assertEqual(member, customer)


class TestMovingPoints(AdjustmentTestCase):
	def test_points_are_added(self):
		doc = self.adjust(50, reason="Goodwill")
		(entry,) = entries_of(doc)
		for field, value in {
			"entry_type": "Adjusted",
			"loyalty_points": 50,
			"remaining_points": 50,
			"purchase_amount": 0,
			"discretionary_reason": "Goodwill",
			"customer": self.customer.name,
			"loyalty_program": self.program.name,
			"company": company(),
			"posting_date": getdate(today()),
			"expiry_date": getdate(add_days(today(), 365)),
			"membership": doc.membership,
		}.items():
			self.assertEqual(entry[field], value, field)
		self.assertEqual(getdate(doc.expiry_date), entry.expiry_date)
		self.assertEqual(doc.company, company())
		self.assertEqual(balance(self.customer), 50)
		self.assertEqual(make_invoice(self.customer, 100, redeem=50).loyalty_amount, 50)

	def test_points_are_good_through_the_day_that_is_given(self):
		doc = self.adjust(50, expiry_date=add_days(today(), 3))
		self.assertEqual(entries_of(doc)[0].expiry_date, getdate(add_days(today(), 3)))
		with on_day(add_days(today(), 4)):
			self.assertEqual(balance(self.customer), 0)

	def test_points_are_taken_earliest_expiry_first(self):
		late, early = (
			make_invoice(self.customer, 100, posting_date=add_days(today(), -days)) for days in (10, 30)
		)
		doc = self.adjust(-15)
		drawn = {e.redeem_against: e for e in entries_of(doc)}
		self.assertEqual(
			{name: e.loyalty_points for name, e in drawn.items()},
			{earned(early).name: -10, earned(late).name: -5},
		)
		self.assertEqual({e.entry_type for e in drawn.values()}, {"Adjusted"})
		self.assertEqual(drawn[earned(early).name].expiry_date, earned(early).expiry_date)
		self.assertEqual(balance(self.customer), 5)

	def test_the_log_tells_the_adjustment(self):
		doc = self.adjust(50)
		doc.cancel()
		rows = frappe.get_all(
			"Loyalty Point Log",
			filters={"customer": self.customer.name},
			fields=[
				"event",
				"action",
				"reference_doctype",
				"reference_name",
				"points_before",
				"points_after",
			],
			order_by="sequence",
			as_list=True,
		)
		document = (doc.doctype, doc.name)
		self.assertEqual(
			[tuple(row) for row in rows],
			[("Submit", "Insert", *document, 0, 50), ("Cancel", "Delete", *document, 50, 0)],
		)

	def test_never_below_zero_unless_the_program_allows_it(self):
		make_invoice(self.customer, 100)
		self.assert_refused("11 cannot be taken, 10 are spendable", -11)
		self.assert_refused("11 cannot be taken, 10 are spendable", -11, submit=False)
		self.set_program(allow_negative_adjustment=1)
		doc = self.adjust(-11)
		self.assertEqual(balance(self.customer), -1)
		self.assertEqual(sorted(e.loyalty_points for e in entries_of(doc)), [-10, -1])
		make_invoice(self.customer, 100)
		self.assertEqual(balance(self.customer), 9)
		doc.reload()
		doc.cancel()
		self.assertEqual(balance(self.customer), 20)

	def test_what_another_draft_has_taken_is_refused_at_submit(self):
		make_invoice(self.customer, 100)
		one, two = self.adjust(-6, submit=False), self.adjust(-6, submit=False)
		one.submit()
		with self.assertRaisesRegex(frappe.ValidationError, "6 cannot be taken, 4 are spendable"):
			two.submit()

	def test_points_that_were_good_on_the_posting_date_are_taken_after_they_expired(self):
		start = add_days(today(), -400)
		lot = make_invoice(self.customer, 100, posting_date=start)
		self.assert_refused("0 are spendable", -4, posting_date=add_days(start, 366))
		doc = self.adjust(-4, posting_date=add_days(start, 365))
		self.assertEqual([e.redeem_against for e in entries_of(doc)], [earned(lot).name])
		self.assertEqual(balance(self.customer), 0)

	def test_added_points_cover_a_shortfall_first(self):
		self.set_program(allow_negative_adjustment=1)
		self.adjust(-30)
		self.assertEqual(entries_of(self.adjust(50))[0].remaining_points, 20)
		self.assertEqual(balance(self.customer), 20)

	def test_settling_twice_changes_nothing(self):
		make_invoice(self.customer, 100)
		other = make_customer(loyalty_program=self.program.name)
		for doc in (
			self.adjust(7),
			self.adjust(-7),
			self.adjust(7, reason="Transfer", to_customer=other.name),
		):
			before = frappe.get_all("Loyalty Point Entry", order_by="name", fields=["*"])
			logged = frappe.db.count("Loyalty Point Log")
			adjustments.settle_adjustment(doc, Event.SUBMIT)
			self.assertEqual(frappe.get_all("Loyalty Point Entry", order_by="name", fields=["*"]), before)
			self.assertEqual(frappe.db.count("Loyalty Point Log"), logged)

	def test_spend_and_tier_stay(self):
		self.set_program(
			loyalty_program_type="Multiple Tier Program",
			collection_rules=[
				{"tier_name": "Silver", "min_spent": 0, "collection_factor": 10},
				{"tier_name": "Gold", "min_spent": 200, "collection_factor": 5},
			],
		)
		make_invoice(self.customer, 100)
		doc = self.adjust(1000)
		self.assertEqual(entries_of(doc)[0].loyalty_program_tier, "Silver")
		self.assertEqual(
			frappe.db.get_value("Customer", self.customer.name, "loyalty_program_tier"), "Silver"
		)
		self.assertEqual(frappe.db.get_value("Loyalty Membership", doc.membership, "total_spent"), 100)


class TestCancelling(AdjustmentTestCase):
	def test_taken_points_go_back_to_their_lots(self):
		first, second = make_invoice(self.customer, 100), make_invoice(self.customer, 100)
		lots = [earned(first), earned(second)]
		doc = self.adjust(-15)
		doc.cancel()
		self.assertEqual(entries_of(doc), [])
		for lot in lots:
			now = frappe.get_doc("Loyalty Point Entry", lot.name)
			self.assertEqual((now.remaining_points, now.expiry_date), (10, lot.expiry_date))

	def test_added_points_that_were_spent_leave_a_negative_balance(self):
		doc = self.adjust(50)
		make_invoice(self.customer, 100, redeem=40)
		doc.reload()
		doc.cancel()
		self.assertEqual(balance(self.customer), 6 - 40)

	def test_added_points_that_were_spent_may_block_it(self):
		self.set_program(if_points_already_spent="Block")
		doc = self.adjust(50)
		spent = make_invoice(self.customer, 100, redeem=40)
		doc.reload()
		frappe.db.savepoint("refused")
		with self.assertRaisesRegex(frappe.ValidationError, f"40 of the Loyalty Points.*{spent.name}"):
			doc.cancel()
		frappe.db.rollback(save_point="refused")
		self.assertEqual(frappe.db.get_value(doc.doctype, doc.name, "docstatus"), 1)
		spent.reload()
		spent.cancel()
		doc.reload()
		doc.cancel()
		self.assertEqual(balance(self.customer), 0)

	def test_what_the_client_says_while_cancelling_does_not_count(self):
		"""Along with the docstatus, Frappe takes any field, and checks none."""
		other = make_customer(loyalty_program=self.program.name)
		self.adjust(100)
		for forged in (
			{"reason": "Goodwill", "points": -50},
			{"to_customer": None},
			{"to_customer": self.customer.name, "customer": other.name},
			{"loyalty_program": None},
			{"idempotency_key": "x", "request_digest": "y"},
		):
			with self.subTest(**forged):
				doc = self.adjust(60, reason="Transfer", to_customer=other.name)
				frappe.get_doc(doc.doctype, doc.name).update({"docstatus": 2, **forged}).save()
				self.assertEqual((balance(self.customer), balance(other)), (100, 0))
				self.assertEqual(entries_of(doc), [])
				stored = frappe.get_doc(doc.doctype, doc.name)
				for field in forged:
					self.assertEqual(stored.get(field), doc.get(field))

	def test_an_invoice_whose_points_were_taken_names_the_adjustment(self):
		self.set_program(if_points_already_spent="Block")
		invoice = make_invoice(self.customer, 100)
		doc = self.adjust(-10)
		invoice.reload()
		frappe.db.savepoint("refused")
		with self.assertRaisesRegex(frappe.ValidationError, doc.name):
			invoice.cancel()
		frappe.db.rollback(save_point="refused")

	def test_it_may_be_amended(self):
		doc = self.adjust(50)
		doc.cancel()
		again = frappe.copy_doc(doc)
		again.amended_from, again.docstatus, again.points = doc.name, 0, 30
		again.insert()
		again.submit()
		self.assertEqual(balance(self.customer), 30)

	def test_entries_that_other_code_deleted_come_back_first(self):
		doc = self.adjust(50)
		make_invoice(self.customer, 100, redeem=40)
		frappe.db.delete("Loyalty Point Entry", {"invoice": doc.name})
		doc.reload()
		doc.cancel()
		self.assertEqual(balance(self.customer), 6 - 40)

	def test_who_left_the_program_is_adjusted_all_the_same(self):
		doc = self.adjust(50)
		self.customer.reload()
		self.customer.loyalty_program = None
		self.customer.save()
		self.adjust(-20, loyalty_program=self.program.name)
		doc.reload()
		doc.cancel()
		name = find(self.customer.name, self.program.name)
		self.assertEqual(frappe.db.get_value("Loyalty Membership", name, "balance"), -20)


class TestTransfer(AdjustmentTestCase):
	def setUp(self):
		super().setUp()
		self.other = make_customer(loyalty_program=self.program.name)

	def transfer(self, points, **values):
		return self.adjust(points, reason="Transfer", to_customer=self.other.name, **values)

	def test_points_keep_their_expiry_dates(self):
		for days in (10, 30):
			make_invoice(self.customer, 100, posting_date=add_days(today(), -days))
		doc = self.transfer(15)
		taken, brought = (
			sorted(
				(getdate(e.expiry_date), abs(e.loyalty_points))
				for e in entries_of(doc)
				if e.customer == customer.name
			)
			for customer in (self.customer, self.other)
		)
		self.assertEqual(taken, brought)
		self.assertEqual(
			brought, [(getdate(add_days(today(), 335)), 10), (getdate(add_days(today(), 355)), 5)]
		)
		self.assertEqual((balance(self.customer), balance(self.other)), (5, 15))
		self.assertEqual({e.entry_type for e in entries_of(doc)}, {"Adjusted"})
		self.assertEqual(doc.membership, find(self.customer.name, self.program.name))

	def test_cancelling_gives_them_back(self):
		make_invoice(self.customer, 100)
		doc = self.transfer(6)
		make_invoice(self.other, 100, redeem=4)
		doc.reload()
		doc.cancel()
		self.assertEqual(entries_of(doc), [])
		self.assertEqual((balance(self.customer), balance(self.other)), (10, 9 - 4))

	def test_nobody_gives_more_than_there_is(self):
		self.set_program(allow_negative_adjustment=1)
		make_invoice(self.customer, 100)
		self.assert_refused(
			"11 cannot be taken, 10 are spendable", 11, reason="Transfer", to_customer=self.other.name
		)

	def test_points_brought_over_outlive_the_invoice_they_came_from(self):
		invoice = make_invoice(self.customer, 100)
		self.transfer(6)
		invoice.reload()
		invoice.cancel()
		self.assertEqual((balance(self.customer), balance(self.other)), (-6, 6))

	def test_customers_that_were_merged_meanwhile(self):
		make_invoice(self.customer, 100)
		doc = self.transfer(6)
		frappe.rename_doc("Customer", self.customer.name, self.other.name, merge=True)
		self.assertEqual(balance(self.other), 10)
		doc.reload()
		doc.cancel()
		self.assertEqual(entries_of(doc), [])
		self.assertEqual(balance(self.other), 10)

	def test_what_a_transfer_needs(self):
		make_invoice(self.customer, 100)
		transfer = {"reason": "Transfer", "submit": False}
		self.assert_refused("To Customer: choose who gets", 5, **transfer)
		self.assert_refused("another customer", 5, to_customer=self.customer.name, **transfer)
		self.assert_refused("more than 0 points", -5, to_customer=self.other.name, **transfer)
		stranger = make_customer()
		self.assert_refused("is not in Loyalty Program", 5, to_customer=stranger.name, **transfer)


class TestWhatIsRefused(AdjustmentTestCase):
	def test_messages_name_the_field(self):
		draft = {"submit": False}
		self.assert_refused("Points: enter how many", 0, **draft)
		self.assert_refused("whole number", 1.5, **draft)
		self.assert_refused("whole number", "many", **draft)
		self.assert_refused("must not be more than", 2**31, **draft)
		self.assert_refused("Explanation: say what", 5, explanation=" ", **draft)
		self.assert_refused("Posting Date: ", 5, posting_date=add_days(today(), 1), **draft)
		self.assert_refused("Posting Date: soon is not a date", 5, posting_date="soon", **draft)
		self.assert_refused("is before Posting Date", 5, expiry_date=add_days(today(), -1), **draft)
		posted = add_days(today(), -400)
		self.assert_refused("have expired", 5, posting_date=posted, **draft)
		self.assert_refused(
			"have expired", 5, posting_date=posted, expiry_date=add_days(today(), -1), **draft
		)
		self.assert_refused('Reason cannot be "Bribe"', 5, reason="Bribe", **draft)
		self.assert_refused("Could not find", 5, reference_doctype="ToDo", reference_name="none", **draft)
		self.customer = make_customer()
		self.assert_refused("is not in Loyalty Program", 5, loyalty_program=self.program.name, **draft)
		self.assert_refused("Loyalty Program: ", 5, **draft)
		self.customer = None
		self.assert_refused("Customer: choose", 5, **draft)
		self.customer = make_customer(loyalty_program=self.program.name)
		self.assertEqual(frappe.db.count("Loyalty Point Adjustment", {"customer": self.customer.name}), 0)

	def test_what_a_member_has_stays_countable(self):
		self.adjust(2**31 - 1)
		self.assert_refused("points in all", 1)

	def test_an_opening_balance_explains_itself(self):
		self.adjust(5, reason="Opening Balance", explanation=None)

	def test_no_entry_is_slipped_under_an_adjustment(self):
		doc = self.adjust(5)
		entry = frappe.get_doc(
			{
				"doctype": "Loyalty Point Entry",
				"loyalty_program": self.program.name,
				"customer": self.customer.name,
				"loyalty_points": 5,
				"invoice_type": doc.doctype,
				"invoice": doc.name,
			}
		)
		with self.assertRaisesRegex(frappe.ValidationError, "make another Loyalty Point Adjustment"):
			entry.insert(ignore_permissions=True)


class TestApproval(AdjustmentTestCase):
	@classmethod
	def setUpClass(cls):
		super().setUpClass()
		cls.clerk, cls.manager = make_user("Accounts User"), make_user("Accounts Manager")

	def submit_as(self, user, doc):
		with as_user(user):
			frappe.get_doc(doc.doctype, doc.name).submit()

	def draft_of(self, user, points=50):
		with as_user(user):
			return self.adjust(points, submit=False, ignore_permissions=False)

	def test_permissions(self):
		meta = frappe.get_meta("Loyalty Point Adjustment")
		rights = {
			p.role: (p.read, p.write, p.create, p.submit, p.cancel, p.amend, p.delete)
			for p in meta.permissions
		}
		self.assertEqual(
			rights,
			{
				"Accounts User": (1, 1, 1, 0, 0, 0, 0),
				"Accounts Manager": (1, 1, 1, 1, 1, 1, 1),
				"Auditor": (1, 0, 0, 0, 0, 0, 0),
			},
		)

	def test_accounts_users_draft_and_accounts_managers_submit(self):
		doc = self.draft_of(self.clerk)
		with self.assertRaises(frappe.PermissionError):
			self.submit_as(self.clerk, doc)
		self.submit_as(self.manager, doc)
		with as_user(self.clerk), self.assertRaises(frappe.PermissionError):
			frappe.get_doc(doc.doctype, doc.name).cancel()
		with as_user(self.manager):
			frappe.get_doc(doc.doctype, doc.name).cancel()

	def test_up_to_the_limit_accounts_users_submit_too(self):
		self.set_program(adjustment_limit=50)
		self.submit_as(self.clerk, self.draft_of(self.clerk, 50))
		self.submit_as(self.clerk, self.draft_of(self.clerk, -50))
		with self.assertRaises(frappe.PermissionError):
			self.submit_as(self.clerk, self.draft_of(self.clerk, 51))
		doc = self.draft_of(self.clerk, 50)
		with as_user(self.clerk), self.assertRaises(frappe.PermissionError):
			doc = frappe.get_doc(doc.doctype, doc.name)
			doc.points = 51
			doc.submit()
		with self.assertRaises(frappe.PermissionError):
			self.submit_as(make_user("Auditor"), doc)

	def test_nobody_gets_by_sharing_what_they_may_not_do(self):
		self.set_program(adjustment_limit=50)
		doc = self.draft_of(self.clerk)
		submitting = {"user": self.clerk, "write": 1, "submit": 1}
		with as_user(self.clerk), self.assertRaises(frappe.PermissionError):
			frappe.share.add(doc.doctype, doc.name, **submitting)
		with as_user(self.manager):
			frappe.share.add(doc.doctype, doc.name, user=self.clerk, write=1, share=1)
		with as_user(self.clerk), self.assertRaises(frappe.PermissionError):
			frappe.share.add(doc.doctype, doc.name, **submitting)
		with as_user(self.manager):
			frappe.share.add(doc.doctype, doc.name, **submitting)

	def test_the_author_may_be_kept_from_approving(self):
		self.set_program(adjustment_needs_approver=1, adjustment_limit=50)
		own = self.draft_of(self.manager)
		with self.assertRaisesRegex(frappe.ValidationError, "somebody else has to submit"):
			self.submit_as(self.manager, own)
		self.submit_as(self.clerk, own)
		with as_user(self.manager), self.assertRaisesRegex(frappe.ValidationError, "somebody else"):
			self.adjust(5, ignore_permissions=False)

	def test_who_changes_what_is_moved_becomes_an_author(self):
		self.set_program(adjustment_needs_approver=1)
		doc = self.draft_of(self.clerk)
		with as_user(self.manager):
			changed = frappe.get_doc(doc.doctype, doc.name)
			changed.points = 5000
			with self.assertRaisesRegex(frappe.ValidationError, "somebody else"):
				changed.submit()
			changed = frappe.get_doc(doc.doctype, doc.name)
			changed.points = 5000
			changed.save()
		with self.assertRaisesRegex(frappe.ValidationError, "somebody else"):
			self.submit_as(self.manager, doc)
		self.submit_as(make_user("Accounts Manager"), doc)

	def test_user_permissions_apply(self):
		other = make_customer(loyalty_program=self.program.name)
		user = make_user("Accounts Manager")
		frappe.get_doc(
			{"doctype": "User Permission", "user": user, "allow": "Customer", "for_value": other.name}
		).insert(ignore_permissions=True)
		doc = self.adjust(5, submit=False)
		with as_user(user):
			self.assertEqual(frappe.get_list(doc.doctype, filters={"name": doc.name}), [])
			with self.assertRaises(frappe.PermissionError):
				frappe.get_doc(doc.doctype, doc.name).submit()
			with self.assertRaises(frappe.PermissionError):
				self.adjust(5, submit=False, ignore_permissions=False)
			make_adjustment(other, 5, ignore_permissions=False)


class TestProof(AdjustmentTestCase):
	def test_verify_finds_what_was_tampered_with(self):
		doc = self.adjust(50)
		(entry,) = entries_of(doc)
		frappe.db.set_value("Loyalty Point Entry", entry.name, "loyalty_points", 60, update_modified=False)
		self.assertTrue(any(entry.name in fault for fault in verify(doc.membership)))
		frappe.db.set_value("Loyalty Point Entry", entry.name, "loyalty_points", 50, update_modified=False)


class TestWorkflow(AdjustmentTestCase):
	"""The one that comes with the app, once it is switched on."""

	@classmethod
	def setUpClass(cls):
		super().setUpClass()
		cls.clerk, cls.manager = make_user("Accounts User"), make_user("Accounts User", "Accounts Manager")

	def setUp(self):
		super().setUp()
		self.addCleanup(self.switch, 0)

	def switch(self, is_active):
		doc = frappe.get_doc("Workflow", workflow.NAME)
		doc.is_active = is_active
		doc.save()
		frappe.clear_cache(doctype="Loyalty Point Adjustment")

	def act(self, user, doc, action):
		with as_user(user):
			return apply_workflow(frappe.get_doc(doc.doctype, doc.name), action)

	def test_it_comes_switched_off_and_does_nothing(self):
		self.assertFalse(frappe.db.get_value("Workflow", workflow.NAME, "is_active"))
		self.assertIsNone(self.adjust(5).workflow_state)

	def test_a_draft_is_approved_by_somebody_else(self):
		self.switch(1)
		with as_user(self.clerk):
			doc = self.adjust(50, submit=False, ignore_permissions=False)
		self.assertEqual(doc.workflow_state, "Draft")
		self.assertEqual(self.act(self.clerk, doc, "Request Approval").workflow_state, "Pending Approval")
		with self.assertRaises(frappe.ValidationError):
			self.act(self.clerk, doc, "Approve")
		self.assertEqual(balance(self.customer), 0)
		approved = self.act(self.manager, doc, "Approve")
		self.assertEqual((approved.docstatus, approved.workflow_state), (1, "Approved"))
		self.assertEqual(balance(self.customer), 50)
		with as_user(self.manager):
			cancelled = frappe.get_doc(doc.doctype, doc.name)
			cancelled.cancel()
		self.assertEqual(cancelled.workflow_state, "Cancelled")
		self.assertEqual(balance(self.customer), 0)

	def test_what_is_rejected_may_be_asked_for_again(self):
		self.switch(1)
		with as_user(self.clerk):
			doc = self.adjust(50, submit=False, ignore_permissions=False)
		self.act(self.clerk, doc, "Request Approval")
		rejected = self.act(self.manager, doc, "Reject")
		self.assertEqual((rejected.docstatus, rejected.workflow_state), (0, "Rejected"))
		self.act(self.clerk, doc, "Request Approval")
		self.act(self.manager, doc, "Approve")
		self.assertEqual(balance(self.customer), 50)

	def test_nobody_approves_what_they_asked_for(self):
		self.switch(1)
		with as_user(self.manager):
			doc = self.adjust(50, submit=False, ignore_permissions=False)
		self.act(self.manager, doc, "Request Approval")
		with self.assertRaises(frappe.ValidationError):
			self.act(self.manager, doc, "Approve")

	def test_one_that_is_there_stays_as_it_is(self):
		self.switch(1)
		workflow.make_workflow()
		self.assertTrue(frappe.db.get_value("Workflow", workflow.NAME, "is_active"))

	def test_it_goes_with_the_app(self):
		workflow.delete_workflow()
		self.assertFalse(frappe.db.exists("Workflow", workflow.NAME))
		self.assertFalse(frappe.db.exists("Workflow Transition", {"parent": workflow.NAME}))
		workflow.make_workflow()
		self.assertTrue(frappe.db.exists("Workflow", {"name": workflow.NAME, "is_active": 0}))
