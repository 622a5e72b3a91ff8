"""Customers as people: who sees a customer's points on the website, and where mail to a customer goes."""

import frappe
from frappe.model.document import Document


def customers_of(user: str | None = None) -> list[str]:
	"""The names of the customers that `user` (the one of this session) stands for, in their order.

	They name the user among their *Portal Users*, as ERPNext's portal has it; or a contact of theirs is the user's. A
	contact that a website user made proves nothing: Frappe lets everybody write contacts of their own.
	"""
	user = user or frappe.session.user
	if user == "Guest":
		return []
	portal_user = frappe.qb.DocType("Portal User")
	named = frappe.qb.from_(portal_user).select(portal_user.parent)
	named = named.where((portal_user.user == user) & (portal_user.parenttype == "Customer"))

	contact, link = frappe.qb.DocType("Contact"), frappe.qb.DocType("Dynamic Link")
	maker = frappe.qb.DocType("User")
	linked = (
		frappe.qb.from_(contact)
		.join(link)
		.on((link.parent == contact.name) & (link.parenttype == "Contact"))
		.join(maker)
		.on(maker.name == contact.owner)
		.select(link.link_name)
		.where((contact.user == user) | (contact.email_id == user))
		.where(link.link_doctype == "Customer")
		.where((maker.user_type == "System User") | (maker.name == "Guest"))
	)
	customer = frappe.qb.DocType("Customer")
	names = set(named.run(pluck=True)) | set(linked.run(pluck=True))
	query = frappe.qb.from_(customer).select(customer.name).where(customer.name.isin(sorted(names) or [""]))
	return query.orderby(customer.name).run(pluck=True)


def users_of(customer: str) -> set[str]:
	"""Who stands for `customer`: its portal users, and the users or addresses of its contacts, whoever made those."""
	named = frappe.get_all(
		"Portal User", filters={"parenttype": "Customer", "parent": customer}, pluck="user"
	)
	contact, link = frappe.qb.DocType("Contact"), frappe.qb.DocType("Dynamic Link")
	query = frappe.qb.from_(contact).join(link)
	query = query.on((link.parent == contact.name) & (link.parenttype == "Contact"))
	query = query.select(contact.user, contact.email_id)
	query = query.where((link.link_doctype == "Customer") & (link.link_name == customer))
	return {*named, *filter(None, (user or email for user, email in query.run()))}


def memberships_of(user: str | None = None) -> list[frappe._dict]:
	"""The memberships that `user` may see, the current ones first; of those left, the ones with a history."""
	table = frappe.qb.DocType("Loyalty Membership")
	query = frappe.qb.from_(table).select(
		table.name, table.customer, table.customer_name, table.loyalty_program, table.active
	)
	query = query.where(table.customer.isin(customers_of(user) or [""]))
	query = query.where((table.active == 1) | (table.log_count > 0))
	query = query.orderby(table.active, order=frappe.qb.desc)
	return query.orderby(table.customer_name).orderby(table.loyalty_program).run(as_dict=True)


def email_of(customer: str) -> str | None:
	"""Where mail to `customer` goes: the customer's own address, else that of the first contact that has one."""
	if email := frappe.db.get_value("Customer", customer, "email_id"):
		return email
	contact, link = frappe.qb.DocType("Contact"), frappe.qb.DocType("Dynamic Link")
	query = frappe.qb.from_(contact).join(link)
	query = query.on((link.parent == contact.name) & (link.parenttype == "Contact")).select(contact.email_id)
	query = query.where((link.link_doctype == "Customer") & (link.link_name == customer))
	query = query.where(contact.email_id != "").orderby(contact.is_primary_contact, order=frappe.qb.desc)
	return next(iter(query.orderby(contact.creation).limit(1).run(pluck=True)), None)


def has_website_permission(
	doc: Document, ptype: str = "read", user: str | None = None, verbose: bool = False
) -> bool:
	"""Whether the Loyalty Membership `doc` is of a customer that `user` stands for: who may read and print it."""
	return ptype in ("read", "print") and doc.customer in customers_of(user)
