from collections import defaultdict

from frappe.utils import getdate

from loyalty_app.ledger import membership
from loyalty_app.tests.reports import ReportTestCase, days
from loyalty_app.tests.utils import as_user, make_customer, make_program, make_user


class TestLoyaltyBalances(ReportTestCase):
	report = "Loyalty Balances"

	def by_customer(self, **filters):
		return {row.customer: row for row in self.rows(**filters)}

	def test_todays_balance_is_what_may_be_spent(self):
		for program in (self.program, self.other_program):
			for row in self.rows(loyalty_program=program):
				name = membership.find(row.customer, program)
				summary = membership.summary(row.customer, program)
				with self.subTest(customer=row.customer):
					self.assertEqual(row.balance, membership.spendable(name, days(0)))
					self.assertEqual(row.worth, summary.worth)
					self.assertEqual(row.spent, summary.total_spent)
					self.assertEqual(row.tier, summary.tier)
					self.assertEqual(
						getdate(row.next_expiry) if row.next_expiry else None, summary.next_expiry
					)

		rows = self.by_customer(loyalty_program=self.program)
		ann, bob = rows[self.ann], rows[self.bob]
		self.assertEqual((ann.earned, ann.redeemed, ann.expired, ann.balance), (177, 30, 20, 127))
		self.assertEqual((ann.worth, ann.currency, ann.tier, ann.pending), (63.5, "USD", "Gold", 0))
		self.assertEqual((bob.balance, bob.pending, bob.spent), (55, 10, 500))
		self.assertEqual(self.by_customer(loyalty_program=self.other_program)[self.cem].currency, "EUR")

	def test_balances_of_every_day_are_those_of_the_entries_on_both_sides_of_the_sweep(self):
		entries = self.entries(loyalty_program=self.program)
		for back in (0, 1, 9, 10, 11, 15, 20, 21, 26, 40, 80, 90, 100):
			on = days(-back)
			expected, spent = defaultdict(int), defaultdict(float)
			for entry in entries:
				if entry.posting_date <= on:
					expected[entry.customer] += entry.loyalty_points if entry.expiry_date >= on else 0
					spent[entry.customer] += entry.purchase_amount
			with self.subTest(on=on):
				rows = self.by_customer(loyalty_program=self.program, on_date=str(on))
				self.assertEqual({c: row.balance for c, row in rows.items()}, dict(expected))
				if back:
					self.assertEqual({c: row.spent for c, row in rows.items()}, dict(spent))
				with self.after_sweep():
					swept = self.by_customer(loyalty_program=self.program, on_date=str(on))
				for field in ("balance", "worth", "earned", "redeemed", "expired", "spent"):
					self.assertEqual(
						{c: row[field] for c, row in rows.items()},
						{c: row[field] for c, row in swept.items()},
					)

	def test_programs_and_totals_are_sums_of_members(self):
		for filters in (
			{},
			{"on_date": str(days(-12))},
			{"hide_zero": 1},
			{"tier": "Gold"},
			{"active_only": 1},
		):
			members = self.rows(loyalty_program=self.program, **filters)
			(program,) = self.rows(loyalty_program=self.program, show="Programs", **filters)
			total = self.total(loyalty_program=self.program, **filters)
			self.assertEqual(program.members, len(members))
			for field in ("balance", "worth", "spent", "earned", "redeemed", "expired"):
				with self.subTest(filters=filters, field=field):
					self.assertEqual(program[field], sum(row[field] for row in members))
					self.assertEqual(total[field], program[field])

	def test_amounts_of_two_currencies_are_not_added(self):
		with as_user(make_user("Auditor")):
			shown = self.run_report(show="Programs")
		self.assertGreaterEqual({row.get("currency") for row in shown.result[:-1]}, {"USD", "EUR"})
		self.assertNotIn("worth", shown.result[-1])
		worth = {item["currency"] for item in shown.report_summary if item["label"] == "Worth"}
		self.assertGreaterEqual(worth, {"USD", "EUR"})

	def test_rows_at_most(self):
		shown = self.run_report(loyalty_program=self.program, rows=1)
		self.assertEqual([row["customer"] for row in shown.result[:-1]], [self.ann])
		self.assertIn("1 of 2 rows", shown.message)
		self.assertEqual(shown.result[-1]["balance"], 182)

	def test_user_permissions_hide_rows_and_totals(self):
		for filters in ({}, {"on_date": str(days(-12))}):
			with self.subTest(filters=filters):
				with self.only_bob():
					shown = self.run_report(**filters)
				self.assertEqual([row["customer"] for row in shown.result[:-1]], [self.bob])
				self.assertEqual(shown.result[-1]["balance"], shown.result[0]["balance"])
				with self.only_other_company():
					programs = self.run_report(show="Programs", **filters)
				self.assertLessEqual({row["company"] for row in programs.result[:-1]}, {self.other_company})
				self.assertNotIn(self.program, str(programs))

	def test_each_role_by_itself(self):
		self.assert_open_to_each_role(loyalty_program=self.program)

	def test_nobody_else(self):
		self.assert_guarded()

	def test_no_members(self):
		shown = self.run_report(loyalty_program=make_program().name)
		self.assertEqual((shown.result, shown.chart, shown.message), ([], None, None))

	def test_a_member_without_points(self):
		program = make_program().name
		make_customer(loyalty_program=program)
		self.assertEqual(len(self.rows(loyalty_program=program, hide_zero=1)), 0)

	def test_export(self):
		self.assert_exports(loyalty_program=self.program)
		lines = self.exported(loyalty_program=self.program)
		self.assertIn("127", lines[1])
		self.assertIn("Total", lines[-1])
