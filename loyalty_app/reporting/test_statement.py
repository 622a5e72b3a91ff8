from unittest.mock import patch

import frappe
from frappe.utils import add_months, get_first_day, getdate, today

from loyalty_app.api import statement as api
from loyalty_app.ledger.membership import find
from loyalty_app.tests.reports import ReportTestCase, days
from loyalty_app.tests.rest import RestClient
from loyalty_app.tests.utils import as_user, make_customer, make_invoice, make_user, make_website_user

PDF = "loyalty_app.api.statement.pdf"


class TestStatement(ReportTestCase):
	report = "Loyalty Point Ledger"
	# Requests keep what was made: not where other tests count a whole company.
	other_company = ("Loyalty Statement Co", "LSC")

	def member(self, customer=None, program=None):
		return frappe.get_doc("Loyalty Membership", find(customer or self.bob, program or self.program))

	def printed(self, customer=None, **period) -> str:
		"""What the PDF is made of."""
		with patch("frappe.utils.pdf.get_pdf", lambda html, *args, **kwargs: html):
			api.pdf(self.member(customer).name, **{day: str(date) for day, date in period.items()})
		return frappe.response.pop("filecontent")

	def ends_of_days(self, rows) -> dict:
		return {row.get("date") or row["posting_date"]: row["balance"] for row in rows}

	def test_it_says_what_the_report_says(self):
		for customer in (self.ann, self.bob):
			for first, last in ((-120, 0), (-30, -10), (-9, 0), (-100, 30), (-2, -1)):
				told = self.member(customer).statement(days(first), days(last))
				period = {"from_date": str(days(first)), "to_date": str(days(last))}
				opening, *rows, closing = self.run_report(
					**period, customer=customer, loyalty_program=self.program
				).result
				with self.subTest(customer=customer, period=(first, last)):
					self.assertEqual(
						(told.opening, told.points_in, told.points_out, told.closing),
						(
							opening["balance"],
							closing["points_in"],
							closing["points_out"],
							closing["balance"],
						),
					)
					self.assertEqual(self.ends_of_days(told.movements), self.ends_of_days(rows))
					self.assertEqual(
						sum(m.points for m in told.movements),
						sum(r["points_in"] - r["points_out"] for r in rows),
					)
					self.assertEqual(told.closing_worth, told.closing / 2)

	def test_in_words(self):
		ann = self.member(self.ann).statement(days(-120)).movements
		self.assertEqual([m.what for m in ann], ["Earned", "Earned", "Redeemed", "Earned", "Expired"])
		self.assertEqual([bool(m.expiry_date) for m in ann], [True, True, False, True, False])
		self.assertFalse(any(m.remark for m in ann), "what the report says of an open lot is for accountants")
		bob = self.member().statement(days(-120)).movements
		self.assertEqual(
			[(m.what, m.remark) for m in bob],
			[
				("Earned", None),
				("Earned, less what was returned", None),
				("Granted", "Referral <b>bonus</b>"),
			],
		)

	def test_an_invoice_redeems_once_whatever_lots_it_draws_on_and_before_it_earns(self):
		customer = make_customer(loyalty_program=self.program)
		for _lot in range(3):
			make_invoice(customer, 100)
		redeeming = make_invoice(customer, 200, redeem=25)
		told = self.member(customer.name).statement()
		self.assertEqual(
			[(m.points, m.balance) for m in told.movements if m.invoice == redeeming.name],
			[(-25, 5), (18, 23)],
		)
		self.assertEqual(told.closing, 23)

	def test_as_of_today(self):
		told = self.member(self.ann).statement()
		self.assertEqual((told.first, told.last), (add_months(get_first_day(today()), -1), getdate(today())))
		self.assertEqual((told.balance, told.worth, told.tier), (127, 63.5, "Gold"))
		self.assertEqual(told.closing, told.balance)

	def test_nothing_yet(self):
		customer = make_customer(loyalty_program=self.program).name
		told = self.member(customer).statement()
		self.assertEqual((told.opening, told.closing, told.movements, told.is_cut), (0, 0, [], False))
		self.assertIn("Nothing was earned or spent", self.printed(customer))

	def test_what_is_printed(self):
		html = self.printed(from_date=days(-120), to_date=days(0))
		for text in (
			self.program,
			self.member().company,
			"50% &amp; Bob",
			"Granted: Referral &lt;b&gt;bonus&lt;/b&gt;",
			"Earned, less what was returned",
			"worth",
			"Tier: Silver",
			frappe.utils.formatdate(days(-120)),
		):
			self.assertIn(text, html)
		self.assertNotIn("<b>bonus", html)

	def test_a_long_one_is_cut_and_says_so(self):
		with patch("loyalty_app.reporting.reading.ROWS", 2):
			told = self.member(self.ann).statement(days(-120))
			self.assertIn("Only the first 2 movements", self.printed(self.ann, from_date=days(-120)))
		self.assertEqual((len(told.movements), told.is_cut, told.closing), (2, True, 127))

	def test_what_is_no_period_is_refused(self):
		member = self.member()
		for period, message in (
			(("2026-02-30", None), "From Date: 2026-02-30 is not a date"),
			((None, "soon"), "To Date: soon is not a date"),
			((days(0), days(-1)), "must not be after"),
		):
			with self.assertRaisesRegex(frappe.ValidationError, message):
				member.statement(*period)

	def test_who_may_not_read_entries_sees_the_balance_alone(self):
		member = self.member()
		with as_user(make_user("Sales User")):
			told = member.statement()
			self.assertEqual((told.balance, told.movements), (55, None))
			html = self.printed(from_date=days(-120))
			self.assertIn("Balance today: ", html)
			self.assertNotIn("Referral", html)

	def test_doors(self):
		mine, others = self.member(), self.member(self.ann)
		owner = make_website_user(self.bob)
		of_other_program = self.member(self.cem, self.other_program)

		def status(user, member, **period):
			with patch("frappe.utils.pdf.get_pdf", lambda html, *args, **kwargs: html.encode()):
				page = RestClient(user).page(f"/api/method/{PDF}", membership=member.name, **period)
			return page.status_code

		with self.only_bob():
			only_bob = frappe.session.user
		for user, member, expected in (
			(owner, mine, 200),
			(owner, others, 403),
			(make_website_user(), mine, 403),
			(make_user("Accounts User"), mine, 200),
			(make_user("Report Manager"), mine, 403),
			(only_bob, mine, 200),
			(only_bob, others, 403),
			(only_bob, of_other_program, 403),
			(None, mine, 403),
		):
			with self.subTest(user=user, member=member.customer):
				self.assertEqual(status(user, member), expected)
		self.assertEqual(status(owner, mine, from_date="x"), 417)
		with as_user(owner):
			self.assertEqual(mine.statement(days(-120)).closing, 55)
			self.assertEqual(
				mine.statement(days(-120)), frappe.get_doc(mine.doctype, mine.name).statement(days(-120))
			)
			self.assertIsNone(others.statement().movements)

	def test_no_filters_of_a_browser_open_other_members(self):
		with as_user(make_website_user(self.bob)), self.assertRaises(frappe.PermissionError):
			self.run_report(
				membership=self.member(self.ann).name, from_date=str(days(-9)), to_date=str(days(0))
			)

	def test_worth_is_in_the_programs_currency(self):
		told = self.member(self.cem, self.other_program).statement(days(-9))
		self.assertEqual((told.currency, told.closing, told.closing_worth), ("EUR", 100, 100))
