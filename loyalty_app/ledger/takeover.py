"""Memberships, lots and a log from entries that are there when the app is installed (rules 3, 6).

They were written by ERPNext, or by this app before it was uninstalled. What customers may spend stays what they
saw. Works in batches of memberships, each a transaction of its own: a membership without a log is still to be done,
so that an interrupted run goes on where it stopped.
"""

from collections import defaultdict

import frappe
from frappe.utils import cint, getdate, now, today, update_progress_bar

from loyalty_app.ledger import bulk, entries, log, membership
from loyalty_app.rules import lots
from loyalty_app.rules.amounts import exact
from loyalty_app.rules.lots import Entry, Kind, Terms, Voucher

FOUND = log.Cause("Install")
# The event of log rows that tell how an entry was put right; the report of corrections lists them.
CORRECTED = log.Cause("Install Correction")

MEMBERSHIPS_AT_ONCE = 500


def take_over_entries() -> int:
	"""Build memberships from all entries that belong to none; return how many memberships were built.

	Entries of customers or programs that are not there any more are left as they are.
	"""
	open_memberships()
	link_entries()
	table = frappe.qb.DocType(membership.DOCTYPE)
	entry = frappe.qb.DocType(entries.DOCTYPE)
	to_do = (
		frappe.qb.from_(table)
		.select(table.name)
		.where(table.log_count == 0)
		.where(table.name.isin(frappe.qb.from_(entry).select(entry.membership).distinct()))
		.orderby(table.name)
		.run(pluck=True)
	)
	for start in range(0, len(to_do), MEMBERSHIPS_AT_ONCE):
		build(to_do[start : start + MEMBERSHIPS_AT_ONCE])
		frappe.db.commit()  # nosemgrep: installing, one batch is one transaction
		update_progress_bar(
			"Taking over loyalty points", start // MEMBERSHIPS_AT_ONCE, len(to_do) // MEMBERSHIPS_AT_ONCE + 1
		)
	return len(to_do)


def open_memberships() -> None:
	"""Insert a membership for every customer and program that have entries, where there is none yet."""
	entry, table = frappe.qb.DocType(entries.DOCTYPE), frappe.qb.DocType(membership.DOCTYPE)
	customer, program = frappe.qb.DocType("Customer"), frappe.qb.DocType("Loyalty Program")
	missing = (
		frappe.qb.from_(entry)
		.join(customer)
		.on(customer.name == entry.customer)
		.join(program)
		.on(program.name == entry.loyalty_program)
		.left_join(table)
		.on((table.customer == entry.customer) & (table.loyalty_program == entry.loyalty_program))
		.select(entry.customer, entry.loyalty_program, program.company, customer.customer_name)
		.select(customer.loyalty_program.as_("current"))
		.where(_untaken(entry) & table.name.isnull())
		.distinct()
		.run(as_dict=True)
	)
	stamp, user = now(), frappe.session.user
	rows = [
		{
			"name": frappe.generate_hash(length=10),
			"owner": user,
			"modified_by": user,
			"creation": stamp,
			"modified": stamp,
			"docstatus": 0,
			"customer": row.customer,
			"customer_name": row.customer_name,
			"loyalty_program": row.loyalty_program,
			"company": row.company,
			"active": int(row.current == row.loyalty_program),
		}
		for row in missing
	]
	bulk.insert(membership.DOCTYPE, rows)


def link_entries() -> None:
	"""Name its membership in every entry that names none."""
	# The query builder writes a subquery after SET without its parentheses.
	frappe.db.sql(
		"""update `tabLoyalty Point Entry` set membership = (
			select name from `tabLoyalty Membership`
			where `tabLoyalty Membership`.customer = `tabLoyalty Point Entry`.customer
			and `tabLoyalty Membership`.loyalty_program = `tabLoyalty Point Entry`.loyalty_program)
		where membership is null or membership = ''"""
	)


def _untaken(entry):
	return entry.membership.isnull() | (entry.membership == "")


def build(names: list[str]) -> None:
	"""Put the entries of some memberships without a log in order, and give them their log and totals."""
	table = frappe.qb.DocType(entries.DOCTYPE)
	rows = defaultdict(list)
	found = frappe.qb.from_(table).select("*").where(table.membership.isin(names)).orderby(table.creation)
	for row in found.run(as_dict=True):
		rows[row.membership].append(row)

	written, gone, members, history = [], [], [], []
	for member in membership.lock_all(names):
		factors = {t.name: t.factor for t in membership.tiers_of(member.loyalty_program)}
		originals = {row.name: row for row in rows[member.name]}
		before = {e.name: e for e in (as_entry(row, factors) for row in rows[member.name])}
		after = lots.adopt(before.values(), getdate(today()), entries.new_name)
		written += [full_row(e, member, originals.get(e.name)) for e in after.values()]
		gone += [entry for entry in before if entry not in after]
		history += log.rows(
			member, [log.Change(e.name, None, logged(e, member)) for e in before.values()], FOUND
		)
		history += log.rows(member, corrections(before, after, member), CORRECTED)
		membership.count(member, {}, after)
		members.append(member)

	frappe.qb.from_(table).delete().where(table.name.isin([*gone, *(row["name"] for row in written)])).run()
	bulk.insert(entries.DOCTYPE, written)
	bulk.insert(log.DOCTYPE, history)
	for member in members:
		membership.save(member)
		if not member.loyalty_program_tier:
			# ERPNext leaves a tier standing when the purchases that reached it are cancelled.
			membership.show_tier(member.customer, member.loyalty_program, None)


def corrections(before: dict[str, Entry], after: dict[str, Entry], member: dict) -> list[log.Change]:
	"""What putting the entries in order changed of them, beside what follows from the draws."""
	changes = [
		log.Change(
			name,
			logged(before[name], member) if name in before else None,
			logged(after[name], member) if name in after else None,
		)
		for name in {**before, **after}
	]
	return [change for change in changes if change.before != change.after]


def logged(entry: Entry, member: dict) -> dict:
	return entries.logged(entries.to_row(entry, member))


def full_row(entry: Entry, member: dict, original: dict | None) -> dict:
	"""The database row of `entry`: what the `original` row said beside, e.g. in custom fields, stays."""
	stamp, user = now(), frappe.session.user
	new = {
		"name": entry.name,
		"owner": user,
		"creation": stamp,
		"modified_by": user,
		"modified": stamp,
		"docstatus": 0,
	}
	return {**(original or new), **entries.to_row(entry, member), "membership": member["name"]}


def as_entry(row: dict, factors: dict) -> Entry:
	"""The entry that `row` means; `factors` are the program's, by tier, for rows that recorded none."""
	points = cint(row.loyalty_points)
	tier = row.loyalty_program_tier or None
	posting_date = getdate(row.posting_date or row.creation)
	if row.entry_type:  # written by this app before it was uninstalled
		ours = entries.from_row(
			{**row, "posting_date": posting_date, "expiry_date": row.expiry_date or posting_date}
		)
		return lots.replace(ours, remaining=0)
	earned = points >= 0 and row.invoice
	return Entry(
		name=row.name,
		kind=Kind.REDEEMED if points < 0 else Kind.EARNED if earned else Kind.ADJUSTED,
		voucher=Voucher(row.invoice_type or None, row.invoice or None),
		points=points,
		remaining=0,
		posting_date=posting_date,
		# ERPNext does not count points without an expiry date: they had expired from the start.
		expiry_date=getdate(row.expiry_date) if row.expiry_date else posting_date,
		lot=row.redeem_against or None,
		tier=tier,
		# ERPNext writes the invoice's total on redemption rows too; it was never spend.
		purchase_amount=exact(row.purchase_amount if points >= 0 else 0),
		terms=Terms(factor=factors.get(tier)) if earned else None,
		reason=row.get("discretionary_reason") or None,
	)
