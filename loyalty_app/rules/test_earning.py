from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from unittest import TestCase

from hypothesis import given
from hypothesis import strategies as st

from loyalty_app.rules.amounts import exact, rounded
from loyalty_app.rules.earning import NEVER, EarnOn, eligible_amount, expiry_date, points_for
from loyalty_app.rules.tiers import Tier, next_tier, tier_for

money = st.decimals(min_value=0, max_value=10**9, places=2)
factors = st.decimals(min_value="0.01", max_value=10**6, places=2)


class TestPoints(TestCase):
	def test_a_point_is_earned_when_its_spend_is_complete(self):
		self.assertEqual(points_for(Decimal("0.3"), Decimal("0.1")), 3)
		self.assertEqual(points_for(exact(0.3), exact(0.1)), 3)
		self.assertEqual(points_for(Decimal("299.99"), Decimal(300)), 0)
		self.assertEqual(points_for(Decimal(3000), Decimal(300)), 10)

	def test_a_factor_of_zero_is_refused(self):
		with self.assertRaises(ValueError):
			points_for(Decimal(1), Decimal(0))

	@given(money, factors)
	def test_points_are_the_whole_part_of_the_quotient(self, amount, factor):
		self.assertEqual(points_for(amount, factor), Fraction(amount) // Fraction(factor))
		self.assertEqual(points_for(-amount, factor), 0)

	@given(st.lists(money, max_size=5), factors)
	def test_splitting_a_purchase_never_earns_more(self, parts, factor):
		self.assertLessEqual(sum(points_for(p, factor) for p in parts), points_for(sum(parts), factor))


class TestEligibleAmount(TestCase):
	def test_points_and_excluded_lines_do_not_earn(self):
		amount = eligible_amount(
			earn_on=EarnOn.GRAND_TOTAL,
			grand_total=Decimal(115),
			net_total=Decimal(100),
			excluded_net=Decimal(40),
			paid_with_points=Decimal("9.5"),
		)
		self.assertEqual(amount, Decimal("59.5"))
		amount = eligible_amount(
			earn_on=EarnOn.NET_TOTAL,
			grand_total=Decimal(115),
			net_total=Decimal(100),
			excluded_net=Decimal(40),
			paid_with_points=Decimal("9.5"),
		)
		self.assertEqual(amount, Decimal("50.5"))

	@given(money, money, st.sampled_from(EarnOn), st.integers(1, 100))
	def test_a_full_return_takes_back_what_was_eligible(self, net, tax, earn_on, excluded_percent):
		excluded = rounded(net * excluded_percent / 100, 2)
		sold = eligible_amount(
			earn_on=earn_on,
			grand_total=net + tax,
			net_total=net,
			excluded_net=excluded,
			paid_with_points=tax / 2,
		)
		returned = eligible_amount(
			earn_on=earn_on,
			grand_total=-net - tax,
			net_total=-net,
			excluded_net=-excluded,
			paid_with_points=-tax / 2,
		)
		self.assertEqual(sold + returned, 0)


class TestExpiry(TestCase):
	def test_no_duration_never_expires(self):
		self.assertEqual(expiry_date(date(2026, 1, 1), 0), NEVER)
		self.assertEqual(expiry_date(date(2026, 1, 1), 10), date(2026, 1, 11))

	@given(st.dates(), st.integers(0, 10**7))
	def test_it_is_a_date_whatever_the_duration(self, posted, duration):
		expiry = expiry_date(posted, duration)
		self.assertTrue(expiry == NEVER or expiry == posted + timedelta(days=duration))
		self.assertGreaterEqual(expiry, posted)


class TestTiers(TestCase):
	tiers = (
		Tier("Gold", Decimal(20000), Decimal(10)),
		Tier("Bronze", Decimal(0), Decimal(30)),
		Tier("Silver", Decimal(10000), Decimal(20)),
	)

	def test_the_highest_minimum_reached_counts(self):
		for before, invoice, expected in (
			(0, 6000, "Bronze"),
			(0, 15000, "Silver"),
			(0, 25000, "Gold"),
			(4000, 500, "Bronze"),
			(8000, 3000, "Silver"),
			(18000, 3000, "Gold"),
			(22000, 5000, "Gold"),
		):
			with self.subTest(before=before, invoice=invoice):
				self.assertEqual(tier_for(self.tiers, Decimal(before + invoice)).name, expected)

	def test_below_the_lowest_minimum_there_is_no_tier(self):
		self.assertIsNone(tier_for(self.tiers[:1], Decimal("19999.99")))
		self.assertEqual(tier_for(self.tiers[:1], Decimal(20000)).name, "Gold")
		self.assertEqual(next_tier(self.tiers[:1], Decimal(0)).name, "Gold")

	@given(st.lists(money, unique=True, max_size=6), money)
	def test_the_tier_and_the_next_enclose_the_spend(self, minimums, spend):
		tiers = [Tier(str(m), m, Decimal(1)) for m in minimums]
		tier, following = tier_for(tiers, spend), next_tier(tiers, spend)
		self.assertEqual(
			tier.minimum if tier else None, max((m for m in minimums if m <= spend), default=None)
		)
		self.assertEqual(
			following.minimum if following else None, min((m for m in minimums if m > spend), default=None)
		)
