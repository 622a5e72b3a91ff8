"""Joining a program automatically: on saving a customer, and for all existing customers at once.

A customer joins a program that has *Auto Opt In* ticked, is active today, and whose customer group and territory
contain the customer's (the node itself included; empty means all). One such program is joined; where there are
several, somebody has to choose (rules 3).
"""

import frappe
from frappe import _
from frappe.query_builder import Case
from frappe.query_builder.functions import Count, Sum
from frappe.utils import cint, now, today

from loyalty_app.api.doors import whitelist
from loyalty_app.ledger import membership
from loyalty_app.ledger.busy import insist

BATCH_SIZE = 200
PROGRESS_KEPT_SECONDS = 24 * 60 * 60


def eligible_programs(customer) -> list[str]:
	"""Return the names of the programs the customer document may be enrolled in today, in order of name."""
	program = frappe.qb.DocType("Loyalty Program")
	query = _active_today(frappe.qb.from_(program).select(program.name), program)
	for program_field, doctype, node in (
		(program.customer_group, "Customer Group", customer.get("customer_group")),
		(program.customer_territory, "Territory", customer.get("territory")),
	):
		above = frappe.qb.DocType(doctype).as_(frappe.scrub(doctype))
		query = query.left_join(above).on(above.name == program_field)
		within = _empty(program_field)
		if bounds := node and frappe.db.get_value(doctype, node, ["lft", "rgt"]):
			within = within | _contains(above, *bounds)
		query = query.where(within)
	return query.orderby(program.name).run(pluck=True)


def assign(customer):
	"""Set the program of a customer document that has none; to be called before ERPNext validates it.

	ERPNext enrols customers too, but sees one level of the trees only: where it finds one program and there are
	several, its choice has to be taken back (`keep_choice_open`).
	"""
	customer.flags.loyalty_programs_to_choose_from = None
	if customer.get("loyalty_program"):
		return
	programs = eligible_programs(customer)
	if len(programs) == 1:
		customer.loyalty_program = programs[0]
	elif programs:
		customer.flags.loyalty_programs_to_choose_from = programs


def keep_choice_open(customer):
	"""Leave the program empty and say so where several match; to be called after ERPNext validated the customer."""
	if not customer.flags.loyalty_programs_to_choose_from:
		return
	customer.loyalty_program = None
	# the wording is ERPNext's, so that its translations serve and that it is not said twice
	message = _("Multiple Loyalty Programs found for Customer {}. Please select manually.").format(
		frappe.bold(customer.customer_name)
	)
	if not any(message in str(shown) for shown in frappe.local.message_log):
		frappe.msgprint(message)


def enqueue(program: str):
	"""Enrol all existing customers who are eligible for the program, in a background job."""
	_set_progress(program, {"status": "Queued", "done": 0, "total": 0, "to_choose": 0})
	frappe.enqueue(
		"loyalty_app.enrolment.enrol_existing_customers",
		queue="long",
		job_id=f"loyalty_app_enrolment::{program}",
		deduplicate=True,
		enqueue_after_commit=True,
		program=program,
	)


@whitelist(methods=["POST"])
def start(program: str) -> dict:
	"""Start (or go on with) enrolling existing customers; needs write permission on the program."""
	doc = frappe.get_doc("Loyalty Program", program)
	doc.check_permission("write")
	if not doc.auto_opt_in:
		frappe.throw(_("Tick Auto Opt In in Loyalty Program {0} first.").format(frappe.bold(program)))
	enqueue(program)
	return progress(program)


@whitelist()
def progress(program: str) -> dict:
	"""Return how far the enrolment of existing customers is: `status` (empty, Queued, Running, Done or Failed),
	`done` and `total` customers, and `to_choose`, the customers for whom several programs match."""
	frappe.has_permission("Loyalty Program", "read", doc=program, throw=True)
	return frappe.cache.get_value(_progress_key(program)) or {
		"status": "",
		"done": 0,
		"total": 0,
		"to_choose": 0,
	}


def enrol_existing_customers(program: str):
	"""Enrol every eligible customer who has no program, batch by batch.

	Each batch is committed and customers who joined are no longer selected, so a run that was broken off is
	continued by the next.
	"""
	state = frappe._dict(status="Running", done=0, total=0, to_choose=0)
	try:
		state.total, state.to_choose = count_existing_customers(program)
		_set_progress(program, state)
		last = ""
		while batch := existing_customers(program, after=last, limit=BATCH_SIZE):
			last = batch[-1]
			frappe.db.commit()  # nosemgrep: a background job, whose batches read what is there when they begin
			state.done += insist(_join, program, batch)
			frappe.db.commit()  # nosemgrep: those who joined stay joined if it is broken off
			# customers may have been added meanwhile
			state.total = max(state.total, state.done)
			_set_progress(program, state)
			frappe.publish_progress(
				state.done * 100 / max(state.total, 1),
				title=_("Enrolling customers"),
				doctype="Loyalty Program",
				docname=program,
				description=_("{0} of {1}").format(state.done, state.total),
			)
		state.status = "Done"
	except Exception:
		state.status = "Failed"
		raise
	finally:
		_set_progress(program, state)


def existing_customers(program: str, after: str = "", limit: int = BATCH_SIZE) -> list[str]:
	"""Return customers without a program for whom this one is the only eligible, in order of name, at most
	`limit` of those whose name comes after `after`."""
	tables, query = _customers_by_matches(program)
	return (
		query.select(tables.customer.name)
		.where(tables.customer.name > after)
		.having(tables.matches == 1)
		.orderby(tables.customer.name)
		.limit(limit)
		.run(pluck=True)
	)


def count_existing_customers(program: str) -> tuple[int, int]:
	"""Return how many customers without a program are eligible for this one alone, and for how many others
	several programs match, this one among them."""
	tables, query = _customers_by_matches(program)
	matching = query.select(tables.matches.as_("matches")).as_("matching")
	alone = Sum(Case().when(matching.matches == 1, 1).else_(0))
	row = frappe.qb.from_(matching).select(alone, Count("*")).run()[0]
	return cint(row[0]), cint(row[1]) - cint(row[0])


def _customers_by_matches(program: str):
	"""Customers without a program, grouped, with the number of programs each is eligible for; those for whom
	the given program is among them."""
	customer = frappe.qb.DocType("Customer")
	group = frappe.qb.DocType("Customer Group").as_("customer_group")
	territory = frappe.qb.DocType("Territory").as_("customer_territory")
	loyalty_program = frappe.qb.DocType("Loyalty Program")
	program_group = frappe.qb.DocType("Customer Group").as_("program_group")
	program_territory = frappe.qb.DocType("Territory").as_("program_territory")

	query = (
		frappe.qb.from_(customer)
		.left_join(group)
		.on(group.name == customer.customer_group)
		.left_join(territory)
		.on(territory.name == customer.territory)
		.join(loyalty_program)
		.on(loyalty_program.auto_opt_in == 1)
		.left_join(program_group)
		.on(program_group.name == loyalty_program.customer_group)
		.left_join(program_territory)
		.on(program_territory.name == loyalty_program.customer_territory)
		.where(_empty(customer.loyalty_program) & (customer.disabled == 0))
		.where(_empty(loyalty_program.customer_group) | _contains(program_group, group.lft, group.rgt))
		.where(
			_empty(loyalty_program.customer_territory)
			| _contains(program_territory, territory.lft, territory.rgt)
		)
		.groupby(customer.name)
		.having(Sum(Case().when(loyalty_program.name == program, 1).else_(0)) > 0)
	)
	tables = frappe._dict(customer=customer, matches=Count(loyalty_program.name))
	return tables, _active_today(query, loyalty_program)


def _join(program: str, customers: list[str]) -> int:
	"""Put those of the customers who still have no program into this one; return how many that were.

	The whole of a transaction, but for its end.
	"""
	customer = frappe.qb.DocType("Customer")
	(
		frappe.qb.update(customer)
		.set(customer.loyalty_program, program)
		.set(customer.loyalty_program_tier, None)
		.set(customer.modified, now())
		.set(customer.modified_by, frappe.session.user)
		.where(customer.name.isin(customers) & _empty(customer.loyalty_program))
	).run()
	joined = (
		frappe.qb.from_(customer)
		.select(customer.name)
		.where(customer.name.isin(customers) & (customer.loyalty_program == program))
		.for_update()
		.run(pluck=True)
	)
	if joined:
		membership.open_all(joined, program)
	return len(joined)


def _active_today(query, program):
	return query.where(
		(program.auto_opt_in == 1)
		& (program.from_date <= today())
		& (program.to_date.isnull() | (program.to_date >= today()))
	)


def _contains(node, lft, rgt):
	return (node.lft <= lft) & (node.rgt >= rgt)


def _empty(field):
	return field.isnull() | (field == "")


def _progress_key(program: str) -> str:
	return f"loyalty_app_enrolment:{program}"


def _set_progress(program: str, state: dict):
	frappe.cache.set_value(_progress_key(program), dict(state), expires_in_sec=PROGRESS_KEPT_SECONDS)
