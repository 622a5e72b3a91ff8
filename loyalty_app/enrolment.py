"""Joining a program automatically: on saving a customer, and for all existing customers at once, by a Loyalty Ledger Run.

Which program a customer joins is told in `ledger/joining.py`.
"""

import frappe
from frappe import _
from frappe.utils import add_days, today

from loyalty_app.api.doors import whitelist
from loyalty_app.ledger import joining, runs, unless_busy

# For so many days after its From Date a program is looked at: the scheduler may have stood still.
BEGUN_WITHIN_DAYS = 7


def eligible_programs(customer) -> list[str]:
	"""Return the names of the programs the customer document may be enrolled in today, in order of name."""
	program = frappe.qb.DocType("Loyalty Program")
	query = joining.active_today(frappe.qb.from_(program).select(program.name), program)
	for program_field, doctype, node in (
		(program.customer_group, "Customer Group", customer.get("customer_group")),
		(program.customer_territory, "Territory", customer.get("territory")),
	):
		above = frappe.qb.DocType(doctype).as_(frappe.scrub(doctype))
		query = query.left_join(above).on(above.name == program_field)
		within = joining.empty(program_field)
		if bounds := node and frappe.db.get_value(doctype, node, ["lft", "rgt"]):
			within = within | joining.contains(above, *bounds)
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


@unless_busy()
def enqueue(program: str):
	"""Enrol all existing customers who are eligible for the program, in the background; what is under way goes on."""
	runs.start(joining.KIND, program)


def start_begun() -> None:
	"""Enrol existing customers in programs that have begun since Auto Opt In was ticked on them (scheduler, daily).

	Once for each program: who has left it since must not be put back. Of ticking, which enrols, the run tells.
	"""
	program = frappe.qb.DocType("Loyalty Program")
	query = joining.active_today(frappe.qb.from_(program).select(program.name, program.from_date), program)
	query = query.where(program.from_date >= add_days(today(), -BEGUN_WITHIN_DAYS))
	for name, from_date in query.orderby(program.name).run():
		before, since = (
			frappe.db.exists(
				runs.DOCTYPE, {"kind": joining.KIND, "loyalty_program": name, "creation": (when, from_date)}
			)
			for when in ("<", ">=")
		)
		if before and not since:
			enqueue(name)


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
	"""Return how far the latest enrolment of existing customers is: `status` (empty, Queued, Running, Done or Failed),
	`done` and `total` customers, and `to_choose`, the customers for whom several programs match."""
	frappe.has_permission("Loyalty Program", "read", doc=program, throw=True)
	run = frappe.db.get_value(
		runs.DOCTYPE,
		{"kind": joining.KIND, "loyalty_program": program},
		["status", "changed", "memberships", "to_choose"],
		as_dict=True,
		order_by="creation desc",
	)
	if not run:
		return {"status": "", "done": 0, "total": 0, "to_choose": 0}
	return {
		"status": run.status,
		"done": run.changed,
		# customers may have been added meanwhile
		"total": max(run.memberships, run.changed),
		"to_choose": run.to_choose,
	}
