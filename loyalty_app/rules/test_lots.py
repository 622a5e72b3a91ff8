"""The lots against a slow obvious model in which every single point is a token of its own."""

import itertools
from datetime import date, timedelta
from decimal import Decimal
from unittest import TestCase

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from loyalty_app.rules import lots
from loyalty_app.rules.lots import (
	AlreadySpent,
	Earning,
	Entry,
	Kind,
	NotEnoughPoints,
	Terms,
	Voucher,
	Wanted,
)

START = date(2026, 1, 1)


def voucher(number) -> Voucher:
	return Voucher("Sales Invoice", f"INV-{number}")


class Token:
	"""One point: the lot it belongs to, and the voucher that spent it."""

	def __init__(self, lot, spender=None):
		self.lot, self.spender = lot, spender


class Lot:
	def __init__(self, made, owner, posted, expires):
		self.made, self.owner, self.posted, self.expires = made, owner, posted, expires

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
		return self.free(lambda lot: lot.posted <= on <= lot.expires and lot.owner != who)

	def spendable(self, on, who=None):
		return len(self.payable(who, on)) - sum(self.debts.values())

	def release(self, who, surplus):
		from_debt = min(surplus, self.debts.get(who, 0))
		self.debts[who] = self.debts.get(who, 0) - from_debt
		for token in sorted(self.spent_by(who), key=lambda t: t.lot.order(), reverse=True)[
			: surplus - from_debt
		]:
			token.spender = None

	def change_lot(self, who, count, posted, expires):
		old = [t for t in self.tokens if t.lot.owner == who]
		if len(old) == count:
			return
		spenders = sorted((t.spender for t in old if t.spender), key=lambda s: self.posted[s])
		self.tokens = [t for t in self.tokens if t.lot.owner != who]
		lot = Lot(next(self.made), who, posted, expires)
		self.tokens += [Token(lot, spenders[i] if i < len(spenders) else None) for i in range(count)]
		for spender in spenders[count:]:
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

	def settle(self, who, earned, redeemed, posted, expires, on):
		self.posted[who] = posted
		self.release(who, max(0, self.redeemed(who) - redeemed))
		self.change_lot(who, earned, posted, expires)
		self.redeem(who, redeemed - self.redeemed(who), posted)
		self.cover(on)


class LotsMachine(RuleBasedStateMachine):
	"""Random invoices, redemptions, returns, cancels, expiries and dates."""

	invoices = Bundle("invoices")

	def __init__(self):
		super().__init__()
		self.entries, self.model = {}, Model()
		self.numbers, self.names = itertools.count(1), itertools.count(1)
		self.today = START + timedelta(days=20)
		self.facts, self.days = {}, set()

	def new_name(self):
		return f"E{next(self.names):06}"

	def settle(self, number, earned, redeemed, on, strict=False, block=False):
		posted, expires = self.facts[number]
		who = voucher(number)
		earning = earned is not None and Earning(
			earned, Decimal(earned * 10), posted, expires, "Silver", Terms(Decimal(10))
		)
		wanted = Wanted(who, earning or None, redeemed, posted, on, self.today, strict, block)
		self.entries = lots.settle(self.entries.values(), wanted, self.new_name)
		again = lots.settle(self.entries.values(), wanted, self.new_name)
		assert again == self.entries, "settling twice must change nothing"
		assert not any(e.is_lot and e.remaining and e.expiry_date < self.today for e in self.entries.values())
		self.model.settle(who, earned or 0, redeemed, posted, expires, on)

	@rule(
		target=invoices,
		earned=st.integers(0, 30),
		redeemed=st.one_of(st.just(0), st.integers(1, 30)),
		back=st.integers(0, 19),
		duration=st.integers(0, 15),
		block=st.booleans(),
	)
	def submit(self, earned, redeemed, back, duration, block):
		number = next(self.numbers)
		# Days are unique so that the model needs no names to break ties between spenders.
		posted = next(
			d for d in (self.today - timedelta(days=back - i) for i in range(1000)) if d not in self.days
		)
		self.days.add(posted)
		self.today = max(self.today, posted)
		self.facts[number] = (posted, posted + timedelta(days=duration))
		self.model.posted[voucher(number)] = posted
		if redeemed and redeemed > self.model.spendable(posted, voucher(number)):
			before = self.entries
			try:
				self.settle(number, earned, redeemed, posted, strict=True)
			except NotEnoughPoints as e:
				assert e.spendable == max(0, self.model.spendable(posted, voucher(number)))
				assert self.entries is before
			else:
				raise AssertionError("redeemed more than is spendable")
			redeemed = 0
		self.settle(number, earned, redeemed, posted, strict=True, block=block)
		return number, earned, redeemed

	@rule(target=invoices, invoice=consumes(invoices), part=st.integers(0, 10), block=st.booleans())
	def change(self, invoice, part, block):
		"""A return leaves a part of both; cancelling a return brings back more than was left."""
		number, earned, redeemed = invoice
		spent = sum(1 for t in self.model.tokens if t.lot.owner == voucher(number) and t.spender is not None)
		try:
			self.settle(number, earned * part // 10, redeemed * part // 10, self.today, block=block)
		except AlreadySpent as e:
			assert block and e.points == spent - earned * part // 10 > 0
			self.settle(number, earned * part // 10, redeemed * part // 10, self.today)
		return invoice

	@rule(invoice=consumes(invoices))
	def cancel(self, invoice):
		self.settle(invoice[0], None, 0, self.today)
		own = [e for e in self.entries.values() if e.voucher == voucher(invoice[0])]
		assert own == [], "a cancelled invoice keeps no entries"

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
		for number in self.facts:
			who = voucher(number)
			rows = [e for e in entries if e.kind is Kind.REDEEMED and e.voucher == who]
			assert -sum(e.points for e in rows) == self.model.redeemed(who)
			assert -sum(e.points for e in rows if e.is_shortfall) == self.model.debts.get(who, 0)
			lot = sum(e.points for e in entries if e.kind is Kind.EARNED and e.voucher == who)
			assert lot == sum(t.lot.owner == who for t in self.model.tokens)
			free = sum(e.remaining for e in entries if e.kind is Kind.EARNED and e.voucher == who)
			expired = -sum(e.points for e in entries if e.kind is Kind.EXPIRED and e.voucher == who)
			assert free + expired == len(self.model.free(lambda x: x.owner == who))
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
				assert not lot or lot.voucher != e.voucher or e.kind is Kind.EXPIRED
		unexpired = sum(e.points for e in self.entries.values() if e.expiry_date >= self.today)
		assert unexpired == sum(e.remaining for e in self.entries.values() if e.expiry_date >= self.today)


TestLots = LotsMachine.TestCase
TestLots.settings = settings(max_examples=150, stateful_step_count=25, deadline=None)


class TestAdjust(TestCase):
	def setUp(self):
		self.names = itertools.count(1)

	def new_name(self):
		return f"N{next(self.names)}"

	def entry(self, name, points, expires=None, lot=None):
		return Entry(
			name,
			Kind.ADJUSTED,
			Voucher(None, None),
			points,
			max(points, 0),
			START,
			expires or date(2026, 6, 1),
			lot,
		)

	def test_negative_points_are_drawn_from_lots_and_the_first_row_keeps_its_name(self):
		book = [replace_voucher(self.entry(n, 10, date(2026, 6, d)), n) for n, d in (("B", 2), ("A", 1))]
		after = lots.adjust(book, self.entry("ADJ", -15), START, self.new_name)
		self.assertEqual((after["ADJ"].points, after["ADJ"].lot), (-10, "A"))
		self.assertEqual((after["N1"].points, after["N1"].lot), (-5, "B"))
		self.assertEqual((after["A"].remaining, after["B"].remaining), (0, 5))

	def test_entries_without_a_document_have_nothing_in_common(self):
		after = lots.adjust([self.entry("A", 10)], self.entry("ADJ", -4), START, self.new_name)
		self.assertEqual((after["A"].remaining, after["ADJ"].lot), (6, "A"))
		debt = lots.replace(self.entry("D", -3), remaining=-3, expiry_date=lots.NEVER)
		after = lots.adjust([debt], self.entry("B", 10), START, self.new_name)
		self.assertEqual((after["B"].remaining, after["D"].lot), (7, "B"))

	def test_more_than_there_is_is_refused(self):
		with self.assertRaises(NotEnoughPoints) as caught:
			lots.adjust(
				[replace_voucher(self.entry("A", 10), "A")], self.entry("ADJ", -11), START, self.new_name
			)
		self.assertEqual((caught.exception.asked, caught.exception.spendable), (11, 10))

	def test_a_named_lot_is_the_one_drawn_on(self):
		book = [replace_voucher(self.entry(n, 10, date(2026, 6, d)), n) for n, d in (("B", 2), ("A", 1))]
		after = lots.adjust(book, self.entry("ADJ", -5, lot="B"), START, self.new_name)
		self.assertEqual((after["A"].remaining, after["B"].remaining), (10, 5))
		with self.assertRaises(NotEnoughPoints):
			lots.adjust(book, self.entry("ADJ", -11, lot="B"), START, self.new_name)


def replace_voucher(entry, name):
	return lots.replace(entry, voucher=voucher(name))


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
