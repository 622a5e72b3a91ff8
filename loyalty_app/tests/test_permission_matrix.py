"""Each row of permission_matrix.py, tried over REST as each role; and whether a row is missing."""

import importlib
import json
import pkgutil

import frappe
from frappe.utils import today

import loyalty_app
from loyalty_app.ledger.membership import find
from loyalty_app.tests import permission_matrix as matrix
from loyalty_app.tests.rest import RestClient
from loyalty_app.tests.utils import (
	IntegrationTestCase,
	company,
	make_adjustment,
	make_customer,
	make_invoice,
	make_item,
	make_program,
	make_promotion,
	make_user,
	make_website_user,
	unique,
)

REFUSED = (401, 403)
MODULE = "Loyalty App"
# Methods that read, and are called by GET.
GET = {"membership", "redeem_quote", "statement", "programs", "openapi"}


class TestMatrix(IntegrationTestCase):
	@classmethod
	def setUpClass(cls):
		super().setUpClass()
		cls.program = make_program().name
		cls.customer = make_customer(loyalty_program=cls.program).name
		cls.invoice = make_invoice(cls.customer, 100).name
		cls.item = make_item(item_code=unique("Matrix Item"), item_name="Matrix Item").name
		cls.entry = frappe.db.get_value("Loyalty Point Entry", {"invoice": cls.invoice})
		cls.member = find(cls.customer, cls.program)
		cls.ledger_run = cls._inserted("Loyalty Ledger Run", kind="Import Check", status="Done")
		cls.clients = {role: RestClient(cls._user_of(role)) for role in matrix.ROLES}

	@classmethod
	def _user_of(cls, role):
		if role == matrix.GUEST:
			return None
		return make_website_user(cls.customer) if role == matrix.WEBSITE else make_user(role)

	@classmethod
	def _inserted(cls, doctype, **values):
		return frappe.get_doc({"doctype": doctype, **values}).insert(ignore_permissions=True).name

	def assert_row(self, row, attempt):
		for role in matrix.ROLES:
			with self.subTest(thing=row.thing, action=row.action, role=role):
				status, body = attempt(self.clients[role])
				self.assertLess(status, 500, body)
				if role in row.roles:
					self.assertNotIn(status, REFUSED, body)
				else:
					self.assertIn(status, REFUSED, body)

	def rows(self, door):
		return [row for row in matrix.MATRIX if row.door == door]

	def test_documents(self):
		for row in self.rows(matrix.DOCUMENT):
			self.assert_row(row, lambda api, row=row: getattr(self, f"try_{row.action}")(api, row.thing))

	def try_read(self, api, doctype):
		return api.resource("GET", doctype, self.document(doctype))

	def try_list(self, api, doctype):
		return api.list(doctype)

	def try_create(self, api, doctype):
		return api.resource("POST", doctype, **self.values_of(doctype))

	def try_write(self, api, doctype):
		return api.resource("PUT", doctype, self.document(doctype), **self.change_of(doctype))

	def try_delete(self, api, doctype):
		return api.resource("DELETE", doctype, self.document(doctype))

	def try_submit(self, api, doctype):
		return api.resource("PUT", doctype, self.document(doctype), docstatus=1)

	def try_cancel(self, api, doctype):
		name = make_adjustment(self.customer, 1).name
		return api.resource("PUT", doctype, name, docstatus=2)

	def document(self, doctype):
		"""The name of a document of that kind; of adjustments, a new draft."""
		if doctype == "Loyalty Point Adjustment":
			return make_adjustment(self.customer, 1, submit=False).name
		if doctype == "Loyalty Promotion":
			return make_promotion(self.program).name
		if doctype == "Loyalty Import Row":
			return self._inserted(doctype, run=self.ledger_run, row=1)
		return {
			"Loyalty Program": self.program,
			"Loyalty Settings": "Loyalty Settings",
			"Loyalty Membership": self.member,
			"Loyalty Point Entry": self.entry,
			"Loyalty Point Log": f"{self.member}-1",
			"Loyalty Ledger Run": self.ledger_run,
		}[doctype]

	def values_of(self, doctype):
		"""What makes a valid document, where anybody may make one."""
		whose = {"customer": self.customer, "loyalty_program": self.program, "company": company()}
		if doctype == "Loyalty Program":
			program = frappe.get_doc(doctype, self.program).as_dict()
			kept = {key: program[key] for key in ("loyalty_program_type", "expense_account", "cost_center")}
			tier = {"tier_name": "Silver", "min_spent": 0, "collection_factor": 10}
			return {
				**kept,
				"loyalty_program_name": unique("Matrix Program"),
				"company": company(),
				"from_date": "2020-01-01",
				"conversion_factor": 1,
				"collection_rules": [tier],
			}
		if doctype == "Loyalty Promotion":
			return {
				"promotion_name": unique("Matrix Promotion"),
				"loyalty_program": self.program,
				"from_date": "2020-01-01",
				"effect": "Multiply Points",
				"multiplier": 2,
			}
		if doctype == "Loyalty Point Adjustment":
			return {"customer": self.customer, "points": 1, "reason": "Goodwill", "explanation": "x"}
		return {
			**whose,
			"loyalty_points": 1,
			"posting_date": today(),
			"kind": "Expiry",
			"run": self.ledger_run,
		}

	def change_of(self, doctype):
		return {
			"Loyalty Program": {"expiry_duration": 365},
			"Loyalty Promotion": {"multiplier": 3},
			"Loyalty Settings": {"birthday_field": ""},
			"Loyalty Point Adjustment": {"explanation": "y"},
		}.get(doctype, {"loyalty_points": 7, "balance": 7, "status": "Done", "points_after": 7})

	def test_reports(self):
		period = {"from_date": "2026-01-01", "to_date": today(), "company": company(), "period": "Monthly"}
		for row in self.rows(matrix.REPORT):
			filters = json.dumps(period)
			self.assert_row(
				row,
				lambda api, row=row, filters=filters: api.call(
					"frappe.desk.query_report.run", report_name=row.thing, filters=filters
				),
			)

	def test_methods(self):
		for row in (*self.rows(matrix.API), *self.rows(matrix.DESK)):
			self.assert_row(row, lambda api, row=row: self.call(api, row.thing))

	def call(self, api, path):
		params = self.arguments_of(path)
		if path.rpartition(".")[2] in GET and ".v1." in path:
			return api.request("GET", f"/api/method/{path}", query_string=params)
		return api.request("POST", f"/api/method/{path}", json=params)

	def arguments_of(self, path):
		"""What a call is made with: valid, or such that a rule refuses it after the permission was asked for, where
		it would set off work."""
		whose = {"customer": self.customer}
		newcomer = {"customer": self.customer, "loyalty_program": self.program}
		line = {"item_code": self.item, "qty": 1, "rate": 10}
		draft = {"doctype": "Sales Invoice", "customer": self.customer, "company": company(), "items": []}
		adjustment = {"doctype": "Loyalty Point Adjustment", "customer": self.customer, "points": 1}
		program = frappe.get_doc("Loyalty Program", self.program).as_json()
		return {
			"loyalty_app.api.v1.membership": whose,
			"loyalty_app.api.v1.quote": {**whose, "items": [line]},
			"loyalty_app.api.v1.redeem_quote": {**whose, "points": "all"},
			"loyalty_app.api.v1.statement": whose,
			"loyalty_app.api.v1.enrol": newcomer,
			"loyalty_app.api.v1.adjust": {
				**whose,
				"points": 1,
				"reason": "Goodwill",
				"explanation": "x",
				"idempotency_key": unique("key"),
			},
			"loyalty_app.api.desk.customer_summary": whose,
			"loyalty_app.api.desk.invoice_preview": {"doc": json.dumps(draft)},
			"loyalty_app.api.desk.program_preview": {"doc": program},
			"loyalty_app.api.desk.program_standing": {"loyalty_program": self.program},
			"loyalty_app.api.desk.promotion_preview": {"doc": json.dumps({"doctype": "Loyalty Promotion"})},
			"loyalty_app.api.adjustments.preview": {"doc": json.dumps(adjustment)},
			"loyalty_app.api.statement.pdf": {"membership": self.member, "from_date": "no date"},
			"loyalty_app.api.runs.start": {"kind": "No Such Kind"},
			"loyalty_app.api.imports.check": {"file_url": "/private/files/no-such.csv"},
			"loyalty_app.api.imports.start": {"check": self.ledger_run},
			"loyalty_app.api.imports.undo": {"check": self.ledger_run},
			"loyalty_app.api.imports.next_steps": {"check": self.ledger_run},
			"loyalty_app.enrolment.start": {"program": self.program},
			"loyalty_app.enrolment.progress": {"program": self.program},
			"loyalty_app.api.erpnext.get_loyalty_program_details_with_points": whose,
			"loyalty_app.api.erpnext.get_loyalty_program_details": whose,
			"loyalty_app.api.erpnext.get_redeemption_factor": {"loyalty_program": self.program},
			"loyalty_app.api.erpnext.get_loyalty_programs": whose,
			"loyalty_app.api.erpnext.set_customer_info": {
				**whose,
				"fieldname": "loyalty_program",
				"value": self.program,
			},
		}.get(path, {})

	def test_no_row_is_missing(self):
		doctypes = frappe.get_all("DocType", filters={"module": MODULE, "istable": 0}, pluck="name")
		reports = frappe.get_all("Report", filters={"module": MODULE}, pluck="name")
		for door, there in (
			((matrix.DOCUMENT,), doctypes),
			((matrix.REPORT,), reports),
			((matrix.API, matrix.DESK), whitelisted()),
		):
			rows = {row.thing for row in matrix.MATRIX if row.door in door}
			self.assertEqual(rows, set(there))


def whitelisted() -> list[str]:
	"""The paths of all functions of the app that may be called over HTTP."""
	for module in pkgutil.walk_packages(loyalty_app.__path__, "loyalty_app."):
		if ".tests" not in module.name and ".test_" not in module.name and ".patches" not in module.name:
			importlib.import_module(module.name)
	paths = {f"{fn.__module__}.{fn.__qualname__}" for fn in frappe.whitelisted}
	# methods of documents are called on a document that the user may read
	return sorted(p for p in paths if p.startswith("loyalty_app.") and "Mixin" not in p)
