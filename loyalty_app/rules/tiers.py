"""Tiers: rows of a program's collection rules, and how long they are held."""

import enum
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import NamedTuple


@dataclass(frozen=True, slots=True)
class Tier:
	"""One collection rule. `minimum` is total spend, `factor` the spend per point (company currency)."""

	name: str
	minimum: Decimal
	factor: Decimal


class Downgrade(str, enum.Enum):
	"""What becomes of a tier that was not earned again when a period ends; values are the options of Loyalty Program."""

	NEVER = "Never"
	ONE_TIER = "One Tier"
	TO_EARNED = "To the Tier Earned"


class Window(NamedTuple):
	"""The first and the last of the months, by their first days, whose spend counts."""

	first: date
	last: date


@dataclass(frozen=True, slots=True)
class Standing:
	"""What a member holds beside what the windows of `evaluated_on` and of later days come to.

	kept: the tier that is held whatever was spent in those.
	evaluated_on: the last day of the period for which tiers were lowered last.
	"""

	kept: Tier | None
	evaluated_on: date


def tier_for(tiers: Iterable[Tier], spend: Decimal) -> Tier | None:
	"""The tier with the highest minimum that `spend` reaches; None below the lowest minimum.

	Manual 3.1: a customer at the minimum has the tier ("upon minimum spent of 6,000, Gold").
	"""
	return max((t for t in tiers if t.minimum <= spend), key=lambda t: t.minimum, default=None)


def next_tier(tiers: Iterable[Tier], spend: Decimal) -> Tier | None:
	"""The lowest tier that `spend` does not reach yet; None at the top."""
	return min((t for t in tiers if t.minimum > spend), key=lambda t: t.minimum, default=None)


def reached(tiers: Iterable[Tier], spend: Decimal) -> Tier | None:
	"""The tier that who has spent `spend` is shown; none before anything was spent."""
	return tier_for(tiers, spend) if spend > 0 else None


def highest(tiers: Iterable[Tier | None]) -> Tier | None:
	return max(filter(None, tiers), key=lambda t: t.minimum, default=None)


def below(tiers: Iterable[Tier], tier: Tier | None) -> Tier | None:
	"""The tier under `tier`; None under the lowest."""
	return highest(t for t in tiers if t.minimum < tier.minimum) if tier else None


def month_of(day: date) -> date:
	"""The month of `day`, by its first day."""
	return day.replace(day=1)


def last_months(on: date, months: int) -> Window:
	"""The month of `on` and those before it, so many whole months in all."""
	year, month = divmod(on.year * 12 + on.month - months, 12)
	return Window(date(year, month + 1, 1), month_of(on))


def spent_in(by_month: dict[date, Decimal], window: Window) -> Decimal:
	return sum((s for m, s in by_month.items() if window.first <= m <= window.last), Decimal(0))


def held(
	tiers: Iterable[Tier],
	standing: Standing,
	ends: Iterable[date],
	on: date,
	spent: Callable[[date], Decimal],
) -> Tier | None:
	"""The tier held on `on`; `ends` are the days on which periods ended since `standing` was evaluated, and `spent` is
	what was spent in the window of a day.

	Time alone takes nothing away; spend that is taken back does, down to what was kept.
	"""
	days = (standing.evaluated_on, *ends, on)
	return highest((standing.kept, *(reached(tiers, spent(day)) for day in days)))


def evaluate(
	tiers: Sequence[Tier],
	standing: Standing,
	ends: Iterable[date],
	downgrade: Downgrade,
	spent: Callable[[date], Decimal],
) -> Standing:
	"""`standing` after the periods that ended on `ends`, in their order.

	A tier is earned again when the window of a period's last day comes to it. Where it is not, all of it is kept, or the
	tier below it, or nothing; once for each end, however late that is done.
	"""
	for end in ends:
		earned = reached(tiers, spent(end))
		had = held(tiers, standing, (), end, spent)
		unearned = had if had and (not earned or had.minimum > earned.minimum) else standing.kept
		kept = {
			Downgrade.NEVER: unearned,
			Downgrade.ONE_TIER: below(tiers, unearned),
			Downgrade.TO_EARNED: None,
		}[downgrade]
		standing = Standing(kept, end)
	return standing
