"""A long history for a membership, made in bulk: what thousands of invoices would have left, not the invoices."""

from datetime import timedelta
from decimal import Decimal

import frappe
from frappe.utils import getdate, today

from loyalty_app.ledger import entries, log, membership
from loyalty_app.rules.lots import NEVER, Entry, Kind, Terms, Voucher

MADE = log.Cause("Submit", "Sales Invoice")
ENTRIES_AT_ONCE = 10_000
POINTS = 10
SPEND_PER_POINT = 10
DAYS_GOOD = 365


def add_closed_lots(name: str, lots: int, start: int = 0) -> None:
	"""Give the membership `name` so many lots that are over, every second one redeemed, the others expired.

	A lot is over by an entry of its own, so that the membership has twice as many entries more. Entries, log and totals
	agree. `start` is the number of the first, where it is called again.
	"""
	posted = getdate(today()) - timedelta(days=2 * DAYS_GOOD)
	tier = membership.tiers_of(membership.state(name).loyalty_program)[0]
	for first in range(start, start + lots, ENTRIES_AT_ONCE // 2):
		member = membership.lock_with_customers([name])[0]
		numbers = range(first, min(first + ENTRIES_AT_ONCE // 2, start + lots))
		made = [entry for number in numbers for entry in _closed(member.name, number, posted, tier)]
		_write(member, made)


def add_open_lots(name: str, lots: int, points: int = POINTS, start: int = 0) -> None:
	"""Give the membership `name` so many lots of `points` each, the first to expire soonest."""
	now_is = getdate(today())
	member = membership.lock_with_customers([name])[0]
	tier = membership.tiers_of(member.loyalty_program)[0]
	made = [
		_lot(f"{name}-O{i:07}", points, now_is, now_is + timedelta(days=1 + i % DAYS_GOOD), tier)
		for i in range(start, start + lots)
	]
	_write(member, made)


def _closed(name: str, number: int, posted, tier) -> list[Entry]:
	lot = _lot(f"{name}-C{number:07}", POINTS, posted, posted + timedelta(days=DAYS_GOOD), tier, 0)
	redeemed = number % 2
	draw = Entry(
		name=f"{lot.name}D",
		kind=Kind.REDEEMED if redeemed else Kind.EXPIRED,
		voucher=Voucher("Sales Invoice", f"{lot.voucher.name}-R") if redeemed else lot.voucher,
		points=-POINTS,
		remaining=0,
		posting_date=posted if redeemed else lot.expiry_date + timedelta(days=1),
		expiry_date=lot.expiry_date,
		lot=lot.name,
		tier=lot.tier,
	)
	return [lot, draw]


def _lot(name: str, points: int, posted, expires, tier, remaining: int | None = None) -> Entry:
	return Entry(
		name=name,
		kind=Kind.EARNED,
		voucher=Voucher("Sales Invoice", f"OLD-{name}"),
		points=points,
		remaining=points if remaining is None else remaining,
		posting_date=posted,
		expiry_date=expires,
		tier=tier.name,
		purchase_amount=Decimal(points * SPEND_PER_POINT),
		terms=Terms(tier.factor),
	)


def _write(member: frappe._dict, made: list[Entry]) -> None:
	"""Insert the entries `made` with their log, and count them in the totals of the locked `member`."""
	rows = [{"name": e.name, "membership": member.name, **entries.to_row(e, member)} for e in made]
	entries.insert_rows(rows)
	page = log.Page(MADE)
	page.add(member, [entries.change_of(row["name"], None, row) for row in rows])
	page.write()
	membership.count(member, {}, {e.name: e for e in made}, horizon=NEVER)
	membership.save(member)
