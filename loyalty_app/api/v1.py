"""The public REST API, version 1: /api/method/loyalty_app.api.v1.<method>. See docs/api.md.

Every number is the one that the desk, the reports and the customer's page show. What stands here is a promise:
arguments, keys and codes are added, and not changed or taken away.
"""

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Literal, TypedDict

import frappe
from frappe import _
from frappe.model.document import Document
from frappe.utils import cint, flt, get_datetime, getdate, nowtime, today
from werkzeug.wrappers import Response

from loyalty_app.api import desk, forms, permissions, schema
from loyalty_app.api.arguments import Least, Most
from loyalty_app.api.arguments import refuse as refuse_argument
from loyalty_app.api.endpoint import ENDPOINTS, InOtherProgram, KeyReused, NotAMember, NotFound, endpoint
from loyalty_app.ledger import adjustments, invoices, redemption
from loyalty_app.ledger import membership as members
from loyalty_app.ledger.busy import LedgerBusy
from loyalty_app.ledger.direct import MOST_SPEND
from loyalty_app.overrides import invoice as invoice_events
from loyalty_app.reporting import reading
from loyalty_app.rules.earning import NEVER

PROGRAM = "Loyalty Program"
# What a draft of an invoice goes through, in this order.
REDEMPTION_CHECKS = (invoice_events.before_validate, invoice_events.validate)
AS_DATE, AS_TIME = "%Y-%m-%d", "%Y-%m-%d %H:%M:%S.%f"

CustomerName = Annotated[str, "Name (ID) of the customer"]
OwnProgram = Annotated[str | None, "Name of a loyalty program; the customer's own if it is not given"]
Day = Annotated[date | None, "A day, like 2026-12-31; today if it is not given"]
Points = Annotated[int, "Points"]


class Membership(TypedDict):
	"""What a customer has in a loyalty program today. Money is in company currency."""

	customer: CustomerName
	customer_name: str
	loyalty_program: str
	company: str
	currency: Annotated[str, "The company's currency"]
	active: Annotated[bool, "Whether this is the customer's program now, and not one that was left"]
	balance: Annotated[int, "Points that can be spent today; below 0 where spent points were taken back"]
	worth: Annotated[float, "What the balance pays"]
	conversion_factor: Annotated[float, "What a point pays"]
	total_spent: Annotated[float, "All that was spent in the program"]
	tier_spend: Annotated[float, "What of it counts for the tier"]
	tier: Annotated[str | None, "None before anything was spent, or below the lowest tier"]
	next_tier: Annotated[str | None, "None in the highest tier"]
	next_tier_minimum: Annotated[float | None, "Spend from which the next tier is reached"]
	missing_to_next_tier: Annotated[float | None, "Spend that is missing to it"]
	pending: Annotated[int, "Points that can be spent later only"]
	pending_from: Annotated[date | None, "The first day on which some of them can"]
	next_expiry: Annotated[date | None, "The last day of the points that expire first; None if none expires"]
	next_expiry_points: Annotated[int, "Points that expire after that day"]
	points_earned: Annotated[int, "All that were ever earned or granted"]
	points_redeemed: Annotated[int, "All that were ever redeemed or taken off"]
	points_expired: Annotated[int, "All that ever expired"]


@dataclass(frozen=True, slots=True)
class Line:
	"""A line of a basket."""

	item_code: Annotated[str, "Name (ID) of the item"]
	qty: Annotated[Decimal, "Quantity, more than 0", Most(10**6)]
	rate: Annotated[Decimal, "Price of one, in the basket's currency", Most(10**9)]


class Promoted(TypedDict):
	"""What a promotion gives for a line."""

	promotion: str
	points: Points
	qty: float
	item: Annotated[str, "Name of the item, for people"]


class Earning(TypedDict):
	"""What an invoice would earn."""

	points: Points
	tier: Annotated[str | None, "The tier whose rule counts"]
	purchase_amount: Annotated[float, "The part of the invoice that counts, in company currency"]
	expiry_date: Annotated[date | None, "The last day of these points; None if they never expire"]
	spendable_from: Annotated[date | None, "The first day on which they may be spent; None: at once"]
	excluded_items: Annotated[list[str], "Items of the basket that earn nothing"]
	promotions: Annotated[list[Promoted], "What promotions give among these points, by line"]


class Limits(TypedDict):
	"""The program's limits on one redemption."""

	least: Annotated[int, "The fewest points at a time"]
	step: Annotated[int, "Points are redeemed in multiples of this"]
	share: Annotated[float, "The largest part of an invoice that points may pay, in percent; 0: all of it"]


class Redeemable(TypedDict):
	"""What may be redeemed on an invoice."""

	most: Annotated[int, "The most points that a submit would take"]
	most_amount: Annotated[float, "What they pay, in company currency"]
	refusal: Annotated[str | None, "Why none may be redeemed, for people; None if some may be"]
	limits: Limits


class Quote(TypedDict):
	"""What a basket would earn and may redeem."""

	customer: CustomerName
	loyalty_program: str
	company: str
	currency: Annotated[str, "The company's currency, of all amounts here"]
	posting_date: date
	total: Annotated[float, "What is to be paid, taxes and rounding included"]
	balance: Annotated[int, "Points that can be spent on the posting date"]
	worth: Annotated[float, "What the balance pays"]
	earning: Annotated[Earning | None, "None where it earns nothing"]
	earns_nothing: Annotated[str | None, "Why it earns nothing, for people"]
	code_refusal: Annotated[str | None, "Why the promotion code is refused, for people"]
	redeeming: Redeemable


class RedemptionQuote(TypedDict):
	"""What points pay, and whether a submit would take them."""

	customer: CustomerName
	loyalty_program: str
	company: str
	currency: Annotated[str, "The company's currency"]
	posting_date: date
	balance: Annotated[int, "Points that can be spent on the posting date"]
	points: Annotated[int, 'The points asked for; of "all", the most that a submit would take']
	amount: Annotated[float, "What they pay"]
	most: Annotated[int, "The most points that a submit would take"]
	most_amount: Annotated[float, "What those pay"]
	limits: Limits
	refusal: Annotated[str | None, "Why a submit would refuse the points, for people; None if it takes them"]


class Entry(TypedDict):
	"""A movement of points, as the ledger has it."""

	name: str
	entry_type: Literal["Earned", "Redeemed", "Expired", "Adjusted"]
	points: Annotated[int, "Below 0 where points left"]
	remaining: Annotated[int, "Of points that came: what is left of them"]
	posting_date: date
	expiry_date: Annotated[date | None, "The last day of these points; None if they never expire"]
	tier: str | None
	purchase_amount: Annotated[float, "The spend that counts for the tier, in company currency"]
	invoice_type: Annotated[str | None, "The doctype of the document that moved the points"]
	invoice: Annotated[str | None, "Its name"]
	reason: str | None


class Statement(TypedDict):
	"""A page of the entries of a member, the newest first."""

	customer: CustomerName
	loyalty_program: str
	entries: list[Entry]
	next: Annotated[str | None, "The cursor of the next page; None on the last"]


class Adjustment(TypedDict):
	"""A Loyalty Point Adjustment, as it is now."""

	name: str
	status: Literal["Draft", "Submitted", "Cancelled"]
	customer: CustomerName
	to_customer: str | None
	loyalty_program: str
	company: str
	points: Points
	reason: str
	posting_date: date
	expiry_date: Annotated[
		date | None, "The last day of points that it adds; None if they never expire, or of a draft"
	]


class Tier(TypedDict):
	"""A tier of a program."""

	name: str
	minimum: Annotated[float, "Spend that counts for tiers from which it is reached, in company currency"]
	factor: Annotated[float, "Spend that earns a point, in company currency"]


class Program(TypedDict):
	"""A loyalty program."""

	name: str
	company: str
	currency: Annotated[str, "The company's currency"]
	from_date: date
	to_date: date | None
	active: Annotated[bool, "Whether it runs today"]
	conversion_factor: Annotated[float, "What a point pays, in company currency"]
	expiry_days: Annotated[int, "Days that points are good for; 0 if they never expire"]
	tiers: Annotated[list[Tier], "The lowest first"]
	limits: Limits


@endpoint("GET", NotAMember)
def membership(customer: CustomerName, loyalty_program: OwnProgram = None) -> Membership:
	"""What a customer has: balance, worth, tier, next tier, points to come and points about to expire.

	Desk users see the customers that they may read, website users those that they stand for.
	"""
	return _membership(*_standing(customer, loyalty_program))


@endpoint("POST", NotAMember, NotFound, per_minute=600)
def quote(
	customer: CustomerName,
	items: Annotated[list[Line], "The lines of the basket"],
	company: Annotated[str | None, "The company that sells; the program's if it is not given"] = None,
	posting_date: Day = None,
	currency: Annotated[str | None, "Currency of the rates; the company's if it is not given"] = None,
	promotion_code: Annotated[str | None, "Code of a Loyalty Promotion that asks for one"] = None,
) -> Quote:
	"""What a basket would earn and may redeem, were it submitted as a Sales Invoice now. Nothing is saved.

	The invoice is completed as ERPNext completes one: price list, taxes and exchange rate are the customer's and the
	company's. `rate` is taken as it is given, as long as no pricing rule changes it.
	"""
	customer, summary = _standing(customer, None)
	company = _there("Company", company, "company") or summary.company
	permissions.may_see_company(company)
	invoice = _basket(customer, company, items, posting_date, _there("Currency", currency, "currency"))
	invoice.loyalty_promotion_code = promotion_code
	return forms.without_trace(lambda: _quote(invoice))


@endpoint("GET", NotAMember)
def redeem_quote(
	customer: CustomerName,
	points: Annotated[int | Literal["all"], 'Points to redeem, or "all" for the most that is taken'],
	total: Annotated[
		Decimal | None, "Total of the invoice, in company currency; without it, the total sets no limit"
	] = None,
	posting_date: Day = None,
) -> RedemptionQuote:
	"""What points pay, and whether an invoice of that total may be paid with them. Nothing is saved.

	Points that are refused are no error: the answer's `refusal` says why.
	"""
	customer, summary = _standing(customer, None, posting_date)
	program = frappe.get_cached_doc(PROGRAM, summary.loyalty_program)
	invoice = frappe.get_doc(
		{
			"doctype": "Sales Invoice",
			"customer": customer,
			"company": program.company,
			"loyalty_program": program.name,
			"posting_date": posting_date or getdate(today()),
			"base_grand_total": float(MOST_SPEND if total is None else total),
			"disable_rounded_total": 1,
			"redeem_loyalty_points": 1,
		}
	)
	most = desk.most_redeemable(invoice, program, summary.balance)
	asked = most if points == "all" else points
	limits = redemption.limits_of(program)
	# where nothing may be redeemed, the reason is that of the least that could be
	invoice.loyalty_points = asked or (limits.least if points == "all" else 0)
	refusal = next(
		filter(None, (forms.refusal_in(lambda: check(invoice)) for check in REDEMPTION_CHECKS)), None
	)
	return RedemptionQuote(
		customer=customer,
		loyalty_program=program.name,
		company=program.company,
		currency=summary.currency,
		posting_date=invoice.posting_date,
		balance=summary.balance,
		points=asked,
		amount=flt(redemption.amount_of(max(asked, 0), program)),
		most=most,
		most_amount=flt(redemption.amount_of(most, program)),
		limits=_limits(program),
		refusal=refusal,
	)


@endpoint("GET", NotAMember)
def statement(
	customer: CustomerName,
	loyalty_program: OwnProgram = None,
	limit: Annotated[int, "Entries of a page", Least(1), Most(200)] = 50,
	cursor: Annotated[str | None, "`next` of the page before; the newest entries if it is not given"] = None,
) -> Statement:
	"""The entries of a member, page by page, the newest posting date first.

	Pages are stable: an entry that is written meanwhile neither repeats nor hides one that was there. Desk users need to
	read Loyalty Point Entry.
	"""
	customer, summary = _standing(customer, loyalty_program)
	if permissions.is_desk_user():
		whose = {"customer": customer, "loyalty_program": summary.loyalty_program}
	else:
		whose = reading.OfMember(membership=summary.membership or "")
	table, query = reading.posted(whose, None, NEVER)
	# Of one membership, an index has the newest entries first.
	query = query.where(table.membership == (summary.membership or ""))
	if cursor:
		day, made, name = _position(cursor)
		same_day, same_time = table.posting_date == day, table.creation == made
		earlier = (table.creation < made) | (same_time & (table.name < name))
		query = query.where((table.posting_date < day) | (same_day & earlier))
	for column in (table.posting_date, table.creation, table.name):
		query = query.select(column).orderby(column, order=frappe.qb.desc)
	query = query.select(
		table.entry_type,
		table.loyalty_points,
		table.remaining_points,
		table.expiry_date,
		table.loyalty_program_tier,
		table.purchase_amount,
		table.invoice_type,
		table.invoice,
		table.discretionary_reason,
	)
	rows = query.limit(limit + 1).run(as_dict=True)
	return Statement(
		customer=customer,
		loyalty_program=summary.loyalty_program,
		entries=[_entry(row) for row in rows[:limit]],
		next=_cursor(rows[limit - 1]) if len(rows) > limit else None,
	)


@endpoint("POST", NotFound, InOtherProgram, per_minute=60)
def enrol(
	customer: CustomerName,
	loyalty_program: Annotated[str, "Name of the loyalty program to join"],
) -> Membership:
	"""Let a customer join a loyalty program; who is in it already stays in it. Needs to write the customer.

	Who is in another program has to leave it first, in the customer's form: the tier begins anew.
	"""
	customer = _seen(customer)
	frappe.has_permission("Customer", "write", doc=customer, throw=True)
	frappe.has_permission(PROGRAM, "read", throw=True)
	program = _there(PROGRAM, loyalty_program, "loyalty_program")
	frappe.has_permission(PROGRAM, "read", doc=program, throw=True)
	permissions.may_see_company(frappe.get_cached_value(PROGRAM, program, "company"))
	doc = frappe.get_doc("Customer", customer)
	if doc.loyalty_program and doc.loyalty_program != program:
		frappe.throw(
			_("Customer {0} is in Loyalty Program {1} already.").format(customer, doc.loyalty_program),
			InOtherProgram,
		)
	if not doc.loyalty_program:
		doc.loyalty_program = program
		doc.save()
	return _membership(*_standing(customer, program))


@endpoint("POST", NotFound, KeyReused)
def adjust(
	customer: Annotated[str, "Name of the customer who gets the points or, of a transfer, gives them"],
	points: Annotated[int, "Points to add, or below 0 to take; of a transfer, to move"],
	reason: Annotated[str, "One of the reasons that the form offers: Correction, Goodwill, Transfer, …"],
	idempotency_key: Annotated[str, "A text of your own, new for each adjustment, e.g. a UUID"],
	explanation: Annotated[str | None, "What it is for", Most(2000)] = None,
	to_customer: Annotated[str | None, "Name of the customer who gets the points of a transfer"] = None,
	loyalty_program: OwnProgram = None,
	posting_date: Day = None,
	expiry_date: Annotated[
		date | None, "The last day of points that are added; by the program's terms if it is not given"
	] = None,
	submit: Annotated[bool, "Whether to submit it; otherwise it is a draft that somebody approves"] = False,
) -> Adjustment:
	"""Add, take or move points by a Loyalty Point Adjustment, for who may create one (and submit it).

	Safe to repeat: the same key with the same arguments answers with the adjustment that is there, and writes nothing.
	The same key with other arguments is refused. Keys are each user's own; what was refused uses up no key.
	"""
	given = dict(locals())
	frappe.has_permission(adjustments.DOCTYPE, "create", throw=True)
	request = {
		"idempotency_key": hashlib.sha256(f"{frappe.session.user}\n{idempotency_key}".encode()).hexdigest(),
		"request_digest": hashlib.sha256(json.dumps(given, default=str, sort_keys=True).encode()).hexdigest(),
	}
	if doc := _repeated(request):
		return _adjustment(doc)
	doc = frappe.get_doc(
		{
			"doctype": adjustments.DOCTYPE,
			"customer": _seen(customer),
			"to_customer": _seen(to_customer) if to_customer else None,
			"loyalty_program": _there(PROGRAM, loyalty_program, "loyalty_program"),
			"points": points,
			"reason": reason,
			"explanation": explanation,
			"posting_date": posting_date,
			"expiry_date": expiry_date,
		}
	)
	doc.flags.request = request
	try:
		doc.insert()
	except frappe.UniqueValidationError:
		# somebody else has used the key in this very moment: asked again, there is an answer
		frappe.local.message_log = []
		frappe.throw(_("The same adjustment is being made right now: please try again."), LedgerBusy)
	if submit:
		doc.submit()
	return _adjustment(doc)


@endpoint("GET")
def programs() -> list[Program]:
	"""The loyalty programs that the user may read, in the order of their names."""
	names = frappe.get_list(PROGRAM, pluck="name", order_by="name", limit_page_length=0)
	return [_program(frappe.get_cached_doc(PROGRAM, name)) for name in names]


@frappe.whitelist(methods=["GET"])
def openapi() -> Response:
	"""This API as an OpenAPI 3.1 document, for clients that are generated and tested from it."""
	return Response(schema.as_text(ENDPOINTS), mimetype="application/json")


def _there(doctype: str, name: str | None, argument: str) -> str | None:
	"""`name` as the database has it, None if there is none. Raises NotFound."""
	if not name:
		return None
	found = frappe.db.exists(doctype, name)
	if not found:
		frappe.throw(
			_("{0}: there is no {1} {2}").format(argument, _(doctype), frappe.utils.escape_html(name)),
			NotFound,
		)
	return found


def _seen(customer: str) -> str:
	"""The customer of that name, whose points the user may see. Raises PermissionError, NotFound."""
	if not frappe.db.exists("Customer", customer):
		permissions.may_know_of_customers()
	customer = _there("Customer", customer, "customer")
	permissions.may_see_member(customer)
	return customer


def _standing(customer: str, program: str | None, on: date | None = None) -> tuple[str, frappe._dict]:
	"""The customer's name, and the summary of the membership in `program`, or in their own. Raises PermissionError,
	NotFound; NotAMember also for programs of companies that are closed to the user."""
	customer = _seen(customer)
	own = frappe.db.get_value("Customer", customer, "loyalty_program")
	if program and program != own and not members.find(customer, program):
		program = None
	else:
		program = program or own
	summary = members.summary(customer, program, on) if program else None
	if not summary or not permissions.sees_company(summary.company):
		frappe.throw(
			_("Customer {0} is not a member of such a loyalty program.").format(customer), NotAMember
		)
	summary.active = summary.loyalty_program == own
	return customer, summary


def _membership(customer: str, summary: frappe._dict) -> Membership:
	customer_name = frappe.get_cached_value("Customer", customer, "customer_name")
	told = summary | {"customer": customer, "customer_name": customer_name}
	return Membership({key: told[key] for key in Membership.__annotations__})


def _basket(
	customer: str, company: str, items: list[Line], posting_date: date | None, currency: str | None
) -> Document:
	codes = {line.item_code for line in items}
	there = set(frappe.get_all("Item", filters={"name": ("in", sorted(codes))}, pluck="name", limit=0))
	for index, line in enumerate(items):
		if line.item_code not in there:
			_there("Item", line.item_code, f"items[{index}].item_code")
		if not line.qty:
			refuse_argument(f"items[{index}].qty", _("must be more than {0}").format(0))
	invoice = frappe.get_doc(
		{
			"doctype": "Sales Invoice",
			"customer": customer,
			"company": company,
			"currency": currency or frappe.get_cached_value("Company", company, "default_currency"),
			"set_posting_time": 1,
			"posting_date": posting_date or getdate(today()),
			"posting_time": nowtime(),
			"items": [
				{"item_code": line.item_code, "qty": float(line.qty), "rate": float(line.rate)}
				for line in items
			],
		}
	)
	# what completing it reads is not shown to the user, who may see the customer
	invoice.flags.ignore_permissions = True
	return invoice


def _quote(invoice: Document) -> Quote:
	invoice.set_missing_values()
	told = frappe._dict(desk.draft(invoice))
	if told.incomplete:
		frappe.throw(told.incomplete)
	program = frappe.get_cached_doc(PROGRAM, told.loyalty_program)
	earning = told.earning
	if earning:
		earning = Earning(earning | {"expiry_date": _last_day(earning["expiry_date"])})
	return Quote(
		customer=invoice.customer,
		loyalty_program=program.name,
		company=invoice.company,
		currency=told.currency,
		posting_date=invoice.posting_date,
		total=flt(redemption.payable_total(invoice)),
		balance=told.balance,
		worth=told.worth,
		earning=earning,
		earns_nothing=told.earns_nothing,
		code_refusal=told.code_refusal,
		redeeming=Redeemable(
			most=told.most,
			most_amount=flt(redemption.amount_of(told.most, program)),
			refusal=told.redeems_nothing,
			limits=_limits(program),
		),
	)


def _limits(program: Document) -> Limits:
	limits = redemption.limits_of(program)
	return Limits(least=limits.least, step=max(limits.step, 1), share=flt(limits.share))


def _last_day(day) -> date | None:
	day = getdate(day) if day else None
	return None if day == NEVER else day


def _entry(row: Mapping) -> Entry:
	return Entry(
		name=row["name"],
		entry_type=row["entry_type"],
		points=row["loyalty_points"],
		remaining=cint(row["remaining_points"]),
		posting_date=getdate(row["posting_date"]),
		expiry_date=_last_day(row["expiry_date"]),
		tier=row["loyalty_program_tier"] or None,
		purchase_amount=flt(row["purchase_amount"]),
		invoice_type=row["invoice_type"] or None,
		invoice=row["invoice"] or None,
		reason=row["discretionary_reason"] or None,
	)


def _cursor(row: Mapping) -> str:
	position = [
		getdate(row["posting_date"]).strftime(AS_DATE),
		get_datetime(row["creation"]).strftime(AS_TIME),
	]
	return base64.urlsafe_b64encode(json.dumps([*position, row["name"]]).encode()).decode().rstrip("=")


def _position(cursor: str) -> tuple[str, str, str]:
	"""The place in the order of entries after which a page begins. Raises InvalidArgument."""
	try:
		text = base64.b64decode(cursor.encode("ascii") + b"==", altchars=b"-_", validate=False)
		day, made, name = json.loads(text)
		datetime.strptime(day, AS_DATE), datetime.strptime(made, AS_TIME)
		if not isinstance(name, str):
			raise ValueError
	except (ValueError, TypeError):
		refuse_argument("cursor", _("must be `next` of the page before"))
	return day, made, name


def _repeated(request: dict) -> Document | None:
	"""The adjustment that this user has made with the key of `request`. Raises KeyReused if it was another request."""
	found = frappe.db.get_value(
		adjustments.DOCTYPE,
		{"idempotency_key": request["idempotency_key"]},
		["name", "request_digest"],
		as_dict=True,
	)
	if not found:
		return None
	if found.request_digest != request["request_digest"]:
		frappe.throw(
			_("idempotency_key: {0} was made with this key, by other arguments").format(found.name), KeyReused
		)
	doc = frappe.get_doc(adjustments.DOCTYPE, found.name)
	doc.check_permission("read")
	return doc


def _adjustment(doc: Document) -> Adjustment:
	return Adjustment(
		name=doc.name,
		status=("Draft", "Submitted", "Cancelled")[cint(doc.docstatus)],
		customer=doc.customer,
		to_customer=doc.to_customer or None,
		loyalty_program=doc.loyalty_program,
		company=doc.company,
		points=doc.points,
		reason=doc.reason,
		posting_date=getdate(doc.posting_date),
		expiry_date=_last_day(doc.expiry_date),
	)


def _program(program: Document) -> Program:
	tiers = sorted(members.tiers_in(program), key=lambda tier: tier.minimum)
	return Program(
		name=program.name,
		company=program.company,
		currency=frappe.get_cached_value("Company", program.company, "default_currency"),
		from_date=getdate(program.from_date),
		to_date=getdate(program.to_date) if program.to_date else None,
		active=invoices.is_active(program, getdate(today())),
		conversion_factor=flt(program.conversion_factor),
		expiry_days=cint(program.expiry_duration),
		tiers=[Tier(name=t.name, minimum=float(t.minimum), factor=float(t.factor)) for t in tiers],
		limits=_limits(program),
	)
