from collections import defaultdict

from frappe.utils import get_first_day

from loyalty_app.tests.reports import ReportTestCase, days
from loyalty_app.tests.utils import make_program


class TestPointsExpiring(ReportTestCase):
	report = "Points Expiring"

	def period(self, first=-50, last=365, **filters):
		return {"from_date": str(days(first)), "to_date": str(days(last)), **filters}

	def lots(self, last=365, **filters):
		"""What is left of what has not expired yet, the slow way."""
		return [
			entry
			for entry in self.entries(**filters)
			if entry.remaining_points > 0 and days(0) <= entry.expiry_date <= days(last)
		]

	def test_months_are_sums_of_lots(self):
		expected = defaultdict(int)
		for lot in self.lots(loyalty_program=self.program):
			expected[get_first_day(lot.expiry_date)] += lot.remaining_points
		rows = self.rows(**self.period(loyalty_program=self.program))
		self.assertEqual([row.points for row in rows], [expected[month] for month in sorted(expected)])
		self.assertEqual([get_first_day(row.from_date) for row in rows], sorted(expected))
		self.assertEqual(sum(row.points for row in rows), 127 + 55 + 10)
		total = self.total(**self.period(loyalty_program=self.program))
		self.assertEqual((total.points, total.worth), (192, 96))
		for row in rows:
			self.assertEqual((row.worth, row.currency), (row.points * 0.5, "USD"))

	def test_the_sweep_changes_nothing(self):
		before = self.rows(**self.period(loyalty_program=self.program))
		with self.after_sweep():
			self.assertEqual(self.rows(**self.period(loyalty_program=self.program)), before)

	def test_the_last_day_is_in(self):
		self.assertEqual(
			[r.points for r in self.rows(**self.period(10, 10, loyalty_program=self.program))], [30]
		)
		self.assertEqual(self.rows(**self.period(9, 9, loyalty_program=self.program)), [])

	def test_customers_have_what_their_lots_have(self):
		expected = defaultdict(int)
		for lot in self.lots(loyalty_program=self.program):
			expected[lot.customer] += lot.remaining_points
		rows = self.rows(**self.period(loyalty_program=self.program, show="Customers"))
		self.assertEqual({row.customer: row.points for row in rows}, dict(expected))
		self.assertEqual([row.customer for row in rows], [self.ann, self.bob])
		shown = self.run_report(**self.period(loyalty_program=self.program, show="Customers", rows=1))
		self.assertIn("1 of 2 rows", shown.message)
		self.assertEqual(shown.result[-1]["points"], 192)

	def test_a_month_leads_to_its_customers(self):
		for row in self.rows(**self.period(loyalty_program=self.program)):
			customers = self.rows(
				from_date=str(row.from_date),
				to_date=str(row.to_date),
				loyalty_program=self.program,
				show="Customers",
			)
			self.assertEqual(sum(c.points for c in customers), row.points)

	def test_points_that_never_expire_are_in_no_month(self):
		filters = {"from_date": str(days(0)), "to_date": "9999-12-31", "loyalty_program": self.other_program}
		self.assertEqual(self.run_report(**filters).result, [])

	def test_user_permissions_hide_rows_and_totals(self):
		with self.only_bob():
			for show in ("Months", "Customers"):
				self.assertEqual(self.total(**self.period(show=show)).points, 65)
		with self.only_other_company():
			self.assertEqual(self.run_report(**self.period()).result, [])

	def test_each_role_by_itself(self):
		self.assert_open_to_each_role(**self.period(loyalty_program=self.program))

	def test_nobody_else(self):
		self.assert_guarded(**self.period())

	def test_nothing(self):
		shown = self.run_report(**self.period(loyalty_program=make_program().name))
		self.assertEqual((shown.result, shown.chart), ([], None))

	def test_export(self):
		self.assert_exports(**self.period(loyalty_program=self.program))
		self.assert_exports(**self.period(loyalty_program=self.program, show="Customers"))
