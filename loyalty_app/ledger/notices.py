"""Telling members what happened, and what is going to.

Entries and memberships are written in SQL, so that no event of Frappe's documents fires for them. What a customer may want
to know is announced here instead, as an event of the Loyalty Membership: a Notification of event *Method* is sent
on it, a handler in doc_events is called. The document's `notice` says what it is about.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import frappe
from frappe import _
from frappe.utils import add_days, add_months, cint, formatdate, get_first_day, get_last_day, getdate, today

from loyalty_app.ledger import entries, listeners, membership
from loyalty_app.rules.earning import NEVER
from loyalty_app.rules.lots import Entry

# Events, and what their `notice` has beside `subject`.
# points, spendable_from (None: now), expiry_date (None: never), invoice_type, invoice, reason
EARNED = "on_points_earned"
# tier
TIER = "on_tier_reached"
# points, expiry_date (the first), lots (points and expiry_date of each day)
EXPIRING = "on_points_expiring"
# first, last
STATEMENT = "on_statement_due"

PROGRAM = "Loyalty Program"


def is_heard(event: str) -> bool:
	"""Whether anybody listens to `event` of memberships."""
	return listeners.are_there(membership.DOCTYPE, event, hooks_of_all=True)


def tell(event: str, member: dict, language: str | None, **notice) -> None:
	"""Announce `event` of `member`, a membership's row, in `language`. While nobody listens, no statement is run."""
	doc = frappe.get_doc({"doctype": membership.DOCTYPE, **member, "in_table": None})
	doc.notice = frappe._dict(notice)
	with _in_language(language):
		doc.notice.subject = _subject(event, doc.notice)
		doc.run_method(event)


def _subject(event: str, notice: dict) -> str:
	points = notice.get("points")
	if event == EARNED:
		return _("You have earned {0} points").format(points) if points != 1 else _("You have earned 1 point")
	if event == TIER:
		return _("You have reached {0}").format(notice["tier"])
	if event == EXPIRING:
		day = formatdate(notice["expiry_date"])
		if points == 1:
			return _("1 point of yours expires after {0}").format(day)
		return _("{0} points of yours expire after {1}").format(points, day)
	return _("Your loyalty statement of {0}").format(formatdate(notice["first"], "MMMM yyyy"))


@contextmanager
def _in_language(language: str | None):
	"""As `frappe.translate.print_language`, which a failure would leave in that language."""
	before = frappe.local.lang
	if language and language != before:
		frappe.local.lang, frappe.local.jenv = language, None
	try:
		yield
	finally:
		if frappe.local.lang != before:
			frappe.local.lang, frappe.local.jenv = before, None


def tell_gains(
	member: frappe._dict, before: str | None, written: Iterable[Entry], language: str | None = None
) -> None:
	"""Tell of the points in the new entries `written` of one document, if there are any, and of the tier that `member`,
	who was in the tier `before`, has risen to."""
	gains = sorted((e for e in written if e.points > 0), key=lambda e: e.expiry_date)
	if gains:
		first = gains[0]
		tell(
			EARNED,
			member,
			language,
			points=sum(e.points for e in gains),
			spendable_from=first.spendable_from,
			expiry_date=None if first.expiry_date == NEVER else first.expiry_date,
			invoice_type=first.voucher.doctype,
			invoice=first.voucher.name,
			reason=first.reason,
		)
	if _rank(member, member.loyalty_program_tier) > _rank(member, before):
		tell(TIER, member, language, tier=member.loyalty_program_tier)


def _rank(member: frappe._dict, tier: str | None):
	"""How much has to be spent for `tier`; nothing for one that everybody has who buys."""
	minimums = {tier.name: tier.minimum for tier in membership.tiers_of(member.loyalty_program)}
	return minimums.get(tier, 0)


def longest_notice() -> int:
	"""Days before their expiry at which some program tells its members, the most there are."""
	days = frappe.get_all(PROGRAM, filters={"expiry_notice_days": [">", 0]}, pluck="expiry_notice_days")
	return max(map(cint, days), default=0)


def expires_soon(table):
	"""The condition that something of a membership in `table`, a customer's present one, expires soon."""
	return (table.active == 1) & (table.next_expiry <= add_days(getdate(today()), longest_notice()))


def tell_expiring(names: list[str]) -> int:
	"""Tell the memberships `names` of their lots that expire soon, of each lot once; return how many were told.

	Commits after each: what was told is marked in the transaction that has put the e-mail into the queue.
	"""
	told, due = 0, list(_expiring(names))
	frappe.db.commit()  # nosemgrep: what is locked below is read as it is then
	for name, lots, language in due:
		told += _tell_of_lots(name, lots, language)
		frappe.db.commit()  # nosemgrep: a background job; the next member must not undo this one
	return told


def _expiring(names: list[str]) -> Iterator[tuple[str, list[str], str | None]]:
	"""Memberships among `names` with their lots that are to be told of, and their customers' language."""
	first = getdate(today())
	entry, member = frappe.qb.DocType(entries.DOCTYPE), frappe.qb.DocType(membership.DOCTYPE)
	customer, program = frappe.qb.DocType("Customer"), frappe.qb.DocType(PROGRAM)
	rows = (
		frappe.qb.from_(entry)
		.join(member)
		.on(member.name == entry.membership)
		.join(customer)
		.on(customer.name == member.customer)
		.join(program)
		.on(program.name == member.loyalty_program)
		.select(
			entry.name, entry.membership, entry.expiry_date, customer.language, program.expiry_notice_days
		)
		.where(entry.membership.isin(names) & (entry.is_open == 1) & (entry.remaining_points > 0))
		.where((entry.expiry_date >= first) & (entry.expiry_date <= add_days(first, longest_notice())))
		.where(entry.expiry_notice_on.isnull() & (program.expiry_notice_days > 0))
		.where((member.active == 1) & (customer.disabled == 0))
		.orderby(entry.membership)
		.run(as_dict=True)
	)
	lots, languages = defaultdict(list), {}
	for row in rows:
		if getdate(row.expiry_date) <= add_days(first, cint(row.expiry_notice_days)):
			lots[row.membership].append(row.name)
			languages[row.membership] = row.language
	for name in lots:
		yield name, lots[name], languages[name]


def _tell_of_lots(name: str, lots: list[str], language: str | None) -> int:
	"""Tell the membership `name` of those of `lots` that nobody has told of meanwhile, and mark them."""
	member = _locked(name)
	table = frappe.qb.DocType(entries.DOCTYPE)
	query = frappe.qb.from_(table).select(table.name, table.expiry_date, table.remaining_points)
	query = query.where(table.name.isin(lots) & (table.membership == name))
	query = query.where(table.expiry_notice_on.isnull() & (table.remaining_points > 0))
	left = query.for_update().run(as_dict=True)
	if not member or not left:
		return 0
	mark = frappe.qb.update(table).set(table.expiry_notice_on, today())
	mark.where(table.name.isin([lot.name for lot in left])).run()
	days = defaultdict(int)
	for lot in left:
		days[getdate(lot.expiry_date)] += cint(lot.remaining_points)
	tell(
		EXPIRING,
		member,
		language,
		points=sum(days.values()),
		expiry_date=min(days),
		lots=[frappe._dict(points=days[day], expiry_date=day) for day in sorted(days)],
	)
	return 1


def _locked(name: str) -> frappe._dict | None:
	"""The membership `name`, locked; None where it was pooled with another meanwhile."""
	return next(iter(membership.lock_all([name])), None)


def wants_statement(table):
	"""The condition that the monthly statement of a membership in `table` is asked for, and not sent yet."""
	customer = frappe.qb.DocType("Customer")
	asking = frappe.qb.from_(customer).select(customer.name)
	asking = asking.where((customer.loyalty_statement_by_email == 1) & (customer.disabled == 0))
	month = get_first_day(today())
	return (
		(table.active == 1)
		& (table.points_earned > 0)
		& (table.statement_sent_on.isnull() | (table.statement_sent_on < month))
		& table.customer.isin(asking)
	)


def send_statements(names: list[str]) -> int:
	"""Announce that last month's statement of the memberships `names` is due, to each once; return how many that were.

	Commits after each, as `tell_expiring`.
	"""
	first = add_months(get_first_day(today()), -1)
	sent = 0
	for name in names:
		sent += _send_statement(name, first)
		frappe.db.commit()  # nosemgrep: see above
	return sent


def _send_statement(name: str, first) -> int:
	member = _locked(name)
	sent_on = frappe.db.get_value(membership.DOCTYPE, name, "statement_sent_on", for_update=True)
	if not member or (sent_on and getdate(sent_on) >= get_first_day(today())):
		return 0
	frappe.db.set_value(membership.DOCTYPE, name, "statement_sent_on", today(), update_modified=False)
	language = frappe.db.get_value("Customer", member.customer, "language")
	tell(STATEMENT, member, language, first=first, last=get_last_day(first))
	return 1
