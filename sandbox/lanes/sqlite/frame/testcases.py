"""The base classes of tests, with what tests use of Frappe 16's.

Every class runs in one transaction that is rolled back at its end. Test records of doctypes are not created
behind the tests' backs: on Frappe 16, too, that is lazy and each test may make what it needs.
"""

import copy
import functools
import signal
import threading
import unittest
from contextlib import contextmanager
from unittest.mock import patch

import frappe


class UnitTestCase(unittest.TestCase):
	"""Base class of tests; restores what is kept for the whole thread."""

	maxDiff = 10_000

	@classmethod
	def setUpClass(cls) -> None:
		cls.addClassCleanup(_restore_thread_locals, copy.deepcopy(frappe.local.flags))
		super().setUpClass()

	@contextmanager
	def set_user(self, user: str):
		"""Act as another user."""
		before = frappe.session.user
		frappe.set_user(user)
		try:
			yield
		finally:
			frappe.set_user(before)

	@contextmanager
	def freeze_time(self, time_to_freeze, is_utc=False, *args, **kwargs):
		"""Let it be that time, in the system's time zone."""
		import pytz
		from frappe.utils.data import get_datetime, get_system_timezone
		from freezegun import freeze_time

		moment = get_datetime(time_to_freeze)
		if not is_utc:
			moment = pytz.timezone(get_system_timezone()).localize(moment).astimezone(pytz.utc)
		with freeze_time(moment, *args, **kwargs):
			yield

	@staticmethod
	def change_settings(*args, **kwargs):
		return change_settings(*args, **kwargs)

	@staticmethod
	def timeout(seconds=30, error_message="Test timed out."):
		return timeout(seconds, error_message)


class IntegrationTestCase(UnitTestCase):
	"""Base class of tests that use the database."""

	@classmethod
	def setUpClass(cls) -> None:
		super().setUpClass()
		cls._primary_connection = frappe.local.db
		cls._secondary_connection = None
		frappe.db.commit()
		cls.addClassCleanup(_rollback)

	@contextmanager
	def secondary_connection(self):
		"""Use a second connection, as another user's request would."""
		if self._secondary_connection is None:
			primary = frappe.local.db
			frappe.connect()
			type(self)._secondary_connection = frappe.local.db
			frappe.local.db = primary
			self.addClassCleanup(self._secondary_connection.close)
		self.addCleanup(self._secondary_connection.rollback)
		self.addCleanup(self._primary_connection.rollback)
		with _connection(self._secondary_connection):
			yield

	@contextmanager
	def assertQueryCount(self, count, query_type: tuple[str, ...] | None = None):
		"""Assert that at most `count` queries run (of these types, as ("select",), when given)."""
		queries = []
		database = type(frappe.local.db)
		original = database.sql

		def counting(self, query, *args, **kwargs):
			result = original(self, query, *args, **kwargs)
			query = str(query)
			if not query_type or query.lstrip().lower().startswith(query_type):
				queries.append(query)
			return result

		with patch.object(database, "sql", counting):
			yield
		self.assertLessEqual(len(queries), count, msg="Queries executed:\n" + "\n\n".join(queries))

	@contextmanager
	def assertRowsRead(self, count):
		"""Assert that the queries return at most `count` rows in all."""
		rows = 0
		database = type(frappe.local.db)
		original = database.sql

		def counting(self, *args, **kwargs):
			nonlocal rows
			result = original(self, *args, **kwargs)
			rows += len(result) if isinstance(result, list | tuple) else 0
			return result

		with patch.object(database, "sql", counting):
			yield
		self.assertLessEqual(rows, count, msg="Queries read more rows than expected")


class FrappeTestCase(IntegrationTestCase):
	"""What Frappe 15 calls it."""


@contextmanager
def _connection(db):
	before = frappe.local.db
	frappe.local.db = db
	try:
		yield
	finally:
		frappe.local.db = before


def _rollback():
	frappe.db.value_cache.clear()
	frappe.db.rollback()


def _restore_thread_locals(flags):
	local = frappe.local
	local.flags = flags
	local.error_log = []
	local.message_log = []
	local.debug_log = []
	local.conf = frappe._dict(frappe.get_site_config())
	local.cache = {}
	local.lang = "en"
	local.preload_assets = {"style": [], "script": [], "icons": []}
	if hasattr(local, "request"):
		delattr(local, "request")


@contextmanager
def change_settings(doctype, settings_dict=None, /, commit=False, **settings):
	"""Change a Single for a while, as a decorator or in a `with` statement."""
	settings = (settings_dict or {}) | settings
	before = frappe.get_doc(doctype)
	_save_single(doctype, settings, commit)
	try:
		yield
	finally:
		_save_single(doctype, {key: before.get(key) for key in settings}, commit)


def _save_single(doctype, values, commit):
	doc = frappe.get_doc(doctype)
	doc.update(values)
	doc.save(ignore_permissions=True)
	frappe.db.value_cache.pop(doctype, None)
	if commit:
		frappe.db.commit()


def timeout(seconds=30, error_message="Test timed out."):
	"""Let a test fail that takes longer; use as @timeout or @timeout(seconds)."""

	def decorator(function):
		@functools.wraps(function)
		def wrapper(*args, **kwargs):
			if threading.current_thread() is not threading.main_thread():
				return function(*args, **kwargs)

			def expired(signum, frame):
				raise TimeoutError(error_message)

			before = signal.signal(signal.SIGALRM, expired)
			signal.alarm(limit)
			try:
				return function(*args, **kwargs)
			finally:
				signal.alarm(0)
				signal.signal(signal.SIGALRM, before)

		return wrapper

	if callable(seconds):
		limit, function = 30, seconds
		return decorator(function)
	limit = seconds
	return decorator
