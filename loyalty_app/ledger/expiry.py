"""Closing lots whose last day has passed.

Points stop counting the day after their date whether or not their lot is closed. It is closed, by an expiry row,
when something else moves points of the membership, and by the daily job for those where nothing does.
"""

import json
from collections.abc import Iterable

import frappe
from frappe.query_builder import Interval
from frappe.utils import getdate, today
from pypika import Table
from pypika.functions import Concat, Count, Sum
from pypika.terms import Criterion, Term, ValueWrapper

from loyalty_app.ledger import bulk, entries, log, membership
from loyalty_app.ledger.log import Cause
from loyalty_app.rules.lots import Kind

CAUSE = Cause("Expiry")

# What an expiry row has of the lot that it closes.
OF_LOT = (
	*("membership", "customer", "loyalty_program", "company", "loyalty_program_tier"),
	*("invoice_type", "invoice", "expiry_date", "spendable_from"),
)
# What an expiry row says for itself: nothing else that the log remembers.
SAID = (
	*("entry_type", "loyalty_program_tier", "invoice_type", "invoice", "redeem_against", "loyalty_points"),
	*("posting_date", "expiry_date", "spendable_from"),
)
NOTHING_LEFT = {"entry_type": Kind.EXPIRED.value, "purchase_amount": 0, "remaining_points": 0, "is_open": 0}


def those_due(members: Iterable[frappe._dict]) -> list[frappe._dict]:
	"""Those of `members` that have open lots whose last day has passed."""
	on = getdate(today())
	return [member for member in members if member.next_expiry and member.next_expiry < on]


def close_due(member: frappe._dict) -> None:
	"""Close the expired lots of the locked `member`, if there are any."""
	if those_due([member]):
		close([member])
		member.next_expiry = membership.first_expiry(member.name)
		membership.save(member)


def close_all(names: list[str]) -> int:
	"""Close the expired lots of the memberships `names`; return how many lots that were."""
	members = those_due(membership.lock_all(names))
	closed = close_of(members)
	membership.save_all(members)
	return closed


def close_of(members: list[frappe._dict]) -> int:
	"""Close the expired lots of the locked `members`, whose totals follow and are not saved; return how many."""
	if not members:
		return 0
	closed = close(members)
	expiries = membership.first_expiries([member.name for member in members])
	for member in members:
		member.next_expiry = expiries[member.name]
	return closed


def close(members: list[frappe._dict]) -> int:
	"""Close all lots of the locked `members` that were good through a day before today; return how many.

	What `rules.lots.expire` says, for many at once: an expiry row takes what is left of each lot. The members'
	totals follow, but for the next expiry, and are not saved.
	"""
	by_name = {member.name: member for member in members}
	table, due, row = _by_lots(), _due(by_name), _expiry_row()
	closed = _expiries(table, due, row)
	if not closed:
		return 0
	_close(table, due, row)
	page = log.Page(CAUSE)
	for name, lots, points, values in closed:
		member, points = by_name[membership.own_name(name, by_name)], int(points)
		member.balance -= points
		member.points_expired += points
		page.add_object(member, lots, values, -points, SAID)
	page.write()
	if entries.is_heard("after_insert"):
		names = [name for *_closed, values in closed for name in json.loads(values)]
		table = frappe.qb.DocType(entries.DOCTYPE)
		entries.announce("after_insert", entries.select(table.name.isin(names)).run(as_dict=True))
	return sum(lots for _name, lots, _points, _values in closed)


def close_untold(names: list[str]) -> None:
	"""Close the expired lots of the locked memberships `names`, whose totals and log the caller writes."""
	_close(_by_lots(), _due(names), _expiry_row())


class _ByLots(Table):
	"""A table that is read by the index of lots, by UPDATE too, for which the query builder's own `force_index` is not
	written."""

	def get_sql(self, **kwargs) -> str:
		return f"{super().get_sql(**kwargs)} force index (loyalty_point_entry_lots)"


def _by_lots() -> Table:
	"""The table of entries, which MariaDB has to read by the index of lots. By itself it would read, and lock, the whole of a
	small one, and of 200 memberships or more all they have, the closed lots too, where it guesses by averages
	(`eq_range_index_dive_limit`)."""
	table = frappe.qb.DocType(entries.DOCTYPE)
	return _ByLots(table.get_table_name()) if frappe.db.db_type == "mariadb" else table


def _due(names: Iterable[str]) -> Criterion:
	"""Which lots of the memberships `names` are open, though their last day has passed."""
	table = frappe.qb.DocType(entries.DOCTYPE)
	return (
		table.membership.isin(sorted(names))
		& (table.is_open == 1)
		& (table.expiry_date < getdate(today()))
		& (table.remaining_points > 0)
	)


def _expiry_row() -> dict[str, Term]:
	"""The columns of the row that closes a lot, which is the row that they are selected from."""
	table = frappe.qb.DocType(entries.DOCTYPE)
	return {
		# The lot's, and an ending that no other call gives. A lot may be closed more than once: rebuilding opens it
		# again, and so does installing again.
		"name": Concat(table.name, f"-expired-{frappe.generate_hash(length=8)}"),
		"redeem_against": table.name,
		"loyalty_points": -table.remaining_points,
		"posting_date": table.expiry_date + Interval(days=1),
		**{key: table[key] for key in OF_LOT},
		**{key: ValueWrapper(value) for key, value in (NOTHING_LEFT | bulk.made()).items()},
	}


def _expiries(table: Table, due: Criterion, row: dict[str, Term]) -> list[tuple[str, int, int, str]]:
	"""What closing the lots that are `due` comes to, by membership: how many they are, what is left in them, and their expiry
	rows as the log keeps them, in one text: a row for each would cost Python more than all else."""
	query = frappe.qb.from_(table).groupby(table.membership).select(table.membership, Count("*"))
	query = query.select(Sum(table.remaining_points), entries.as_json_object(row["name"], row, SAID))
	return query.where(due).for_update().run()


def _close(table: Table, due: Criterion, row: dict[str, Term]) -> None:
	"""Write the expiry rows of the lots that are `due`, in which nothing is left then."""
	query = frappe.qb.into(frappe.qb.DocType(entries.DOCTYPE)).columns(*row)
	# Locked as they are going to be written: by itself, it would only keep others from writing them.
	query.from_(table).select(*row.values()).where(due).for_update().run()
	frappe.qb.update(table).set(table.remaining_points, 0).set(table.is_open, 0).where(due).run()
