"""The page /loyalty: what a customer who signs in has, how it came about, and how to earn more."""

from urllib.parse import urlencode

import frappe
from frappe import _
from frappe.utils import getdate, today

from loyalty_app import portal
from loyalty_app.reporting.program import Program
from loyalty_app.reporting.statement import newest

no_cache = 1
no_sitemap = 1

ROUTE = "/loyalty"
MOVEMENTS = 20


def get_context(context):
	"""`members` the user may choose from, `member` the one shown, its `statement` of the newest movements or those up
	to the day `until` of the address, and its program's `terms`. Without a membership, `customers` alone."""
	if frappe.session.user == "Guest":
		frappe.local.flags.redirect_location = f"/login?{urlencode({'redirect-to': ROUTE})}"
		raise frappe.Redirect
	context.title = _("Loyalty Points")
	context.show_sidebar = True
	context.language = frappe.local.lang
	context.customers = portal.customers_of()
	context.members = portal.memberships_of()
	context.several_customers = len({member.customer for member in context.members}) > 1
	if not context.members:
		return
	name = frappe.form_dict.membership or context.members[0].name
	if name not in [member.name for member in context.members]:
		raise frappe.PermissionError
	member = frappe.get_doc("Loyalty Membership", name)
	until = _until(frappe.form_dict.until)
	first, has_earlier = newest(member, until, MOVEMENTS)
	context.member = member
	context.statement = member.statement(first, until)
	context.terms = Program(frappe.get_cached_doc("Loyalty Program", member.loyalty_program)).terms()
	context.address = _address(name)
	context.is_newest = until >= getdate(today())
	context.earlier = _address(name, frappe.utils.add_days(first, -1)) if has_earlier else None
	query = {
		"membership": name,
		"from_date": str(first),
		"to_date": str(until),
		"language": frappe.local.lang,
	}
	context.pdf = f"/api/method/loyalty_app.api.statement.pdf?{urlencode(query)}"
	for choice in context.members:
		choice.address = _address(choice.name)


def _until(given):
	"""The day that the address names; today, if it names none that there can be."""
	try:
		return min(getdate(given), getdate(today())) if given else getdate(today())
	except (frappe.ValidationError, ValueError, TypeError, OverflowError):
		return getdate(today())


def _address(membership: str, until=None) -> str:
	return f"{ROUTE}?{urlencode({'membership': membership} | ({'until': str(until)} if until else {}))}"
