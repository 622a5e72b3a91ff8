"""Tiers held for a period, against a slow obvious model that lives through every day."""

from datetime import date, timedelta
from decimal import Decimal
from unittest import TestCase

from hypothesis import given
from hypothesis import strategies as st

from loyalty_app.rules import tiers
from loyalty_app.rules.tiers import Downgrade, Standing, Tier, Window

START = date(2026, 1, 1)
TIERS = [Tier(name, Decimal(minimum), Decimal(1)) for name, minimum in (("B", 0), ("S", 100), ("G", 300))]
RANKS = {None: 0, "B": 1, "S": 2, "G": 3}


def ended(on):
	return on.replace(day=1) - timedelta(days=1)


def rank_of(spend):
	return 0 if not spend else 1 + sum(spend >= minimum for minimum in (100, 300))


class TestWindow(TestCase):
	def test_whole_months_across_years(self):
		self.assertEqual(tiers.last_months(date(2026, 1, 31), 1), Window(date(2026, 1, 1), date(2026, 1, 1)))
		self.assertEqual(tiers.last_months(date(2026, 1, 5), 12), Window(date(2025, 2, 1), date(2026, 1, 1)))
		self.assertEqual(
			tiers.last_months(date(2026, 12, 5), 12), Window(date(2026, 1, 1), date(2026, 12, 1))
		)
		self.assertEqual(tiers.last_months(date(2026, 3, 5), 15), Window(date(2025, 1, 1), date(2026, 3, 1)))

	@given(st.dates(date(1990, 1, 1), date(2090, 1, 1)), st.integers(1, 120))
	def test_it_has_so_many_months(self, on, months):
		first, last = tiers.last_months(on, months)
		self.assertEqual((last.year - first.year) * 12 + last.month - first.month + 1, months)
		self.assertEqual((first.day, last.day), (1, 1))
		self.assertTrue(last <= on)


class TestHolding(TestCase):
	@given(
		buys=st.dictionaries(st.integers(0, 200), st.sampled_from([20, 100, 150, 300]), max_size=6),
		runs=st.sets(st.integers(0, 200)),
		months=st.integers(1, 4),
		downgrade=st.sampled_from(list(Downgrade)),
	)
	def test_days_lived_through_one_by_one(self, buys, runs, months, downgrade):
		by_month, standing, ends = {}, Standing(None, ended(START)), []
		rank = 0

		def spent(day):
			return tiers.spent_in(by_month, tiers.last_months(day, months))

		for number in range(201):
			day = START + timedelta(days=number)
			# the model: what one holds, lowered on the first day after each month, risen by what one buys
			if day.day == 1 and number:
				ends.append(ended(day))
				earned = rank_of(spent(ended(day)))
				lowest = {"Never": rank, "One Tier": max(rank - 1, 0), "To the Tier Earned": 0}[
					downgrade.value
				]
				rank = max(lowest, earned)
			by_month[day.replace(day=1)] = by_month.get(day.replace(day=1), Decimal(0)) + buys.get(number, 0)
			rank = max(rank, rank_of(spent(day)))

			shown = tiers.held(TIERS, standing, ends, day, spent)
			self.assertGreaterEqual(
				RANKS[shown and shown.name], rank, "nothing is lowered before the job ran"
			)
			if number in runs:
				standing, ends = tiers.evaluate(TIERS, standing, ends, downgrade, spent), []
				shown = tiers.held(TIERS, standing, [], day, spent)
				self.assertEqual(RANKS[shown and shown.name], rank)

	def test_spend_taken_back_takes_what_it_reached_but_not_what_was_kept(self):
		by_month = {date(2025, 10, 1): Decimal(100), date(2026, 1, 1): Decimal(300)}

		def spent(day):
			return tiers.spent_in(by_month, tiers.last_months(day, 2))

		def shown():
			tier = tiers.held(TIERS, standing, (), date(2026, 1, 15), spent)
			return tier and tier.name

		ends = [date(2025, 11, 30), date(2025, 12, 31)]
		for downgrade, left in (
			(Downgrade.NEVER, "S"),
			(Downgrade.ONE_TIER, "B"),
			(Downgrade.TO_EARNED, None),
		):
			standing = tiers.evaluate(TIERS, Standing(None, date(2025, 10, 31)), ends, downgrade, spent)
			by_month[date(2026, 1, 1)] = Decimal(300)
			self.assertEqual(shown(), "G")
			del by_month[date(2026, 1, 1)]
			self.assertEqual(shown(), left)
