"""Tiers that are held for a period: which spend counts, and what is kept of a tier when a period ends (rules 7).

A membership in a program with a tier period has its spend by month in its own row: whoever locks it knows what was spent in
every window, and nothing else is read. Those in a program whose tiers are for a lifetime have none of this.
"""

import json
from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal

import frappe
from frappe import _
from frappe.model.document import Document
from frappe.query_builder.functions import Sum
from frappe.utils import cint, getdate, today
from pypika.terms import Function

from loyalty_app.rules import tiers
from loyalty_app.rules.amounts import exact, rounded
from loyalty_app.rules.lots import Entry
from loyalty_app.rules.tiers import Downgrade, Standing, Tier, Window

ENTRY = "Loyalty Point Entry"
PERIODS = LAST_MONTHS, FISCAL_YEAR = ("Last N Months", "Fiscal Year")
# What of a membership's row belongs to its period.
FIELDS = ("spend_by_month", "tier_kept", "tier_evaluated_on")


def tiers_of(program: str) -> list[Tier]:
	"""The tiers of `program`, in no particular order."""
	return tiers_in(frappe.get_cached_doc("Loyalty Program", program))


def tiers_in(program: Document) -> list[Tier]:
	"""The tiers that the document `program` has, saved or not."""
	rules = program.collection_rules
	return [Tier(r.tier_name, exact(r.min_spent), exact(r.collection_factor)) for r in rules]


def has_period(program: Document) -> bool:
	return program.tier_period in PERIODS


def window(program: Document, on: date) -> Window:
	"""The months whose spend counts for tiers on the day `on`."""
	if program.tier_period == LAST_MONTHS:
		return tiers.last_months(on, max(cint(program.tier_period_months), 1))
	first, last = fiscal_year(program.company, on)
	return Window(tiers.month_of(first), tiers.month_of(last))


def ended(program: Document, on: date) -> date:
	"""The last day of the period before the one that `on` is in: a month, or a fiscal year."""
	monthly = program.tier_period == LAST_MONTHS
	first = tiers.month_of(on) if monthly else fiscal_year(program.company, on)[0]
	return first - timedelta(days=1)


def fiscal_year(company: str, on: date) -> tuple[date, date]:
	"""The first and the last day of the fiscal year of `company`; of the calendar year, where it has none for that day."""
	from erpnext.accounts.utils import FiscalYearError, get_fiscal_years

	try:
		_name, first, last = get_fiscal_years(on, company=company, verbose=0)[0]
	except FiscalYearError:
		return date(on.year, 1, 1), date(on.year, 12, 31)
	return getdate(first), getdate(last)


def ends(program: Document, after: date, on: date) -> list[date]:
	"""The days, later than `after`, on which periods have ended before `on`."""
	found, end = [], ended(program, on)
	while end > after:
		found.append(end)
		end = ended(program, end)
	return found[::-1]


def words(program: Document) -> str | None:
	"""When the spend that counts for tiers was spent, as part of a sentence; None where all of it counts."""
	if not has_period(program):
		return None
	if program.tier_period == FISCAL_YEAR:
		return _("in this fiscal year")
	months = max(cint(program.tier_period_months), 1)
	return _("in this month") if months == 1 else _("in the last {0} months").format(months)


def opening(program: Document) -> dict:
	"""What the row of a new membership in `program` has of `FIELDS`."""
	if not has_period(program):
		return {}
	return {"spend_by_month": "{}", "tier_evaluated_on": ended(program, getdate(today()))}


def by_month(member: dict) -> dict[date, Decimal]:
	kept = json.loads(member["spend_by_month"] or "{}")
	return {getdate(f"{month}-01"): Decimal(amount) for month, amount in kept.items()}


def as_text(months: dict[date, Decimal]) -> str:
	"""Spend by month as a membership keeps it: the same sums are the same text."""
	return json.dumps({f"{m:%Y-%m}": f"{months[m].normalize():f}" for m in sorted(months) if months[m]})


def count(member: dict, before: dict[str, Entry], after: dict[str, Entry]) -> None:
	"""Bring the months of the locked `member` from the entries `before` to those `after`."""
	if not member.tier_evaluated_on:
		return
	months = by_month(member)
	for sign, book in ((-1, before), (1, after)):
		for entry in book.values():
			if entry.purchase_amount:
				month = tiers.month_of(entry.posting_date)
				months[month] = months.get(month, Decimal(0)) + sign * entry.purchase_amount
	member.spend_by_month = as_text(months)


def counted(names: list[str], lock: bool = False) -> dict[str, str]:
	"""The spend by month of the memberships `names`, counted from their entries."""
	table = frappe.qb.DocType(ENTRY)
	month = Function("SUBSTR", table.posting_date, 1, 7)
	query = frappe.qb.from_(table).select(table.membership, month, Sum(table.purchase_amount))
	query = query.where(table.membership.isin(names or [""]) & (table.purchase_amount != 0))
	query = query.groupby(table.membership, month)
	found = {name: {} for name in names}
	for name, in_month, spent in (query.for_update() if lock else query).run() if names else ():
		# Where the database sums binary floats, the sum is off by a trace.
		found[name][getdate(f"{in_month}-01")] = rounded(exact(spent), 6)
	return {name: as_text(months) for name, months in found.items()}


def begin(members: Iterable[dict], program: Document | None = None, lock: bool = True) -> list[dict]:
	"""Count the months of those of the locked `members` whose program has got a period since they joined; return these.

	Their tier is kept until the period that has just ended is evaluated. Without `lock`, to look at.
	"""
	new = [m for m in members if not m.tier_evaluated_on and has_period(_program_of(m, program))]
	months = counted([m.name for m in new], lock) if new else {}
	for member in new:
		terms = _program_of(member, program)
		member.spend_by_month = months[member.name]
		member.tier_kept = member.loyalty_program_tier
		member.tier_evaluated_on = ended(terms, ended(terms, getdate(today())))
	return new


def held(member: dict, program: Document | None = None) -> str | None:
	"""The name of the tier that `member`, in a program with a period, holds today."""
	terms, on = _program_of(member, program), getdate(today())
	since = ends(terms, member.tier_evaluated_on, on)
	tier = tiers.held(tiers_in(terms), _standing(member, terms), since, on, _spent(member, terms))
	return tier.name if tier else None


def is_due(member: dict, program: Document | None = None) -> bool:
	"""Whether a period has ended for which the tier of `member` was not lowered yet."""
	terms = _program_of(member, program)
	return has_period(terms) and (
		not member.tier_evaluated_on or member.tier_evaluated_on < ended(terms, getdate(today()))
	)


def evaluate(members: list[dict], program: Document | None = None) -> list[dict]:
	"""Note of the locked `members` what they keep of tiers that they have not earned again; return those that were due."""
	due = [member for member in members if is_due(member, program)]
	begin(due, program)
	for member in due:
		terms = _program_of(member, program)
		since = ends(terms, member.tier_evaluated_on, getdate(today()))
		downgrade = Downgrade(terms.tier_downgrade or Downgrade.NEVER)
		standing = tiers.evaluate(
			tiers_in(terms), _standing(member, terms), since, downgrade, _spent(member, terms)
		)
		member.tier_kept = standing.kept.name if standing.kept else None
		member.tier_evaluated_on = standing.evaluated_on
	return due


def keep_higher(member: dict, other: dict) -> None:
	"""Let `member` keep the tier that `other`, evaluated up to the same day and pooled with it, keeps, if that is higher."""
	kept = [_standing(m, _program_of(member)).kept for m in (member, other)]
	tier = tiers.highest(kept)
	member.tier_kept = tier.name if tier else None


def spend_towards_tier(member: dict, on: date, lock: bool = True) -> tuple[Decimal, str | None]:
	"""What `member` has spent that counts on the day `on`, and the tier that is held whatever that is; `lock`: the
	membership is locked."""
	terms = _program_of(member)
	if not has_period(terms):
		return member.total_spent, None
	begin([member], lock=lock)
	return _spent(member, terms)(on), member.loyalty_program_tier or None


def _program_of(member: dict, program: Document | None = None) -> Document:
	return program or frappe.get_cached_doc("Loyalty Program", member["loyalty_program"])


def _standing(member: dict, program: Document) -> Standing:
	kept = next((t for t in tiers_in(program) if t.name == member.tier_kept), None)
	return Standing(kept, member.tier_evaluated_on)


def _spent(member: dict, program: Document):
	months = by_month(member)
	return lambda on: tiers.spent_in(months, window(program, on))
