"""Programs as they were last saved, whatever a cache says.

Frappe keeps documents in a cache that all processes share. A request that began to read before somebody saved a program may
put it there as it was, after Frappe has cleared it; and one that has waited for a lock has the program at hand as it was
before the wait. So when a program is saved, all are told when that was. Whoever has locked memberships compares, and reads
a program that is older than that again.
"""

from collections.abc import Iterable

import frappe
from frappe.model.document import Document
from frappe.utils import get_datetime

DOCTYPE = "Loyalty Program"
# By then, nobody has a program at hand as it was before.
KEPT_SECONDS = 30 * 24 * 3600


def tell_of(program: Document) -> None:
	"""Tell all processes, once this transaction is committed, that `program` was saved."""
	key, at = _key(program.name), str(program.modified)
	frappe.db.after_commit.add(lambda: frappe.cache.set_value(key, at, expires_in_sec=KEPT_SECONDS))


def refresh(programs: Iterable[str | None]) -> None:
	"""Let the cached ones of `programs` be what was last committed; for who has locked their members."""
	for name in set(filter(None, programs)):
		_refresh(name)


def _refresh(name: str) -> None:
	key = _key(name)
	# Not what this request has seen of it before.
	frappe.local.cache.pop(frappe.cache.make_key(key), None)
	at = frappe.cache.get_value(key, expires=True)
	# Not `get_cached_value` for the time: on Frappe 16 that has another cache.
	if not at or not frappe.get_cached_value(DOCTYPE, name):
		return
	if get_datetime(frappe.get_cached_doc(DOCTYPE, name).modified) >= get_datetime(at):
		return
	# A plain read could be as old as what is at hand.
	program = frappe.get_doc(DOCTYPE, name, for_update=True)
	program.flags.for_update = None
	frappe.clear_document_cache(DOCTYPE, name)
	frappe.cache.set_value(frappe.get_document_cache_key(DOCTYPE, name), program)


def _key(name: str) -> str:
	return f"loyalty_program_saved::{name}"
