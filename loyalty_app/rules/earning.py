"""Earning: what an invoice is worth in points."""

import enum
from datetime import date, timedelta
from decimal import Decimal

from loyalty_app.rules.amounts import rounded

# An expiry date that never comes. A real date because ERPNext's own queries drop empty ones.
NEVER = date(9999, 12, 31)

# What an integer column of every supported database holds.
MOST_POINTS = 2_147_483_647


class EarnOn(str, enum.Enum):
	"""The total that earns points; values are the options of Loyalty Program's *Earn On*."""

	GRAND_TOTAL = "Grand Total"
	NET_TOTAL = "Net Total"


def eligible_amount(
	*,
	earn_on: EarnOn,
	grand_total: Decimal,
	net_total: Decimal,
	excluded_net: Decimal = Decimal(0),
	paid_with_points: Decimal = Decimal(0),
	places: int = 2,
) -> Decimal:
	"""The part of one document's total that counts for points and spend, in company currency.

	`excluded_net` is the net amount of the lines that never earn; of a grand total they take their share,
	taxes and all, rounded to `places`. `paid_with_points` is what loyalty points paid of it. A return has
	negative amounts and takes back in the same measure: eligible amounts of an invoice and its returns
	add up to what is left. Never rounded up from nothing: the sum may be negative, points never are.
	"""
	if EarnOn(earn_on) is EarnOn.NET_TOTAL:
		return net_total - excluded_net - paid_with_points
	excluded = rounded(grand_total * excluded_net / net_total, places) if excluded_net else Decimal(0)
	return grand_total - excluded - paid_with_points


def points_for(eligible: Decimal, factor: Decimal) -> int:
	"""Whole points for `eligible` spend at `factor` spend per point; never negative.

	3,000 at 300 a point is 10 points (the manual's example says 15; the rule beside it says 10).
	"""
	if factor <= 0:
		raise ValueError("a collection factor must be greater than zero")
	return max(0, int(eligible // factor))


def spendable_from(posting_date: date, maturity: int) -> date | None:
	"""The first day on which points posted on `posting_date` may be spent, `maturity` days later; None: at once."""
	return posting_date + timedelta(days=maturity) if maturity > 0 else None


def expiry_date(posting_date: date, duration: int) -> date:
	"""The last day on which points posted on `posting_date` are good; `duration` 0 days is NEVER."""
	if duration <= 0 or duration >= (NEVER - posting_date).days:
		return NEVER
	return posting_date + timedelta(days=duration)
