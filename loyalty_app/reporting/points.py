"""What entries come to on a day. Points are spendable from their first day through their expiry date (rules 7).

A draw carries the first day and the expiry date of its lot. So the sum of what is good on a day is the balance of that day, and what
is left of points whose date has passed has expired, whether or not an expiry row says so. Such a row is posted on
the day after the date; where there is none yet, `reading.lapsed` finds the points.
"""

from datetime import date, timedelta

import frappe
from frappe.query_builder.functions import Count, Max, Min, Sum
from frappe.utils import getdate, today
from pypika import Case
from pypika.terms import ValueWrapper

from loyalty_app.ledger import membership
from loyalty_app.reporting import reading
from loyalty_app.rules.earning import NEVER
from loyalty_app.rules.lots import Kind

EARNED, REDEEMED, EXPIRED, ADJUSTED = (
	kind.value for kind in (Kind.EARNED, Kind.REDEEMED, Kind.EXPIRED, Kind.ADJUSTED)
)
DAY = timedelta(days=1)


def sum_if(condition, value):
	"""The sum of `value` over the rows that meet `condition`."""
	return Sum(Case().when(condition, value).else_(0))


def balance_on(table, day: date):
	"""The sum of the points in `table` posted by `day` and good then; of a day to come, with what expires until then."""
	return sum_if((table.posting_date <= day) & good_through(table, day), table.loyalty_points)


def pending_on(table, day: date):
	"""The part of `balance_on` that could not be spent yet on `day`."""
	pending = (table.posting_date <= day) & (table.spendable_from > day) & good_through(table, day)
	return sum_if(pending, table.loyalty_points)


def good_through(table, day: date):
	"""Whether points have not expired before `day`, as far as that is known today."""
	return table.expiry_date >= min(day, getdate(today()))


def expired_by(table, day: date):
	"""The sum of the points in `table` that nobody had spent when their date passed, before `day`."""
	return sum_if((table.entry_type != EXPIRED) & (table.expiry_date < day), table.loyalty_points)


def per_member(filters: dict) -> list:
	"""Queries that have one row for each membership in `filters`, in one of them: what it has today.

	Columns: membership, loyalty_program, company, tier, active, balance, spent (company currency), earned, redeemed,
	expired, pending (points spendable after today), next_expiry.
	"""
	return [_settled(filters), _unsettled(filters)]


def _is_settled(table):
	"""Whether a membership's own sums are those of today: nothing has expired since, nothing is pending."""
	on = getdate(today())
	return (table.next_expiry.isnull() | (table.next_expiry >= on)) & (
		table.all_spendable_from.isnull() | (table.all_spendable_from <= on)
	)


def _settled(filters: dict):
	table, query = reading.memberships(filters)
	return query.where(_is_settled(table)).select(
		*reading.standing(table),
		table.balance,
		table.total_spent.as_("spent"),
		table.points_earned.as_("earned"),
		table.points_redeemed.as_("redeemed"),
		table.points_expired.as_("expired"),
		ValueWrapper(0, alias="pending"),
		table.next_expiry,
	)


def _unsettled(filters: dict):
	"""Of these the open entries are counted."""
	on = getdate(today())
	table, query = reading.memberships(filters)
	entry, counted = reading.open_entries(filters, _is_settled(reading.MEMBER).negate())
	left, is_lot, is_good = entry.remaining_points, entry.remaining_points > 0, entry.expiry_date >= on
	is_spendable, is_dated = membership.first_day(entry) <= on, entry.expiry_date < NEVER
	counted = counted.groupby(entry.membership).select(
		entry.membership,
		sum_if(is_good & (is_spendable | (left < 0)), left).as_("balance"),
		sum_if(is_lot & is_good & (membership.first_day(entry) > on), left).as_("pending"),
		sum_if(is_lot & (entry.expiry_date < on), left).as_("lapsed"),
		Min(Case().when(is_lot & is_good & is_dated, entry.expiry_date)).as_("next_expiry"),
	)
	counted = counted.as_("counted")
	query = query.left_join(counted).on(counted.membership == table.name)
	return query.where(_is_settled(table).negate()).select(
		*reading.standing(table),
		_or_zero(counted.balance).as_("balance"),
		table.total_spent.as_("spent"),
		table.points_earned.as_("earned"),
		table.points_redeemed.as_("redeemed"),
		(table.points_expired + _or_zero(counted.lapsed)).as_("expired"),
		_or_zero(counted.pending).as_("pending"),
		counted.next_expiry,
	)


def per_member_on(filters: dict, on: date):
	"""A query of one row for each membership in `filters`: what it had on the day `on` before today, by its entries.

	Columns: membership, loyalty_program, company, balance and pending as they were, spent (company currency), earned,
	redeemed, expired. All of an entry that this asks for is in one index, in the order of memberships.
	"""
	table, query = reading.entries(filters)
	points = table.loyalty_points
	query = query.where((table.membership != "") & (table.posting_date <= on)).groupby(table.membership)
	return query.select(
		table.membership,
		Max(table.loyalty_program).as_("loyalty_program"),
		Max(table.company).as_("company"),
		(balance_on(table, on) - pending_on(table, on)).as_("balance"),
		pending_on(table, on).as_("pending"),
		Sum(table.purchase_amount).as_("spent"),
		sum_if(points > 0, points).as_("earned"),
		sum_if((points < 0) & (table.entry_type != EXPIRED), -points).as_("redeemed"),
		expired_by(table, on).as_("expired"),
	)


def _or_zero(term):
	return Case().when(term.isnull(), 0).else_(term)


def expiring(filters: dict, first: date, last: date):
	"""`entries` with points left whose last day is from `first` to `last`, with their memberships.

	Those are looked at first: one with nothing to expire before is passed over whole.
	"""
	table, query = reading.open_entries(filters, reading.MEMBER.next_expiry <= last)
	return table, query.where(
		(table.remaining_points > 0) & (table.expiry_date >= first) & (table.expiry_date <= last)
	)


def flows(filters: dict, first: date, last: date) -> list[frappe._dict]:
	"""What was earned, adjusted, redeemed and expired from `first` to `last`, by day, program and tier; in several rows.

	Keys: day, loyalty_program, company, tier; earned, adjusted (more or less than 0), redeemed, expired (points);
	spent (company currency), invoices (how many earned). Keys that are missing are 0. Expired points fall on the day
	after their date; days to come have none.
	"""
	table, query = reading.posted(filters, first, last)
	# day and tier, whichever is asked for: in this order they are in the index, and nothing has to be sorted
	group = (
		table.entry_type,
		table.posting_date,
		table.loyalty_program,
		table.company,
		table.loyalty_program_tier,
	)
	query = query.groupby(*group).select(
		table.entry_type,
		table.posting_date.as_("day"),
		table.loyalty_program,
		table.company,
		table.loyalty_program_tier.as_("tier"),
		Sum(table.loyalty_points).as_("points"),
		Sum(table.purchase_amount).as_("spent"),
		Count("*").as_("entries"),
	)
	rows = query.run(as_dict=True)
	for row in rows:
		row.day = getdate(row.day)
		kind = row.entry_type.lower()
		row[kind] = -row.points if row.entry_type in (REDEEMED, EXPIRED) else row.points
		row.invoices = row.entries if row.entry_type == EARNED else 0
	return rows + _lapsed(filters, first, last)


def _lapsed(filters: dict, first: date, last: date) -> list[frappe._dict]:
	table, query = reading.lapsed(filters)
	query = query.where((table.expiry_date >= first - DAY) & (table.expiry_date <= last - DAY))
	group = (
		table.expiry_date,
		reading.MEMBER.loyalty_program,
		reading.MEMBER.company,
		table.loyalty_program_tier,
	)
	rows = (
		query.groupby(*group)
		.select(*group[:3], group[3].as_("tier"), Sum(table.remaining_points).as_("expired"))
		.run(as_dict=True)
	)
	for row in rows:
		row.day = getdate(row.expiry_date) + DAY
	return rows
