"""Tiers held for a period, travelling in time: rules 7."""

from unittest.mock import patch

import frappe
from frappe.utils import add_days, add_months, get_first_day, getdate, today

from loyalty_app.ledger import audit, runs, tiering, verify
from loyalty_app.ledger.membership import find, summary
from loyalty_app.ledger.test_runs import lose_workers, queue, run
from loyalty_app.tests.test_documents import LoyaltyTestCase, earned, tier
from loyalty_app.tests.utils import (
	company,
	make_customer,
	make_invoice,
	make_program,
	make_return,
	on_day,
)

TIERS = [("Bronze", 0, 10), ("Silver", 500, 5), ("Gold", 1000, 2)]


def day(month, number=5):
	"""A day of the month so many months after the first, which is two years ago."""
	return getdate(add_days(add_months(get_first_day(today()), month - 24), number - 1))


class TieringTestCase(LoyaltyTestCase):
	period: dict = {}

	def setUp(self):
		frappe.db.delete(runs.DOCTYPE)
		self.make(**self.period)

	def make(self, **values):
		with on_day(day(0)):
			self.program = make_program(tiers=TIERS, expiry_duration=0, **values)
			self.customer = make_customer(loyalty_program=self.program.name)

	def buy(self, month, amount, number=5, posted=None, **kwargs):
		with on_day(day(month, number)):
			invoice = make_invoice(self.customer, amount, posting_date=posted or day(month, number), **kwargs)
			self.assert_proven()
		return invoice

	def undo(self, month, invoice, number=20):
		with on_day(day(month, number)):
			invoice.reload()
			invoice.cancel()
			self.assert_proven()

	def nightly(self, month, number=1):
		"""What the daily job does on that day; how many tiers it changed."""
		with on_day(day(month, number)):
			found = self.due()
			changed = run("Tiers", loyalty_program=self.program.name).changed if found else 0
			self.assertFalse(self.due(), "once is enough")
			self.assertEqual(run("Tiers", loyalty_program=self.program.name).changed, 0)
			self.assert_proven()
		return changed

	def due(self):
		with queue() as jobs:
			runs.start_tiers()
		found = [
			j
			for j in jobs
			if frappe.db.get_value(runs.DOCTYPE, j[1]["run"], "loyalty_program") == self.program.name
		]
		frappe.db.delete(runs.DOCTYPE)
		return bool(found)

	def assert_proven(self):
		self.assertEqual(verify(find(self.customer.name, self.program.name)), [])

	def on(self, month, number=5):
		with on_day(day(month, number)):
			return summary(self.customer.name)

	def change_program(self, month, **values):
		with on_day(day(month)):
			self.program.reload()
			self.program.update(values).save()


class TestLastMonths(TieringTestCase):
	period = {"tier_period": "Last N Months", "tier_period_months": 3, "tier_downgrade": "To the Tier Earned"}

	def test_spend_counts_as_long_as_its_month_is_in_the_window(self):
		self.buy(0, 600)
		self.assertEqual(tier(self.customer), "Silver")
		told = self.on(2)
		self.assertEqual(
			(told.tier_spend, told.total_spent, told.tier_window), (600, 600, "in the last 3 months")
		)
		self.assertEqual((told.next_tier, told.missing_to_next_tier), ("Gold", 400))
		self.buy(2, 400)
		self.assertEqual(tier(self.customer), "Gold")
		told = self.on(3)
		self.assertEqual(
			(told.tier, told.tier_spend, told.total_spent, told.next_tier), ("Gold", 400, 1000, None)
		)

	def test_an_upgrade_is_at_once_and_a_downgrade_in_the_nightly_job(self):
		self.buy(0, 1000)
		for month in (1, 2, 3):
			self.assertEqual(self.nightly(month), 0)
		# In the window of the last day of month 2, but of no later one.
		self.assertEqual(tier(self.customer), "Gold")
		invoice = self.buy(4, 100)
		self.assertEqual((earned(invoice).loyalty_program_tier, earned(invoice).loyalty_points), ("Gold", 50))
		self.assertEqual(tier(self.customer), "Gold")
		self.assertEqual(self.nightly(4, 6), 1)
		self.assertEqual(tier(self.customer), "Bronze")
		self.assertEqual(self.nightly(4, 7), 0)

	def test_the_tier_of_an_invoice_is_by_the_window_of_its_day(self):
		self.buy(0, 450)
		self.nightly(5)
		late = self.buy(5, 100, posted=day(1))
		self.assertEqual(earned(late).loyalty_program_tier, "Silver")
		self.assertIsNone(tier(self.customer))  # by now, that is over
		self.assertEqual(earned(self.buy(5, 450)).loyalty_program_tier, "Bronze")

	def test_what_is_taken_back_counts_no_more(self):
		first = self.buy(0, 600, items=[{"rate": 150, "qty": 4}])
		second = self.buy(1, 400)
		self.assertEqual(tier(self.customer), "Gold")
		with on_day(day(1, 10)):
			make_return(first, qty=2, posting_date=day(1, 10))
			self.assert_proven()
		self.assertEqual((tier(self.customer), self.on(1).tier_spend), ("Silver", 700))
		self.undo(1, second)
		self.assertEqual(tier(self.customer), "Bronze")
		self.assertEqual(self.on(1).tier_spend, 300)

	def test_late_jobs_come_to_the_same(self):
		self.change_program(0, tier_downgrade="One Tier")
		self.buy(0, 1000)
		self.assertEqual(self.nightly(5), 1)  # for the ends of months 3 and 4, which nobody has evaluated
		self.assertEqual(tier(self.customer), "Bronze")

	def test_one_tier_at_the_end_of_each_month(self):
		self.change_program(0, tier_downgrade="One Tier")
		self.buy(0, 1000)
		seen = {}
		for month in range(1, 8):
			self.nightly(month)
			seen[month] = tier(self.customer)
		self.assertEqual(seen, {1: "Gold", 2: "Gold", 3: "Gold", 4: "Silver", 5: "Bronze", 6: None, 7: None})

	def test_never_keeps_what_was_earned_and_gives_back_what_was_returned(self):
		self.change_program(0, tier_downgrade="Never")
		first = self.buy(0, 600)
		self.assertEqual([self.nightly(month) for month in range(1, 6)], [0] * 5)
		self.assertEqual(tier(self.customer), "Silver")
		second = self.buy(5, 1000)
		self.assertEqual(tier(self.customer), "Gold")
		self.undo(5, second)
		self.assertEqual(tier(self.customer), "Silver")
		# Of a period that is over: the tier was held by right then.
		self.undo(6, first)
		self.assertEqual(tier(self.customer), "Silver")

	def test_the_job_goes_on_where_it_was_broken_off(self):
		with on_day(day(0)):
			customers = [make_customer(loyalty_program=self.program.name) for _ in range(3)]
		for self.customer in customers:
			self.buy(0, 600)
		with on_day(day(5, 1)), patch.object(runs, "MEMBERSHIPS_IN_SET", 1):
			act, done = runs.act, set()
			members = {find(customer.name, self.program.name) for customer in customers}

			def broken(run, names):
				if done & members:  # the program has another member, who has bought nothing
					raise KeyboardInterrupt
				done.update(names)
				return act(run, names)

			with queue() as jobs:
				name = runs.start("Tiers", self.program.name)
				runs.divide(jobs.pop(0)[1]["run"])
				with patch.object(runs, "act", broken), self.assertRaises(KeyboardInterrupt):
					runs.work(**jobs[0][1])
				self.assertEqual([tier(c) for c in customers].count("Silver"), 2)
				lose_workers()
				runs.work(**jobs[0][1])
				runs.work(**jobs[0][1])
		self.assertEqual([tier(c) for c in customers], [None] * 3)
		self.assertEqual(frappe.db.get_value(runs.DOCTYPE, name, "changed"), 3)

	def test_months_are_counted_again(self):
		self.buy(0, 600)
		self.buy(1, 0.5)
		name = find(self.customer.name, self.program.name)
		row = frappe.db.get_value("Loyalty Membership", name, "spend_by_month")
		self.assertEqual(frappe.parse_json(row), {f"{day(0):%Y-%m}": "600", f"{day(1):%Y-%m}": "0.5"})
		frappe.db.set_value("Loyalty Membership", name, "spend_by_month", '{"2020-01": "5"}')
		with on_day(day(1)):
			self.assertIn("spend_by_month", " ".join(verify(name)))
			audit.mend([name])
			self.assert_proven()
		self.assertEqual(frappe.db.get_value("Loyalty Membership", name, "spend_by_month"), row)

	def test_merged_members_have_the_months_of_both(self):
		self.buy(0, 600)
		kept, self.customer = self.customer, None
		with on_day(day(1)):
			self.customer = make_customer(loyalty_program=self.program.name)
		self.buy(1, 400)
		with on_day(day(1)):
			frappe.rename_doc("Customer", self.customer.name, kept.name, merge=True)
		self.customer = kept
		self.assertEqual(tier(kept), "Gold")
		with on_day(day(1)):
			self.assert_proven()

	def test_merged_members_keep_the_better_tier(self):
		self.make(**self.period | {"tier_downgrade": "Never"})
		gone = self.buy(0, 1000)
		better = self.customer
		self.nightly(5)
		with on_day(day(5)):
			self.customer = make_customer(loyalty_program=self.program.name)
			gone.reload()
			gone.cancel()
			self.assertEqual(tier(better), "Gold")
		# Before the nightly job has come by them, and with nothing left to move.
		with on_day(day(6)):
			frappe.rename_doc("Customer", better.name, self.customer.name, merge=True)
			self.assert_proven()
		self.assertEqual(tier(self.customer), "Gold")
		self.buy(6, 10)
		self.assertEqual(tier(self.customer), "Gold")

	def test_nobody_is_told_of_what_the_job_does(self):
		self.buy(0, 1000)
		name = find(self.customer.name, self.program.name)
		log = frappe.db.count("Loyalty Point Log", {"membership": name})
		with patch("loyalty_app.ledger.notices.tell") as tell:
			self.assertEqual(self.nightly(5), 1)
		tell.assert_not_called()
		self.assertEqual(frappe.db.count("Loyalty Point Log", {"membership": name}), log)


class TestFiscalYear(TieringTestCase):
	period = {"tier_period": "Fiscal Year", "tier_downgrade": "To the Tier Earned"}

	def setUp(self):
		super().setUp()
		year = getdate(today()).year - 1
		self.years = {n: (getdate(f"{year + n}-01-01"), getdate(f"{year + n}-12-31")) for n in (-1, 0, 1)}

	def in_year(self, number, month):
		"""As a month of `day`, a month of a year from the last one on."""
		first = self.years[number][0]
		base = day(0, 1)
		return (first.year - base.year) * 12 + month - base.month

	def test_a_tier_earned_in_a_year_is_held_through_the_next(self):
		self.buy(self.in_year(0, 3), 1000)
		self.assertEqual(self.on(self.in_year(0, 12)).tier_spend, 1000)
		self.assertEqual(self.nightly(self.in_year(1, 1)), 0)
		told = self.on(self.in_year(1, 2))
		self.assertEqual((told.tier, told.tier_spend, told.tier_window), ("Gold", 0, "in this fiscal year"))
		with on_day(self.years[1][1]):
			self.assertEqual(tiering.ended(self.program, getdate(self.years[1][1])), self.years[0][1])
		with on_day(add_days(self.years[1][1], 1)):
			self.assertEqual(run("Tiers", loyalty_program=self.program.name).changed, 1)
		self.assertIsNone(tier(self.customer))

	def test_a_year_of_the_company_that_begins_within_a_month(self):
		years = [("x", getdate("2030-03-21"), getdate("2031-03-20"))]
		with patch("erpnext.accounts.utils.get_fiscal_years", return_value=years):
			found = tiering.window(self.program, getdate("2030-06-01"))
			self.assertEqual(found, (getdate("2030-03-01"), getdate("2031-03-01")))
			self.assertEqual(tiering.ended(self.program, getdate("2030-06-01")), getdate("2030-03-20"))

	def test_where_no_year_is_defined_the_calendars_counts(self):
		self.assertEqual(
			tiering.fiscal_year(company(), getdate("1987-05-05")),
			(getdate("1987-01-01"), getdate("1987-12-31")),
		)


class TestChangingTheProgram(TieringTestCase):
	def test_members_of_a_lifetime_program_begin_with_their_tier(self):
		self.buy(0, 600)
		self.buy(10, 500)
		self.assertEqual(tier(self.customer), "Gold")
		name = find(self.customer.name, self.program.name)
		fields = list(tiering.FIELDS)
		self.assertEqual(frappe.db.get_value("Loyalty Membership", name, fields), (None, None, None))
		self.change_program(
			12, tier_period="Last N Months", tier_period_months=6, tier_downgrade="To the Tier Earned"
		)
		self.assertEqual((tier(self.customer), self.on(12).tier_spend), ("Silver", 500))
		with on_day(day(12)):
			self.assert_proven()
		self.change_program(12, tier_period="Lifetime")
		self.assertEqual(tier(self.customer), "Gold")
		self.assertEqual(frappe.db.get_value("Loyalty Membership", name, fields), (None, None, None))
		self.change_program(13, tier_period="Last N Months", tier_period_months=1, tier_downgrade="Never")
		self.assertEqual(tier(self.customer), "Gold")

	def test_an_invoice_before_anybody_has_counted(self):
		self.buy(0, 1000)
		with patch("loyalty_app.ledger.membership.follow_tiers"):
			self.change_program(
				8, tier_period="Last N Months", tier_period_months=6, tier_downgrade="One Tier"
			)
		self.buy(8, 100)
		self.assertEqual((tier(self.customer), self.on(8).tier_spend), ("Gold", 100))
		self.assertEqual(self.nightly(8, 6), 1)
		self.assertEqual(tier(self.customer), "Silver")

	def test_the_window_grows(self):
		self.buy(0, 600)
		self.change_program(
			0, tier_period="Last N Months", tier_period_months=1, tier_downgrade="To the Tier Earned"
		)
		self.nightly(5)
		self.assertIsNone(tier(self.customer))
		self.change_program(5, tier_period_months=12)
		self.assertEqual(tier(self.customer), "Silver")

	def test_refusals(self):
		for field, values in {
			"Months": {"tier_period": "Last N Months", "tier_period_months": 0},
			"Months.*too large": {"tier_period": "Last N Months", "tier_period_months": 121},
			"Tier Period": {"tier_period": "Forever"},
			"Downgrade": {"tier_downgrade": "Two Tiers"},
		}.items():
			with self.subTest(field), self.assertRaisesRegex(frappe.ValidationError, field):
				self.change_program(0, **values)
