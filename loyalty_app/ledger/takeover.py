"""Memberships, lots and a log from entries that are there when the app is installed (docs/erpnext.md).

They were written by ERPNext, or by this app before it was uninstalled. What customers may spend stays what they
saw. Works in batches of memberships, each a transaction of its own: a membership without a log is still to be done,
so that an interrupted run goes on where it stopped.
"""

from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import frappe
from frappe.query_builder.functions import Coalesce, Max, Sum
from frappe.utils import getdate, today, update_progress_bar
from pypika import Case
from pypika.terms import ExistsCriterion

from loyalty_app.ledger import audit, bulk, entries, expiry, log, membership
from loyalty_app.ledger.busy import insist
from loyalty_app.rules import lots
from loyalty_app.rules.earning import NEVER, EarnOn
from loyalty_app.rules.lots import Kind

FOUND = log.Cause("Install")
# The event of log rows that tell how an entry was put right; the report of corrections lists them.
CORRECTED = log.Cause("Install Correction")

MEMBERSHIPS_AT_ONCE = 500
ENTRIES_AT_ONCE = 20_000


def release_entries() -> None:
	"""Detach entries from memberships that went with an earlier installation of this app.

	Uninstalling keeps all entries and their columns, but ERPNext may have gone on spending their points.
	"""
	entry, table = frappe.qb.DocType(entries.DOCTYPE), frappe.qb.DocType(membership.DOCTYPE)
	query = frappe.qb.update(entry).set(entry.membership, None)
	query = query.set(entry.remaining_points, 0).set(entry.is_open, 0)
	there = frappe.qb.from_(table).select(table.name)
	query.where(entry.membership.isnotnull() & entry.membership.notin(there)).run()


def find_members(connections: int = 1) -> None:
	"""Open the memberships of all entries that belong to none, and name them in the entries.

	Entries of customers or programs that are not there any more are left as they are. The work is shared by as many
	`connections` to the database as are given, which see what is committed only.
	"""
	open_memberships()
	frappe.db.commit()  # nosemgrep: installing; the work is done in sets, each one transaction
	stretches = []
	while (until := nth_entry(stretches[-1][1] if stretches else "")) is not None:
		stretches.append((stretches[-1][1] if stretches else "", until))
	share(link_entries, stretches, connections, "Finding the members of loyalty points")


def build_memberships(connections: int = 1) -> int:
	"""Build the memberships whose entries name them, and that have no log yet; return how many."""
	names = unbuilt().run(pluck=True)
	sets = [(names[at : at + MEMBERSHIPS_AT_ONCE],) for at in range(0, len(names), MEMBERSHIPS_AT_ONCE)]
	share(build, sets, connections, "Taking over loyalty points")
	return len(names)


def share(function: Callable, calls: list[tuple], connections: int, title: str) -> None:
	"""Call `function` with each of `calls` in a transaction of its own, and show how far that is."""
	if connections == 1:
		for number, arguments in enumerate(calls, 1):
			function(*arguments)
			frappe.db.commit()  # nosemgrep: one set is one transaction
			update_progress_bar(title, number - 1, len(calls))
		return
	site = frappe.local.site

	def connected(arguments: tuple) -> None:
		frappe.init(site=site)
		frappe.connect()
		try:
			insist(function, *arguments)
			frappe.db.commit()  # nosemgrep: one set is one transaction
		finally:
			frappe.destroy()

	# Those at work at once are far apart: neighbours would wait for each other at the ends of what they lock.
	stride = max(1, -(-len(calls) // connections))
	apart = [call for first in range(stride) for call in calls[first::stride]]
	with ThreadPoolExecutor(connections) as pool:
		for number, _nothing in enumerate(pool.map(connected, apart), 1):
			update_progress_bar(title, number - 1, len(calls))
	frappe.db.commit()  # nosemgrep: from here on, what the others have written is seen


def unbuilt():
	"""The query for memberships that have entries, but no log yet."""
	table, entry = frappe.qb.DocType(membership.DOCTYPE), frappe.qb.DocType(entries.DOCTYPE)
	has_entries = frappe.qb.from_(entry).select(1).where(entry.membership == table.name)
	query = frappe.qb.from_(table).select(table.name).orderby(table.name)
	return query.where((table.log_count == 0) & ExistsCriterion(has_entries))


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
	pair = frappe.qb.from_(entry).select(entry.customer, entry.loyalty_program).distinct()
	pair = pair.where(entries.of_nobody(entry)).as_("pair")
	missing = (
		frappe.qb.from_(pair)
		.join(customer)
		.on(customer.name == pair.customer)
		.join(program)
		.on(program.name == pair.loyalty_program)
		.left_join(table)
		.on((table.customer == pair.customer) & (table.loyalty_program == pair.loyalty_program))
		.select(pair.customer, pair.loyalty_program, program.company, customer.customer_name)
		.select(customer.loyalty_program.as_("current"))
		.where(table.name.isnull())
		.run(as_dict=True)
	)
	rows = [
		membership.new_row(
			row.customer,
			row.customer_name,
			row.loyalty_program,
			row.company,
			row.current == row.loyalty_program,
		)
		for row in missing
	]
	bulk.insert(membership.DOCTYPE, rows)


def link_entries(after: str, until: str) -> None:
	"""Name its membership in every entry that names none, of those from one name to another, and say what follows
	from the entry alone.

	ERPNext writes the invoice's total on redemption rows too, but it was never spend; and it does not count points
	without an expiry date, which had expired from the start. A lot is full until `build` has looked at it.
	"""
	of_membership = """select {} from `tabLoyalty Membership`
		where `tabLoyalty Membership`.customer = `tabLoyalty Point Entry`.customer
		and `tabLoyalty Membership`.loyalty_program = `tabLoyalty Point Entry`.loyalty_program"""
	# The query builder writes a subquery after SET without its parentheses. Where `entry_type` is set, this app has
	# written the entry, before it was uninstalled; it is set last, as MariaDB goes on with what it has just set.
	frappe.db.sql(
		f"""update `tabLoyalty Point Entry` set
			membership = ({of_membership.format("name")}),
			company = coalesce(company, ({of_membership.format("company")})),
			posting_date = coalesce(posting_date, date(creation)),
			expiry_date = coalesce(expiry_date, posting_date, date(creation)),
			purchase_amount = case when loyalty_points < 0 then 0 else purchase_amount end,
			redeem_against = case when loyalty_points < 0 and redeem_against <> '' then redeem_against end,
			collection_factor = case
				when entry_type <> '' then collection_factor
				when loyalty_points >= 0 and invoice <> '' then coalesce((
					select max(collection_factor) from `tabLoyalty Program Collection`
					where `tabLoyalty Program Collection`.parent = `tabLoyalty Point Entry`.loyalty_program
					and tier_name = loyalty_program_tier), 0)
				else 0 end,
			earn_on = case
				when entry_type <> '' then earn_on
				when loyalty_points >= 0 and invoice <> '' then %(earn_on)s end,
			remaining_points = case when loyalty_points > 0 then loyalty_points else 0 end,
			is_open = case when loyalty_points > 0 then 1 else 0 end,
			entry_type = case
				when entry_type <> '' then entry_type
				when loyalty_points < 0 then %(redeemed)s
				when invoice <> '' then %(earned)s
				else %(adjusted)s end
		where (membership is null or membership = '') and name > %(after)s and name <= %(until)s
			and exists ({of_membership.format("name")})""",
		{
			"after": after,
			"until": until,
			"earn_on": EarnOn.GRAND_TOTAL.value,
			"redeemed": Kind.REDEEMED.value,
			"earned": Kind.EARNED.value,
			"adjusted": Kind.ADJUSTED.value,
		},
	)


def build(names: list[str]) -> None:
	"""Put the entries of some memberships without a log in order, and give them their log and totals.

	To be called at the beginning of a transaction: some of it is read without a lock.
	"""
	members = membership.lock_with_customers(names)
	odd = odd_memberships(names)
	if orderly := [name for name in names if name not in odd]:
		draw_on_lots(orderly)
		follow_lots(orderly)
		expiry.close_untold(orderly)

	found, corrected = log.Page(FOUND), log.Page(CORRECTED)
	inserted = defaultdict(list)
	table = frappe.qb.DocType(entries.DOCTYPE)
	query = frappe.qb.from_(table).select(
		table.membership, table.name, table.loyalty_points, entries.as_json(table)
	)
	for name, *row in query.where(table.membership.isin(names)).orderby(table.creation).run():
		inserted[name].append(tuple(row))
	for member in members:
		found.add_many(member, inserted[member.name])
	for member in members:
		if member.name in odd:
			put_in_order(member, corrected)
	found.write()
	corrected.write()

	totals = audit.totals_of(members)
	for member in members:
		member.update(totals[member.name])
	expiry.close_of(expiry.those_due(members))
	# The tier of all of them: ERPNext leaves one standing when the purchases that reached it are cancelled.
	membership.show_reached_tiers(members)


def odd_memberships(names: list[str]) -> set[str]:
	"""Those of the memberships in which more was drawn from a lot than it had, or something from none."""
	entry, lot = frappe.qb.DocType(entries.DOCTYPE), frappe.qb.DocType(entries.DOCTYPE).as_("lot")
	of_lot = (lot.name == entry.redeem_against) & (lot.membership == entry.membership)
	query = (
		frappe.qb.from_(entry)
		.left_join(lot)
		.on(of_lot & (lot.loyalty_points > 0))
		.select(entry.membership)
		.where(entry.membership.isin(names) & (entry.loyalty_points < 0))
		.groupby(entry.membership, entry.redeem_against)
		.having(Sum(entry.loyalty_points) + Coalesce(Max(lot.loyalty_points), 0) < 0)
	)
	return set(query.run(pluck=True))


def draw_on_lots(names: list[str]) -> None:
	"""Leave in the lots of some memberships, full until now, what was not drawn from them."""
	# The query builder writes a subquery after SET without its parentheses.
	drawn = """select {} from `tabLoyalty Point Entry` draw
		where draw.membership = `tabLoyalty Point Entry`.membership
		and draw.redeem_against = `tabLoyalty Point Entry`.name and draw.loyalty_points < 0"""
	frappe.db.sql(
		f"""update `tabLoyalty Point Entry` set
			remaining_points = loyalty_points + coalesce(({drawn.format("sum(draw.loyalty_points)")}), 0)
		where membership in %(names)s and loyalty_points > 0 and exists ({drawn.format("1")})""",
		{"names": names},
	)
	table = frappe.qb.DocType(entries.DOCTYPE)
	spent = table.membership.isin(names) & (table.is_open == 1) & (table.remaining_points == 0)
	frappe.qb.update(table).set(table.is_open, 0).where(spent).run()


def follow_lots(names: list[str]) -> None:
	"""Let the draws of some memberships have the tier and the dates of the lots they are from."""
	table, lot = frappe.qb.DocType(entries.DOCTYPE), frappe.qb.DocType(entries.DOCTYPE).as_("lot")
	tier, lots_tier = (_or_empty(t.loyalty_program_tier) for t in (table, lot))
	first_day, lots_first_day = (Coalesce(t.spendable_from, NEVER) for t in (table, lot))
	rows = (
		frappe.qb.from_(table)
		.join(lot)
		.on(lot.name == table.redeem_against)
		.select(table.name, lot.loyalty_program_tier, lot.expiry_date, lot.spendable_from)
		.where(table.membership.isin(names) & (table.loyalty_points < 0))
		.where((table.expiry_date != lot.expiry_date) | (tier != lots_tier) | (first_day != lots_first_day))
		.run()
	)
	bulk.update(
		entries.DOCTYPE,
		{
			name: {"loyalty_program_tier": tier, "expiry_date": last_day, "spendable_from": first_day}
			for name, tier, last_day, first_day in rows
		},
	)


def _or_empty(term):
	return Case().when(term.isnull(), "").else_(term)


def put_in_order(member: frappe._dict, corrected: log.Page) -> None:
	"""Put the entries of the locked `member` in order by the rules, and tell what that changed of them."""
	table = frappe.qb.DocType(entries.DOCTYPE)
	before = {e.name: e for e in entries.found(entries.select(table.membership == member.name))}
	after = lots.adopt(before.values(), getdate(today()), bulk.new_name)
	rows_before = {name: entries.to_row(entry, member) for name, entry in before.items()}
	rows_after = {name: entries.to_row(entry, member) for name, entry in after.items()}
	entries.write_rows(member, rows_before, rows_after)
	changes = [
		entries.change_of(name, rows_before.get(name), rows_after.get(name)) for name in {**before, **after}
	]
	corrected.add(member, [change for change in changes if change.before != change.after])
