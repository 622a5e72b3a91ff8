"""Memberships, lots and a log from entries that are there when the app is installed (rules 3, 6).

They were written by ERPNext, or by this app before it was uninstalled. What customers may spend stays what they
saw. Works in batches of memberships, each a transaction of its own: a membership without a log is still to be done,
so that an interrupted run goes on where it stopped.
"""

from collections import defaultdict

import frappe
from frappe.query_builder.functions import Count
from frappe.utils import cint, getdate, now, today, update_progress_bar
from pypika.terms import ExistsCriterion

from loyalty_app.ledger import bulk, entries, expiry, log, membership
from loyalty_app.rules import lots
from loyalty_app.rules.amounts import exact
from loyalty_app.rules.lots import Entry, Kind, Terms, Voucher

FOUND = log.Cause("Install")
# The event of log rows that tell how an entry was put right; the report of corrections lists them.
CORRECTED = log.Cause("Install Correction")

NO_TERMS = Terms()

MEMBERSHIPS_AT_ONCE = 200
ENTRIES_AT_ONCE = 20_000


def take_over_entries() -> int:
	"""Build memberships from all entries that belong to none; return how many memberships were built.

	Entries of customers or programs that are not there any more are left as they are.
	"""
	open_memberships()
	total = frappe.db.count(entries.DOCTYPE)
	done, last = 0, ""
	while (until := nth_entry(last)) is not None:
		link_entries(last, until)
		frappe.db.commit()  # nosemgrep: installing, one set is one transaction
		done, last = min(done + ENTRIES_AT_ONCE, total), until
		update_progress_bar("Finding the members of loyalty points", done - 1, max(total, 1))
	total = unbuilt(Count("*")).run()[0][0]
	table = frappe.qb.DocType(membership.DOCTYPE)
	done, last = 0, ""
	query = unbuilt(table.name).orderby(table.name).limit(MEMBERSHIPS_AT_ONCE)
	while names := query.where(table.name > last).run(pluck=True):
		frappe.db.commit()  # nosemgrep: what is built is read afresh
		build(names)
		frappe.db.commit()  # nosemgrep: installing, one set is one transaction
		done, last = done + len(names), names[-1]
		update_progress_bar("Taking over loyalty points", done - 1, max(total, 1))
	return done


def unbuilt(*select):
	"""The query for memberships that have entries, but no log yet."""
	table, entry = frappe.qb.DocType(membership.DOCTYPE), frappe.qb.DocType(entries.DOCTYPE)
	has_entries = frappe.qb.from_(entry).select(1).where(entry.membership == table.name)
	return frappe.qb.from_(table).select(*select).where((table.log_count == 0) & ExistsCriterion(has_entries))


def nth_entry(after: str) -> str | None:
	"""The name of the entry so many after the one named `after`, or of the last; None after the last."""
	table = frappe.qb.DocType(entries.DOCTYPE)
	query = frappe.qb.from_(table).select(table.name).where(table.name > after)
	found = query.orderby(table.name).limit(1).offset(ENTRIES_AT_ONCE - 1).run(pluck=True)
	if not found:
		found = query.orderby(table.name, order=frappe.qb.desc).limit(1).run(pluck=True)
	return found[0] if found else None


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


def link_entries(after: str, until: str) -> None:
	"""Name its membership in every entry that names none, of those from one name to another.

	A lot is full until `build` has looked at it.
	"""
	# The query builder writes a subquery after SET without its parentheses.
	frappe.db.sql(
		"""update `tabLoyalty Point Entry` set
			membership = (
				select name from `tabLoyalty Membership`
				where `tabLoyalty Membership`.customer = `tabLoyalty Point Entry`.customer
				and `tabLoyalty Membership`.loyalty_program = `tabLoyalty Point Entry`.loyalty_program),
			company = (
				select company from `tabLoyalty Membership`
				where `tabLoyalty Membership`.customer = `tabLoyalty Point Entry`.customer
				and `tabLoyalty Membership`.loyalty_program = `tabLoyalty Point Entry`.loyalty_program),
			posting_date = coalesce(posting_date, date(creation)),
			remaining_points = case when loyalty_points > 0 then loyalty_points else 0 end,
			is_open = case when loyalty_points > 0 then 1 else 0 end
		where (membership is null or membership = '') and name > %(after)s and name <= %(until)s
			and exists (
				select name from `tabLoyalty Membership`
				where `tabLoyalty Membership`.customer = `tabLoyalty Point Entry`.customer
				and `tabLoyalty Membership`.loyalty_program = `tabLoyalty Point Entry`.loyalty_program)""",
		{"after": after, "until": until},
	)


def _untaken(entry):
	return entry.membership.isnull() | (entry.membership == "")


def build(names: list[str]) -> None:
	"""Put the entries of some memberships without a log in order, and give them their log and totals."""
	members = membership.lock_with_customers(names)
	table = frappe.qb.DocType(entries.DOCTYPE)
	rows = defaultdict(dict)
	query = entries.select(table.membership.isin(names)).select(table.membership).orderby(table.creation)
	for row in query.run(as_dict=True):
		rows[row["membership"]][row["name"]] = row

	changed, made, gone = {}, [], []
	found, corrected, expired = log.Page(FOUND), log.Page(CORRECTED), log.Page(expiry.CAUSE)
	on = getdate(today())
	for member in members:
		factors = {t.name: t.factor for t in membership.tiers_of(member.loyalty_program)}
		mine = rows[member.name]
		before = {name: as_entry(row, factors) for name, row in mine.items()}
		adopted = lots.adopt(before.values(), on, entries.new_name)
		after = lots.expire(adopted.values(), on, entries.new_name)
		for name, entry in after.items():
			if name not in mine:
				made.append({"name": name, "membership": member.name, **entries.to_row(entry, member)})
			elif difference := unlike(mine[name], entry):
				changed[name] = difference
		gone += [name for name in before if name not in after]
		was = {name: entries.logged(entries.to_row(e, member)) for name, e in before.items()}
		found.add(member, [log.Change(name, None, values) for name, values in was.items()])
		corrected.add(member, corrections(before, adopted, was, member))
		expired.add(
			member,
			[
				entries.change_of(name, None, entries.to_row(e, member))
				for name, e in after.items()
				if name not in adopted
			],
		)
		membership.count(member, {}, after, horizon=lots.NEVER)

	if gone:
		frappe.qb.from_(table).delete().where(table.name.isin(gone)).run()
	bulk.update(entries.DOCTYPE, changed)
	entries.insert_rows(made)
	for page in (found, corrected, expired):
		page.write()
	# The tier of all of them: ERPNext leaves one standing when the purchases that reached it are cancelled.
	membership.show_reached_tiers(members)


def corrections(
	before: dict[str, Entry], after: dict[str, Entry], was: dict[str, dict], member: frappe._dict
) -> list[log.Change]:
	"""What putting the entries in order changed of them, beside what follows from the draws."""
	changes = []
	for name in {**before, **after}:
		one, other = before.get(name), after.get(name)
		if one is not other:
			now_is = entries.logged(entries.to_row(other, member)) if other else None
			if was.get(name) != now_is:
				changes.append(log.Change(name, was.get(name), now_is))
	return changes


def unlike(row: dict, entry: Entry) -> dict:
	"""The columns of a database `row` that are not as `entry` says, with what that says."""
	terms = entry.terms or NO_TERMS
	values = {
		"entry_type": entry.kind.value,
		"loyalty_program_tier": entry.tier,
		"redeem_against": entry.lot,
		"loyalty_points": entry.points,
		"purchase_amount": entry.purchase_amount,
		"posting_date": entry.posting_date,
		"expiry_date": entry.expiry_date,
		"collection_factor": terms.factor or 0,
		"earn_on": terms.earn_on.value if entry.terms else None,
		"remaining_points": entry.remaining,
		"is_open": int(entry.remaining != 0),
	}
	return {key: log.plain(value) for key, value in values.items() if row[key] != value}


def as_entry(row: dict, factors: dict) -> Entry:
	"""The entry that `row` means, a lot with all its points; `factors` are the program's, by tier, for rows that
	recorded none."""
	points, posting_date = row.loyalty_points or 0, getdate(row.posting_date)
	# ERPNext does not count points without an expiry date: they had expired from the start.
	expiry_date = getdate(row.expiry_date) if row.expiry_date else posting_date
	if row.entry_type:  # written by this app before it was uninstalled
		return entries.from_row(row | {"expiry_date": expiry_date, "remaining_points": max(points, 0)})
	tier = row.loyalty_program_tier or None
	earned = points >= 0 and row.invoice
	return Entry(
		name=row.name,
		kind=Kind.REDEEMED if points < 0 else Kind.EARNED if earned else Kind.ADJUSTED,
		voucher=Voucher(row.invoice_type or None, row.invoice or None),
		points=points,
		remaining=max(points, 0),
		posting_date=posting_date,
		expiry_date=expiry_date,
		lot=row.redeem_against or None,
		tier=tier,
		# ERPNext writes the invoice's total on redemption rows too; it was never spend.
		purchase_amount=exact(row.purchase_amount if points >= 0 else 0),
		terms=Terms(factor=factors.get(tier)) if earned else None,
		reason=row.get("discretionary_reason") or None,
	)
