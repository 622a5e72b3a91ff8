"""Programs and their promotions as they were last saved, whatever a cache says.

Frappe keeps documents in a cache that all processes share. A request that began to read before somebody saved a program may
put it there as it was, after Frappe has cleared it; and one that has waited for a lock has the program at hand as it was
before the wait. So who saves a program, or a promotion of one, tells all processes, and that before it is committed: who
waits for the commit finds it told. Whoever has locked memberships compares. What is not as it was told is read again by a
locking read, which waits for a commit that is still to come; and what it has found is told in turn, so that it is read once,
and once only too when what was told has been given up.
"""

from collections.abc import Iterable

import frappe
from frappe.model.document import Document
from frappe.utils import get_datetime

from loyalty_app.ledger import cache

DOCTYPE = "Loyalty Program"
PROMOTION = "Loyalty Promotion"
# By then, nobody has a program at hand as it was before.
TOLD_SECONDS = 30 * 24 * 3600
# As long as Frappe 16 keeps a document: what is changed by a statement, which tells nobody, counts from then on.
KEPT_SECONDS = 3600


def tell_of(doc: Document) -> None:
	"""Tell all processes that `doc`, a program or a promotion, is not what it was any more: with this transaction, in
	which it is saved or deleted, and which sees it already."""
	key = _key(doc.doctype, doc.name if doc.doctype == DOCTYPE else doc.loyalty_program)

	def begin():
		_changed_here().add(key)
		frappe.local.cache.pop(frappe.cache.make_key(_kept(key)), None)

	def end():
		_changed_here().discard(key)
		frappe.local.cache.pop(frappe.cache.make_key(_kept(key)), None)

	def tell():
		_tell(key, frappe.generate_hash(length=10))

	begin()
	frappe.db.before_commit.add(tell)
	# Once more: what is inserted keeps a locking read waiting on some databases only.
	frappe.db.after_commit.add(tell)
	frappe.db.after_commit.add(end)
	frappe.db.after_rollback.add(end)


def refresh(programs: Iterable[str | None]) -> None:
	"""Let the cached ones of `programs` be what was last committed; for who has locked their members."""
	for name in set(filter(None, programs)):
		_refresh(name)
		_locked().add(name)


def _refresh(name: str) -> None:
	key = _key(DOCTYPE, name)
	told = None if key in _changed_here() else _told(key)
	# Not `get_cached_value` for the time: on Frappe 16 that has another cache.
	if not told or not frappe.get_cached_value(DOCTYPE, name):
		return
	if told == _version([frappe.get_cached_doc(DOCTYPE, name)]):
		return
	# A plain read could be as old as what is at hand.
	program = _read(DOCTYPE, name, lock=True)
	frappe.clear_document_cache(DOCTYPE, name)
	frappe.cache.set_value(frappe.get_document_cache_key(DOCTYPE, name), program)
	_tell(key, _version([program]))


def promotions_of(program: str) -> list[Document]:
	"""The enabled promotions of `program`, in the order of their names: as last committed, where its members are locked."""
	key = _key(PROMOTION, program)
	is_changed_here = key in _changed_here()
	if is_changed_here:
		# What this transaction has changed is for nobody else to see yet.
		told, found = None, frappe.local.cache.get(frappe.cache.make_key(_kept(key)))
	else:
		told, found = _told(key), frappe.cache.get_value(_kept(key))
	if found is not None and told in (None, _version(found)):
		return found
	lock = bool(told) and program in _locked()
	found = _promotions(program, lock)
	if lock:
		_tell(key, _version(found))
	if is_changed_here:
		frappe.local.cache[frappe.cache.make_key(_kept(key))] = found
	elif lock or told in (None, _version(found)):
		keep_promotions(program, found)
	return found


def keep_promotions(program: str, found: list[Document]) -> None:
	"""Let all processes have the promotions of `program` that were `found` at hand."""
	cache.keep(_kept(_key(PROMOTION, program)), found, KEPT_SECONDS)


def _promotions(program: str, lock: bool) -> list[Document]:
	table = frappe.qb.DocType(PROMOTION)
	query = frappe.qb.from_(table).select(table.name).orderby(table.name)
	query = query.where((table.loyalty_program == program) & (table.enabled == 1))
	return [_read(PROMOTION, name, lock) for name in (query.for_update() if lock else query).run(pluck=True)]


def _read(doctype: str, name: str, lock: bool) -> Document:
	doc = frappe.get_doc(doctype, name, for_update=lock)
	doc.flags.for_update = None
	return doc


def _version(docs: list[Document]) -> str:
	return str([(doc.name, str(get_datetime(doc.modified))) for doc in docs])


def _told(key: str) -> str | None:
	# Not what this request has seen of it before.
	frappe.local.cache.pop(frappe.cache.make_key(key), None)
	return frappe.cache.get_value(key, expires=True)


def _tell(key: str, version: str) -> None:
	frappe.cache.set_value(key, version, expires_in_sec=TOLD_SECONDS)


def _key(doctype: str, program: str) -> str:
	return f"{frappe.scrub(doctype)}_saved::{program}"


def _kept(key: str) -> str:
	return f"kept::{key}"


def _changed_here() -> set[str]:
	"""Keys of what this transaction has changed."""
	return frappe.flags.setdefault("loyalty_terms_changed", set())


def _locked() -> set[str]:
	"""Programs whose members this request has locked: what it reads of them, it decides by."""
	return frappe.flags.setdefault("loyalty_programs_locked", set())
