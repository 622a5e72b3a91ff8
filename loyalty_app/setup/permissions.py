"""Who sees the app."""

import frappe


def may_see_app() -> bool:
	"""Return whether the app's tile is shown to the current user: whoever may read programs."""
	return bool(frappe.has_permission("Loyalty Program", "read"))
