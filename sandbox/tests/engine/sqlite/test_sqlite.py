"""What SQLite, and the test cases and API of the 16-era engine, could not do before they were mended."""

import threading
import time

import pytest

pytestmark = pytest.mark.usefixtures("site")


def test_values_are_bound_with_their_types(transaction):
	rows = transaction.db.sql("select typeof(%s), typeof(%s), typeof(%s), %s", (5, None, 2.5, "50% 'off'"))
	assert rows[0] == ("integer", "null", "real", "50% 'off'")
	rows = transaction.db.sql(
		"select name from tabUser where name in %(names)s and name like '%%dmin%%'",
		{"names": ("Administrator", "x")},
	)
	assert rows == (("Administrator",),) or rows == [("Administrator",)]


def test_stale_lock_is_a_deadlock_error(site, note):
	"""Reading, and asking for the lock after somebody else wrote, is refused as MariaDB refuses it."""
	import frappe

	name = frappe.get_doc({"doctype": note, "subject": "stale", "amount": 1}).insert().name
	frappe.db.commit()
	frappe.db.get_value(note, name, "subject")

	def write():
		frappe.init(site)
		frappe.connect()
		frappe.db.set_value(note, name, "amount", 5)
		frappe.db.commit()
		frappe.destroy()

	thread = threading.Thread(target=write)
	thread.start()
	thread.join(20)
	with pytest.raises(frappe.QueryDeadlockError):
		frappe.db.get_value(note, name, "amount", for_update=True)
	frappe.db.rollback()
	assert frappe.db.get_value(note, name, "amount", for_update=True) == 5
	frappe.db.rollback()


def test_api_v2(client, note):
	made = client("POST", f"/api/v2/document/{note}", json={"subject": "v2"})
	assert made.status_code == 200, made.text
	name = made.json["data"]["name"]
	assert client("GET", f"/api/v2/document/{note}/{name}").json["data"]["subject"] == "v2"
	assert client("GET", "/api/v2/method/ping").json["data"] == "pong"


def test_integration_test_case(site):
	import unittest

	import frappe
	from frappe.tests import IntegrationTestCase
	from frappe.tests.utils import FrappeTestCase

	assert issubclass(FrappeTestCase, IntegrationTestCase)

	class Case(IntegrationTestCase):
		def test_settings(self):
			before = frappe.db.get_single_value("System Settings", "number_format")
			with self.change_settings("System Settings", {"number_format": "#.###,##"}):
				self.assertEqual(frappe.db.get_single_value("System Settings", "number_format"), "#.###,##")
			self.assertEqual(frappe.db.get_single_value("System Settings", "number_format"), before)

		def test_time(self):
			with self.freeze_time("2020-02-03 04:05:06"):
				self.assertEqual(frappe.utils.today(), "2020-02-03")
				self.assertEqual(frappe.utils.now_datetime().hour, 4)

		def test_counts(self):
			with self.assertQueryCount(1):
				frappe.db.sql("select 1")
			with self.assertRaises(AssertionError), self.assertQueryCount(1):
				frappe.db.sql("select 1")
				frappe.db.sql("select 2")
			with self.assertRowsRead(2):
				frappe.db.sql("select name from tabUser limit 2")

		def test_users(self):
			with self.set_user("Guest"):
				self.assertEqual(frappe.session.user, "Guest")
			self.assertEqual(frappe.session.user, "Administrator")

		def test_change(self):
			frappe.get_doc({"doctype": "ToDo", "description": "rolled back"}).insert()

		def test_second_connection(self):
			with self.secondary_connection():
				self.assertTrue(frappe.db.exists("User", "Administrator"))

		@IntegrationTestCase.timeout(seconds=1)
		def test_limit(self):
			with self.assertRaises(TimeoutError):
				time.sleep(3)

	frappe.set_user("Administrator")
	result = unittest.TestResult()
	unittest.defaultTestLoader.loadTestsFromTestCase(Case).run(result)
	assert result.testsRun == 7
	assert not result.failures + result.errors, (result.failures + result.errors)[0][1]
	assert not frappe.db.exists("ToDo", {"description": "rolled back"})


def test_a_changed_table_keeps_its_keys(transaction):
	import frappe

	doctype = frappe.get_doc(
		{
			"doctype": "DocType",
			"name": "Sandbox Changing",
			"module": "Custom",
			"custom": 1,
			"autoname": "hash",
			"fields": [{"fieldname": "code", "fieldtype": "Data", "label": "Code"}],
			"permissions": [{"role": "System Manager", "read": 1}],
		}
	).insert()
	doctype.fields[0].update({"fieldtype": "Int", "default": "7", "search_index": 1})
	doctype.append("fields", {"fieldname": "key", "fieldtype": "Data", "label": "Key", "unique": 1})
	doctype.save()
	columns = frappe.db.sql("PRAGMA table_info(`tabSandbox Changing`)", as_dict=True)
	assert [column["name"] for column in columns if column["pk"]] == ["name"]
	indexes = {row["name"] for row in frappe.db.sql("PRAGMA index_list(`tabSandbox Changing`)", as_dict=True)}
	assert {"tabSandbox Changing_creation_idx", "tabSandbox Changing_code_index"} <= indexes
	frappe.get_doc({"doctype": "Sandbox Changing", "key": "one"}).insert()
	with pytest.raises(frappe.UniqueValidationError):
		frappe.get_doc({"doctype": "Sandbox Changing", "key": "one"}).insert()


def test_an_answer_that_is_not_taken_locks_nobody_out(site, note):
	"""A hook that runs after the request reads from the database, and the client is slow to take the answer."""
	import frappe
	from frappe.app import application
	from werkzeug.test import Client

	seen = {}

	def leave_open():
		http = Client(application)
		seen["login"] = http.post("/api/method/login", json={"usr": "Administrator", "pwd": "admin"})
		frappe.db.sql("select name from tabUser limit 1")
		seen["db"] = frappe.local.db

	thread = threading.Thread(target=leave_open)
	thread.start()
	thread.join()
	frappe.db.rollback()
	started = time.monotonic()
	frappe.get_doc({"doctype": note, "subject": "not locked out"}).insert()
	assert time.monotonic() - started < 5
	frappe.db.rollback()
	# The end of a request closes what is open in its thread, which must not be this one.
	closing = threading.Thread(target=seen["login"].close)
	closing.start()
	closing.join()


def test_arguments_of_whitelisted_methods_are_cast(client):
	search = "/api/method/frappe.desk.search.search_link?doctype=Role&txt=&page_length="
	assert client("GET", f"{search}5").json["message"]
	assert "should be of type" in client("GET", f"{search}many").text
