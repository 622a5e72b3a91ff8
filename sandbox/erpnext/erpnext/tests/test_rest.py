"""The stand-in as a REST client written for ERPNext sees it."""

import json
from contextlib import ExitStack, redirect_stderr, redirect_stdout
from io import StringIO
from threading import Thread
from urllib.parse import quote

import frappe
from frappe.utils import flt
from werkzeug.test import Client

from erpnext.tests.utils import StandInTestCase


class RestClient:
	"""Requests against the site's WSGI application, each in a thread of its own as a server would do."""

	def __init__(self, user="Administrator"):
		doc = frappe.get_doc("User", user)
		doc.api_key = doc.api_key or frappe.generate_hash(length=15)
		doc.api_secret = secret = frappe.generate_hash(length=15)
		doc.flags.ignore_password_policy = True
		doc.save(ignore_permissions=True)
		frappe.db.commit()  # the server works on a connection of its own
		self.headers = {"Authorization": f"token {doc.api_key}:{secret}", "Accept": "application/json"}
		# the application names its site by the host header on a bench
		self.headers["Host"] = getattr(frappe.local, "site", None) or "localhost"

	def request(self, method, path, status=200, **kwargs):
		from frappe.app import application

		result = []
		thread = Thread(
			target=lambda: result.append(
				# buffered: reading to the end is what lets the application close its connection
				Client(application).open(path, method=method, headers=self.headers, buffered=True, **kwargs)
			)
		)
		with ExitStack() as quiet:
			# a refusal that is expected need not print its traceback
			if status >= 400:
				quiet.enter_context(redirect_stdout(StringIO()))
				quiet.enter_context(redirect_stderr(StringIO()))
			thread.start()
			thread.join()
		(response,) = result
		body = response.get_data(as_text=True)
		if response.status_code != status:
			raise AssertionError(f"{method} {path}: {response.status_code}\n{body[:3000]}")
		return json.loads(body)

	def list(self, doctype, **params):
		params = {key: json.dumps(value) for key, value in params.items()}
		path = f"/api/resource/{quote(doctype)}"
		return self.request("GET", path, query_string={"limit_page_length": "0", **params})["data"]

	def get(self, doctype, name, status=200):
		return self.request("GET", f"/api/resource/{quote(doctype)}/{quote(name)}", status).get("data")

	def create(self, doctype, status=200, **values):
		response = self.request("POST", f"/api/resource/{quote(doctype)}", status, json=values)
		return response.get("data", response)

	def update(self, doctype, name, status=200, **values):
		response = self.request("PUT", f"/api/resource/{quote(doctype)}/{quote(name)}", status, json=values)
		return response.get("data", response)

	def call(self, method, status=200, **params):
		return self.request("POST", f"/api/method/{method}", status, json=params).get("message")


class TestRest(StandInTestCase):
	@classmethod
	def setUpClass(cls):
		super().setUpClass()
		cls.api = RestClient()
		cls.key = frappe.generate_hash(length=6)
		# what the server commits must not meet the other tests' customers
		cls.customer = cls.api.create("Customer", customer_name=f"R {cls.key}")["name"]

	def invoice(self, **values):
		return self.api.create(
			"Sales Invoice",
			**{
				"customer": self.customer,
				"company": "Loyalty Demo",
				"items": [{"item_code": "_Test Item", "qty": 2, "rate": 50}],
				**values,
			},
		)

	def ledger(self, name):
		return self.api.list(
			"GL Entry",
			filters={"voucher_no": name, "is_cancelled": 0},
			fields=["account", "debit", "credit", "party", "against_voucher", "account_currency"],
		)

	def test_what_a_fresh_site_has(self):
		self.assertIn("Loyalty Demo", [row["name"] for row in self.api.list("Company")])
		company = self.api.get("Company", "Loyalty Demo")
		self.assertEqual(
			(company["abbr"], company["default_receivable_account"], company["cost_center"]),
			("LD", "Debtors - LD", "Main - LD"),
		)
		accounts = self.api.list(
			"Account", filters={"company": "Loyalty Demo", "root_type": "Expense", "is_group": 0}
		)
		self.assertIn("Marketing Expenses - LD", [row["name"] for row in accounts])
		self.assertTrue(self.api.list("Cost Center", filters={"company": "Loyalty Demo", "is_group": 0}))
		for doctype, name in (
			("Customer Group", "Individual"),
			("Territory", "Rest Of The World"),
			("Item Group", "Products"),
			("UOM", "Nos"),
			("Mode of Payment", "Cash"),
			("Price List", "Standard Selling"),
		):
			self.assertIn(name, [row["name"] for row in self.api.list(doctype)])

	def test_masters(self):
		key = self.key
		group = self.api.create(
			"Customer Group", customer_group_name=f"G {key}", parent_customer_group="All Customer Groups"
		)
		customer = self.api.create(
			"Customer", customer_name=f"C {key}", customer_type="Individual", customer_group=group["name"]
		)
		self.assertEqual((customer["name"], customer["territory"]), (f"C {key}", "Rest Of The World"))
		item = self.api.create(
			"Item", item_code=f"I {key}", item_group="Products", stock_uom="Nos", standard_rate=12.5
		)
		self.assertEqual(item["item_name"], f"I {key}")
		si = self.invoice(customer=customer["name"], items=[{"item_code": item["name"], "qty": 4}])
		self.assertEqual((si["items"][0]["rate"], si["grand_total"]), (12.5, 50))
		self.api.update("Customer", customer["name"], territory="Germany")
		self.assertEqual(self.api.get("Customer", customer["name"])["territory"], "Germany")

	def test_life_of_an_invoice(self):
		draft = self.invoice()
		self.assertEqual((draft["docstatus"], draft["status"], draft["grand_total"]), (0, "Draft", 100))
		self.assertEqual(self.ledger(draft["name"]), [])

		self.api.update("Sales Invoice", draft["name"], docstatus=1)
		submitted = self.api.get("Sales Invoice", draft["name"])
		self.assertEqual((submitted["status"], submitted["outstanding_amount"]), ("Unpaid", 100))
		rows = self.ledger(draft["name"])
		self.assertEqual(sum(row["debit"] for row in rows), sum(row["credit"] for row in rows))

		self.api.call("frappe.client.cancel", doctype="Sales Invoice", name=draft["name"])
		cancelled = self.api.get("Sales Invoice", draft["name"])
		self.assertEqual((cancelled["docstatus"], cancelled["status"]), (2, "Cancelled"))
		self.assertEqual(self.ledger(draft["name"]), [])

		amended = self.invoice(amended_from=draft["name"], docstatus=1)
		self.assertEqual((amended["name"], amended["docstatus"]), (f"{draft['name']}-1", 1))

	def test_return(self):
		si = self.invoice(docstatus=1)
		ret = self.invoice(
			docstatus=1,
			is_return=1,
			return_against=si["name"],
			items=[{"item_code": "_Test Item", "qty": -1, "rate": 50}],
		)
		self.assertEqual((ret["grand_total"], ret["update_outstanding_for_self"]), (-50, 1))
		self.assertEqual(
			{row["against_voucher"] for row in self.ledger(ret["name"]) if row["party"]}, {ret["name"]}
		)

		draft = self.api.call(
			"erpnext.accounts.doctype.sales_invoice.sales_invoice.make_sales_return", source_name=si["name"]
		)
		self.assertEqual((draft["is_return"], draft["items"][0]["qty"]), (1, -2))
		refused = self.api.create(
			"Sales Invoice",
			status=417,
			customer=self.customer,
			company="Loyalty Demo",
			is_return=1,
			return_against=si["name"],
			items=[{"item_code": "_Test Item", "qty": -2, "rate": 50}],
		)
		self.assertIn("Cannot return more than 1.0", json.dumps(refused))
		refused = self.api.call("frappe.client.cancel", status=417, doctype="Sales Invoice", name=si["name"])

	def test_foreign_currency(self):
		key = self.key
		account = self.api.create(
			"Account",
			account_name=f"Debtors GBP {key}",
			parent_account="Accounts Receivable - LD",
			company="Loyalty Demo",
			account_type="Receivable",
			account_currency="GBP",
		)
		self.assertEqual(
			(account["name"], account["root_type"], account["report_type"]),
			(f"Debtors GBP {key} - LD", "Asset", "Balance Sheet"),
		)
		customer = self.api.create(
			"Customer",
			customer_name=f"GBP {key}",
			default_currency="GBP",
			accounts=[{"company": "Loyalty Demo", "account": account["name"]}],
		)
		si = self.invoice(customer=customer["name"], currency="GBP", conversion_rate=1.3, docstatus=1)
		self.assertEqual((si["debit_to"], si["base_grand_total"]), (account["name"], 130))
		party = next(row for row in self.ledger(si["name"]) if row["party"])
		self.assertEqual((party["debit"], party["account_currency"]), (130, "GBP"))

	def test_second_company(self):
		key = self.key
		company = self.api.create(
			"Company", company_name=f"Second {key}", abbr=key, default_currency="EUR", country="Germany"
		)
		company = self.api.get("Company", company["name"])
		self.assertEqual(company["default_receivable_account"], f"Debtors - {key}")
		si = self.invoice(company=company["name"], currency="EUR", docstatus=1)
		self.assertEqual(si["debit_to"], f"Debtors - {key}")
		refused = self.api.create(
			"Sales Invoice",
			status=417,
			company=company["name"],
			customer=self.customer,
			currency="EUR",
			items=[{"item_code": "_Test Item", "qty": 1, "rate": 1, "income_account": "Sales - LD"}],
		)
		self.assertIn("does not belong to Company", json.dumps(refused))

	def test_redemption(self):
		key = self.key
		program = self.api.create(
			"Loyalty Program",
			loyalty_program_name=f"P {key}",
			loyalty_program_type="Single Tier Program",
			from_date="2024-01-01",
			company="Loyalty Demo",
			conversion_factor=1,
			expiry_duration=300,
			expense_account="Marketing Expenses - LD",
			cost_center="Main - LD",
			collection_rules=[{"tier_name": "Silver", "min_spent": 0, "collection_factor": 10}],
		)
		customer = self.api.create("Customer", customer_name=f"L {key}", loyalty_program=program["name"])
		self.invoice(customer=customer["name"], docstatus=1)
		si = self.invoice(customer=customer["name"], redeem_loyalty_points=1, loyalty_points=10, docstatus=1)
		self.assertEqual(flt(si["loyalty_amount"]), 10)
		si = self.api.get("Sales Invoice", si["name"])
		self.assertEqual((si["outstanding_amount"], si["status"]), (90, "Partly Paid"))
		rows = {row["account"]: row for row in self.ledger(si["name"]) if not row["party"]}
		self.assertEqual(rows["Marketing Expenses - LD"]["debit"], 10)
		entries = self.api.list(
			"Loyalty Point Entry", filters={"invoice": si["name"]}, fields=["loyalty_points"]
		)
		self.assertEqual(sorted(row["loyalty_points"] for row in entries), [-10, 9])

	def test_permissions(self):
		auditor = RestClient(make_user("auditor", "Auditor"))
		self.assertTrue(auditor.list("GL Entry", limit=1) is not None)
		auditor.create("Sales Invoice", status=403, customer=self.customer)
		clerk = RestClient(make_user("clerk", "Accounts User"))
		si = clerk.create(
			"Sales Invoice",
			customer=self.customer,
			items=[{"item_code": "_Test Item", "qty": 1, "rate": 5}],
			docstatus=1,
		)
		clerk.request("DELETE", f"/api/resource/Sales Invoice/{si['name']}", status=403)
		clerk.create("Customer", status=403, customer_name="Nobody")
		sales = RestClient(make_user("sales", "Sales User"))
		sales.create("Sales Invoice", status=403, customer=self.customer)
		self.assertTrue(sales.get("Customer", self.customer))


def make_user(name, role):
	email = f"{name}@example.com"
	if not frappe.db.exists("User", email):
		user = frappe.get_doc(
			{"doctype": "User", "email": email, "first_name": name.title(), "send_welcome_email": 0}
		).insert()
		user.add_roles(role)
	return email
