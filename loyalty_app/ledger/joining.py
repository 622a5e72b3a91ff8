"""Customers who are there already join a program that opts them in: whom it is for, and putting them into it, in sets, by
a run.

A customer joins a program that has *Auto Opt In* ticked, is active today, and whose customer group and territory
contain the customer's (the node itself included; empty means all). One such program is joined; where there are
several, somebody has to choose (rules 3).
"""

import frappe
from frappe import _
from frappe.query_builder.functions import Count
from frappe.utils import now, today

from loyalty_app.ledger import membership
from loyalty_app.ledger.audit import Difference

KIND = "Enrolment"


def next_names(run, after: str, until: str | None, limit: int) -> list[str]:
	"""Names, in their order, of customers without a program for whom that of the `run` is the only eligible."""
	customer, number, query = _customers_for(run.loyalty_program)
	query = query.select(customer.name).where(customer.name > after).orderby(customer.name)
	if until:
		query = query.where(customer.name <= until)
	return query.where(number < 2).limit(limit).run(pluck=True)


def prepare(run) -> None:
	"""Keep on the `run` how many customers without a program fit several, that of the run among them."""
	_customer, number, query = _customers_for(run.loyalty_program)
	run.db_set("to_choose", query.select(Count("*")).where(number > 1).run()[0][0])


def act(names: list[str], run) -> int:
	"""Put those of the customers `names` who still have no program into that of the `run`; return how many that were.

	The whole of a transaction, but for its end.
	"""
	program, customer = run.loyalty_program, frappe.qb.DocType("Customer")
	(
		frappe.qb.update(customer)
		.set(customer.loyalty_program, program)
		.set(customer.loyalty_program_tier, None)
		.set(customer.modified, now())
		.set(customer.modified_by, frappe.session.user)
		.where(customer.name.isin(names) & empty(customer.loyalty_program))
	).run()
	joined = (
		frappe.qb.from_(customer)
		.select(customer.name)
		.where(customer.name.isin(names) & (customer.loyalty_program == program))
		.for_update()
		.run(pluck=True)
	)
	if joined:
		membership.open_all(joined, program)
	return len(joined)


def difference(name: str, fault: str, is_locked: bool) -> Difference:
	"""What a run tells of the customer `name`, who could not be put into its program."""
	return Difference(None, _("Customer {0}: {1}").format(name, fault))


def active_today(query, program):
	"""`query`, limited to programs that opt customers in today."""
	return query.where(
		(program.auto_opt_in == 1)
		& (program.from_date <= today())
		& (program.to_date.isnull() | (program.to_date >= today()))
	)


def contains(node, lft, rgt):
	"""The condition that `node` of a tree is, or is above, the one with these bounds."""
	return (node.lft <= lft) & (node.rgt >= rgt)


def empty(field):
	return field.isnull() | (field == "")


def _customers_for(program: str):
	"""The table of customers, the number of programs that each may join, and the query for those without a program whom
	`program` is for, among others or alone.

	Without grouping, so that the database goes through customers in the order of their names, and no further than asked.
	"""
	customer = frappe.qb.DocType("Customer")
	group = frappe.qb.DocType("Customer Group").as_("customer_group")
	territory = frappe.qb.DocType("Territory").as_("customer_territory")
	opens = frappe.qb.DocType("Loyalty Program")
	opens_group = frappe.qb.DocType("Customer Group").as_("program_group")
	opens_territory = frappe.qb.DocType("Territory").as_("program_territory")

	fitting = (
		frappe.qb.from_(opens)
		.left_join(opens_group)
		.on(opens_group.name == opens.customer_group)
		.left_join(opens_territory)
		.on(opens_territory.name == opens.customer_territory)
		.where(empty(opens.customer_group) | contains(opens_group, group.lft, group.rgt))
		.where(empty(opens.customer_territory) | contains(opens_territory, territory.lft, territory.rgt))
		.select(Count("*"))
	)
	fitting = active_today(fitting, opens)
	query = (
		frappe.qb.from_(customer)
		.left_join(group)
		.on(group.name == customer.customer_group)
		.left_join(territory)
		.on(territory.name == customer.territory)
		.where(empty(customer.loyalty_program) & (customer.disabled == 0))
		.where(fitting.where(opens.name == program) > 0)
	)
	return customer, fitting, query
