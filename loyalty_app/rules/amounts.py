"""Exact money."""

from decimal import ROUND_HALF_UP, Decimal


def exact(value: Decimal | int | float | str | None) -> Decimal:
	"""The decimal number that a person would read in `value`; None and "" are 0.

	Floats are read by their shortest decimal form: 0.1 is one tenth, not its binary neighbour.
	"""
	if isinstance(value, Decimal):
		return value
	if value is None or value == "":
		return Decimal(0)
	return Decimal(str(value))


def rounded(amount: Decimal, places: int) -> Decimal:
	"""`amount` rounded half up to `places` decimals."""
	return amount.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)
