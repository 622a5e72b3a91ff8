import frappe

from loyalty_app.tests.reports import ReportTestCase, days
from loyalty_app.tests.utils import make_customer, make_program


class TestLoyaltyPointLedger(ReportTestCase):
	report = "Loyalty Point Ledger"

	def period(self, first=-120, last=0, **filters):
		return {"from_date": str(days(first)), "to_date": str(days(last)), **filters}

	def balance(self, on, **filters):
		"""The balance of a day, the slow way; what expires in days to come has not expired yet."""
		return sum(
			entry.loyalty_points
			for entry in self.entries(**filters)
			if entry.posting_date <= on and min(on, days(0)) <= entry.expiry_date
		)

	def test_opening_rows_and_closing_agree_on_every_day_on_both_sides_of_the_sweep(self):
		periods = (
			(-120, 0),
			(-120, 30),
			(-100, -100),
			(-99, -21),
			(-20, -20),
			(-10, -10),
			(-9, 0),
			(-11, -9),
			(0, 9),
		)
		for first, last in periods:
			filters = self.period(first, last, loyalty_program=self.program)
			shown = self.run_report(**filters)
			with self.after_sweep():
				swept = self.run_report(**filters)
			with self.subTest(period=(first, last)):
				opening, *rows, closing = shown.result
				self.assertEqual(
					opening["balance"], self.balance(days(first - 1), loyalty_program=self.program)
				)
				self.assertEqual(closing["balance"], self.balance(days(last), loyalty_program=self.program))
				balance = opening["balance"]
				for row in rows:
					balance += row["points_in"] - row["points_out"]
					self.assertEqual(row["balance"], balance)
				self.assertEqual(balance, closing["balance"])
				self.assertEqual(closing["points_in"], sum(row["points_in"] for row in rows))
				self.assertEqual(closing["points_out"], sum(row["points_out"] for row in rows))
				self.assertEqual(shown.chart and shown.chart["data"], swept.chart and swept.chart["data"])

				def essence(result):
					return [
						(r["posting_date"], r["movement"], r["balance"], r.get("points_out")) for r in result
					]

				self.assertEqual(essence(shown.result), essence(swept.result))
		self.assertEqual(self.run_report(**filters).result[-1]["balance"], 192)

	def test_rows_lead_to_their_entry_and_invoice(self):
		entries = {entry.name: entry for entry in self.entries(loyalty_program=self.program)}
		rows = self.rows(**self.period(last=30, loyalty_program=self.program))
		expired = [row for row in rows if row.entry_type == "Expired"]
		self.assertEqual(
			[(r.points_out, r.posting_date, r.customer) for r in expired], [(20, days(-9), self.ann)]
		)
		self.assertIn("daily job", expired[0].remarks)
		self.assertEqual({row.entry for row in rows if row not in expired}, set(entries))
		for row in rows:
			if row not in expired:
				entry = entries[row.entry]
				self.assertEqual(
					(row.invoice_type, row.invoice, row.customer, row.purchase_amount, row.currency),
					(entry.invoice_type, entry.invoice, entry.customer, entry.purchase_amount, "USD"),
				)

	def test_by_member(self):
		shown = self.run_report(**self.period(-30, 0, loyalty_program=self.program, by_member=1))
		sections = [[]]
		for row in shown.result[:-1]:
			if row:
				sections[-1].append(row)
			else:
				sections.append([])
		self.assertEqual({section[0]["customer"] for section in sections}, {self.ann, self.bob})
		for opening, *rows, closing in sections:
			mine = {"loyalty_program": self.program, "customer": opening["customer"]}
			self.assertEqual(opening["balance"], self.balance(days(-31), **mine))
			self.assertEqual(closing["balance"], self.balance(days(0), **mine))
			self.assertEqual(rows[-1]["balance"], closing["balance"])
		self.assertEqual(shown.result[-1]["balance"], sum(section[-1]["balance"] for section in sections))

	def test_one_member_has_one_closing_row(self):
		shown = self.run_report(**self.period(customer=self.ann, by_member=1))
		self.assertEqual([row["balance"] for row in shown.result if row.get("is_total")], [127])

	def test_rows_at_most(self):
		for by_member in (0, 1):
			filters = self.period(last=30, loyalty_program=self.program, by_member=by_member)
			every = self.run_report(**filters)
			found = len([row for row in every.result if row and not row.get("bold")])
			for limit in range(1, found):
				cut = self.run_report(**filters, rows=limit)
				rows = [row for row in cut.result if row and not row.get("bold")]
				with self.subTest(by_member=by_member, limit=limit):
					self.assertEqual(len(rows), limit)
					self.assertIn(f"{limit} of {found} rows", cut.message)
					self.assertEqual(cut.result[-1]["balance"], every.result[-1]["balance"])
					self.assertLessEqual(
						{(row["name"], row["balance"]) for row in rows},
						{
							(row["name"], row["balance"])
							for row in every.result
							if row and not row.get("bold")
						},
					)

	def test_deleted_entries_are_shown_on_request_and_count_for_nothing(self):
		for chosen in ({"loyalty_program": self.program}, {"customer": self.bob}):
			filters = self.period(**chosen)
			kept = self.run_report(**filters)
			shown = self.run_report(**filters, show_deleted=1)
			gone = [frappe._dict(row) for row in shown.result if row.get("deleted")]
			self.assertEqual(
				[(row.deleted_points, row.posting_date) for row in gone], [(20, days(-30)), (40, days(-15))]
			)
			self.assertEqual(gone[1].invoice, self.cancelled.name)
			self.assertIn(f"Cancel {self.cancelled.name}", gone[1].remarks)
			self.assertIn("Administrator", gone[1].remarks)
			self.assertFalse(any(row.get("balance") or row.get("entry") for row in gone))
			self.assertEqual(shown.result[-1]["balance"], kept.result[-1]["balance"])
			self.assertEqual(len(shown.result), len(kept.result) + 2)
		rows = self.rows(**self.period(-20, -10, loyalty_program=self.program, show_deleted=1))
		self.assertEqual(len([row for row in rows if row.deleted]), 1)
		by_member = self.run_report(**self.period(customer=self.bob, by_member=1, show_deleted=1))
		self.assertEqual(len([row for row in by_member.result if row.get("deleted")]), 2)

	def test_user_permissions_hide_rows_balances_and_deleted_entries(self):
		with self.only_ann():
			shown = self.run_report(**self.period(show_deleted=1))
		self.assertEqual({row["customer"] for row in shown.result if row.get("customer")}, {self.ann})
		self.assertEqual(shown.result[-1]["balance"], 127)
		self.assertFalse(any(row.get("deleted") for row in shown.result))
		with self.only_bob():
			shown = self.run_report(**self.period(-12, 0))
		self.assertEqual([shown.result[i]["balance"] for i in (0, -1)], [40, 55])
		with self.only_other_company():
			shown = self.run_report(**self.period(show_deleted=1))
		self.assertLessEqual({row.get("company") for row in shown.result}, {None, self.other_company})
		self.assertNotIn(self.program, str(shown))

	def test_a_customer_that_the_user_may_not_see_has_nothing(self):
		with self.only_ann():
			self.assertEqual(self.run_report(**self.period(customer=self.bob)).result, [])

	def test_each_role_by_itself(self):
		self.assert_open_to_each_role(**self.period(loyalty_program=self.program))

	def test_nobody_else(self):
		self.assert_guarded(**self.period())

	def test_nothing(self):
		program = make_program().name
		customer = make_customer(loyalty_program=program).name
		for filters in ({"loyalty_program": program}, {"customer": customer, "by_member": 1}):
			shown = self.run_report(**self.period(**filters, show_deleted=1))
			self.assertEqual((shown.result, shown.chart), ([], None))

	def test_a_period_without_movement_has_its_balance(self):
		for by_member in (0, 1):
			shown = self.run_report(**self.period(-2, -1, customer=self.ann, by_member=by_member))
			self.assertEqual([row["balance"] for row in shown.result], [127, 127])
			program = self.run_report(
				**self.period(-2, -1, loyalty_program=self.program, by_member=by_member)
			)
			self.assertEqual(program.result[-1]["balance"], 182)

	def test_export(self):
		self.assert_exports(**self.period(loyalty_program=self.program))
		self.assert_exports(**self.period(loyalty_program=self.program, by_member=1, show_deleted=1))
