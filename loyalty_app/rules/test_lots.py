"""The lots against a slow obvious model in which every single point is a token of its own."""

import itertools
from datetime import date, timedelta
from decimal import Decimal
from unittest import TestCase

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from loyalty_app.rules import earning, lots
from loyalty_app.rules.lots import (
	AlreadySpent,
	Earning,
	Entry,
	Kind,
	NoSuchLot,
	NotEnoughPoints,
	Terms,
	Voucher,
	Wanted,
)

START = date(2026, 1, 1)


INVOICE = (Kind.EARNED, Kind.REDEEMED)
ADJUSTMENT = (Kind.ADJUSTED, Kind.ADJUSTED)


NOBODY = Voucher(None, None)


def voucher(number) -> Voucher:
	return Voucher("Sales Invoice", f"INV-{number}")


def adjustment(number) -> Voucher:
	return Voucher("Loyalty Point Adjustment", f"ADJ-{number}")


class Token:
	"""One point: the lot it belongs to, and the voucher that spent it."""

	def __init__(self, lot, spender=None):
		self.lot, self.spender = lot, spender


class Lot:
	def __init__(self, made, owner, posted, expires, matures):
		self.made, self.owner, self.posted, self.expires = made, owner, posted, expires
		self.matures = matures

	def order(self):
		return self.expires, self.posted, self.made


class Model:
	"""Points as tokens, debts as counts. Expiry needs no event: a token past its day just buys nothing."""

	def __init__(self):
		self.tokens, self.debts, self.posted, self.made = [], {}, {}, itertools.count()

	def free(self, condition):
		found = [t for t in self.tokens if t.spender is None and condition(t.lot)]
		return sorted(found, key=lambda t: t.lot.order())

	def spent_by(self, who):
		return [t for t in self.tokens if t.spender == who]

	def redeemed(self, who):
		return len(self.spent_by(who)) + self.debts.get(who, 0)

	def payable(self, who, on):
		return self.free(lambda lot: lot.matures <= on <= lot.expires and lot.owner != who)

	def spendable(self, on, who=None):
		return len(self.payable(who, on)) - sum(self.debts.values())

	def release(self, who, surplus):
		from_debt = min(surplus, self.debts.get(who, 0))
		self.debts[who] = self.debts.get(who, 0) - from_debt
		for token in sorted(self.spent_by(who), key=lambda t: t.lot.order(), reverse=True)[
			: surplus - from_debt
		]:
			token.spender = None

	def change_lots(self, who, posted, lots, matures=None):
		"""`lots` are pairs of points and expiry date; all mature on the day `matures`, or when they are posted."""
		old = [t for t in self.tokens if t.lot.owner == who]
		if len(old) == sum(count for count, _expires in lots):
			return
		spenders = sorted((t.spender for t in old if t.spender), key=lambda s: self.posted[s])
		self.tokens = [t for t in self.tokens if t.lot.owner != who]
		for count, expires in lots:
			lot = Lot(next(self.made), who, posted, expires, matures or posted)
			self.tokens += [Token(lot, spenders.pop(0) if spenders else None) for _ in range(count)]
		for spender in spenders:
			self.debts[spender] = self.debts.get(spender, 0) + 1

	def redeem(self, who, count, on):
		available = max(0, self.spendable(on, who))
		for token in self.payable(who, on)[: min(count, available)]:
			token.spender = who
		self.debts[who] = self.debts.get(who, 0) + max(0, count - available)

	def cover(self, on):
		for who in sorted((w for w, n in self.debts.items() if n), key=lambda w: self.posted[w]):
			for token in self.free(lambda lot: lot.expires >= on and lot.owner != who)[: self.debts[who]]:
				token.spender = who
				self.debts[who] -= 1

	def settle(self, who, earned, redeemed, posted, expires, on, matures=None):
		self.settle_lots(who, [(earned, expires)] if earned else [], redeemed, posted, on, matures)

	def settle_lots(self, who, lots, redeemed, posted, on, matures=None):
		self.posted[who] = posted
		self.release(who, max(0, self.redeemed(who) - redeemed))
		self.change_lots(who, posted, lots, matures)
		self.redeem(who, redeemed - self.redeemed(who), posted)
		self.cover(on)


class LotsMachine(RuleBasedStateMachine):
	"""Random invoices, redemptions, returns, adjustments, cancels, expiries and dates."""

	invoices = Bundle("invoices")
	adjustments = Bundle("adjustments")

	def __init__(self):
		super().__init__()
		self.entries, self.model = {}, Model()
		self.numbers, self.names = itertools.count(1), itertools.count(1)
		self.today = START + timedelta(days=20)
		self.facts, self.days, self.taken_off = {}, set(), []

	def new_name(self):
		return f"E{next(self.names):06}"

	def settle(self, who, earned, redeemed, on, strict=False, block=False):
		posted, expires, matures, kinds = self.facts[who]
		terms = Terms(Decimal(10)) if kinds is INVOICE else None
		lot = earned is not None and Earning(
			earned, Decimal(earned * 10), posted, expires, "Silver", terms, matures
		)
		wanted = Wanted(who, (lot,) if lot else (), redeemed, posted, on, self.today, strict, block, *kinds)
		self.entries = lots.settle(self.entries.values(), wanted, self.new_name)
		again = lots.settle(self.entries.values(), wanted, self.new_name)
		assert again == self.entries, "settling twice must change nothing"
		assert not any(e.is_lot and e.remaining and e.expiry_date < self.today for e in self.entries.values())
		self.model.settle(who, earned or 0, redeemed, posted, expires, on, matures)

	def post(self, who, back, duration, kinds, maturity=0):
		# Days are unique so that the model needs no names to break ties between spenders.
		posted = next(
			d for d in (self.today - timedelta(days=back - i) for i in range(1000)) if d not in self.days
		)
		self.days.add(posted)
		self.today = max(self.today, posted)
		matures = earning.spendable_from(posted, min(maturity, duration))
		self.facts[who] = (posted, posted + timedelta(days=duration), matures, kinds)
		self.model.posted[who] = posted
		return posted

	def refused(self, who, earned, redeemed, posted):
		"""Whether `who` asks for more than is spendable, which must be refused and change nothing."""
		if not redeemed or redeemed <= self.model.spendable(posted, who):
			return False
		before = self.entries
		try:
			self.settle(who, earned, redeemed, posted, strict=True)
		except NotEnoughPoints as e:
			assert e.spendable == max(0, self.model.spendable(posted, who))
			assert self.entries is before
			return True
		raise AssertionError("redeemed more than is spendable")

	@rule(
		target=invoices,
		earned=st.integers(0, 30),
		redeemed=st.one_of(st.just(0), st.integers(1, 30)),
		back=st.integers(0, 19),
		duration=st.integers(0, 15),
		maturity=st.integers(0, 15),
		block=st.booleans(),
	)
	def submit(self, earned, redeemed, back, duration, maturity, block):
		who = voucher(next(self.numbers))
		posted = self.post(who, back, duration, INVOICE, maturity)
		if self.refused(who, earned, redeemed, posted):
			redeemed = 0
		self.settle(who, earned, redeemed, posted, strict=True, block=block)
		return who, earned, redeemed

	@rule(target=invoices, invoice=consumes(invoices), part=st.integers(0, 10), block=st.booleans())
	def change(self, invoice, part, block):
		"""A return leaves a part of both; cancelling a return brings back more than was left."""
		who, earned, redeemed = invoice
		spent = sum(1 for t in self.model.tokens if t.lot.owner == who and t.spender is not None)
		try:
			self.settle(who, earned * part // 10, redeemed * part // 10, self.today, block=block)
		except AlreadySpent as e:
			assert block and e.points == spent - earned * part // 10 > 0
			assert len(set(e.vouchers)) == len(e.vouchers) > 0
			self.settle(who, earned * part // 10, redeemed * part // 10, self.today)
		return invoice

	@rule(
		target=adjustments,
		points=st.integers(-30, 30).filter(bool),
		back=st.integers(0, 19),
		duration=st.integers(0, 15),
		may_go_negative=st.booleans(),
	)
	def adjust(self, points, back, duration, may_go_negative):
		who = adjustment(next(self.numbers))
		posted = self.post(who, back, duration, ADJUSTMENT)
		plus, minus = (points, 0) if points > 0 else (None, -points)
		if not may_go_negative and self.refused(who, plus, minus, posted):
			minus = 0
		self.settle(who, plus, minus, posted, strict=not may_go_negative)
		return who

	@rule(points=st.integers(1, 30), back=st.integers(0, 19))
	def take_off(self, points, back):
		"""A deduction without a document, which comes on top of others and stays."""
		who = next(self.numbers)
		posted = self.post(who, back, 0, ADJUSTMENT)
		del self.facts[who]
		wanted = Wanted(NOBODY, (), points, posted, posted, self.today, True, False, *ADJUSTMENT, adds=True)
		enough = points <= self.model.spendable(posted)
		try:
			self.entries = lots.settle(self.entries.values(), wanted, self.new_name)
		except NotEnoughPoints:
			assert not enough
		else:
			assert enough
			self.taken_off.append(who)
			self.model.settle(who, 0, points, posted, posted, posted)

	@rule(who=consumes(adjustments))
	def cancel_adjustment(self, who):
		self.undo(who)

	@rule(invoice=consumes(invoices))
	def cancel(self, invoice):
		self.undo(invoice[0])

	def undo(self, who):
		self.settle(who, None, 0, self.today)
		own = [e for e in self.entries.values() if e.voucher == who]
		assert own == [], "what was cancelled keeps no entries"

	@rule(days=st.integers(1, 6))
	def wait(self, days):
		self.today += timedelta(days=days)

	@rule()
	def sweep(self):
		self.entries = lots.expire(self.entries.values(), self.today, self.new_name)
		assert not any(e.is_lot and e.remaining and e.expiry_date < self.today for e in self.entries.values())

	@invariant()
	def agrees_with_the_model(self):
		entries = self.entries.values()
		for who, (_posted, _expires, _matures, (lot_kind, draw_kind)) in self.facts.items():
			rows = [e for e in entries if e.kind is draw_kind and e.voucher == who and e.points < 0]
			assert -sum(e.points for e in rows) == self.model.redeemed(who)
			assert -sum(e.points for e in rows if e.is_shortfall) == self.model.debts.get(who, 0)
			own = [e for e in entries if e.kind is lot_kind and e.voucher == who and e.points >= 0]
			assert sum(e.points for e in own) == sum(t.lot.owner == who for t in self.model.tokens)
			free = sum(e.remaining for e in own)
			expired = -sum(e.points for e in entries if e.kind is Kind.EXPIRED and e.voucher == who)
			assert free + expired == len(self.model.free(lambda x: x.owner == who))
		rows = [e for e in entries if e.voucher == NOBODY and e.is_spending]
		assert -sum(e.points for e in rows) == sum(map(self.model.redeemed, self.taken_off))
		assert -sum(e.points for e in rows if e.is_shortfall) == sum(
			self.model.debts.get(who, 0) for who in self.taken_off
		)
		for on in (self.today, self.today + timedelta(days=5)):
			assert lots.spendable(entries, on) == self.model.spendable(on)

	@invariant()
	def is_sound(self):
		for e in self.entries.values():
			drawn = sum(d.points for d in self.entries.values() if d.lot == e.name)
			if e.points > 0:
				assert 0 <= e.remaining == e.points + drawn
			elif e.is_shortfall:
				assert e.remaining == e.points and e.expiry_date == lots.NEVER
			else:
				assert e.remaining == 0
				lot = self.entries.get(e.lot)
				assert not e.points or (lot.expiry_date, lot.tier) == (
					e.expiry_date,
					e.tier if e.kind is not Kind.EXPIRED else lot.tier,
				)
				assert not lot or lot.spendable_from == e.spendable_from
				assert not lot or lot.voucher != e.voucher or e.kind is Kind.EXPIRED
		unexpired = sum(e.points for e in self.entries.values() if e.expiry_date >= self.today)
		assert unexpired == sum(e.remaining for e in self.entries.values() if e.expiry_date >= self.today)


TestLots = LotsMachine.TestCase
TestLots.settings = settings(max_examples=150, stateful_step_count=25, deadline=None)


class TestMaturity(TestCase):
	"""Points that are not spendable yet."""

	def setUp(self):
		self.names = itertools.count(1)

	def settle(self, book, who, earned, redeemed, posted, on=None, matures=None):
		lot = Earning(earned, Decimal(earned), posted, date(2026, 6, 1), None, Terms(Decimal(1)), matures)
		wanted = Wanted(
			who, (lot,) if earned else (), redeemed, posted, on or posted, on or posted, True, False, *INVOICE
		)
		return lots.settle(book.values(), wanted, lambda: f"N{next(self.names)}")

	def test_they_pay_from_their_day_on(self):
		first = START + timedelta(days=14)
		book = self.settle({}, voucher(1), 10, 0, START, matures=first)
		with self.assertRaises(NotEnoughPoints) as caught:
			self.settle(book, voucher(2), 0, 1, first - timedelta(days=1))
		self.assertEqual(caught.exception.spendable, 0)
		after = self.settle(book, voucher(2), 0, 10, first)
		self.assertEqual(lots.spendable(after.values(), first), 0)

	def test_they_settle_a_shortfall_at_once(self):
		book = self.settle({}, voucher(1), 10, 0, START)
		book = self.settle(book, voucher(2), 0, 10, START)
		book = self.settle(book, voucher(1), 0, 0, START)
		self.assertEqual(lots.spendable(book.values(), START), -10)
		first = START + timedelta(days=14)
		book = self.settle(book, voucher(3), 15, 0, START, matures=first)
		self.assertEqual([lots.spendable(book.values(), on) for on in (START, first)], [0, 5])


class TestGivingBack(TestCase):
	def test_what_was_drawn_last_goes_back_first(self):
		"""Of lots that are good through one day, the one that was posted later was drawn on later; names do not say it."""
		last, who = date(2026, 6, 1), voucher("9")
		early, late = (
			Entry(name, Kind.EARNED, voucher(name), 10, 10, START - timedelta(days=ago), last)
			for name, ago in (("B", 2), ("A", 1))
		)
		names = iter(("Z", "Y"))

		def settle(book, redeemed):
			return lots.settle(
				book,
				Wanted(who, (), redeemed, START, START, START, True, False, *INVOICE),
				lambda: next(names),
			)

		book = settle([early, late], 15)
		self.assertEqual((book["Z"].lot, book["Y"].lot), ("B", "A"))
		after = settle(book.values(), 8)
		self.assertEqual((after["B"].remaining, after["A"].remaining), (2, 10))


class TestAdding(TestCase):
	"""Entries that come on top of whatever their document, if they have one, has already."""

	def setUp(self):
		self.names = itertools.count(1)

	def new_name(self):
		return f"N{next(self.names)}"

	def entry(self, name, points, expires=date(2026, 6, 1), who=NOBODY):
		return Entry(name, Kind.ADJUSTED, who, points, max(points, 0), START, expires)

	def two_lots(self):
		return [self.entry(n, 10, date(2026, 6, d), voucher(n)) for n, d in (("B", 2), ("A", 1))]

	def add(self, book, points, who=NOBODY, from_lot=None):
		earnings = (Earning(points, Decimal(0), START, date(2026, 6, 1), None),) if points > 0 else ()
		wanted = Wanted(
			who,
			earnings,
			max(-points, 0),
			START,
			START,
			START,
			True,
			False,
			*ADJUSTMENT,
			"Bonus",
			from_lot,
			True,
		)
		return lots.settle(book, wanted, self.new_name)

	def test_negative_points_are_drawn_from_lots(self):
		after = self.add(self.two_lots(), -15)
		self.assertEqual((after["N1"].points, after["N1"].lot, after["N1"].reason), (-10, "A", "Bonus"))
		self.assertEqual((after["N2"].points, after["N2"].lot), (-5, "B"))
		self.assertEqual((after["A"].remaining, after["B"].remaining), (0, 5))

	def test_entries_without_a_document_have_nothing_in_common(self):
		after = self.add([self.entry("A", 10)], -4)
		self.assertEqual((after["A"].remaining, after["N1"].lot), (6, "A"))
		debt = lots.replace(self.entry("D", -3), remaining=-3, expiry_date=lots.NEVER)
		after = self.add([debt], 10)
		self.assertEqual((after["N2"].remaining, after["D"].lot), (7, "N2"))

	def test_a_second_bonus_with_an_invoice_leaves_the_first(self):
		after = self.add([self.entry("A", 10, who=voucher(1))], 5, voucher(1))
		self.assertEqual((after["A"].remaining, after["N1"].remaining), (10, 5))

	def test_more_than_there_is_is_refused(self):
		with self.assertRaises(NotEnoughPoints) as caught:
			self.add(self.two_lots()[:1], -11)
		self.assertEqual((caught.exception.asked, caught.exception.spendable), (11, 10))

	def test_a_named_lot_is_the_one_drawn_on(self):
		after = self.add(self.two_lots(), -5, from_lot="B")
		self.assertEqual((after["A"].remaining, after["B"].remaining), (10, 5))
		with self.assertRaises(NotEnoughPoints):
			self.add(self.two_lots(), -11, from_lot="B")
		with self.assertRaises(NoSuchLot):
			self.add(self.two_lots(), -1, from_lot="C")


class TestOverdrawnLots(TestCase):
	"""Somebody has taken points from a lot in the table after they were spent: no points come of that."""

	def settle(self, book, redeem, invoice=3):
		names = itertools.count(1)
		wanted = Wanted(voucher(invoice), (), redeem, START, START, START)
		return lots.settle(book, wanted, lambda: f"N{next(names)}")

	def book(self, remaining=0):
		"""60 points drawn from a lot of 30, with so many left of it, and another lot."""
		good = date(2026, 6, 1)
		return [
			Entry("L", Kind.EARNED, voucher(1), 30, remaining, START, good, terms=Terms(Decimal(1))),
			Entry("R", Kind.REDEEMED, voucher(2), -60, 0, START, good, "L"),
			Entry("M", Kind.EARNED, voucher(4), 100, 100, START, good, terms=Terms(Decimal(1))),
		]

	def test_nothing_is_drawn_from_one(self):
		for remaining in (0, -30):
			after = self.settle(self.book(remaining), 50)
			self.assertEqual((after["L"].remaining, after["M"].remaining), (remaining, 50))
			self.assertEqual(
				[(e.points, e.lot) for e in after.values() if e.voucher == voucher(3)], [(-50, "M")]
			)
			self.assertEqual(self.settle(after.values(), 0), {e.name: e for e in self.book(remaining)})

	def test_it_gets_back_no_more_than_it_had(self):
		after = self.settle(self.book(), 0, invoice=2)
		self.assertEqual((after["L"].remaining, after["M"].remaining), (30, 100))
		self.assertNotIn("R", after)


class TestSeveralLots(TestCase):
	"""A transfer brings over lots that keep their expiry dates."""

	def test_all_of_them_go_with_their_voucher(self):
		names = itertools.count(1)
		who, spender = adjustment(1), voucher(2)
		earnings = tuple(
			Earning(points, Decimal(0), START, date(2026, 6, day), "Silver")
			for points, day in ((5, 2), (3, 1))
		)

		def wanted(who, earnings, redeem, kinds, block=False):
			return Wanted(who, earnings, redeem, START, START, START, True, block, *kinds)

		def settle(entries, *args, **kwargs):
			return lots.settle(entries.values(), wanted(*args, **kwargs), lambda: f"N{next(names)}")

		brought = settle({}, who, earnings, 0, ADJUSTMENT)
		self.assertEqual({(e.points, e.expiry_date.day) for e in brought.values()}, {(5, 2), (3, 1)})
		self.assertEqual(settle(brought, who, earnings, 0, ADJUSTMENT), brought)
		spent = settle(brought, spender, (), 4, INVOICE)
		with self.assertRaises(AlreadySpent):
			settle(spent, who, (), 0, ADJUSTMENT, block=True)
		(debt,) = settle(spent, who, (), 0, ADJUSTMENT).values()
		self.assertEqual((debt.points, debt.lot, debt.voucher), (-4, None, spender))


class TestAlreadySpent(TestCase):
	def test_it_names_all_who_spent_also_those_without_a_document(self):
		names = itertools.count(1)

		def settle(entries, *args):
			return lots.settle(entries.values(), Wanted(*args), lambda: f"N{next(names)}")

		lot = Earning(10, Decimal(10), START, date(2026, 6, 1), "Silver", Terms(Decimal(1)))
		book = settle({}, voucher(1), (lot,), 0, START, START, START)
		for who in (NOBODY, voucher(2), adjustment(3)):
			book = settle(book, who, (), 3, START, START, START)
		with self.assertRaises(AlreadySpent) as refused:
			settle(book, voucher(1), (), 0, START, START, START, True, True)
		self.assertEqual(refused.exception.points, 9)
		self.assertEqual(refused.exception.vouchers, (NOBODY, adjustment(3), voucher(2)))


class TestAdopt(TestCase):
	"""Entries that ERPNext left: what is spendable stays what it showed."""

	def test_an_overdrawn_lot_becomes_a_recorded_shortfall(self):
		names = itertools.count(1)
		rows = [
			Entry("L", Kind.EARNED, voucher(1), 100, 0, START, date(2026, 6, 1), terms=Terms(Decimal(1))),
			Entry("R1", Kind.REDEEMED, voucher(2), -80, 0, START, date(2026, 6, 1), "L"),
			Entry("R2", Kind.REDEEMED, voucher(3), -70, 0, START, date(2026, 6, 1), "L"),
			Entry("R3", Kind.REDEEMED, voucher(4), -5, 0, START, date(2026, 6, 1), "gone"),
		]
		after = lots.adopt(rows, START, lambda: f"N{next(names)}")
		self.assertEqual(after["L"].remaining, 0)
		self.assertEqual(lots.spendable(after.values(), START), sum(r.points for r in rows))
		self.assertTrue(after["R3"].is_shortfall)

	def test_what_was_overdrawn_and_has_expired_counts_no_more(self):
		names = itertools.count(1)
		rows = [
			Entry("L", Kind.EARNED, voucher(1), 100, 0, START, date(2026, 2, 1), terms=Terms(Decimal(1))),
			Entry("R", Kind.REDEEMED, voucher(2), -150, 0, START, date(2026, 2, 1), "L"),
		]
		after = lots.adopt(rows, date(2026, 3, 1), lambda: f"N{next(names)}")
		self.assertEqual(lots.spendable(after.values(), date(2026, 3, 1)), 0)
		self.assertFalse(any(e.is_shortfall for e in after.values()))
