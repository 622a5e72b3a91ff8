"""What forms send while they are typed, and how they are answered: nothing is saved, nothing is said but the answer."""

import html
from collections.abc import Callable, Iterable

import frappe
from frappe import _
from frappe.utils import cint, comma_or, strip_html

from loyalty_app.ledger import LedgerBusy, unless_busy


def document_in(
	sent: str | dict, doctypes: Iterable[str], tables: Iterable[str] = (), words: Iterable[str] = ("name",)
) -> dict:
	"""The document that a form has sent, one of `doctypes`, with rows in `tables` and text, or nothing, in `words`.
	Raises ValidationError where it is none."""
	try:
		given = frappe.parse_json(sent)
	except ValueError:
		given = None
	if (
		not isinstance(given, dict)
		or given.get("doctype") not in doctypes
		or not all(isinstance(given.get(word), str | None) for word in words)
		or not all(isinstance(given.get(table), list | None) for table in tables)
		or not all(isinstance(row, dict) for table in tables for row in given.get(table) or ())
	):
		frappe.throw(_("Not a {0}").format(comma_or(list(map(_, doctypes)), add_quotes=False)))
	return given


def docstatus_of(given: dict) -> int:
	"""The docstatus that is on record: what the caller says of a saved document does not count."""
	if not given.get("name") or cint(given.get("__islocal")):
		return 0
	return cint(frappe.db.get_value(given["doctype"], given["name"], "docstatus"))


def without_trace(answer: Callable[[], dict]) -> dict:
	"""The result of `answer`, with nothing saved and no message shown by what it asks of other people's code."""
	messages = list(frappe.local.message_log)
	frappe.db.savepoint("loyalty_preview")
	try:
		with unless_busy():
			answered = answer()
	except LedgerBusy:
		raise  # with the transaction, the savepoint may be gone
	except BaseException:
		_forget(messages)
		raise
	_forget(messages)
	return answered


def _forget(messages: list) -> None:
	frappe.db.rollback(save_point="loyalty_preview")
	frappe.local.message_log = messages


def refusal_in(check: Callable[[], None]) -> str | None:
	"""What `check` says when it refuses."""
	try:
		check()
	except LedgerBusy:
		raise
	except frappe.ValidationError as e:
		return plain(e)
	return None


def plain(error: Exception) -> str:
	"""A message as text: forms put it in by text, not by HTML."""
	return html.unescape(strip_html(str(error)))
