"""Starting work over all memberships from the desk."""

import frappe
from frappe import _

from loyalty_app.api.doors import whitelist
from loyalty_app.ledger import runs, unless_busy

# Tiers follow their program by themselves, and enrolling is started there.
STARTED_BY_HAND = ("Expiry", "Verification", "Rebuild")
MAY_START = {"Accounts Manager", "System Manager"}


@whitelist(methods=["POST"])
def start(kind: str) -> str:
	"""Start a Loyalty Ledger Run of `kind` (Expiry, Verification or Rebuild), or go on with the one that is not
	finished; return its name. For Accounts Manager and System Manager."""
	if MAY_START.isdisjoint(frappe.get_roles()):
		frappe.throw(
			_("Only {0} may do this").format(f" {_('or')} ".join(sorted(map(_, MAY_START)))),
			frappe.PermissionError,
		)
	if kind not in STARTED_BY_HAND:
		frappe.throw(_("Kind must be one of: {0}").format(", ".join(map(_, STARTED_BY_HAND))))
	with unless_busy():
		return runs.start(kind)
