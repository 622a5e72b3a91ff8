"""Frappe's requests to hand out and to delete the personal data of a user."""

import json
from unittest.mock import patch

import frappe
from frappe.utils import add_days, today

from loyalty_app.ledger import (
	LedgerBusy,
	audit,
	joining,
	log,
	membership,
	privacy,
	runs,
	takeover,
	verify,
)
from loyalty_app.ledger.membership import find, summary
from loyalty_app.ledger.privacy import REDACTED
from loyalty_app.ledger.test_runs import run
from loyalty_app.overrides.personal_data import data_of
from loyalty_app.tests.test_documents import LoyaltyTestCase
from loyalty_app.tests.test_portal import make_contact
from loyalty_app.tests.utils import (
	as_user,
	make_adjustment,
	make_customer,
	make_invoice,
	make_outgoing_mail_possible,
	make_program,
	make_website_user,
	store,
	tree_node,
	unique,
)


def delete_data_of(user: str) -> str:
	"""Let a System Manager do what the user has asked for; return what the user is called since."""
	request = frappe.get_doc({"doctype": "Personal Data Deletion Request", "email": user})
	request.insert(ignore_permissions=True)
	request.status = "Pending Approval"
	request.save()
	request.trigger_data_deletion()
	return request.name


def mentions(*words: str) -> list[str]:
	"""Where in this app's tables one of `words` stands, as it is or as in JSON: doctype, row and column."""
	forms = [form.lower() for word in words for form in (word, json.dumps(word)[1:-1])]
	return [
		f"{doctype} {row['name']} {column}"
		for doctype in frappe.get_all(
			"DocType", filters={"module": "Loyalty App", "issingle": 0, "is_virtual": 0}, pluck="name"
		)
		for row in frappe.db.sql(f"select * from `tab{doctype}`", as_dict=True)
		for column, value in row.items()
		if isinstance(value, str) and any(form in value.lower() for form in forms)
	]


def bonus(customer, points: int, reason: str):
	return frappe.get_doc(
		{
			"doctype": "Loyalty Point Entry",
			"customer": customer.name,
			"loyalty_program": customer.loyalty_program,
			"loyalty_points": points,
			"discretionary_reason": reason,
		}
	).insert(ignore_permissions=True)


class PersonalDataTestCase(LoyaltyTestCase):
	@classmethod
	def setUpClass(cls):
		super().setUpClass()
		make_outgoing_mail_possible()


class TestDeletionRequest(PersonalDataTestCase):
	def setUp(self):
		# A tier called like half the world must not change because one of them is forgotten.
		self.program = make_program(tiers=[("Zoë", 0, 10)])
		self.name = unique("Zoë")
		self.customer = make_customer(loyalty_program=self.program.name, customer_name=self.name)
		self.user = make_website_user(self.customer)
		frappe.db.set_value("User", self.user, {"first_name": self.name, "full_name": self.name})
		self.customer.reload()

	def member(self, customer: str) -> dict:
		row = frappe.get_doc("Loyalty Membership", find(customer, self.program.name)).as_dict()
		kept = ("balance", "total_spent", "points_earned", "points_redeemed", "loyalty_program_tier")
		return {key: row[key] for key in kept}

	def test_the_person_goes_and_the_points_stay(self):
		other = make_customer(loyalty_program=self.program.name)
		invoice = make_invoice(self.customer, 1000)
		make_invoice(self.customer, 200, redeem=30)
		make_adjustment(self.customer, 5, explanation="Waited long on her birthday")
		kind = {"reason": "Transfer", "to_customer": other.name}
		make_adjustment(self.customer, 7, explanation=f"{self.name} asked for it.", **kind)
		draft = make_adjustment(self.customer, 8, submit=False)
		store("Version", ref_doctype=draft.doctype, docname=draft.name, data='{"changed": []}')
		make_adjustment(other, 9, explanation=f"Brought {self.name}, or {self.user}, along")
		bonus(self.customer, 11, "Thanks for the flowers")
		bonus(other, 12, f"Was recommended by {self.name}.")
		with as_user(self.user):
			bonus(other, 13, "Invited a friend")
		store("Loyalty Import Row", customer=self.customer.name, parsed=json.dumps({"customer": self.name}))
		before = self.member(self.customer.name), self.member(other.name)
		self.assertTrue(mentions(self.name) and mentions(self.user))

		alias = delete_data_of(self.user)
		self.assertEqual(mentions(self.name, self.user), [])
		self.assertEqual(verify(), [])
		self.assertEqual((self.member(alias), self.member(other.name)), before)
		customer = frappe.get_doc("Customer", alias)
		self.assertEqual((customer.customer_name, customer.disabled), (alias, 1))
		self.assertEqual(customer.loyalty_program_tier, "Zoë")
		told = frappe.get_all("Loyalty Point Adjustment", filters={"customer": alias}, pluck="explanation")
		self.assertEqual(set(told), {REDACTED})
		self.assertFalse(frappe.db.exists("Version", {"docname": draft.name}))
		reasons = frappe.get_all(
			"Loyalty Point Entry", filters={"entry_type": "Adjusted"}, pluck="discretionary_reason"
		)
		for reason in ("Correction", "Transfer", REDACTED, f"Was recommended by {REDACTED}."):
			self.assertIn(reason, reasons)
		self.assertNotIn("Thanks for the flowers", reasons)
		# The ledger goes on, once ERPNext lets it.
		frappe.db.set_value("Customer", alias, "disabled", 0)
		invoice.reload()
		invoice.cancel()

	def test_who_was_merged_or_renamed_is_forgotten_by_every_name(self):
		twin = make_customer(loyalty_program=self.program.name, customer_name=f"{self.name} Old")
		make_invoice(twin, 100)
		make_invoice(self.customer, 100)
		frappe.rename_doc("Customer", twin.name, self.customer.name, merge=True, force=True)
		married = unique("Married")
		frappe.rename_doc("Customer", self.customer.name, married, force=True)
		alias = delete_data_of(self.user)
		self.assertEqual(mentions(self.name, married, self.user), [])
		self.assertEqual(summary(alias, self.program.name).balance, 20)

	def test_runs_do_not_remember_whom_they_enrolled(self):
		group = tree_node("Customer Group")
		frappe.db.set_value(
			"Customer", self.customer.name, {"loyalty_program": None, "customer_group": group}
		)
		frappe.db.set_value("Loyalty Program", {"auto_opt_in": 1}, "auto_opt_in", 0)
		frappe.db.set_value("Loyalty Program", self.program.name, {"auto_opt_in": 1, "customer_group": group})
		done = run("Enrolment", loyalty_program=self.program.name)
		self.assertEqual((done.changed, len(done.ranges)), (1, 1))
		runs.tell(done.name, [joining.difference(self.customer.name, "no", is_locked=False)])
		delete_data_of(self.user)
		self.assertEqual(mentions(self.name, self.user), [])

	def test_what_was_tampered_with_still_shows(self):
		bonus(self.customer, 10, f"For {self.name}")
		make_invoice(self.customer, 100)
		name = find(self.customer.name, self.program.name)
		row = frappe.get_doc(log.DOCTYPE, {"membership": name, "sequence": 1})
		frappe.db.savepoint("sound")
		frappe.db.set_value(log.DOCTYPE, row.name, "after", row.after.replace(": 10", ": 9"))
		faults = verify(name)
		delete_data_of(self.user)
		self.assertEqual(verify(name)[0], faults[0])
		self.assertEqual(len(verify(name)), len(faults))
		self.assertEqual(mentions(self.name, self.user), [])
		frappe.db.rollback(save_point="sound")

	def test_a_log_that_began_with_what_erpnext_had_written(self):
		customers = self.customer, make_customer(loyalty_program=self.program.name)
		for customer in customers:
			for points in (10, 20):
				store(
					"Loyalty Point Entry",
					customer=customer.name,
					loyalty_program=self.program.name,
					company=self.program.company,
					loyalty_points=points,
					discretionary_reason=f"As {self.name} is a friend",
					posting_date=today(),
					expiry_date=add_days(today(), 30),
				)
		frappe.db.delete("Loyalty Membership", {"loyalty_program": self.program.name})
		with patch.object(frappe.db, "commit"):
			takeover.find_members()
			takeover.build_memberships()
		self.assertTrue(
			frappe.db.exists(log.DOCTYPE, {"customer": customers[1].name, "action": log.INSERT_MANY})
		)
		alias = delete_data_of(self.user)
		self.assertEqual(mentions(self.name, self.user), [])
		self.assertEqual(summary(alias, self.program.name).balance, 30)

	def test_all_customers_are_locked_before_the_first_membership(self):
		other = make_customer(loyalty_program=self.program.name)
		bonus(other, 12, f"Was recommended by {self.name}.")
		bonus(self.customer, 11, "Thanks for the flowers")
		order = []

		def noted(name):
			function = getattr(membership, name)

			def called(*arguments):
				order.append((name, *arguments))
				return function(*arguments)

			return patch.object(membership, name, called)

		with patch.object(audit, "MEMBERSHIPS_AT_ONCE", 1), noted("hold"), noted("lock_all"):
			delete_data_of(self.user)
		self.assertEqual([name for name, *_names in order[:3]], ["hold", "lock_all", "lock_all"])
		self.assertEqual(set(order[0][1:]), {self.customer.name, other.name})

	def test_who_meets_a_deadlock_is_asked_to_try_again(self):
		deadlock = patch.object(privacy, "forget", side_effect=frappe.QueryDeadlockError)
		with deadlock, self.assertRaises(LedgerBusy):
			delete_data_of(self.user)

	def test_a_customer_who_is_more_than_this_person_keeps_the_name(self):
		company = make_customer(loyalty_program=self.program.name, customer_type="Company")
		shared = make_customer(loyalty_program=self.program.name)
		numbered = make_customer(loyalty_program=self.program.name)
		make_contact(make_website_user(), shared)
		frappe.db.set_value("Customer", numbered.name, "customer_name", self.name)
		for customer in (company, shared, numbered):
			customer.reload()
			customer.append("portal_users", {"user": self.user})
			customer.save()
			make_invoice(customer, 100)
		alias = delete_data_of(self.user)
		self.assertEqual(mentions(self.name, self.user), [])
		for customer in (company, shared):
			self.assertEqual(
				frappe.db.get_value("Customer", customer.name, ["customer_name", "disabled"]),
				(customer.customer_name, 0),
			)
		self.assertEqual(frappe.db.get_value("Customer", numbered.name, "customer_name"), alias)
		self.assertTrue(frappe.db.exists("Customer", alias))


class TestDownloadRequest(PersonalDataTestCase):
	def test_it_has_the_points(self):
		program = make_program()
		customer, stranger = (make_customer(loyalty_program=program.name) for _ in range(2))
		user = make_website_user(customer)
		invoice = make_invoice(customer, 1000)
		make_invoice(stranger, 500)
		make_adjustment(customer, 5, explanation="Waited long")
		request = frappe.get_doc({"doctype": "Personal Data Download Request", "user": user}).insert()
		file = frappe.get_doc("File", {"attached_to_name": request.name})
		told = json.loads(file.get_content())
		self.assertEqual([row["balance"] for row in told["Loyalty Membership"]], [105])
		self.assertEqual([row["loyalty_points"] for row in told["Loyalty Point Entry"]], [100, 5])
		self.assertEqual(told["Loyalty Point Entry"][0]["invoice"], invoice.name)
		self.assertEqual(told["Loyalty Point Adjustment"][0]["explanation"], "Waited long")
		self.assertNotIn(stranger.name, file.get_content())

	def test_nobody_gets_the_points_of_others(self):
		customer = make_customer(loyalty_program=make_program().name)
		user = make_website_user(customer)
		self.assertIn("Loyalty Membership", data_of(user))
		with as_user(make_website_user()):
			request = frappe.get_doc({"doctype": "Personal Data Download Request", "user": user})
			request.insert(ignore_permissions=True)
		file = frappe.get_doc("File", {"attached_to_name": request.name})
		self.assertNotIn("Loyalty Membership", json.loads(file.get_content()))
