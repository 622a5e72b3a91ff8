"""What a person is told when two transactions get in each other's way."""

from collections.abc import Callable
from contextlib import contextmanager

import frappe
from frappe import _

# MariaDB's "Record has changed since last read": innodb_snapshot_isolation refuses to lock what somebody else wrote
# after this transaction first read. Frappe does not know it as a deadlock.
RECORD_HAS_CHANGED = 1020


class LedgerBusy(frappe.ValidationError):
	"""Somebody else was moving the same points. Nothing was saved; trying again will do."""

	http_status_code = 409


@contextmanager
def unless_busy():
	"""Raise LedgerBusy where the database gives up waiting for somebody else's lock, or sees a deadlock."""
	try:
		yield
	except Exception as e:
		if is_busy(e) and not isinstance(e, LedgerBusy):
			refuse()
		raise


def is_busy(error: Exception) -> bool:
	"""Whether the database gave up waiting for somebody else's lock, or chose this transaction to give way.

	With the transaction, the database may have thrown its savepoints away: whoever rolls back to one after an error has
	to let this one through, or would raise another in its place.
	"""
	if isinstance(error, frappe.QueryDeadlockError | frappe.QueryTimeoutError | LedgerBusy):
		return True
	return isinstance(error, frappe.db.OperationalError) and error.args[:1] == (RECORD_HAS_CHANGED,)


def insist(function: Callable, *arguments, tries: int = 5):
	"""What `function`, the whole of a transaction, returns; called again where the database has chosen it to give way
	to another."""
	for tries_left in reversed(range(tries)):
		try:
			return function(*arguments)
		except Exception as e:
			if not is_busy(e):
				raise
			frappe.db.rollback()
			if not tries_left:
				raise


def refuse():
	frappe.throw(
		_(
			"Somebody else is working on the same points or documents right now. Nothing was saved: please try again."
		),
		LedgerBusy,
		title=_("Please try again"),
	)
