"""Who may see what: asked by every whitelisted method before it answers."""

import frappe
from frappe.core.doctype.user_permission.user_permission import get_user_permissions
from frappe.permissions import get_allowed_docs_for_doctype

from loyalty_app.ledger import membership


def may_read_customer(customer: str) -> None:
	"""Raise PermissionError unless the user may read `customer`."""
	frappe.has_permission("Customer", "read", doc=customer, throw=True)


def may_see_points(customer: str) -> None:
	"""Raise PermissionError unless the user is a desk user that may read `customer`."""
	if frappe.get_cached_value("User", frappe.session.user, "user_type") != "System User":
		raise frappe.PermissionError
	may_read_customer(customer)


def sees_company(company: str) -> bool:
	"""Whether the user's permissions leave `company` open: its loyalty programs, too, are none of theirs if not."""
	allowed = get_allowed_docs_for_doctype(get_user_permissions().get("Company", []), membership.DOCTYPE)
	return not allowed or company in allowed


def may_see_company(company: str) -> None:
	"""Raise PermissionError unless the user `sees_company`."""
	if not sees_company(company):
		raise frappe.PermissionError
