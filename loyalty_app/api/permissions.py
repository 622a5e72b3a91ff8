"""Who may see what: asked by every whitelisted method before it answers."""

import frappe
from frappe.core.doctype.user_permission.user_permission import get_user_permissions
from frappe.permissions import get_allowed_docs_for_doctype

from loyalty_app import portal
from loyalty_app.ledger import membership


def may_read_customer(customer: str) -> None:
	"""Raise PermissionError unless the user may read `customer`."""
	frappe.has_permission("Customer", "read", doc=customer, throw=True)


def may_see_points(customer: str) -> None:
	"""Raise PermissionError unless the user is a desk user that may read `customer`."""
	if not is_desk_user():
		raise frappe.PermissionError
	may_read_customer(customer)


def may_see_member(customer: str) -> None:
	"""Raise PermissionError unless the user is a desk user that may read `customer`, or stands for it on the website."""
	if is_desk_user():
		may_read_customer(customer)
	elif customer not in portal.customers_of():
		raise frappe.PermissionError


def may_know_of_customers() -> None:
	"""Raise PermissionError unless the user may be told that a customer is not there: not who may read some only."""
	if not is_desk_user() or get_user_permissions().get("Customer"):
		raise frappe.PermissionError
	frappe.has_permission("Customer", "read", throw=True)


def is_desk_user() -> bool:
	return frappe.get_cached_value("User", frappe.session.user, "user_type") == "System User"


def sees_company(company: str) -> bool:
	"""Whether the user's permissions leave `company` open: its loyalty programs, too, are none of theirs if not."""
	allowed = get_allowed_docs_for_doctype(get_user_permissions().get("Company", []), membership.DOCTYPE)
	return not allowed or company in allowed


def may_see_company(company: str) -> None:
	"""Raise PermissionError unless the user `sees_company`."""
	if not sees_company(company):
		raise frappe.PermissionError
