"""Promotions: points that lines of an invoice earn beside the base points (docs/promotions.md).

Base points are the whole invoice's; a promotion gives whole points for the lines it is for, and spreads them over
those lines by largest remainder, so that lines add up and a return can take back what its lines earned.
"""

import enum
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

# What an item is: ("Item", its code), ("Brand", its brand), ("Item Group", each group it lies in).
Kinds = frozenset[tuple[str, str]]

# Documents round their amounts: by this part of a line's, or a cent a return, what is paid back for it may be off.
ROUNDING = Fraction(1, 100)


class Effect(str, enum.Enum):
	"""Values are the options of Loyalty Promotion's *Effect*."""

	MULTIPLY = "Multiply Points"
	PER_AMOUNT = "Points per Amount"
	FIXED = "Fixed Bonus"


@dataclass(frozen=True, slots=True)
class Promotion:
	"""A Loyalty Promotion. What is empty, zero or False is no condition; money is company currency.

	`multiplier` is of MULTIPLY (2 doubles), `points` of the others, for each whole `per_amount` of PER_AMOUNT.
	`weekdays` counts from Monday, 0. `adds`: comes on top of others; else a line gets the best of those that do not.
	Limits are numbers of invoices.
	"""

	name: str
	effect: Effect
	multiplier: Decimal = Decimal(1)
	points: int = 0
	per_amount: Decimal = Decimal(0)
	adds: bool = True
	from_date: date = date.min
	to_date: date | None = None
	weekdays: frozenset[int] = frozenset()
	from_time: time = time.min
	to_time: time = time.min
	items: Kinds = frozenset()
	except_items: Kinds = frozenset()
	minimum: Decimal = Decimal(0)
	customer_group: str | None = None
	territory: str | None = None
	tier: str | None = None
	first_purchase: bool = False
	birthday_month: bool = False
	code: str = ""
	limit: int = 0
	limit_per_customer: int = 0


@dataclass(frozen=True, slots=True)
class Line:
	"""A line of an invoice that earns; `net` is its net amount, `kinds` what its item is."""

	name: str
	net: Decimal
	kinds: Kinds = frozenset()


@dataclass(frozen=True, slots=True)
class Sale:
	"""What promotions look at: an invoice whose `eligible` amount earns a base point for each `factor`.

	`customer_groups` and `territories` hold the customer's own and those above it. `is_first`: nothing was spent in
	the program before.
	"""

	at: datetime
	eligible: Decimal
	factor: Decimal
	lines: tuple[Line, ...]
	tier: str | None = None
	customer_groups: frozenset[str] = frozenset()
	territories: frozenset[str] = frozenset()
	birth_month: int | None = None
	is_first: bool = False
	code: str = ""


class Given(NamedTuple):
	"""Points that a promotion gave for a line."""

	promotion: str
	line: str
	points: int


@dataclass(frozen=True, slots=True)
class Offer:
	"""What a promotion would give for a sale: `points` in all, line by line in `split`; `parts` is the exact part of
	them that each line stands for."""

	promotion: Promotion
	points: int
	split: dict[str, int]
	parts: dict[str, Fraction]


def is_on(promotion: Promotion, at: datetime) -> bool:
	"""Whether `promotion` runs at the posting date and time `at`.

	Its last day is included, its last minute is not. Hours that end before they begin go past midnight and belong to
	the day on which they begin; where both are the same, it is all day long.
	"""
	day, now = at.date(), at.time()
	begins, ends = promotion.from_time, promotion.to_time
	if (begins < ends and not begins <= now < ends) or ends <= now < begins:
		return False
	if now < ends < begins:
		day -= timedelta(days=1)
	return (
		promotion.from_date <= day
		and not (promotion.to_date and promotion.to_date < day)
		and (not promotion.weekdays or day.weekday() in promotion.weekdays)
	)


def is_for(promotion: Promotion, sale: Sale) -> bool:
	"""Whether `promotion` runs at the time of `sale` and is for its customer."""
	return (
		is_on(promotion, sale.at)
		and (not promotion.customer_group or promotion.customer_group in sale.customer_groups)
		and (not promotion.territory or promotion.territory in sale.territories)
		and (not promotion.tier or promotion.tier == sale.tier)
		and (not promotion.first_purchase or sale.is_first)
		and (not promotion.birthday_month or sale.birth_month == sale.at.month)
		and (not promotion.code or same_code(promotion.code, sale.code))
	)


def same_code(one: str, other: str) -> bool:
	"""Whether two codes are the same, as people type them."""
	return one.strip().casefold() == other.strip().casefold()


def is_for_line(promotion: Promotion, line: Line) -> bool:
	return (not promotion.items or bool(promotion.items & line.kinds)) and not (
		promotion.except_items & line.kinds
	)


def shares(sale: Sale) -> dict[str, Fraction]:
	"""The part of the eligible amount that each line stands for, by its net amount; they add up to it.

	A line below zero, as a discount, makes all others smaller and stands for nothing itself.
	"""
	net = {line.name: Fraction(max(line.net, Decimal(0))) for line in sale.lines}
	total, eligible = sum(net.values()), Fraction(max(sale.eligible, Decimal(0)))
	return {name: eligible * part / total if total else Fraction(0) for name, part in net.items()}


def points_of(promotion: Promotion, amount: Fraction, factor: Decimal) -> int:
	"""Whole points that `promotion` gives for `amount` of a sale that earns a base point for each `factor`."""
	if amount <= 0 or amount < promotion.minimum:
		return 0
	if promotion.effect is Effect.MULTIPLY:
		return max(int((Fraction(promotion.multiplier) - 1) * amount // Fraction(factor)), 0)
	if promotion.effect is Effect.PER_AMOUNT:
		return int(amount // Fraction(promotion.per_amount)) * promotion.points
	return promotion.points


def split(points: int, parts: Mapping[str, Fraction]) -> dict[str, int]:
	"""`points` spread over lines in proportion to `parts`, which are not all 0: whole points, by largest remainder."""
	total = sum(parts.values())
	exact = {name: points * part / total for name, part in parts.items()}
	whole = {name: int(part) for name, part in exact.items()}
	by_remainder = sorted(parts, key=lambda name: whole[name] - exact[name])
	for name in by_remainder[: points - sum(whole.values())]:
		whole[name] += 1
	return whole


def offers(promotions: Iterable[Promotion], sale: Sale) -> list[Offer]:
	"""What each of `promotions` would give for `sale` if there were no others and no limits."""
	found, by_line = [], shares(sale)
	for promotion in promotions:
		if not is_for(promotion, sale):
			continue
		parts = {line.name: by_line[line.name] for line in sale.lines if is_for_line(promotion, line)}
		amount = sum(parts.values(), Fraction(0))
		if points := points_of(promotion, amount, sale.factor):
			parts = {name: points * part / amount for name, part in parts.items()}
			found.append(Offer(promotion, points, split(points, parts), parts))
	return found


def given(found: Iterable[Offer]) -> tuple[Given, ...]:
	"""What a sale gets of the offers `found`, in the order of promotions' and lines' names.

	Of promotions that do not add to others, a line gets the one that is best for it.
	"""
	found = list(found)
	best: dict[str, Offer] = {}
	for offer in sorted(found, key=lambda o: o.promotion.name, reverse=True):
		for line, part in offer.parts.items() if not offer.promotion.adds else ():
			if line not in best or part >= best[line].parts[line]:
				best[line] = offer
	return tuple(
		sorted(
			Given(offer.promotion.name, line, points)
			for offer in found
			for line, points in offer.split.items()
			if points and (offer.promotion.adds or best[line] is offer)
		)
	)


class Row(NamedTuple):
	"""A line that was sold, or a line of a return with what it gives back, as positive numbers.

	`line` is the name of the line sold; None where a return does not say which.
	"""

	line: str | None
	item: str | None
	qty: Decimal
	net: Decimal


def parts_left(sold: Iterable[Row], returned: Iterable[Row], places: int = 2) -> dict[str, Fraction]:
	"""The part, from 0 to 1, of each line `sold` that is left after what was `returned`; money has `places` decimals.

	The price decides, where a return paid back another one than that of its quantity. A return that does not say
	which line it is of is of the first lines with its item, at their price.
	"""
	sold = list(sold)
	qty = {row.line: Fraction(row.qty) for row in sold}
	net = {row.line: Fraction(row.net) for row in sold}
	times = Counter()

	def take(line: str, part: Fraction, amount: Fraction) -> None:
		qty[line] -= part
		net[line] -= amount
		times[line] += 1

	for row in sorted(returned, key=lambda r: r.line not in qty):
		if row.line in qty:
			take(row.line, Fraction(row.qty), Fraction(row.net))
			continue
		back = Fraction(row.qty)
		for line in [s for s in sold if s.item == row.item]:
			if part := min(max(qty[line.line], Fraction(0)), back):
				take(line.line, part, Fraction(line.net) * part / Fraction(line.qty))
				back -= part
	cent = Fraction(1, 10**places)
	return {
		row.line: _part(
			row, qty[row.line], net[row.line], max(Fraction(row.net) * ROUNDING, times[row.line] * cent)
		)
		for row in sold
	}


def _part(sold: Row, qty_left: Fraction, net_left: Fraction, rounding: Fraction) -> Fraction:
	net = Fraction(sold.net)
	by_qty = qty_left / Fraction(sold.qty) if sold.qty else Fraction(0)
	part = by_qty if not net or abs(by_qty * net - net_left) <= rounding else net_left / net
	return min(max(part, Fraction(0)), Fraction(1))


def kept(given: Iterable[Given], left: Mapping[str, Fraction]) -> tuple[Given, ...]:
	"""What is kept of the points `given` where `left` is left of the lines: never rounded up."""
	return tuple(g._replace(points=int(g.points * left.get(g.line, Fraction(0)))) for g in given)
