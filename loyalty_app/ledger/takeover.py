"""Memberships and lots from entries that ERPNext wrote before this app was installed (rules 3, 6)."""

import frappe
from frappe.utils import cint, getdate, today, update_progress_bar


from loyalty_app.ledger import entries, log, membership
from loyalty_app.rules import lots
from loyalty_app.rules.amounts import exact
from loyalty_app.rules.lots import Entry, Kind, Terms, Voucher

CAUSE = log.Cause("Install")

# ERPNext's own columns; ours are empty in these rows.
COLUMNS = (
	"name",
	"loyalty_program_tier",
	"invoice_type",
	"invoice",
	"redeem_against",
	"loyalty_points",
	"purchase_amount",
	"posting_date",
	"expiry_date",
	"creation",
)


def take_over_entries() -> int:
	"""Build memberships from all entries that belong to none; return how many memberships there were.

	What customers may spend stays what ERPNext showed. Runs again from where it stopped: an entry taken over has
	a membership.
	"""
	table = frappe.qb.DocType(entries.DOCTYPE)
	pairs = (
		frappe.qb.from_(table)
		.select(table.customer, table.loyalty_program)
		.where(_untaken(table))
		.groupby(table.customer, table.loyalty_program)
		.run()
	)
	for index, (customer, program) in enumerate(pairs):
		if frappe.db.exists("Customer", customer) and frappe.db.exists("Loyalty Program", program):
			take_over(customer, program)
		update_progress_bar("Taking over loyalty points", index, len(pairs))
	return len(pairs)


def _untaken(table):
	return (
		(table.membership.isnull() | (table.membership == ""))
		& table.customer.isnotnull()
		& table.loyalty_program.isnotnull()
	)


def take_over(customer: str, program: str) -> None:
	"""Build the membership of `customer` in `program` from its entries that belong to none."""
	member = membership.lock(membership.ensure(customer, program))
	table = frappe.qb.DocType(entries.DOCTYPE)
	rows = (
		frappe.qb.from_(table)
		.select(*COLUMNS)
		.where(_untaken(table) & (table.customer == customer) & (table.loyalty_program == program))
		.orderby(table.creation)
		.run(as_dict=True)
	)
	factors = {t.name: t.factor for t in membership.tiers_of(program)}
	found = [as_entry(row, factors) for row in rows]
	after = lots.adopt(found, getdate(today()), entries.new_name)

	names = [row.name for row in rows]
	frappe.qb.update(table).set(table.membership, member.name).where(table.name.isin(names)).run()
	values = {name: entries.to_row(entry, member) for name, entry in after.items()}
	there = {name: values[name] for name in names if name in values}
	if there:
		entries.update_rows(there, {name: {} for name in there})
	if made := {name: row for name, row in values.items() if name not in there}:
		entries.insert_rows(member, made)
	if gone := [name for name in names if name not in values]:
		frappe.db.delete(entries.DOCTYPE, {"name": ("in", gone)})
	changes = [log.Change(name, None, entries.logged(row)) for name, row in values.items()]
	log.append(member, changes, CAUSE)
	membership.apply(member, {}, after)


def as_entry(row: dict, factors: dict) -> Entry:
	"""The entry that ERPNext meant by `row`; `factors` are the program's, by tier."""
	points = cint(row.loyalty_points)
	tier = row.loyalty_program_tier or None
	posting_date = getdate(row.posting_date or row.creation)
	return Entry(
		name=row.name,
		kind=Kind.REDEEMED if points < 0 else Kind.EARNED if row.invoice else Kind.ADJUSTED,
		voucher=Voucher(row.invoice_type or None, row.invoice or None),
		points=points,
		remaining=0,
		posting_date=posting_date,
		# ERPNext does not count points without an expiry date: they had expired from the start.
		expiry_date=getdate(row.expiry_date) if row.expiry_date else posting_date,
		lot=row.redeem_against or None,
		tier=tier,
		purchase_amount=exact(row.purchase_amount),
		terms=Terms(factor=factors.get(tier)) if points >= 0 and row.invoice else None,
	)
