"""Which Frappe and ERPNext this app runs on."""

import frappe
from frappe import _

SUPPORTED_MAJORS = (15, 16)


def major(version: str) -> int:
	"""Return the leading number of a version such as "15.44.2" or "16.x.x-develop" (0 if there is none)."""
	head = (version or "").split(".", 1)[0]
	return int(head) if head.isdigit() else 0


def extends_doctype_classes() -> bool:
	"""Return whether the running Frappe mixes classes into controllers (`extend_doctype_class`, since 16)."""
	return major(frappe.__version__) >= 16


def refuse_unsupported():
	"""Stop with one clear sentence unless Frappe and ERPNext are of a major version this app was made for."""
	import erpnext

	for title, version in (("Frappe", frappe.__version__), ("ERPNext", erpnext.__version__)):
		if major(version) not in SUPPORTED_MAJORS:
			frappe.throw(
				_("Loyalty App needs {0} version {1}, but version {2} is installed.").format(
					title, f" {_('or')} ".join(map(str, SUPPORTED_MAJORS)), version
				),
				title=_("Version not supported"),
			)
