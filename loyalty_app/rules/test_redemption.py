from decimal import Decimal
from unittest import TestCase

from hypothesis import given
from hypothesis import strategies as st

from loyalty_app.rules.redemption import (
	Limits,
	Refusal,
	largest_redemption,
	points_given_back,
	refusal_of,
	value_given_back,
	worth,
)

totals = st.decimals(min_value="0.01", max_value=10**7, places=2)
points = st.integers(1, 10**6)
conversions = st.decimals(min_value="0.001", max_value=1000, places=3)
limits = st.builds(Limits, st.integers(0, 50), st.integers(0, 20), st.integers(0, 100).map(Decimal))


class TestLargestRedemption(TestCase):
	def test_it_is_capped_by_balance_total_share_step_and_minimum(self):
		one = Decimal(1)
		self.assertEqual(largest_redemption(100, Decimal(400), one), 100)
		self.assertEqual(largest_redemption(100, Decimal("40.50"), one), 40)
		self.assertEqual(largest_redemption(100, Decimal(100), one, Limits(share=Decimal(25))), 25)
		self.assertEqual(largest_redemption(99, Decimal(400), one, Limits(step=10)), 90)
		self.assertEqual(largest_redemption(9, Decimal(400), one, Limits(minimum=10)), 0)
		self.assertEqual(largest_redemption(-5, Decimal(400), one), 0)
		self.assertEqual(largest_redemption(5, Decimal(400), Decimal(0)), 0)

	def test_nothing_is_offered_that_is_worth_nothing(self):
		self.assertEqual(largest_redemption(3, Decimal(10), Decimal("0.001")), 0)
		self.assertEqual(largest_redemption(5, Decimal(10), Decimal("0.001")), 5)

	@given(
		st.integers(1, 300),
		st.decimals(min_value="0.01", max_value=300, places=2),
		st.decimals(min_value="0.001", max_value=20, places=3),
		limits,
		st.integers(0, 3),
	)
	def test_of_all_that_are_allowed_it_is_the_largest(self, spendable, total, conversion, limits, places):
		allowed = [n for n in range(1, spendable + 1) if not refusal_of(n, total, conversion, limits, places)]
		self.assertEqual(
			largest_redemption(spendable, total, conversion, limits, places), max(allowed, default=0)
		)

	@given(points, totals, conversions, limits)
	def test_it_keeps_to_balance_minimum_step_and_share(self, spendable, total, conversion, limits):
		largest = largest_redemption(spendable, total, conversion, limits)
		self.assertLessEqual(largest, spendable)
		if largest:
			self.assertGreaterEqual(largest, limits.least)
			self.assertEqual(largest % max(limits.step, 1), 0)
			self.assertLessEqual(worth(largest, conversion), total * (limits.share or 100) / 100)


class TestRefusals(TestCase):
	def test_each_reason(self):
		limits = Limits(minimum=10, step=5, share=Decimal(50))
		for points, reason in (
			(-5, Refusal.NONE_ASKED),
			(0, Refusal.NONE_ASKED),
			(205, Refusal.ABOVE_TOTAL),
			(5, Refusal.BELOW_MINIMUM),
			(12, Refusal.BETWEEN_STEPS),
			(105, Refusal.ABOVE_SHARE),
			(100, None),
		):
			self.assertIs(refusal_of(points, Decimal(100), Decimal("0.5"), limits), reason, points)
		self.assertIs(refusal_of(10, Decimal(100), Decimal(0), limits), Refusal.WORTH_NOTHING)

	@given(limits)
	def test_the_least_is_the_first_that_is_not_refused(self, limits):
		plenty, one = Decimal(10**6), Decimal(1)
		self.assertIsNone(refusal_of(limits.least, plenty, one, limits))
		for fewer in range(1, limits.least):
			self.assertIsNotNone(refusal_of(fewer, plenty, one, limits))


class TestGivingBack(TestCase):
	def test_a_quarter_back_gives_a_quarter_of_the_points_back(self):
		self.assertEqual(points_given_back(80, Decimal(100), Decimal(400)), 20)
		self.assertEqual(value_given_back(20, 80, Decimal(80)), 20)
		self.assertEqual(points_given_back(80, Decimal(400), Decimal(400)), 80)

	@given(points, totals, st.lists(st.integers(0, 100), min_size=1, max_size=6), conversions)
	def test_however_the_returns_are_cut_a_full_return_gives_all_back(
		self, redeemed, total, cuts, conversion
	):
		amount = worth(redeemed, conversion)
		steps = [total * c / 100 for c in sorted(cuts)] + [total]
		given = [points_given_back(redeemed, returned, total) for returned in steps]
		values = [value_given_back(g, redeemed, amount) for g in given]
		self.assertEqual(given, sorted(given))
		self.assertEqual(values, sorted(values))
		self.assertEqual((given[-1], values[-1]), (redeemed, amount))
		self.assertTrue(all(0 <= g <= redeemed * returned / total for g, returned in zip(given, steps)))
