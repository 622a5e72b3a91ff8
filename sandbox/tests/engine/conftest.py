import threading

import pytest

from sandbox import lanes

# what one lane alone promises is tested in that lane alone
collect_ignore = [name for name in lanes.LANES if name != lanes.current().name]


@pytest.fixture(scope="session")
def note(site):
	"""A submittable doctype with a naming series, a currency and a child-free form."""
	import frappe

	frappe.set_user("Administrator")
	frappe.get_doc(
		{
			"doctype": "DocType",
			"name": "Stage Note",
			"module": "Custom",
			"custom": 1,
			"is_submittable": 1,
			"allow_import": 1,
			"autoname": "NOTE-.####",
			"fields": [
				{
					"fieldname": "subject",
					"fieldtype": "Data",
					"label": "Subject",
					"reqd": 1,
					"in_list_view": 1,
				},
				{"fieldname": "amount", "fieldtype": "Currency", "label": "Amount", "precision": "2"},
				{"fieldname": "day", "fieldtype": "Date", "label": "Day"},
				{"fieldname": "owner_user", "fieldtype": "Link", "options": "User", "label": "User"},
			],
			"permissions": [
				{
					"role": "System Manager",
					**dict.fromkeys("read write create delete submit cancel amend".split(), 1),
				},
				{"role": "All", "read": 1, "write": 0, "create": 0},
			],
		}
	).insert()
	frappe.db.commit()
	return "Stage Note"


@pytest.fixture(scope="session")
def client(site):
	"""Frappe's REST API in this process, as frappe/tests/test_api.py does it: each request in its own thread."""
	from frappe import app
	from werkzeug.test import Client

	# as sandbox.inside.web does
	app._site = site
	http = Client(app.application)

	def request(method, path, **kwargs):
		result = {}
		thread = threading.Thread(
			target=lambda: result.update(answer=http.open(path, method=method, **kwargs))
		)
		thread.start()
		thread.join()
		return result["answer"]

	answer = request("POST", "/api/method/login", json={"usr": "Administrator", "pwd": "admin"})
	assert answer.status_code == 200, answer.text
	return request
