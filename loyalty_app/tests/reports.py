"""What the tests of the reports share: a few members with a history, and ways to run, restrict and export a report."""

import csv
import io
from datetime import date

import frappe
from frappe.desk import query_report
from frappe.utils import add_days, getdate, today

from loyalty_app.ledger import expiry
from loyalty_app.tests.utils import (
	IntegrationTestCase,
	as_user,
	company,
	make_customer,
	make_invoice,
	make_program,
	make_return,
	make_user,
	on_day,
)

ENTRY = "Loyalty Point Entry"


def days(number: int) -> date:
	"""The day so many days from today."""
	return getdate(add_days(today(), number))


class ReportTestCase(IntegrationTestCase):
	"""Three members in two programs of two companies, the second in another currency.

	Ann earned, redeemed and lost points that have expired and are not closed yet; Bob earned, returned, got a bonus,
	had an invoice cancelled, and has points of a day to come; Cem is the other company's.
	"""

	report = ""
	other_company = ("Loyalty Reports Co", "LRC")

	@classmethod
	def setUpClass(cls):
		super().setUpClass()
		cls.program = make_program(
			tiers=[("Silver", 0, 10), ("Gold", 1000, 5)], expiry_duration=90, conversion_factor=0.5
		).name
		cls.other_company = company(*cls.other_company, "EUR")
		cls.other_program = make_program(company=cls.other_company, expiry_duration=0).name
		cls.ann = make_customer(loyalty_program=cls.program).name
		cls.bob = make_customer(loyalty_program=cls.program, customer_name="50% & Bob").name
		cls.cem = make_customer(loyalty_program=cls.other_program).name

		# later movements would close what has expired
		with on_day(days(-20)):
			make_invoice(cls.ann, 500, posting_date=days(-100))
			make_invoice(cls.ann, 600, posting_date=days(-40))
			make_invoice(cls.ann, 50, redeem=30, posting_date=days(-20))
		make_invoice(cls.bob, 300, posting_date=days(-80))
		returned = make_invoice(cls.bob, items=[{"rate": 100, "qty": 2}], posting_date=days(-30))
		make_return(returned, qty=1, posting_date=days(-25))
		cls.cancelled = make_invoice(cls.bob, 400, posting_date=days(-15))
		cls.cancelled.cancel()
		frappe.get_doc(
			{
				"doctype": ENTRY,
				"customer": cls.bob,
				"loyalty_program": cls.program,
				"loyalty_points": 15,
				"discretionary_reason": "Referral <b>bonus</b>",
				"posting_date": days(-10),
				"expiry_date": days(20),
			}
		).insert(ignore_permissions=True)
		make_invoice(cls.bob, 100, posting_date=days(5))
		make_invoice(cls.cem, 1000, posting_date=days(-5), company=cls.other_company)

	def run_report(self, **filters) -> frappe._dict:
		"""What the desk gets: columns, result, message, chart, report_summary."""
		return frappe._dict(query_report.run(self.report, filters=frappe._dict(filters)))

	def rows(self, **filters) -> list[frappe._dict]:
		"""The report's rows without totals, opening and closing."""
		return [frappe._dict(row) for row in self.run_report(**filters).result if row and not row.get("bold")]

	def total(self, **filters) -> frappe._dict:
		return frappe._dict(self.run_report(**filters).result[-1])

	def entries(self, **filters) -> list[frappe._dict]:
		"""The entries there are, to count the slow way."""
		return frappe.get_all(ENTRY, filters={"membership": ["is", "set"], **filters}, fields=["*"], limit=0)

	def after_sweep(self):
		"""A context in which the daily job has closed what has expired, of the members of this test."""
		return Swept([self.program, self.other_program])

	def restricted_user(self, doctype: str, value: str, *roles: str) -> str:
		"""A user with one User Permission."""
		user = make_user(*(roles or ("Accounts User",)))
		frappe.get_doc(
			{"doctype": "User Permission", "user": user, "allow": doctype, "for_value": value}
		).insert(ignore_permissions=True)
		return user

	def exported(self, **filters) -> list[list[str]]:
		"""The lines of the CSV that a user downloads."""
		form = frappe.local.form_dict
		frappe.local.form_dict = frappe._dict(
			report_name=self.report,
			file_format_type="CSV",
			filters=frappe.as_json(filters),
			applied_filters=frappe.as_json({}),
			visible_idx=frappe.as_json(list(range(1000))),
			include_indentation=0,
			include_filters=0,
		)
		try:
			query_report.export_query()
		finally:
			frappe.local.form_dict = form
		content = frappe.response.pop("filecontent")
		text = content.decode("utf-8-sig") if isinstance(content, bytes) else content
		return list(csv.reader(io.StringIO(text)))

	def assert_exports(self, **filters):
		"""The download has the columns that are shown, and every row."""
		shown = self.run_report(**filters)
		lines = self.exported(**filters)
		self.assertEqual(lines[0], [c["label"] for c in shown.columns if not c.get("hidden")])
		self.assertEqual(len(lines), 1 + len(shown.result))

	def assert_guarded(self, **filters):
		"""Nobody without one of the report's roles gets it, by the desk or by its code."""
		with as_user(make_user("Sales User")), self.assertRaises(frappe.PermissionError):
			self.run_report(**filters)
		with as_user(make_user("Sales User")), self.assertRaises(frappe.PermissionError):
			frappe.get_doc("Report", self.report).execute_module(frappe._dict(filters))

	def assert_open_to_each_role(self, **filters):
		"""Each of the report's roles gets it by itself, whatever else it may not open."""
		for role in ("Accounts User", "Accounts Manager", "Auditor"):
			with self.subTest(role=role), as_user(make_user(role)):
				self.assertTrue(self.run_report(**filters).result)

	def only_ann(self):
		return as_user(self.restricted_user("Customer", self.ann))

	def only_bob(self):
		return as_user(self.restricted_user("Customer", self.bob))

	def only_other_company(self):
		return as_user(self.restricted_user("Company", self.other_company))


class Swept:
	def __init__(self, programs: list[str]):
		self.programs = programs

	def __enter__(self):
		frappe.db.savepoint("before_sweep")
		filters = {"loyalty_program": ["in", self.programs]}
		assert expiry.close_all(frappe.get_all("Loyalty Membership", filters=filters, pluck="name"))

	def __exit__(self, *raised):
		frappe.db.rollback(save_point="before_sweep")
