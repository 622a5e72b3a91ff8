"""Months and quarters."""

from datetime import date, timedelta
from typing import NamedTuple

from frappe import _
from frappe.utils import formatdate, get_first_day, get_last_day

MONTH, QUARTER = "Month", "Quarter"


# as many months tell themselves apart without their year
YEAR = 12


class Period(NamedTuple):
	"""A calendar month or quarter; `label` as people write it, `short` as it fits below a bar."""

	first: date
	last: date
	label: str
	short: str


def period_of(day: date, kind: str) -> Period:
	"""The month or quarter that `day` is in."""
	if kind == QUARTER:
		number = (day.month - 1) // 3 + 1
		first, last = date(day.year, 3 * number - 2, 1), get_last_day(date(day.year, 3 * number, 1))
		label = _("Q{0} {1}").format(number, day.year)
		return Period(first, last, label, label)
	return Period(
		get_first_day(day), get_last_day(day), formatdate(day, "MMM yyyy"), formatdate(day, "MMM ’yy")
	)


def periods(first: date, last: date, kind: str) -> list[Period]:
	"""The months or quarters from the one of `first` to the one of `last`."""
	found = [period_of(first, kind)]
	while found[-1].last < last:
		found.append(period_of(found[-1].last + timedelta(days=1), kind))
	if kind != QUARTER and len(found) <= YEAR:
		return [month._replace(short=formatdate(month.first, "MMM")) for month in found]
	return found
