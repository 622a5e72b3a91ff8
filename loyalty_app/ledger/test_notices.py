"""What members are told: each once, to whom it belongs, and nothing while nobody has switched it on."""

import email
import email.policy
from unittest.mock import patch

import frappe
from frappe.utils import add_days, add_months, formatdate, get_first_day, today

from loyalty_app.ledger import invoices, membership, notices, runs
from loyalty_app.ledger.membership import find
from loyalty_app.ledger.test_runs import queue, run
from loyalty_app.tests.test_documents import LoyaltyTestCase, earned
from loyalty_app.tests.utils import (
	count_queries,
	make_customer,
	make_invoice,
	make_outgoing_mail_possible,
	make_program,
	make_return,
	on_day,
	unique,
)

POINTS_EARNED, TIER_REACHED, EXPIRING, STATEMENT = (
	f"Loyalty {name}" for name in ("Points Earned", "Tier Reached", "Points Expiring", "Statement")
)


class NoticesTestCase(LoyaltyTestCase):
	@classmethod
	def setUpClass(cls):
		super().setUpClass()
		cls.addClassCleanup(frappe.clear_cache)
		make_outgoing_mail_possible()
		cls.program = make_program(
			tiers=[("Silver", 0, 10), ("Gold & more", 1000, 5)],
			expiry_duration=30,
			expiry_notice_days=10,
			conversion_factor=0.5,
		)

	def setUp(self):
		self.customer = self.make_member()
		self.switch(POINTS_EARNED, TIER_REACHED, EXPIRING, STATEMENT, on=False)

	def make_member(self, **kwargs):
		customer = make_customer(loyalty_program=self.program.name, **kwargs)
		frappe.db.set_value("Customer", customer.name, "email_id", self.address_of(customer))
		return customer

	def address_of(self, customer) -> str:
		return f"{customer.name.split()[-1]}@loyalty.example"

	def switch(self, *names, on=True):
		"""What a System Manager does in the form of a Notification."""
		for name in names:
			doc = frappe.get_doc("Notification", name)
			doc.enabled = int(on)
			doc.save()

	def mails(self, customer=None) -> list[frappe._dict]:
		"""What was sent to a customer: subject, text, address and attachments, the oldest first."""
		name = find((customer or self.customer).name, self.program.name)
		found = []
		for row in frappe.get_all(
			"Email Queue",
			filters={"reference_doctype": membership.DOCTYPE, "reference_name": name},
			fields=["name", "message", "attachments"],
			order_by="creation",
		):
			message = email.message_from_string(row.message, policy=email.policy.default)
			found.append(
				frappe._dict(
					subject=message["Subject"],
					text=" ".join(message.get_body(("html",)).get_content().split()),
					attachments=frappe.parse_json(row.attachments or "[]"),
					to=frappe.get_all(
						"Email Queue Recipient", filters={"parent": row.name}, pluck="recipient"
					),
				)
			)
		return found

	def subjects(self, customer=None) -> list[str]:
		return [mail.subject for mail in self.mails(customer)]

	def member(self, customer=None):
		return frappe.get_doc(membership.DOCTYPE, find((customer or self.customer).name, self.program.name))


class TestGains(NoticesTestCase):
	def test_shipped_switched_off(self):
		for name in (POINTS_EARNED, TIER_REACHED, EXPIRING, STATEMENT):
			path = frappe.get_module_path("Loyalty App", "notification", frappe.scrub(name))
			shipped = frappe.get_file_json(f"{path}/{frappe.scrub(name)}.json")
			self.assertEqual((shipped["name"], shipped["enabled"]), (name, 0))

	def test_nothing_is_sent_and_nothing_costs_more_while_all_are_off(self):
		def statements():
			draft = frappe.get_doc("Sales Invoice", make_invoice(self.customer, 2000, submit=False).name)
			with count_queries() as made:
				draft.submit()
			draft.cancel()
			return len(made)

		statements()  # fill what Frappe and ERPNext keep in memory
		told = statements()
		with patch.object(notices, "tell_gains"):
			self.assertEqual(statements(), told)
		self.assertEqual(self.mails(), [])

	def test_points_earned(self):
		self.switch(POINTS_EARNED)
		invoice = make_invoice(self.customer, 100)
		(mail,) = self.mails()
		self.assertEqual(mail.subject, "You have earned 10 points")
		self.assertEqual(mail.to, [self.address_of(self.customer)])
		for expected in (
			f"Your purchase {invoice.name} has earned 10 points",
			formatdate(add_days(today(), 30)),
			"You have 10 points, worth",
			"to Gold &amp; more",
			self.program.company,
		):
			self.assertIn(expected, mail.text)

	def test_points_earned_are_told_once(self):
		self.switch(POINTS_EARNED)
		invoice = make_invoice(self.customer, items=[{"rate": 100, "qty": 2}])
		invoices.settle_invoice(invoice, invoices.Event.SUBMIT)
		returned = make_return(invoice, qty=1)
		returned.cancel()
		make_return(invoice)
		make_invoice(self.customer, 5)  # earns nothing
		self.assertEqual(self.subjects(), ["You have earned 20 points"])
		other = make_invoice(self.customer, 10)
		other.cancel()
		self.assertEqual(self.subjects()[1:], ["You have earned 1 point"])

	def test_a_bonus(self):
		self.switch(POINTS_EARNED)
		values = {
			"doctype": "Loyalty Point Entry",
			"customer": self.customer.name,
			"loyalty_program": self.program.name,
		}
		frappe.get_doc({**values, "loyalty_points": 7, "discretionary_reason": "<b>Referral"}).insert()
		frappe.get_doc({**values, "loyalty_points": -3}).insert()
		(mail,) = self.mails()
		self.assertIn("You were granted 7 points: &lt;b&gt;Referral", mail.text)

	def test_a_tier_is_told_when_it_is_reached(self):
		self.switch(TIER_REACHED)
		make_invoice(self.customer, 900)
		self.assertEqual(self.mails(), [], "everybody who buys is in the first tier")
		reaching = make_invoice(self.customer, 100)
		make_invoice(self.customer, 100)
		(mail,) = self.mails()
		self.assertEqual(mail.subject, "You have reached Gold & more")
		self.assertIn("you have reached Gold &amp; more", mail.text)
		reaching.cancel()
		self.assertEqual(len(self.mails()), 1)

	def test_new_rules_tell_nobody(self):
		self.switch(TIER_REACHED, POINTS_EARNED)
		program = make_program(tiers=[("Silver", 0, 10), ("Gold", 1000, 5)])
		customer = make_customer(loyalty_program=program.name)
		with patch.object(notices, "tell") as tell:
			make_invoice(customer, 500)
			self.assertEqual([call.args[0] for call in tell.call_args_list], [notices.EARNED])
			tell.reset_mock()
			program.reload()
			program.collection_rules[1].min_spent = 400
			program.save()
			self.assertEqual(self.tier(customer), "Gold")
			tell.assert_not_called()

	def tier(self, customer):
		return frappe.db.get_value("Customer", customer.name, "loyalty_program_tier")

	def test_in_the_language_of_the_invoice(self):
		self.switch(POINTS_EARNED)
		frappe.db.set_value("Customer", self.customer.name, "language", "de")
		heard = []
		original = frappe.get_attr("frappe.email.doctype.notification.notification.evaluate_alert")

		def listen(*args, **kwargs):
			heard.append(frappe.local.lang)
			return original(*args, **kwargs)

		with patch("frappe.email.doctype.notification.notification.evaluate_alert", listen):
			before = frappe.local.lang
			make_invoice(self.customer, 100, language="de")
		self.assertEqual((heard[-1], frappe.local.lang), ("de", before))

	def test_who_has_no_address_gets_nothing_and_nothing_breaks(self):
		self.switch(POINTS_EARNED)
		frappe.db.set_value("Customer", self.customer.name, "email_id", None)
		make_invoice(self.customer, 100)
		self.assertEqual(self.mails(), [])

	def test_the_first_contact_answers_for_a_customer_without_an_address(self):
		frappe.db.set_value("Customer", self.customer.name, "email_id", None)
		for first_name, primary in (("Other", 0), ("Primary", 1)):
			frappe.get_doc(
				{
					"doctype": "Contact",
					"first_name": unique(first_name),
					"is_primary_contact": primary,
					"email_ids": [{"email_id": f"{first_name}@loyalty.example".lower(), "is_primary": 1}],
					"links": [{"link_doctype": "Customer", "link_name": self.customer.name}],
				}
			).insert()
		frappe.db.set_value("Customer", self.customer.name, "email_id", None)
		self.assertEqual(self.member().contact_email, "primary@loyalty.example")
		self.assertEqual(self.member().get("contact_email"), "primary@loyalty.example")
		self.assertEqual(self.member().as_dict().contact_email, "primary@loyalty.example")


class TestExpiring(NoticesTestCase):
	def buy(self, days_ago: int, amount=100, customer=None):
		day = add_days(today(), -days_ago)
		with on_day(day):
			return make_invoice(customer or self.customer, amount, posting_date=day)

	def run_job(self) -> int:
		"""How many members the daily job has told."""
		done = run("Expiry Notices")
		self.assertEqual((done.status, done.faults), ("Done", 0))
		return done.changed

	def test_each_lot_is_told_once_n_days_before(self):
		self.switch(EXPIRING)
		self.buy(25), self.buy(20, 50), self.buy(19, 70)
		self.run_job()
		(mail,) = self.mails()
		first, second = (formatdate(add_days(today(), days)) for days in (5, 10))
		self.assertEqual(mail.subject, f"15 points of yours expire after {first}")
		self.assertEqual(mail.to, [self.address_of(self.customer)])
		self.assertIn("10 points can be spent through", mail.text)
		self.assertIn("5 points can be spent through", mail.text)
		self.assertIn(second, mail.text)
		self.run_job()
		self.assertEqual(len(self.mails()), 1)
		with on_day(add_days(today(), 1)):
			self.run_job()
			self.run_job()
		self.assertEqual(
			self.subjects()[1:], [f"7 points of yours expire after {formatdate(add_days(today(), 11))}"]
		)

	def test_what_is_spent_returned_or_expired_is_not_told_of(self):
		self.switch(EXPIRING)
		self.buy(25)
		make_invoice(self.customer, 100, redeem=10)
		make_return(self.buy(24))
		self.buy(31)
		self.run_job()
		self.assertEqual(self.mails(), [])

	def test_a_lot_that_a_return_makes_smaller_was_told_of(self):
		self.switch(EXPIRING)
		day = add_days(today(), -25)
		with on_day(day):
			invoice = make_invoice(self.customer, items=[{"rate": 100, "qty": 2}], posting_date=day)
		self.run_job()
		returned = make_return(invoice, qty=1)
		self.run_job()
		self.assertEqual(earned(invoice).loyalty_points, 10)
		self.assertTrue(earned(invoice).expiry_notice_on)
		returned.cancel()
		self.run_job()
		self.assertEqual(len(self.mails()), 1)

	def test_nobody_is_told_while_it_is_off_and_everybody_when_it_is_switched_on(self):
		self.buy(25)
		with queue() as jobs:
			runs.start_notices()
		self.assertEqual(jobs, [])
		self.switch(EXPIRING)
		with queue() as jobs:
			runs.start_notices()
		self.assertEqual([function for function, _arguments in jobs], ["divide"])
		frappe.db.delete(runs.DOCTYPE)
		self.run_job()
		self.assertEqual(len(self.mails()), 1)

	def test_who_is_left_out(self):
		self.switch(EXPIRING)
		left, disabled = self.make_member(), self.make_member()
		for customer in (left, disabled):
			self.buy(25, customer=customer)
		left.reload()
		left.loyalty_program = None
		left.save()
		frappe.db.set_value("Customer", disabled.name, "disabled", 1)
		silent = make_program(expiry_duration=30, expiry_notice_days=0)
		other = make_customer(loyalty_program=silent.name)
		self.buy(25, customer=other)
		names = [find(c.name, self.program.name) for c in (left, disabled)]
		names.append(find(other.name, silent.name))
		with patch.object(frappe.db, "commit"):
			self.assertEqual(notices.tell_expiring(names), 0)
			with on_day(add_days(today(), 5)):  # their last day
				self.assertEqual(notices.tell_expiring(names), 0)

	def test_two_workers_tell_once(self):
		self.switch(EXPIRING)
		self.buy(25)
		found = notices._expiring
		with patch.object(frappe.db, "commit"):
			due = list(found([self.member().name]))
			with patch.object(notices, "_expiring", lambda names: iter(due)):
				self.assertEqual([notices.tell_expiring([]), notices.tell_expiring([])], [1, 0])
		self.assertEqual(len(self.mails()), 1)

	def test_one_that_fails_is_told_of_and_keeps_nobody_from_theirs(self):
		self.switch(EXPIRING)
		other = self.make_member()
		for customer in (self.customer, other):
			self.buy(25, customer=customer)
		failing, tell = self.member().name, notices._tell_of_lots

		def fail(name, *args):
			if name == failing:
				raise ValueError("no")
			return tell(name, *args)

		with patch.object(notices, "_tell_of_lots", fail), patch.object(frappe.db, "rollback"):
			done = run("Expiry Notices")
		self.assertEqual([row.membership for row in done.findings], [failing])
		self.assertEqual(len(self.mails(other)), 1)

	def test_members_without_anything_due_are_passed_over_together(self):
		names = []
		for _member in range(5):
			customer = self.make_member()
			self.buy(5, customer=customer)
			names.append(find(customer.name, self.program.name))
		with patch.object(frappe.db, "commit"), count_queries() as statements:
			self.assertEqual(notices.tell_expiring(names), 0)
		self.assertLessEqual(len(statements), 2, statements)


class TestMonthlyStatement(NoticesTestCase):
	def setUp(self):
		super().setUp()
		frappe.db.set_value("Customer", self.customer.name, "loyalty_statement_by_email", 1)
		self.others = self.make_member()
		for customer in (self.customer, self.others):
			make_invoice(customer, 100)

	def test_who_asks_gets_one_each_month(self):
		self.switch(STATEMENT)
		for _time in range(2):
			run("Statements")
		(mail,) = self.mails()
		last_month = formatdate(add_months(get_first_day(today()), -1), "MMMM yyyy")
		self.assertEqual(mail.subject, f"Your loyalty statement of {last_month}")
		self.assertEqual(mail.to, [self.address_of(self.customer)])
		(attached,) = mail.attachments
		self.assertEqual(
			(attached["print_format_attachment"], attached["print_format"], attached["name"]),
			(1, "Loyalty Statement", self.member().name),
		)
		self.assertEqual(self.mails(self.others), [])
		with on_day(add_months(get_first_day(today()), 1)):
			run("Statements")
			run("Statements")
		self.assertEqual(len(self.mails()), 2)

	def test_nobody_gets_one_while_it_is_off(self):
		with queue() as jobs:
			runs.start_notices()
		self.assertEqual(jobs, [])

	def test_who_has_no_points_yet_gets_none(self):
		customer = self.make_member()
		frappe.db.set_value("Customer", customer.name, "loyalty_statement_by_email", 1)
		self.switch(STATEMENT)
		run("Statements")
		self.assertEqual(self.mails(customer), [])
