"""Tiers: rows of a program's collection rules."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Tier:
	"""One collection rule. `minimum` is total spend, `factor` the spend per point (company currency)."""

	name: str
	minimum: Decimal
	factor: Decimal


def tier_for(tiers: Iterable[Tier], spend: Decimal) -> Tier | None:
	"""The tier with the highest minimum that `spend` reaches; None below the lowest minimum.

	Manual 3.1: a customer at the minimum has the tier ("upon minimum spent of 6,000, Gold").
	"""
	return max((t for t in tiers if t.minimum <= spend), key=lambda t: t.minimum, default=None)


def next_tier(tiers: Iterable[Tier], spend: Decimal) -> Tier | None:
	"""The lowest tier that `spend` does not reach yet; None at the top."""
	return min((t for t in tiers if t.minimum > spend), key=lambda t: t.minimum, default=None)
