from decimal import Decimal
from unittest import TestCase

from hypothesis import given
from hypothesis import strategies as st

from loyalty_app.rules.redemption import (
	Limits,
	largest_redemption,
	points_given_back,
	value_given_back,
	worth,
)

totals = st.decimals(min_value="0.01", max_value=10**7, places=2)
points = st.integers(1, 10**6)
conversions = st.decimals(min_value="0.001", max_value=1000, places=3)


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

	@given(points, totals, conversions, st.integers(0, 50), st.integers(0, 20), st.integers(0, 100))
	def test_it_is_allowed_and_nothing_larger_is(self, spendable, total, conversion, minimum, step, share):
		limits = Limits(minimum, step, Decimal(share))

		def allowed(n):
			return (
				0 < n <= spendable
				and n >= minimum
				and (step <= 1 or n % step == 0)
				and worth(n, conversion) <= (total * share / 100 if share else total)
			)

		largest = largest_redemption(spendable, total, conversion, limits)
		self.assertTrue(largest == 0 or allowed(largest))
		for more in range(largest + 1, largest + 1 + max(step, minimum, 1) + 2):
			# One point less than a value rounds to is the only slack: never more than the invoice.
			self.assertFalse(allowed(more) and more * conversion <= total * (share or 100) / 100)


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
