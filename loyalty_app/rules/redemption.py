"""Redeeming: what points pay, and how much of it a return takes back."""

from dataclasses import dataclass
from decimal import Decimal

from loyalty_app.rules.amounts import rounded


def worth(points: int, conversion_factor: Decimal, places: int = 2) -> Decimal:
	"""The value of `points` in company currency."""
	return rounded(points * conversion_factor, places)


@dataclass(frozen=True, slots=True)
class Limits:
	"""A program's limits on one redemption; 0 means no limit.

	`share` is the largest part of an invoice, in percent, that points may pay.
	"""

	minimum: int = 0
	step: int = 0
	share: Decimal = Decimal(0)


def largest_redemption(
	spendable: int, total: Decimal, conversion_factor: Decimal, limits: Limits = Limits(), places: int = 2
) -> int:
	"""The most points that may be redeemed on an invoice of `total`, 0 when none may.

	`spendable` points on the posting date; `total` is the rounded total where rounding is on.
	"""
	if spendable <= 0 or total <= 0 or conversion_factor <= 0:
		return 0
	payable = total * limits.share / 100 if limits.share else total
	points = min(spendable, int(payable // conversion_factor))
	# Rounding the value may carry it just over the total, never by more than one point.
	while points and worth(points, conversion_factor, places) > payable:
		points -= 1
	if limits.step > 1:
		points -= points % limits.step
	return points if points >= limits.minimum else 0


def points_given_back(redeemed: int, returned: Decimal, total: Decimal) -> int:
	"""Points that go back when `returned` of an invoice's `total` has been returned, over all its returns.

	In proportion, rounded down; all of them once everything is back. Amounts are not negative.
	"""
	if returned >= total:
		return redeemed
	return int(redeemed * max(returned, Decimal(0)) // total)


def value_given_back(given_back: int, redeemed: int, value: Decimal, places: int = 2) -> Decimal:
	"""The part of a redemption's `value` that `given_back` of its `redeemed` points stand for."""
	if given_back >= redeemed:
		return value
	return rounded(value * given_back / redeemed, places)
