"""Telling what the ledger writes by statements to who listens: Webhooks, Server Scripts, Notifications, other apps.

Frappe tells them of documents that are saved. Memberships are written with every movement, so that nobody is told, and
nothing is read, unless somebody listens; who does is kept in the cache until one of them changes, for minutes at the most.
"""

from collections.abc import Iterable

import frappe
from frappe.model.document import Document

from loyalty_app.ledger import cache

CACHE = "loyalty_app_listened_to"
# A request that began to read before somebody began to listen may put into the cache what was before.
KEPT_SECONDS = 300
SCRIPT_EVENTS = {"After Insert": "after_insert", "After Save": "on_update", "After Delete": "after_delete"}
NOTIFICATION_EVENTS = {"New": "after_insert", "Save": "on_update"}


def forget(doc: Document | None = None, method: str | None = None) -> None:
	"""Find out anew who listens: a Webhook, Server Script or Notification has changed."""
	frappe.cache.delete_value(CACHE)
	if doc:
		# somebody else may find out before this is committed
		frappe.db.after_commit.add(forget)
		frappe.db.after_rollback.add(forget)


def are_there(doctype: str, event: str, hooks_of_all: bool = False) -> bool:
	"""Whether anybody listens to `event` of documents of `doctype` in particular; `hooks_of_all`: hooks on documents of
	all doctypes count too, which Frappe and ERPNext have on common events.

	To be asked before many are told: making a document of a row takes longer than writing it.
	"""
	hooks = frappe.get_doc_hooks()
	if any(hooks.get(each, {}).get(event) for each in (doctype, *(["*"] if hooks_of_all else []))):
		return True
	return [doctype, event] in _listened()


def _listened() -> list[list[str]]:
	found = frappe.cache.get_value(CACHE)
	if found is None:
		found = _listened_to()
		cache.keep(CACHE, found, KEPT_SECONDS)
	return found


def _listened_to() -> list[list[str]]:
	webhooks = frappe.get_all(
		"Webhook", filters={"enabled": 1}, fields=["webhook_doctype", "webhook_docevent"], limit=0
	)
	scripts = frappe.get_all(
		"Server Script",
		filters={"script_type": "DocType Event", "disabled": 0},
		fields=["reference_doctype", "doctype_event"],
		limit=0,
	)
	notifications = frappe.get_all(
		"Notification", filters={"enabled": 1}, fields=["document_type", "event", "method"], limit=0
	)
	return [
		*([row.webhook_doctype, row.webhook_docevent] for row in webhooks),
		*([row.reference_doctype, SCRIPT_EVENTS.get(row.doctype_event)] for row in scripts),
		*([row.document_type, NOTIFICATION_EVENTS.get(row.event, row.method)] for row in notifications),
	]


def tell(doctype: str, events: Iterable[str], names: Iterable[str]) -> None:
	"""Tell who listens of `events` of the documents `names`, as they are now."""
	if frappe.flags.loyalty_unheard or not (
		heard := [event for event in events if are_there(doctype, event)]
	):
		return
	for name in names:
		doc = frappe.get_doc(doctype, name)
		for event in heard:
			doc.run_method(event)
