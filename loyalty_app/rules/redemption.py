"""Redeeming: what points pay, and how much of it a return takes back."""

import enum
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal

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

	@property
	def least(self) -> int:
		"""The fewest points that can be redeemed at a time: the first step from the minimum on."""
		step = max(self.step, 1)
		return max(-(-self.minimum // step), 1) * step

	def payable(self, total: Decimal) -> Decimal:
		"""What points may pay of an invoice of `total`."""
		return total * self.share / 100 if self.share else total


class Refusal(enum.Enum):
	"""Why so many points may not be redeemed on an invoice, whoever has them."""

	NONE_ASKED = enum.auto()
	WORTH_NOTHING = enum.auto()
	ABOVE_TOTAL = enum.auto()
	BELOW_MINIMUM = enum.auto()
	BETWEEN_STEPS = enum.auto()
	ABOVE_SHARE = enum.auto()


def refusal_of(
	points: int, total: Decimal, conversion_factor: Decimal, limits: Limits = Limits(), places: int = 2
) -> Refusal | None:
	"""Why `points` may not be redeemed on an invoice of `total` (the rounded one where rounding is on); None if they may.

	Rules 5.
	"""
	amount = worth(points, conversion_factor, places)
	reasons = {
		Refusal.NONE_ASKED: points <= 0,
		Refusal.WORTH_NOTHING: amount <= 0,
		Refusal.ABOVE_TOTAL: amount > total,
		Refusal.BELOW_MINIMUM: points < limits.minimum,
		Refusal.BETWEEN_STEPS: points % max(limits.step, 1) != 0,
		Refusal.ABOVE_SHARE: amount > limits.payable(total),
	}
	return next((reason for reason, holds in reasons.items() if holds), None)


def largest_redemption(
	spendable: int, total: Decimal, conversion_factor: Decimal, limits: Limits = Limits(), places: int = 2
) -> int:
	"""The most points for which there is no `refusal_of`, 0 when none may be redeemed.

	`spendable` points on the posting date; `total` is the rounded total where rounding is on.
	"""
	if spendable <= 0 or total <= 0 or conversion_factor <= 0:
		return 0
	unit = Decimal(1).scaleb(-places)
	# A value is rounded half up: it fits as long as it is less than half a unit beyond what may be paid.
	beyond = limits.payable(total).quantize(unit, rounding=ROUND_FLOOR) + unit / 2
	points = int(beyond // conversion_factor)
	if points * conversion_factor == beyond:
		points -= 1
	points = min(points, spendable)
	points -= points % max(limits.step, 1)
	return 0 if refusal_of(points, total, conversion_factor, limits, places) else points


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
