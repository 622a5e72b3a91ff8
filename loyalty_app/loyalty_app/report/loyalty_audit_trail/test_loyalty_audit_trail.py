from collections import Counter

import frappe
from frappe.utils import formatdate

from loyalty_app.ledger import rebuild
from loyalty_app.ledger.membership import find
from loyalty_app.loyalty_app.report.loyalty_audit_trail import loyalty_audit_trail as audit_trail
from loyalty_app.tests.reports import ReportTestCase, days
from loyalty_app.tests.utils import make_program

LOG = "Loyalty Point Log"


class TestLoyaltyAuditTrail(ReportTestCase):
	report = "Loyalty Audit Trail"

	def period(self, first=-1, last=0, **filters):
		return {"from_date": str(days(first)), "to_date": str(days(last)), **filters}

	def log(self, **filters):
		return frappe.get_all(LOG, filters=filters, fields=["*"], limit=0)

	def test_every_row_of_the_log_the_newest_first(self):
		log = {row.name: row for row in self.log(loyalty_program=self.program)}
		rows = self.rows(**self.period(loyalty_program=self.program))
		self.assertEqual({row.name for row in rows}, set(log))
		self.assertEqual(
			[row.logged_at for row in rows], sorted((row.logged_at for row in rows), reverse=True)
		)
		for row in rows:
			of_log = log[row.name]
			for field in (
				"user",
				"entry",
				"customer",
				"reference_name",
				"invoice",
				"points_before",
				"points_after",
			):
				self.assertEqual(row[field], of_log[field])
		shown = self.run_report(**self.period(loyalty_program=self.program))
		kinds = Counter(row.action for row in log.values())
		self.assertEqual(
			[int(item["value"]) for item in shown.report_summary],
			[kinds["Insert"], kinds["Update"], kinds["Delete"]],
		)
		self.assertEqual(sum(sum(d["values"]) for d in shown.chart["data"]["datasets"]), len(log))

	def test_what_was_mended(self):
		name = find(self.bob, self.program)
		right = frappe.db.get_value("Loyalty Membership", name, "balance")
		frappe.db.set_value("Loyalty Membership", name, "balance", 7)
		rebuild(name)
		(row,) = self.rows(**self.period(customer=self.bob, action="Mend"))
		self.assertEqual((row.kind, row.action, row.event), ("Mend", "Counted Again", "Rebuild"))
		self.assertEqual(row.change, f"Balance: 7 → {right}")
		shown = self.run_report(**self.period(customer=self.bob, event="Rebuild"))
		self.assertEqual([item["value"] for item in shown.report_summary], ["0", "0", "0", "1"])
		self.assertEqual([sum(d["values"]) for d in shown.chart["data"]["datasets"]], [0, 0, 0, 1])

	def test_in_words(self):
		def words(**filters):
			return [row.change for row in self.rows(**self.period(customer=self.bob, **filters))]

		(gone,) = words(action="Delete", event="Cancel")
		self.assertEqual(gone, f"Earned: 40 points, good through {formatdate(days(75))}, for $ 400.00")
		self.assertIn("bonus", "".join(words()))
		redeemed = [
			row.change
			for row in self.rows(**self.period(customer=self.ann))
			if row.change.startswith("Redeemed")
		]
		self.assertIn("-30 points, from lot", redeemed[0])
		self.assertEqual(
			audit_trail.in_words(
				{"loyalty_points": -50, "redeem_against": None, "expiry_date": "9999-12-31"},
				{"loyalty_points": -20, "redeem_against": "abc", "expiry_date": "2026-03-01"},
				"USD",
			),
			f"Redeem Against: – → abc; Loyalty Points: -50 → -20; Expiry Date: Never → {formatdate('2026-03-01')}",
		)

	def test_many_in_a_row(self):
		with self.after_sweep():
			(row,) = self.rows(**self.period(customer=self.ann, event="Expiry"))
			self.assertEqual((row.kind, row.points_after), ("Insert", -20))
			self.assertRegex(row.change, r"^Expired: -20 points, from lot \w+$")
			self.assertIn(row.name, [found.name for found in self.rows(**self.period(action="Insert"))])
		lots = {
			f"e{n}": {"entry_type": "Expired", "loyalty_points": -n, "redeem_against": "lot"}
			for n in range(1, 9)
		}
		self.assertEqual(
			audit_trail.many_in_words(lots, "USD").split("; ")[-2:],
			["Expired: -5 points, from lot lot", "3 more"],
		)

	def test_filters(self):
		for field, value in (
			("action", "Delete"),
			("event", "Cancel"),
			("user", "Administrator"),
			("invoice", self.cancelled.name),
			("customer", self.bob),
			("company", self.other_company),
		):
			expected = {row.name for row in self.log(**{field: value}) if row.logged_at.date() >= days(-1)}
			self.assertEqual(
				{row.name for row in self.rows(**self.period(rows=50_000, **{field: value}))}, expected
			)
		self.assertEqual(self.run_report(**self.period(-9, -8, loyalty_program=self.program)).result, [])

	def test_rows_at_most_are_the_newest(self):
		every = self.rows(**self.period(loyalty_program=self.program))
		shown = self.run_report(**self.period(loyalty_program=self.program, rows=2))
		self.assertEqual([row["name"] for row in shown.result], [row.name for row in every[:2]])
		self.assertIn("newest 2 rows", shown.message)
		self.assertEqual(sum(int(item["value"]) for item in shown.report_summary), len(every))

	def test_user_permissions_hide_rows_and_counts(self):
		with self.only_ann():
			shown = self.run_report(**self.period())
		self.assertEqual({row["customer"] for row in shown.result}, {self.ann})
		self.assertEqual(
			sum(int(item["value"]) for item in shown.report_summary), len(self.log(customer=self.ann))
		)
		with self.only_bob():
			self.assertEqual({row.customer for row in self.rows(**self.period())}, {self.bob})
		with self.only_other_company():
			self.assertEqual({row.company for row in self.rows(**self.period())}, {self.other_company})

	def test_each_role_by_itself(self):
		self.assert_open_to_each_role(**self.period(loyalty_program=self.program))

	def test_nobody_else(self):
		self.assert_guarded(**self.period())

	def test_nothing(self):
		shown = self.run_report(**self.period(loyalty_program=make_program().name))
		self.assertEqual((shown.result, shown.chart, shown.message), ([], None, None))

	def test_export(self):
		self.assert_exports(**self.period(loyalty_program=self.program))
