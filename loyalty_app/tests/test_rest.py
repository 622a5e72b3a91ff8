"""Every door of the REST API: what integrators do, and what nobody may do (rules 8)."""

import json

import frappe
from frappe.utils import today

from loyalty_app.ledger.membership import find
from loyalty_app.tests.rest import RestClient
from loyalty_app.tests.test_documents import balance, earned, entries_of
from loyalty_app.tests.utils import (
	IntegrationTestCase,
	company,
	cost_center,
	expense_account,
	make_customer,
	make_invoice,
	make_program,
	make_user,
	unique,
)

ENTRY, MEMBERSHIP, LOG, PROGRAM = (
	"Loyalty Point Entry",
	"Loyalty Membership",
	"Loyalty Point Log",
	"Loyalty Program",
)
READERS = ("Accounts User", "Accounts Manager", "Auditor")


class RestTestCase(IntegrationTestCase):
	@classmethod
	def setUpClass(cls):
		super().setUpClass()
		cls.program = make_program(tiers=[("Silver", 0, 10), ("Gold", 2000, 5)], conversion_factor=0.5)
		cls.customer = make_customer(loyalty_program=cls.program.name)
		cls.invoice = make_invoice(cls.customer, 1000)
		cls.api = RestClient()

	def as_role(self, *roles):
		return RestClient(make_user(*roles))


class TestLifeCycle(RestTestCase):
	def test_a_client_sets_up_a_program_sells_redeems_returns_and_cancels(self):
		status, program = self.api.resource(
			"POST",
			PROGRAM,
			loyalty_program_name=unique("REST Program"),
			loyalty_program_type="Single Tier Program",
			from_date="2020-01-01",
			conversion_factor=1,
			expiry_duration=30,
			company=company(),
			expense_account=expense_account(),
			cost_center=cost_center(),
			collection_rules=[{"tier_name": "Silver", "min_spent": 0, "collection_factor": 10}],
		)
		self.assertEqual(status, 200, program)
		customer = make_customer(loyalty_program=program["name"])
		draft = make_invoice(customer, 1000, submit=False)

		status, invoice = self.api.resource("PUT", "Sales Invoice", draft.name, docstatus=1)
		self.assertEqual((status, invoice["docstatus"]), (200, 1))
		status, rows = self.api.list(
			ENTRY,
			filters=[["invoice", "=", draft.name]],
			fields=["loyalty_points", "expiry_date", "loyalty_program_tier", "purchase_amount"],
		)
		self.assertEqual((status, len(rows), rows[0]["loyalty_points"]), (200, 1, 100))

		body = {
			key: invoice[key]
			for key in ("customer", "company", "currency", "debit_to", "due_date", "selling_price_list")
		}
		body["items"] = [
			{key: invoice["items"][0][key] for key in ("item_code", "income_account", "cost_center")}
			| {"qty": 2, "rate": 100}
		]
		status, refused = self.api.resource(
			"POST", "Sales Invoice", redeem_loyalty_points=1, loyalty_points=101, docstatus=1, **body
		)
		self.assertEqual(status, 417)
		self.assertIn("enough Loyalty Points", json.dumps(refused))

		status, redeeming = self.api.resource(
			"POST",
			"Sales Invoice",
			redeem_loyalty_points=1,
			loyalty_points=100,
			loyalty_amount=1,
			disable_rounded_total=1,
			docstatus=1,
			**body,
		)
		self.assertEqual(status, 200, redeeming)
		_status, redeeming = self.api.resource("GET", "Sales Invoice", redeeming["name"])
		self.assertEqual(
			(
				redeeming["loyalty_amount"],
				redeeming["outstanding_amount"],
				redeeming["loyalty_redemption_account"],
			),
			(100, 100, expense_account()),
		)
		status, gl = self.api.list(
			"GL Entry",
			filters=[["voucher_no", "=", redeeming["name"]], ["account", "=", expense_account()]],
			fields=["debit", "credit"],
		)
		self.assertEqual((status, gl), (200, [{"debit": 100, "credit": 0}]))

		body["items"][0]["qty"] = -1
		status, returned = self.api.resource(
			"POST",
			"Sales Invoice",
			is_return=1,
			return_against=redeeming["name"],
			disable_rounded_total=1,
			docstatus=1,
			**body,
		)
		self.assertEqual(status, 200, returned)
		_status, returned = self.api.resource("GET", "Sales Invoice", returned["name"])
		self.assertEqual((returned["loyalty_points"], returned["outstanding_amount"]), (-50, -50))

		for name in (returned["name"], redeeming["name"]):
			status, cancelled = self.api.call("frappe.client.cancel", doctype="Sales Invoice", name=name)
			self.assertEqual((status, cancelled["docstatus"]), (200, 2))
		self.assertEqual(balance(customer), 100)

	def test_malformed_points_are_refused_in_words(self):
		draft = make_invoice(self.customer, 100, submit=False)
		for points in ("abc", "1e400", "nan", 1.5, -1, 0, 10**30, [1], {"a": 1}, True, None, "<b>7"):
			with self.subTest(points=points):
				status, body = self.api.resource(
					"PUT", "Sales Invoice", draft.name, redeem_loyalty_points=1, loyalty_points=points
				)
				self.assertEqual(status, 417, body)
				self.assertIn("Loyalty Points", json.dumps(body))


class TestPermissions(RestTestCase):
	def names(self):
		entry = earned(self.invoice).name
		member = find(self.customer.name, self.program.name)
		log = frappe.db.get_value(LOG, {"membership": member})
		return {ENTRY: entry, MEMBERSHIP: member, LOG: log}

	def test_accounts_people_and_auditors_read_the_ledger_and_nobody_writes_it(self):
		names = self.names()
		for role in (*READERS, "Sales User", "System Manager"):
			api = self.as_role(role)
			for doctype, name in names.items():
				may_read = role in READERS or (role == "Sales User" and doctype == MEMBERSHIP)
				with self.subTest(role=role, doctype=doctype):
					self.assertEqual(api.resource("GET", doctype, name)[0], 200 if may_read else 403)
					self.assertEqual(api.list(doctype)[0], 200 if may_read else 403)
					values = {"customer": self.customer.name, "loyalty_program": self.program.name}
					self.assertEqual(api.resource("POST", doctype, loyalty_points=5, **values)[0], 403)
					self.assertEqual(api.resource("PUT", doctype, name, loyalty_points=5, balance=5)[0], 403)
					self.assertEqual(api.resource("DELETE", doctype, name)[0], 403)

	def test_administrator_edits_and_deletes_nothing_either(self):
		before = entries_of(self.invoice)
		for doctype, name in self.names().items():
			with self.subTest(doctype=doctype):
				self.assertEqual(
					self.api.resource("PUT", doctype, name, loyalty_points=5, balance=5, entry="x")[0], 417
				)
				self.assertEqual(self.api.resource("DELETE", doctype, name)[0], 417)
				method = "frappe.client.set_value"
				field = {ENTRY: "loyalty_points", MEMBERSHIP: "balance", LOG: "points_after"}[doctype]
				self.assertEqual(
					self.api.call(method, doctype=doctype, name=name, fieldname=field, value=999)[0], 417
				)
		self.assertEqual(entries_of(self.invoice), before)

	def test_administrator_inserts_through_the_ledger(self):
		customer = make_customer(loyalty_program=self.program.name)
		values = {"customer": customer.name, "loyalty_program": self.program.name, "company": company()}
		status, entry = self.api.resource(
			"POST", ENTRY, loyalty_points=5, discretionary_reason="Referral", posting_date=today(), **values
		)
		self.assertEqual((status, entry["remaining_points"]), (200, 5))
		self.assertEqual(self.api.resource("POST", ENTRY, loyalty_points=-6, **values)[0], 417)
		self.assertEqual(self.api.resource("POST", MEMBERSHIP, **values)[0], 417)
		self.assertEqual(balance(customer), 5)

	def test_programs_are_managed_by_managers_and_read_by_the_others(self):
		for role, may_write in (
			("Accounts Manager", True),
			("System Manager", True),
			("Accounts User", False),
			("Auditor", False),
			("Sales User", False),
		):
			api = self.as_role(role)
			with self.subTest(role=role):
				self.assertEqual(api.resource("GET", PROGRAM, self.program.name)[0], 200)
				status, _body = api.resource("PUT", PROGRAM, self.program.name, expiry_duration=365)
				self.assertEqual(status, 200 if may_write else 403)
				self.assertEqual(
					api.resource("DELETE", PROGRAM, self.program.name)[0], 417 if may_write else 403
				)

	def test_user_permissions_close_other_companies_and_customers(self):
		other = make_program(company=company("Loyalty Test Other Co", "LTO"))
		stranger = make_customer(loyalty_program=other.name)
		make_invoice(stranger, 100, company=other.company)
		for doctype, value in (("Company", other.company), ("Customer", stranger.name)):
			user = make_user("Accounts User")
			frappe.get_doc(
				{"doctype": "User Permission", "user": user, "allow": doctype, "for_value": value}
			).insert(ignore_permissions=True)
			api = RestClient(user)
			with self.subTest(allowed=doctype):
				for ledger in (ENTRY, MEMBERSHIP, LOG):
					status, rows = api.list(ledger, fields=["customer", "company"], limit_page_length=0)
					field = doctype.lower()
					self.assertEqual((status, {r[field] for r in rows}), (200, {value}))
				for ledger, name in self.names().items():
					self.assertEqual(api.resource("GET", ledger, name)[0], 403)
				for method in ("get_loyalty_program_details", "get_loyalty_program_details_with_points"):
					path = TestMethods.program_methods + method
					self.assertEqual(api.call(path, customer=self.customer.name)[0], 403)
					self.assertEqual(api.call(path, customer=stranger.name)[0], 200)
				path = TestMethods.program_methods + "get_redeemption_factor"
				if doctype == "Company":
					self.assertEqual(api.call(path, loyalty_program=self.program.name)[0], 403)


class TestMethods(RestTestCase):
	"""ERPNext's whitelisted loyalty methods: same signatures, our answers, and only for those who may know."""

	program_methods = "erpnext.accounts.doctype.loyalty_program.loyalty_program."

	def test_they_answer_from_the_ledger(self):
		api = self.as_role("Accounts User", "Sales User")
		status, details = api.call(
			self.program_methods + "get_loyalty_program_details_with_points",
			customer=self.customer.name,
			loyalty_program=self.program.name,
			silent="false",
			company=company(),
		)
		self.assertEqual(status, 200, details)
		self.assertEqual(
			(
				details["loyalty_points"],
				details["total_spent"],
				details["tier_name"],
				details["conversion_factor"],
			),
			(100, 1000, "Silver", 0.5),
		)
		status, details = api.call(
			self.program_methods + "get_loyalty_program_details_with_points",
			customer=self.customer.name,
			current_transaction_amount=1000,
		)
		self.assertEqual((details["tier_name"], details["collection_factor"]), ("Gold", 5))
		status, details = api.call(
			self.program_methods + "get_loyalty_program_details",
			customer=self.customer.name,
			loyalty_program=self.program.name,
			expiry_date=today(),
			company=company(),
		)
		self.assertEqual(
			(status, details["expense_account"], details["cost_center"]),
			(200, expense_account(), cost_center()),
		)
		status, factor = api.call(
			self.program_methods + "get_redeemption_factor", loyalty_program=self.program.name
		)
		self.assertEqual((status, factor), (200, 0.5))
		status, programs = api.call(
			"erpnext.accounts.doctype.sales_invoice.sales_invoice.get_loyalty_programs",
			customer=self.customer.name,
		)
		self.assertEqual((status, programs), (200, [self.program.name]))
		status, body = api.call(
			"erpnext.selling.page.point_of_sale.point_of_sale.set_customer_info",
			fieldname="loyalty_program",
			customer=self.customer.name,
			value=self.program.name,
		)
		self.assertEqual(status, 200, body)

	def test_strangers_learn_nothing(self):
		portal = make_user()
		frappe.db.set_value("User", portal, "user_type", "Website User")
		for api in (RestClient(portal), self.as_role("Report Manager"), RestClient(None)):
			for method, params in (
				(self.program_methods + "get_loyalty_program_details_with_points", {}),
				(self.program_methods + "get_loyalty_program_details", {}),
				(self.program_methods + "get_redeemption_factor", {}),
				("erpnext.accounts.doctype.sales_invoice.sales_invoice.get_loyalty_programs", {}),
				(
					"erpnext.selling.page.point_of_sale.point_of_sale.set_customer_info",
					{"fieldname": "loyalty_program", "value": ""},
				),
				("loyalty_app.api.desk.customer_summary", {}),
			):
				with self.subTest(method=method, user=api.headers.get("Authorization", "Guest")[:12]):
					status, _body = api.call(method, customer=self.customer.name, **params)
					self.assertIn(status, (401, 403))
		self.assertEqual(
			frappe.db.get_value("Customer", self.customer.name, "loyalty_program"), self.program.name
		)
