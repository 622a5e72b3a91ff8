"""Whose points a website user may see: those of the customers the user stands for."""

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


def has_website_permission(
	doc: Document, ptype: str = "read", user: str | None = None, verbose: bool = False
) -> bool:
	"""Whether the Loyalty Membership `doc` is of a customer that `user` stands for: who may read and print it."""
	return ptype in ("read", "print") and doc.customer in customers_of(user)
