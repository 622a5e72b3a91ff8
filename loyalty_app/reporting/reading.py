"""Queries over entries, memberships and the log that leave out what the user may not read."""

from datetime import date

import frappe
import frappe.share
from frappe import _
from frappe.core.doctype.user_permission.user_permission import get_user_permissions
from frappe.desk.reportview import build_match_conditions
from frappe.permissions import get_allowed_docs_for_doctype
from frappe.utils import cint, cstr, getdate, today
from pypika import Table
from pypika.terms import Criterion

from loyalty_app.ledger import entries as ledger_entries
from loyalty_app.ledger import log as ledger_log
from loyalty_app.ledger import membership
from loyalty_app.rules.lots import Kind

ENTRY, MEMBERSHIP, LOG = ledger_entries.DOCTYPE, membership.DOCTYPE, ledger_log.DOCTYPE

# the memberships that entries are joined with
MEMBER = Table(f"tab{MEMBERSHIP}")

# Customers that are looked up one by one.
FEW = 1_000

# What a browser's table and an export still handle well.
ROWS, MOST_ROWS = 1_000, 50_000


class OfMember(frappe._dict):
	"""Filters that choose the rows of one `membership`, for a caller who has seen to it that the user may have them.

	A class of its own, so that nothing a browser sends ever is one: other filters find what the user may read.
	"""


class Match(Criterion):
	"""A condition in SQL, as Frappe writes the user's permissions."""

	def __init__(self, sql: str):
		super().__init__()
		self.sql = sql

	def get_sql(self, **kwargs) -> str:
		return f"({self.sql})"


def readable(doctype: str):
	"""The table of `doctype` and a query of the rows that the user may read: what `frappe.get_list` would find.

	Role permissions, User Permissions, shares and other apps' conditions count. Raises PermissionError where the
	user may read none of them.
	"""
	frappe.has_permission(doctype, "read", throw=True)
	table = frappe.qb.DocType(doctype)
	query = frappe.qb.from_(table)
	match = build_match_conditions(doctype)
	return table, query.where(Match(match)) if match else query


def entries(filters: dict):
	"""`readable` entries of the company, loyalty_program and customer in `filters`, as far as those are set."""
	return _narrowed(ENTRY, filters)


def posted(filters: dict, first: date | None, last: date):
	"""`entries` posted from `first` to `last`.

	What other code has just written and the ledger has not taken in yet has no type, and does not count.
	"""
	table, query = entries(filters)
	query = query.where(table.entry_type.isin([kind.value for kind in Kind]) & (table.posting_date <= last))
	return table, query.where(table.posting_date >= first) if first else query


def open_entries(filters: dict, whose):
	"""`entries` with points left, of the memberships that meet `whose`, a condition on their table."""
	table, query = entries(filters)
	query = query.join(MEMBER).on(MEMBER.name == table.membership)
	return table, query.where(whose & (table.is_open == 1))


def lapsed(filters: dict):
	"""`entries` with points left whose last day has passed, of lots that nobody has closed yet.

	Their memberships know: the earliest day on which something of theirs expires has passed.
	"""
	on = getdate(today())
	table, query = open_entries(filters, MEMBER.next_expiry < on)
	return table, query.where((table.expiry_date < on) & (table.remaining_points > 0))


def memberships(filters: dict):
	"""`readable` memberships of the company, loyalty_program and customer in `filters`, as far as those are set."""
	table, query = readable(MEMBERSHIP)
	for field in ("company", "loyalty_program", "customer"):
		if filters.get(field):
			query = query.where(table[field] == cstr(filters[field]))
	return table, query


def standing(table) -> list:
	"""The columns that say which membership a row of `table` is and how it stands."""
	return [
		table.name.as_("membership"),
		table.loyalty_program,
		table.company,
		table.loyalty_program_tier.as_("tier"),
		table.active,
	]


def who(table) -> list:
	"""The columns that say who a membership in `table` is, and how it stands."""
	return [*standing(table), table.customer, table.customer_name]


def about(names: list[str]) -> dict[str, dict]:
	"""Who the memberships `names` are, whose rows the user may read: by name, and as of today."""
	query = frappe.qb.from_(MEMBER).where(MEMBER.name.isin(names or [""]))
	query = query.select(*who(MEMBER))
	return {row.membership: row for row in query.run(as_dict=True)}


def log(filters: dict):
	"""`readable` rows of the log of the company, loyalty_program and customer in `filters`, as far as those are set."""
	return _narrowed(LOG, filters)


def _narrowed(doctype: str, filters: dict):
	if isinstance(filters, OfMember):
		table = frappe.qb.DocType(doctype)
		return table, frappe.qb.from_(table).where(table.membership == filters.membership)
	table, query = readable(doctype)
	for field in ("company", "loyalty_program"):
		if filters.get(field):
			query = query.where(table[field] == cstr(filters[field]))
	customers = _customers(doctype)
	if customer := cstr(filters.get("customer")):
		query = query.where(table.customer == customer)
		customers = [customer]
	if customers:
		# Of few customers: their memberships are in every index, the customer is in none, as that column is ERPNext's.
		mine = frappe.get_all(MEMBERSHIP, filters={"customer": ["in", customers]}, pluck="name", limit=0)
		query = query.where(table.membership.isin(mine or [""]))
	return table, query


def _customers(doctype: str) -> list[str]:
	"""The customers that User Permissions leave, if they leave few; none where rows of others may be shared."""
	allowed = get_allowed_docs_for_doctype(get_user_permissions().get("Customer", []), doctype)
	if len(allowed) > FEW or frappe.share.get_shared(doctype):
		return []
	return allowed


def period(filters: dict) -> tuple[date, date]:
	"""The days from `from_date` to `to_date` of `filters`, both required."""
	if not filters.get("from_date") or not filters.get("to_date"):
		frappe.throw(_("Choose From Date and To Date"), title=_("Period"))
	first, last = getdate(filters["from_date"]), getdate(filters["to_date"])
	if first > last:
		frappe.throw(_("From Date must not be after To Date"), title=_("Period"))
	return first, last


def rows_wanted(filters: dict) -> int:
	"""How many rows the user asked to be shown, between 1 and `MOST_ROWS`."""
	return min(max(cint(filters.get("rows")) or ROWS, 1), MOST_ROWS)
