from collections import defaultdict
from datetime import date

import frappe
from frappe.utils import add_days, get_first_day

from loyalty_app.reporting.periods import MONTH, QUARTER, period_of, periods
from loyalty_app.tests.reports import ReportTestCase, days
from loyalty_app.tests.utils import make_program


class TestLoyaltyProgramPerformance(ReportTestCase):
	report = "Loyalty Program Performance"

	def period(self, first=-120, last=30, **filters):
		return {"from_date": str(days(first)), "to_date": str(days(last)), **filters}

	def expected(self, key, first=-120, last=30, **filters):
		"""The sums of entries by `key` of the day, the slow way."""
		sums = defaultdict(lambda: defaultdict(int))
		for entry in self.entries(**filters):
			day = entry.posting_date
			if days(first) <= day <= days(last) and entry.entry_type != "Expired":
				field = entry.entry_type.lower()
				sums[key(day)][field] += (
					-entry.loyalty_points if field == "redeemed" else entry.loyalty_points
				)
				sums[key(day)]["spent"] += entry.purchase_amount
			gone = add_days(entry.expiry_date, 1) if entry.expiry_date.year < 9999 else None
			# what is left of a lot on the day after its date, whether or not a row says so
			if gone and days(first) <= gone <= days(min(last, 0)) and entry.entry_type != "Expired":
				sums[key(gone)]["expired"] += entry.loyalty_points
		return {key: dict(values) for key, values in sums.items() if any(values.values())}

	def compare(self, rows, expected):
		self.assertEqual(len(rows), len(expected))
		for row, key in zip(rows, sorted(expected)):
			for field in ("earned", "adjusted", "redeemed", "expired", "spent"):
				with self.subTest(key=key, field=field):
					self.assertEqual(row[field], expected[key].get(field, 0))

	def test_months_are_sums_of_entries_on_both_sides_of_the_sweep(self):
		expected = self.expected(get_first_day, loyalty_program=self.program)
		self.compare(self.rows(**self.period(loyalty_program=self.program)), expected)
		with self.after_sweep():
			self.compare(self.rows(**self.period(loyalty_program=self.program)), expected)
		total = self.total(**self.period(loyalty_program=self.program))
		self.assertEqual((total.earned, total.adjusted, total.redeemed, total.expired), (227, 15, 30, 20))
		self.assertEqual((total.redemption_rate, total.breakage_rate), (12.4, 8.3))
		self.assertEqual(total.average_invoice, total.spent / total.invoices)

	def test_quarters_and_any_period(self):
		def quarter(day):
			return period_of(day, QUARTER).first

		rows = self.rows(**self.period(loyalty_program=self.program, show_by="Quarter"))
		self.compare(rows, self.expected(quarter, loyalty_program=self.program))
		for first, last in ((-100, -100), (-99, -11), (-10, -10), (-9, 0), (1, 9)):
			rows = self.rows(**self.period(first, last, loyalty_program=self.program))
			self.compare(rows, self.expected(get_first_day, first, last, loyalty_program=self.program))

	def test_tiers(self):
		rows = {
			row.tier: row for row in self.rows(**self.period(loyalty_program=self.program, show_by="Tier"))
		}
		self.assertEqual(set(rows), {"Silver", "Gold"})
		silver, gold = rows["Silver"], rows["Gold"]
		# the points redeemed and expired were earned as Silver
		self.assertEqual((silver.redeemed, silver.expired, gold.redeemed, gold.expired), (30, 20, 0, 0))
		# Bob has the one tier, Ann the other, with what both have spent since they joined
		self.assertEqual((silver.members, silver.average_member), (1, 500))
		self.assertEqual((gold.members, gold.average_member), (1, 1135))
		self.assertEqual((silver.spent, gold.spent, gold.average_invoice), (1000, 635, 317.5))
		self.assertEqual(gold.earned, 127)

	def test_chart_has_every_month(self):
		chart = self.run_report(**self.period(loyalty_program=self.program)).chart["data"]
		self.assertEqual({len(dataset["values"]) for dataset in chart["datasets"]}, {len(chart["labels"])})
		self.assertEqual([sum(dataset["values"]) for dataset in chart["datasets"]], [227, 30, 20])

	def test_months_below_the_bars_are_named_as_short_as_can_be(self):
		for first, last, expected in (
			(date(2025, 12, 1), date(2026, 11, 30), ["Dec", "Jan", "Feb"]),
			(date(2025, 12, 1), date(2026, 12, 1), ["Dec ’25", "Jan ’26", "Feb ’26"]),
		):
			self.assertEqual([month.short for month in periods(first, last, MONTH)][:3], expected)

	def test_user_permissions_hide_rows_and_totals(self):
		for show_by in ("Month", "Tier"):
			with self.only_bob():
				total = self.total(**self.period(show_by=show_by))
			self.assertEqual((total.earned, total.adjusted, total.redeemed, total.expired), (50, 15, 0, 0))
			with self.only_other_company():
				shown = self.run_report(**self.period(show_by=show_by))
			self.assertNotIn(self.program, str(shown))
			self.assertEqual(shown.result[-1]["earned"], 100)

	def test_each_role_by_itself(self):
		self.assert_open_to_each_role(**self.period(loyalty_program=self.program))

	def test_nobody_else(self):
		self.assert_guarded(**self.period())

	def test_nothing(self):
		shown = self.run_report(**self.period(loyalty_program=make_program().name))
		self.assertEqual((shown.result, shown.chart, shown.report_summary), ([], None, []))

	def test_a_period_is_asked_for(self):
		with self.assertRaisesRegex(frappe.ValidationError, "Choose From Date"):
			self.run_report()
		with self.assertRaisesRegex(frappe.ValidationError, "must not be after"):
			self.run_report(**self.period(1, 0))

	def test_export(self):
		self.assert_exports(**self.period(loyalty_program=self.program))
		self.assert_exports(**self.period(loyalty_program=self.program, show_by="Tier"))
