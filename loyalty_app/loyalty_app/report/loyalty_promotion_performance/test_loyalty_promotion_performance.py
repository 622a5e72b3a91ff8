import frappe

from loyalty_app.tests.reports import ReportTestCase, days
from loyalty_app.tests.utils import (
	as_user,
	count_queries,
	make_customer,
	make_invoice,
	make_item,
	make_program,
	make_promotion,
	make_return,
)


class TestLoyaltyPromotionPerformance(ReportTestCase):
	report = "Loyalty Promotion Performance"

	@classmethod
	def setUpClass(cls):
		super().setUpClass()
		cls.coffee, cls.cake = make_item(item_name="Coffee").name, make_item(item_name="Cake").name
		cls.promoted = make_program(conversion_factor=0.5).name
		cls.dan, cls.eve = (make_customer(loyalty_program=cls.promoted).name for _ in range(2))
		cls.double = make_promotion(cls.promoted, items=[("Item", cls.coffee)], limit_total=8).name
		cls.bonus = make_promotion(cls.promoted, effect="Fixed Bonus", points=9, minimum_amount=200).name
		cls.idle = make_promotion(cls.promoted, code="NEVER", limit_total=5).name
		cls.past = make_promotion(cls.promoted, code="PAST", to_date="2020-01-31").name
		cls.off = make_promotion(cls.promoted, code="OFF", limit_total=5, enabled=0).name
		cls.others = make_promotion(cls.other_program).name
		# both gave, and a part came back: 20 + 9 (6 for coffee), of which 10 + 6 (3 and 3) are kept
		cls.returned = cls.sell(cls.dan, -40, (cls.coffee, 2, 100), (cls.cake, 1, 100))
		make_return(cls.returned, qty=1, posting_date=days(-30))
		# one gave, and a part came back
		make_return(cls.sell(cls.dan, -30, (cls.coffee, 4, 10)), qty=3)
		# all of it came back
		make_return(cls.sell(cls.eve, -20, (cls.coffee, 1, 300)))
		cls.sell(cls.eve, -10, (cls.cake, 1, 250))
		cls.sell(cls.eve, -400, (cls.coffee, 1, 100))
		cls.sell(cls.eve, -10, (cls.coffee, 1, 100)).cancel()
		make_invoice(cls.cem, 1000, posting_date=days(-5), company=cls.other_company)

	@classmethod
	def sell(cls, customer, day, *lines):
		items = [{"item_code": item, "qty": qty, "rate": rate} for item, qty, rate in lines]
		return make_invoice(customer, items=items, posting_date=days(day))

	def period(self, first=-120, last=30, **filters):
		return {"from_date": str(days(first)), "to_date": str(days(last)), **filters}

	def by_promotion(self, **filters):
		return {row.promotion: row for row in self.rows(**self.period(**filters))}

	def test_what_each_gave_and_what_returns_left(self):
		rows = self.by_promotion(loyalty_program=self.promoted)
		self.assertEqual(set(rows), {self.double, self.bonus, self.idle, self.off})
		double, bonus = rows[self.double], rows[self.bonus]
		self.assertEqual((double.invoices, double.customers, double.given), (3, 2, 20 + 4 + 30))
		self.assertEqual((double.points, double.taken_back, double.worth), (10 + 1, 10 + 3 + 30, 5.5))
		self.assertEqual((bonus.invoices, bonus.customers, bonus.given), (3, 2, 27))
		self.assertEqual((bonus.points, bonus.spent), (6 + 9, 200 + 0 + 250))
		total = self.total(**self.period(loyalty_program=self.promoted))
		self.assertEqual((total.invoices, total.customers, total.given, total.points), (4, 2, 81, 26))
		self.assertEqual((total.spent, total.worth), (200 + 10 + 250, 13))

	def test_chart_compares(self):
		chart = self.run_report(**self.period(loyalty_program=self.promoted)).chart["data"]
		self.assertEqual(
			(chart["labels"], chart["datasets"][0]["values"]), ([self.bonus, self.double], [15, 11])
		)
		self.assertIsNone(self.run_report(**self.period(promotion=self.bonus)).chart)

	def test_entries_agree(self):
		"""What is kept is what entries have beside the base points of their amounts."""
		entries = self.entries(loyalty_program=self.promoted, entry_type="Earned")
		base = sum(int(entry.purchase_amount // 10) for entry in entries)
		rows = self.by_promotion(first=-500, loyalty_program=self.promoted).values()
		self.assertEqual(sum(row.points for row in rows), sum(e.loyalty_points for e in entries) - base)

	def test_how_much_of_a_limit_is_used_and_how_it_stands(self):
		rows = self.by_promotion(loyalty_program=self.promoted)
		# of all times, and a return frees no place
		double = rows[self.double]
		self.assertEqual((double.limit_total, double.used, double.used_part), (8, 4, 50.0))
		self.assertEqual((rows[self.idle].used, rows[self.idle].used_part), (0, 0.0))
		self.assertEqual((rows[self.bonus].limit_total, rows[self.bonus].used), (None, None))
		self.assertEqual((rows[self.off].status, rows[self.off].used), ("Disabled", None))
		self.assertEqual(double.status, "Active")
		ended = self.by_promotion(first=-10000, loyalty_program=self.promoted)[self.past]
		self.assertEqual((ended.status, ended.invoices), ("Ended", 0))

	def test_invoices_of_a_promotion(self):
		rows = self.rows(**self.period(promotion=self.bonus, show_by="Invoice"))
		self.assertEqual([(row.customer, row.given, row.points) for row in rows][-1], (self.dan, 9, 6))
		self.assertEqual([row.points for row in rows], [9, 0, 6])
		self.assertEqual(rows[-1].invoice, self.returned.name)
		self.assertEqual(self.total(**self.period(promotion=self.bonus, show_by="Invoice")).points, 15)
		shown = self.run_report(**self.period(promotion=self.bonus, show_by="Invoice", rows=1))
		self.assertEqual(len(shown.result), 2)
		self.assertIn("1 of 3", shown.message)

	def test_customer_and_period(self):
		rows = self.by_promotion(customer=self.dan, loyalty_program=self.promoted)
		self.assertEqual((rows[self.double].invoices, rows[self.bonus].points), (2, 6))
		rows = self.by_promotion(first=-10, last=-10, loyalty_program=self.promoted)
		self.assertEqual((rows[self.double].invoices, rows[self.bonus].points), (0, 9))

	def test_the_number_of_statements_does_not_grow(self):
		program = make_program().name
		for coffee in ({}, {"items": [("Item", self.coffee)]}):
			make_promotion(program, **coffee)
		customer = make_customer(loyalty_program=program).name

		def statements_after(more):
			for _one in range(more):
				invoice = self.sell(customer, -5, (self.coffee, 2, 100), (self.cake, 1, 100))
				make_return(invoice, qty=1)
			with count_queries() as run:
				rows = self.by_promotion(loyalty_program=program)
			self.assertTrue(all(row.taken_back for row in rows.values()))
			return len(run)

		statements_after(1)
		self.assertEqual(statements_after(1), statements_after(3))

	def test_user_permissions_hide_rows_and_totals(self):
		with as_user(self.restricted_user("Customer", self.dan)):
			total = self.total(**self.period(loyalty_program=self.promoted))
		self.assertEqual((total.invoices, total.customers, total.points), (2, 1, 17))
		with self.only_other_company():
			shown = self.run_report(**self.period())
		self.assertNotIn(self.promoted, str(shown))
		self.assertEqual([row["promotion"] for row in shown.result[:-1]], [self.others])
		self.assertEqual(shown.result[-1]["points"], 100)

	def test_each_role_by_itself(self):
		self.assert_open_to_each_role(**self.period(loyalty_program=self.promoted))
		self.assert_open_to_each_role(**self.period(loyalty_program=self.promoted, show_by="Invoice"))

	def test_nobody_else(self):
		self.assert_guarded(**self.period())

	def test_nothing(self):
		for show_by in ("Promotion", "Invoice"):
			shown = self.run_report(**self.period(loyalty_program=make_program().name, show_by=show_by))
			self.assertEqual((shown.result, shown.chart, shown.report_summary), ([], None, []))
		self.assertEqual(self.run_report(**self.period(promotion="No Such")).result, [])

	def test_a_period_is_asked_for(self):
		with self.assertRaisesRegex(frappe.ValidationError, "Choose From Date"):
			self.run_report()

	def test_export(self):
		self.assert_exports(**self.period(loyalty_program=self.promoted))
		self.assert_exports(**self.period(loyalty_program=self.promoted, show_by="Invoice"))
