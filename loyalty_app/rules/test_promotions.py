from dataclasses import replace
from datetime import date, datetime, time
from decimal import Decimal
from fractions import Fraction
from unittest import TestCase

from hypothesis import given as examples
from hypothesis import strategies as st

from loyalty_app.rules import promotions
from loyalty_app.rules.earning import points_for
from loyalty_app.rules.promotions import Effect, Given, Line, Promotion, Row, Sale, kept, parts_left

FRIDAY = datetime(2026, 6, 5, 16, 30)
COFFEE, CAKE, DRINKS = ("Item", "Coffee"), ("Item", "Cake"), ("Item Group", "Drinks")

money = st.decimals(min_value=0, max_value=10**6, places=2)
factors = st.decimals(min_value="0.01", max_value=1000, places=2)
kinds = st.frozensets(st.sampled_from([COFFEE, CAKE, DRINKS]))
nets = st.decimals(min_value=-1000, max_value=10**5, places=2)
sales = st.builds(
	lambda lines, eligible, factor: Sale(
		FRIDAY,
		eligible,
		factor,
		tuple(Line(f"line {n}", net, kind) for n, (net, kind) in enumerate(lines)),
	),
	st.lists(st.tuples(nets, kinds), max_size=6),
	st.decimals(min_value=-100, max_value=10**6, places=2),
	factors,
)


@st.composite
def several(draw):
	return [
		Promotion(
			f"promotion {n}",
			draw(st.sampled_from(Effect)),
			multiplier=draw(st.decimals(min_value="1.01", max_value=10, places=2)),
			points=draw(st.integers(1, 500)),
			per_amount=draw(factors),
			adds=draw(st.booleans()),
			items=draw(kinds),
			except_items=draw(kinds),
			minimum=draw(st.one_of(st.just(Decimal(0)), money)),
		)
		for n in range(draw(st.integers(0, 5)))
	]


def total(offered):
	return sum(g.points for g in promotions.given(offered))


def sale(*lines, **facts):
	lines = tuple(Line(f"{n}", Decimal(net), frozenset(kinds)) for n, (net, *kinds) in enumerate(lines))
	facts = {"at": FRIDAY, "factor": Decimal(10), "eligible": sum(line.net for line in lines)} | facts
	return Sale(lines=lines, **facts)


def outcome(of, *of_promotions):
	return {(g.promotion, g.line): g.points for g in promotions.given(promotions.offers(of_promotions, of))}


def double(name="Double", **conditions):
	return Promotion(name, Effect.MULTIPLY, multiplier=Decimal(2), **conditions)


def bonus(name="Bonus", points=10, **conditions):
	return Promotion(name, Effect.FIXED, points=points, **conditions)


class TestProperties(TestCase):
	@examples(sales, several())
	def test_points_are_never_negative_and_lines_add_up(self, sold, found):
		for offer in promotions.offers(found, sold):
			self.assertGreater(offer.points, 0)
			self.assertEqual(sum(offer.split.values()), offer.points)
			self.assertGreaterEqual(min(offer.split.values()), 0)
			for line, points in offer.split.items():
				self.assertLess(abs(points - offer.parts[line]), 1)
		self.assertTrue(all(g.points > 0 for g in promotions.given(promotions.offers(found, sold))))

	@examples(sales, several(), st.randoms(use_true_random=False))
	def test_their_order_does_not_matter(self, sold, found, random):
		offered = promotions.offers(found, sold)
		random.shuffle(found)
		self.assertEqual(promotions.given(promotions.offers(found, sold)), promotions.given(offered))

	@examples(sales, several())
	def test_the_best_one_gives_no_more_than_all_of_them_together(self, sold, found):
		best, stacked = ([replace(p, adds=adds) for p in found] for adds in (False, True))
		best, stacked, mixed = (promotions.offers(each, sold) for each in (best, stacked, found))
		self.assertLessEqual(total(best), total(mixed))
		self.assertLessEqual(total(mixed), total(stacked))
		self.assertEqual(total(stacked), sum(offer.points for offer in stacked))
		lines = [g.line for g in promotions.given(best)]
		self.assertEqual(len(lines), len(set(lines)))

	@examples(sales, several())
	def test_of_promotions_for_the_same_lines_the_best_is_given_whole(self, sold, found):
		found = [replace(p, adds=False, items=frozenset(), except_items=frozenset()) for p in found]
		offered = promotions.offers(found, sold)
		self.assertEqual(total(offered), max((offer.points for offer in offered), default=0))

	@examples(sales, st.integers(2, 9))
	def test_a_whole_multiplier_of_all_lines_multiplies_the_base_points(self, sold, times):
		promotion = Promotion("Times", Effect.MULTIPLY, multiplier=Decimal(times))
		base = points_for(sold.eligible, sold.factor) if any(line.net > 0 for line in sold.lines) else 0
		more = total(promotions.offers([promotion], sold))
		self.assertGreaterEqual(more, (times - 1) * base)
		self.assertLess(more, (times - 1) * (base + 1))

	@examples(sales, several())
	def test_shares_add_up_to_the_eligible_amount(self, sold, found):
		there_is = any(line.net > 0 for line in sold.lines) and sold.eligible > 0
		self.assertEqual(sum(promotions.shares(sold).values()), Fraction(sold.eligible) if there_is else 0)

	@examples(
		st.lists(st.tuples(st.integers(1, 9), st.decimals("0.05", 500, places=2)), min_size=1, max_size=5),
		st.lists(st.tuples(st.integers(0, 4), st.integers(1, 9)), max_size=8),
	)
	def test_however_it_comes_back_it_shrinks_to_nothing(self, lines, returns):
		"""In any steps and order, with or without saying which line, a full return leaves nothing."""
		sold = [Row(f"{n}", "Coffee", Decimal(qty), net) for n, (qty, net) in enumerate(lines)]
		earned = tuple(Given("Double", row.line, 7) for row in sold)
		left, back, before = {row.line: row.qty for row in sold}, [], 7 * len(sold)
		steps = [(n % len(sold), Decimal(qty)) for n, qty in returns]
		for n, qty in [*steps, *((n, row.qty) for n, row in enumerate(sold))]:
			row = sold[n]
			if qty := min(qty, left[row.line]):
				left[row.line] -= qty
				back.append(Row(row.line, row.item, qty, (row.net * qty / row.qty).quantize(Decimal("0.01"))))
			now = kept(earned, parts_left(sold, back))
			self.assertTrue(all(0 <= g.points <= 7 for g in now))
			self.assertLessEqual(sum(g.points for g in now), before)
			before = sum(g.points for g in now)
		self.assertEqual(before, 0)
		untold = [row._replace(line=None) for row in back]
		self.assertEqual(sum(g.points for g in kept(earned, parts_left(sold, untold))), 0)


class TestEffects(TestCase):
	def test_a_multiplier_gives_what_its_lines_earn_again(self):
		sold = sale((100, COFFEE), (50, CAKE))
		self.assertEqual(outcome(sold, double()), {("Double", "0"): 10, ("Double", "1"): 5})
		self.assertEqual(outcome(sold, double(items=frozenset({COFFEE}))), {("Double", "0"): 10})
		half_more = Promotion("Half", Effect.MULTIPLY, multiplier=Decimal("1.5"))
		self.assertEqual(outcome(sold, half_more), {("Half", "0"): 5, ("Half", "1"): 2})

	def test_points_for_each_whole_amount(self):
		promotion = Promotion("Extra", Effect.PER_AMOUNT, points=3, per_amount=Decimal(40))
		self.assertEqual(outcome(sale((100,)), promotion), {("Extra", "0"): 6})
		self.assertEqual(outcome(sale((39,)), promotion), {})

	def test_a_bonus_is_spread_over_its_lines(self):
		self.assertEqual(
			outcome(sale((100,), (100,), (100,)), bonus()),
			{("Bonus", "0"): 4, ("Bonus", "1"): 3, ("Bonus", "2"): 3},
		)

	def test_what_is_paid_with_points_or_discounted_earns_less(self):
		sold = sale((100, COFFEE), (100, CAKE), eligible=Decimal(150))
		self.assertEqual(outcome(sold, double(items=frozenset({COFFEE}))), {("Double", "0"): 7})
		self.assertEqual(outcome(sale((100,), (-50,)), double()), {("Double", "0"): 5})

	def test_the_best_one_is_chosen_for_each_line(self):
		sold = sale((100, COFFEE), (100, CAKE))
		triple = Promotion(
			"Triple", Effect.MULTIPLY, multiplier=Decimal(3), items=frozenset({COFFEE}), adds=False
		)
		self.assertEqual(
			outcome(sold, double(adds=False), triple, bonus(points=2)),
			{("Double", "1"): 10, ("Triple", "0"): 20, ("Bonus", "0"): 1, ("Bonus", "1"): 1},
		)


class TestConditions(TestCase):
	def assert_given(self, promotion, when, **facts):
		self.assertEqual(bool(outcome(sale((100, COFFEE, DRINKS), **facts), promotion)), when)

	def test_days_and_hours(self):
		for conditions, when in (
			({"from_date": date(2026, 6, 5), "to_date": date(2026, 6, 5)}, True),
			({"from_date": date(2026, 6, 6)}, False),
			({"to_date": date(2026, 6, 4)}, False),
			({"weekdays": frozenset({4})}, True),
			({"weekdays": frozenset({5})}, False),
			({"from_time": time(16, 30)}, True),
			({"from_time": time(16, 31)}, False),
			({"to_time": time(16, 30)}, False),
			({"from_time": time(16, 30), "to_time": time(16, 30)}, True),
			({"from_time": time(16), "to_time": time(17)}, True),
		):
			with self.subTest(**conditions):
				self.assert_given(double(**conditions), when)

	def test_hours_past_midnight_belong_to_the_day_they_begin_on(self):
		night = double(weekdays=frozenset({4}), to_date=date(2026, 6, 5), from_time=time(22), to_time=time(2))
		for at, when in (
			(datetime(2026, 6, 5, 1), False),
			(datetime(2026, 6, 5, 22), True),
			(datetime(2026, 6, 6, 1, 59), True),
			(datetime(2026, 6, 6, 2), False),
			(datetime(2026, 6, 6, 23), False),
		):
			with self.subTest(at=at):
				self.assert_given(night, when, at=at)

	def test_who_buys_what(self):
		groups = frozenset({"Retail", "All"})
		for conditions, facts, when in (
			({"items": frozenset({DRINKS})}, {}, True),
			({"items": frozenset({CAKE})}, {}, False),
			({"except_items": frozenset({DRINKS})}, {}, False),
			({"customer_group": "All"}, {"customer_groups": groups}, True),
			({"customer_group": "Wholesale"}, {"customer_groups": groups}, False),
			({"territory": "All"}, {"territories": groups}, True),
			({"territory": "Oman"}, {"territories": groups}, False),
			({"tier": "Gold"}, {"tier": "Gold"}, True),
			({"tier": "Gold"}, {"tier": "Silver"}, False),
			({"first_purchase": True}, {"is_first": True}, True),
			({"first_purchase": True}, {}, False),
			({"birthday_month": True}, {"birth_month": 6}, True),
			({"birthday_month": True}, {"birth_month": 7}, False),
			({"birthday_month": True}, {}, False),
			({"code": "SUMMER"}, {"code": " summer "}, True),
			({"code": "SUMMER"}, {}, False),
			({"minimum": Decimal(100)}, {}, True),
			({"minimum": Decimal("100.01")}, {}, False),
		):
			with self.subTest(conditions=conditions, facts=facts):
				self.assert_given(double(**conditions), when, **facts)


class TestReturns(TestCase):
	def left(self, *back):
		sold = [
			Row("1", "Coffee", Decimal(3), Decimal("10.00")),
			Row("2", "Coffee", Decimal(1), Decimal("3.34")),
		]
		return parts_left(sold, [Row(line, "Coffee", Decimal(q), Decimal(net)) for line, q, net in back])

	def test_quantity_decides_within_the_rounding_of_a_price(self):
		self.assertEqual(self.left(("1", 1, "3.33")), {"1": Fraction(2, 3), "2": 1})
		self.assertEqual(self.left(("1", 3, "9.99"))["1"], 0)

	def test_the_price_decides_where_less_is_paid_back(self):
		self.assertEqual(self.left(("1", 3, "5.00"))["1"], Fraction(1, 2))

	def test_what_names_no_line_is_of_the_first_with_its_item(self):
		self.assertEqual(self.left((None, 3, "10.00")), {"1": 0, "2": 1})
		self.assertEqual(self.left((None, 4, "13.34")), {"1": 0, "2": 0})
		self.assertEqual(self.left((None, 1, "3.33"), ("1", 2, "6.67")), {"1": 0, "2": 1})

	def test_points_are_kept_in_whole_numbers(self):
		given = (Given("Double", "1", 10), Given("Double", "2", 3))
		self.assertEqual(
			kept(given, {"1": Fraction(2, 3), "2": Fraction(1)}),
			(Given("Double", "1", 6), Given("Double", "2", 3)),
		)
