"""The base classes of tests, with what Frappe 16's have and tests use.

Every class runs in one transaction that is rolled back at its end. Test records of doctypes are not created
behind the tests' backs: on Frappe 16, too, that is lazy and each test may make what it needs.
"""

import copy
import datetime
import functools
import os
import signal
import threading
import unittest
from contextlib import contextmanager
from unittest.mock import patch

import frappe
from frappe.model.base_document import BaseDocument
from frappe.utils import cint


class UnitTestCase(unittest.TestCase):
	"""Base class of tests; restores what is kept for the whole thread."""

	TEST_SITE = "test_site"
	maxDiff = 10_000

	@classmethod
	def setUpClass(cls) -> None:
		cls.TEST_SITE = getattr(frappe.local, "site", None) or cls.TEST_SITE
		cls.ADMIN_PASSWORD = frappe.get_conf().admin_password
		cls.addClassCleanup(_restore_thread_locals, copy.deepcopy(frappe.local.flags))
		super().setUpClass()

	def assertSequenceSubset(self, larger, smaller, msg=None):
		"""Assert that everything in `smaller` is in `larger`."""
		self.assertTrue(set(smaller).issubset(set(larger)), msg=msg)

	def assertDocumentEqual(self, expected, actual):
		"""Assert that a document has the expected values; fields that are not named may be anything."""
		if isinstance(expected, BaseDocument):
			expected = expected.as_dict()
		for field, value in expected.items():
			message = f"{field} should be same"
			have = actual.get(field)
			if isinstance(value, list):
				self.assertEqual(len(value), len(have), msg=message)
				for want_row, have_row in zip(value, have, strict=True):
					self.assertDocumentEqual(want_row, have_row)
			elif isinstance(value, float):
				self.assertAlmostEqual(value, have, places=actual.precision(field), msg=message)
			elif isinstance(value, bool | int):
				self.assertEqual(value, cint(have), msg=message)
			elif isinstance(value, datetime.date | datetime.time | datetime.timedelta):
				self.assertEqual(str(value), str(have), msg=message)
			else:
				self.assertEqual(value, have, msg=message)

	def normalize_html(self, code: str) -> str:
		"""Return HTML in one way of writing it."""
		from bs4 import BeautifulSoup

		return BeautifulSoup(code, "html.parser").prettify(formatter=None)

	def normalize_sql(self, query: str) -> str:
		"""Return SQL in one way of writing it."""
		import sqlparse

		return sqlparse.format(str(query).strip(), keyword_case="upper", reindent=True, strip_comments=True)

	def assertQueryEqual(self, first, second):
		"""Assert that two queries are the same but for layout."""
		self.assertEqual(self.normalize_sql(first), self.normalize_sql(second))

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
	def patch_hooks(overrides: dict):
		return patch_hooks(overrides)

	@staticmethod
	def timeout(seconds=30, error_message="Test timed out."):
		return timeout(seconds, error_message)


class IntegrationTestCase(UnitTestCase):
	"""Base class of tests that use the database."""

	SHOW_TRANSACTION_COMMIT_WARNINGS = False

	@classmethod
	def setUpClass(cls) -> None:
		super().setUpClass()
		cls._primary_connection = frappe.local.db
		cls._secondary_connection = None
		frappe.db.commit()
		if cls.SHOW_TRANSACTION_COMMIT_WARNINGS:
			frappe.db.before_commit.add(_warn_of_commit)
		cls.addClassCleanup(_rollback)

	@contextmanager
	def primary_connection(self):
		"""Use the connection every test has."""
		with _connection(self._primary_connection):
			yield

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
	def switch_site(self, site: str):
		"""Connect to another site for a while."""
		before = frappe.local.site
		try:
			frappe.init(site, force=True)
			frappe.connect()
			yield
		finally:
			frappe.init(before, force=True)
			frappe.connect()

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

	@contextmanager
	def assertRedisCallCounts(self, count, *, exact=False):
		"""Assert that at most `count` commands are sent to the cache."""
		commands = []
		original = frappe.cache.execute_command

		def counting(*args, **kwargs):
			commands.append(args[:2])
			return original(*args, **kwargs)

		with patch.object(frappe.cache, "execute_command", counting):
			yield
		check = self.assertEqual if exact else self.assertLessEqual
		check(len(commands), count, msg="Commands executed:\n" + "\n".join(map(str, commands)))

	@classmethod
	def enable_safe_exec(cls) -> None:
		"""Allow server scripts until the class is done."""
		from frappe.installer import update_site_config
		from frappe.utils.safe_exec import SAFE_EXEC_CONFIG_KEY

		path = os.path.join(frappe.local.sites_path, "common_site_config.json")
		update_site_config(SAFE_EXEC_CONFIG_KEY, 1, validate=False, site_config_path=path)
		cls.addClassCleanup(
			update_site_config, SAFE_EXEC_CONFIG_KEY, 0, validate=False, site_config_path=path
		)


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


def _warn_of_commit():
	import traceback

	print("Warning: transaction committed during tests.")
	traceback.print_stack(limit=10)


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


@contextmanager
def patch_hooks(overrides: dict):
	"""Let hooks be others for a while: {hook: value}."""
	original = frappe.get_hooks

	def patched(hook=None, default="_KEEP_DEFAULT_LIST", app_name=None):
		return overrides[hook] if hook in overrides else original(hook, default, app_name)

	with patch.object(frappe, "get_hooks", patched):
		yield


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
