"""Values that all processes share for some time."""

import frappe


def keep(key: str, value, seconds: int) -> None:
	"""Let all processes have `value` for so many seconds, and this request at hand what it has just found."""
	frappe.cache.set_value(key, value, expires_in_sec=seconds)
	# Frappe 15 keeps what expires out of what the request has at hand.
	frappe.local.cache[frappe.cache.make_key(key)] = value
