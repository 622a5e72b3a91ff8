"""The public API: what it answers, to whom, and how it says no (docs/api.md)."""

import json

import frappe
from frappe.installer import update_site_config
from frappe.utils import add_days, today

from loyalty_app.api import desk
from loyalty_app.ledger.membership import find, summary
from loyalty_app.tests.rest import RestClient
from loyalty_app.tests.test_documents import balance
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

V1 = "loyalty_app.api.v1."
ADJUSTMENT = "Loyalty Point Adjustment"


class ApiTestCase(IntegrationTestCase):
	@classmethod
	def setUpClass(cls):
		super().setUpClass()
		cls.program = make_program(tiers=[("Silver", 0, 10), ("Gold", 2000, 5)], conversion_factor=0.5)
		cls.customer = make_customer(loyalty_program=cls.program.name).name
		make_invoice(cls.customer, 1000)
		cls.item = make_item(item_code=unique("API Item"), item_name="API Item").name
		cls.cashier = RestClient(make_user("Accounts User", "Sales User"))

	def get(self, method, api=None, **params):
		return (api or self.cashier).request("GET", f"/api/method/{V1}{method}", query_string=params)

	def post(self, method, api=None, **params):
		return (api or self.cashier).request("POST", f"/api/method/{V1}{method}", json=params)

	def answer(self, ask, method, api=None, **params):
		status, body = ask(method, api, **params)
		self.assertEqual(status, 200, body)
		return body["message"]

	def assert_error(self, answer, status, code, *words):
		self.assertEqual((answer[0], answer[1].get("code")), (status, code), answer[1])
		for word in words:
			self.assertIn(word, answer[1]["detail"])

	def restricted(self, doctype, value, *roles):
		user = make_user(*roles)
		frappe.get_doc(
			{"doctype": "User Permission", "user": user, "allow": doctype, "for_value": value}
		).insert(ignore_permissions=True)
		return RestClient(user)


class TestMembership(ApiTestCase):
	def test_it_is_what_the_desk_shows(self):
		told = self.answer(self.get, "membership", customer=self.customer)
		shown = json.loads(frappe.as_json(summary(self.customer)))
		for key in set(told) & set(shown):
			self.assertEqual(told[key], shown[key], key)
		self.assertEqual(
			(told["balance"], told["worth"], told["tier"], told["next_tier"], told["missing_to_next_tier"]),
			(100, 50, "Silver", "Gold", 1000),
		)
		self.assertEqual((told["active"], told["company"]), (True, company()))
		self.assertEqual((told["next_expiry"], told["next_expiry_points"]), (add_days(today(), 365), 100))

	def test_what_of_all_spend_counts_for_the_tier(self):
		program = make_program(
			tiers=[("Silver", 0, 10), ("Gold", 400, 5)],
			tier_period="Last N Months",
			tier_period_months=2,
			tier_downgrade="To the Tier Earned",
		)
		customer = make_customer(loyalty_program=program.name).name
		make_invoice(customer, 400, posting_date=add_days(today(), -100))
		make_invoice(customer, 100)
		told = self.answer(self.get, "membership", customer=customer)
		self.assertEqual((told["total_spent"], told["tier_spend"], told["tier"]), (500, 100, "Silver"))

	def test_a_program_left(self):
		customer = make_customer(loyalty_program=self.program.name)
		make_invoice(customer, 500)
		customer.reload()
		customer.loyalty_program = make_program().name
		customer.save()
		told = self.answer(self.get, "membership", customer=customer.name, loyalty_program=self.program.name)
		self.assertEqual((told["balance"], told["active"]), (50, False))
		self.assertEqual(self.answer(self.get, "membership", customer=customer.name)["balance"], 0)

	def test_who_is_no_member(self):
		nobody = make_customer().name
		for params in (
			{"customer": nobody},
			{"customer": nobody, "loyalty_program": self.program.name},
			{"customer": self.customer, "loyalty_program": "No Such Program"},
		):
			self.assert_error(self.get("membership", **params), 404, "not_a_member")
		self.assert_error(self.get("membership", customer="No Such"), 404, "not_found", "No Such")


class TestArguments(ApiTestCase):
	def test_what_is_wrong_is_named(self):
		quote = {"customer": self.customer, "items": [{"item_code": self.item, "qty": 1, "rate": 1}]}
		line = quote["items"][0]
		for method, params, words in (
			("quote", {"items": quote["items"]}, "customer"),
			("quote", {**quote, "customer": 7}, "customer"),
			("quote", {**quote, "customer": "x" * 141}, "customer"),
			("quote", {**quote, "customer": "\x00"}, "customer"),
			("quote", {**quote, "nonsense": 1}, "nonsense"),
			("quote", {**quote, "items": []}, "items"),
			("quote", {**quote, "items": "[["}, "items"),
			("quote", {**quote, "items": [7]}, "items[0]"),
			("quote", {**quote, "items": [line, {**line, "qty": "many"}]}, "items[1].qty"),
			("quote", {**quote, "items": [{**line, "qty": 0}]}, "items[0].qty"),
			("quote", {**quote, "items": [{**line, "rate": -1}]}, "items[0].rate"),
			("quote", {**quote, "items": [{**line, "rate": "NaN"}]}, "items[0].rate"),
			("quote", {**quote, "items": [{**line, "rate": "1" * 41}]}, "items[0].rate"),
			("quote", {**quote, "items": [{**line, "rate": True}]}, "items[0].rate"),
			("quote", {**quote, "items": [{**line, "rate": [1]}]}, "items[0].rate"),
			("quote", {**quote, "items": [{**line, "colour": "red"}]}, "items[0].colour"),
			("quote", {**quote, "items": [{"item_code": self.item}]}, "items[0].qty"),
			("quote", {**quote, "posting_date": "2026-02-30"}, "posting_date"),
			("quote", {**quote, "posting_date": "yesterday"}, "posting_date"),
			("quote", {**quote, "posting_date": 20260101}, "posting_date"),
			("adjust", {"points": 1.5}, "points"),
			("adjust", {"points": 10**10}, "points"),
			("adjust", {"points": True}, "points"),
			("adjust", {"submit": "perhaps"}, "submit"),
		):
			with self.subTest(method=method, words=words):
				if method == "adjust":
					adjust = {
						"customer": self.customer,
						"points": 5,
						"reason": "Goodwill",
						"idempotency_key": "k",
					}
					params = adjust | params
				self.assert_error(self.post(method, **params), 400, "invalid_argument", f"{words}: ")
		for params, name in (
			({"points": "some"}, "points"),
			({"points": "1e3"}, "points"),
			({"points": "5", "total": "-1"}, "total"),
			({}, "points"),
		):
			answer = self.get("redeem_quote", customer=self.customer, **params)
			self.assert_error(answer, 400, "invalid_argument", f"{name}: ")

	def test_text_that_stands_for_a_number_is_one(self):
		lines = json.dumps([{"item_code": self.item, "qty": "2", "rate": "50.5"}])
		told = self.answer(self.post, "quote", customer=self.customer, items=lines)
		self.assertEqual(told["total"], 101)

	def test_methods_behind_the_desk_name_what_is_wrong_too(self):
		status, body = self.cashier.call("loyalty_app.api.desk.customer_summary")
		self.assertEqual((status, body["exc_type"]), (400, "InvalidArgument"))
		self.assertIn("customer: is required", json.dumps(body))
		for filters in ("{", "01", "nothing"):
			status, body = self.cashier.call("loyalty_app.api.workspace.points_by_month", filters=filters)
			self.assertEqual(status, 417, body)
		doc = {"doctype": "Sales Invoice", "customer": ["like", "%"]}
		self.assertEqual(self.cashier.call("loyalty_app.api.desk.invoice_preview", doc=doc)[0], 417)

	def test_errors_that_frappe_answers_have_codes_too(self):
		self.assert_error(self.post("membership", customer=self.customer), 403, "not_permitted")
		guest = RestClient(None)
		self.assert_error(self.get("membership", guest, customer=self.customer), 403, "not_permitted")
		stranger = RestClient(None)
		stranger.headers["Authorization"] = "token abc:def"
		status, body = self.get("membership", stranger, customer=self.customer)
		self.assertEqual(body["code"], {401: "not_authenticated", 403: "not_permitted"}[status])

	def test_messages_are_in_the_language_asked_for(self):
		api = RestClient(make_user("Accounts User"))
		api.headers["Accept-Language"] = "ar"
		self.assert_error(self.get("membership", api, customer="No Such"), 404, "not_found", "لا يوجد")


class TestPermission(ApiTestCase):
	def ask_all(self, api, customer):
		"""The answers of every method that tells of a customer, or changes something of one."""
		line = {"item_code": self.item, "qty": 1, "rate": 10}
		adjustment = {"points": 5, "reason": "Goodwill", "explanation": "x", "idempotency_key": unique("k")}
		yield "membership", self.get("membership", api, customer=customer)
		yield "redeem_quote", self.get("redeem_quote", api, customer=customer, points="all")
		yield "statement", self.get("statement", api, customer=customer)
		yield "quote", self.post("quote", api, customer=customer, items=[line])
		yield "enrol", self.post("enrol", api, customer=customer, loyalty_program=self.program.name)
		yield "adjust", self.post("adjust", api, customer=customer, **adjustment)

	def test_strangers_learn_nothing_not_even_who_is_there(self):
		other = make_customer(loyalty_program=self.program.name)
		portal = RestClient(make_website_user(other))
		only_other = self.restricted("Customer", other.name, "Accounts User", "Sales User")
		for api in (portal, only_other, RestClient(make_user("Report Manager")), RestClient(None)):
			for customer in (self.customer, "No Such Customer"):
				for method, answer in self.ask_all(api, customer):
					with self.subTest(method=method, customer=customer):
						self.assert_error(answer, 403, "not_permitted")
						self.assertNotIn(self.program.name, json.dumps(answer[1]))
		self.assertEqual(frappe.db.count(ADJUSTMENT, {"customer": self.customer}), 0)

	def test_website_users_see_their_own_and_change_nothing(self):
		api = RestClient(make_website_user(self.customer))
		told = {method: answer for method, answer in self.ask_all(api, self.customer)}
		statuses = {method: status for method, (status, _body) in told.items()}
		self.assertEqual(
			statuses,
			{
				"membership": 200,
				"redeem_quote": 200,
				"statement": 200,
				"quote": 200,
				"enrol": 403,
				"adjust": 403,
			},
		)
		self.assertEqual(told["statement"][1]["message"]["entries"][0]["points"], 100)
		self.assertEqual(told["quote"][1]["message"]["earning"]["points"], 1)
		self.assert_error(self.get("programs", api), 403, "not_permitted")

	def test_the_statement_asks_for_leave_to_read_entries(self):
		api = RestClient(make_user("Sales User"))
		self.answer(self.get, "membership", api, customer=self.customer)
		self.assert_error(self.get("statement", api, customer=self.customer), 403, "not_permitted")

	def test_other_companies_are_closed(self):
		other = make_program(company=company("Loyalty Test Other Co", "LTO"))
		api = self.restricted("Company", other.company, "Accounts User", "Sales Manager")
		told = {method: answer for method, answer in self.ask_all(api, self.customer)}
		for method in ("membership", "redeem_quote", "statement", "quote"):
			self.assert_error(told[method], 404, "not_a_member")
		self.assert_error(told["enrol"], 403, "not_permitted")
		self.assertEqual(told["adjust"][0], 403)
		self.assertEqual([row["name"] for row in self.answer(self.get, "programs", api)], [other.name])
		stranger = make_customer(loyalty_program=other.name).name
		line = {"item_code": self.item, "qty": 1, "rate": 10}
		answer = self.post("quote", api, customer=stranger, items=[line], company=company())
		self.assert_error(answer, 403, "not_permitted")


class TestQuote(ApiTestCase):
	def test_it_is_what_a_submit_does(self):
		customer = make_customer(loyalty_program=self.program.name)
		make_invoice(customer, 1500)
		for rate in (99.99, 1000):
			told = self.answer(
				self.post,
				"quote",
				customer=customer.name,
				items=[{"item_code": self.item, "qty": 3, "rate": rate}],
			)
			self.assertEqual(told["earns_nothing"], None)
			invoice = make_invoice(customer, items=[{"item_code": self.item, "qty": 3, "rate": rate}])
			entry = frappe.get_last_doc("Loyalty Point Entry", {"invoice": invoice.name})
			self.assertEqual(
				(told["earning"]["points"], told["earning"]["tier"], told["earning"]["purchase_amount"]),
				(entry.loyalty_points, entry.loyalty_program_tier, entry.purchase_amount),
			)
			self.assertEqual(told["earning"]["expiry_date"], str(entry.expiry_date))
			self.assertEqual(told["total"], invoice.rounded_total or invoice.grand_total)

	def test_promotions_and_their_codes(self):
		program = make_program(tiers=[("Silver", 0, 10)]).name
		customer = make_customer(loyalty_program=program).name
		make_promotion(program, code="TWICE")
		basket = {"customer": customer, "items": [{"item_code": self.item, "qty": 2, "rate": 50}]}
		told = self.answer(self.post, "quote", **basket)
		self.assertEqual((told["earning"]["points"], told["earning"]["promotions"]), (10, []))
		told = self.answer(self.post, "quote", promotion_code="twice", **basket)
		(given,) = told["earning"]["promotions"]
		self.assertEqual((told["earning"]["points"], given["points"], given["qty"]), (20, 10, 2))
		self.assertIsNone(told["code_refusal"])
		told = self.answer(self.post, "quote", promotion_code="THRICE", **basket)
		self.assertEqual(told["earning"]["points"], 10)
		self.assertIn("THRICE", told["code_refusal"])

	def test_what_may_be_redeemed(self):
		line = {"item_code": self.item, "qty": 1, "rate": 30}
		told = self.answer(self.post, "quote", customer=self.customer, items=[line])
		self.assertEqual((told["redeeming"]["most"], told["redeeming"]["most_amount"]), (60, 30))
		nothing = make_customer(loyalty_program=self.program.name).name
		told = self.answer(self.post, "quote", customer=nothing, items=[line])
		self.assertEqual(told["redeeming"]["most"], 0)
		self.assertIn("enough Loyalty Points", told["redeeming"]["refusal"])

	def test_nothing_is_saved(self):
		doctypes = ("Sales Invoice", "Loyalty Point Entry", "Loyalty Membership", "Loyalty Point Log")
		newcomer = make_customer(loyalty_program=self.program.name).name
		before = [frappe.db.count(doctype) for doctype in doctypes]
		line = {"item_code": self.item, "qty": 1, "rate": 30}
		self.answer(self.post, "quote", customer=newcomer, items=[line])
		self.assertEqual([frappe.db.count(doctype) for doctype in doctypes], before)

	def test_another_currency(self):
		frappe.db.set_value("Currency", "EUR", "enabled", 1)
		frappe.get_doc(
			{
				"doctype": "Currency Exchange",
				"date": "2020-01-01",
				"from_currency": "EUR",
				"to_currency": "USD",
				"exchange_rate": 2,
				"for_selling": 1,
				"for_buying": 1,
			}
		).insert(ignore_permissions=True)
		line = {"item_code": self.item, "qty": 1, "rate": 100}
		told = self.answer(self.post, "quote", customer=self.customer, items=[line], currency="EUR")
		self.assertEqual((told["total"], told["currency"], told["earning"]["points"]), (200, "USD", 20))

	def test_what_is_not_there(self):
		line = {"item_code": self.item, "qty": 1, "rate": 100}
		for params, name in (
			({"items": [line, {**line, "item_code": "No Such Item"}]}, "items[1].item_code"),
			({"items": [line], "currency": "XXQ"}, "currency"),
			({"items": [line], "company": "No Such Company"}, "company"),
		):
			self.assert_error(self.post("quote", customer=self.customer, **params), 404, "not_found", name)

	def test_why_it_earns_nothing(self):
		other = company("Loyalty Test Other Co", "LTO")
		line = {"item_code": self.item, "qty": 1, "rate": 100}
		told = self.answer(self.post, "quote", customer=self.customer, items=[line], company=other)
		self.assertEqual(told["earning"], None)
		self.assertIn(other, told["earns_nothing"])


class TestRedeemQuote(ApiTestCase):
	def quote(self, customer=None, **params):
		return self.answer(self.get, "redeem_quote", customer=customer or self.customer, **params)

	def test_points_and_what_they_pay(self):
		told = self.quote(points=7, total=100)
		self.assertEqual((told["points"], told["amount"], told["refusal"]), (7, 3.5, None))
		self.assertEqual((told["most"], told["most_amount"], told["balance"]), (100, 50, 100))
		told = self.quote(points="all", total="20.5")
		self.assertEqual((told["points"], told["amount"], told["refusal"]), (41, 20.5, None))
		self.assertEqual(self.quote(points="all")["points"], 100)

	def test_refusals_are_those_of_an_invoice(self):
		self.assertIn("enough", self.quote(points=101)["refusal"])
		for points, words in ((0, "more than zero"), (-5, "more than zero"), (41, "Total Amount")):
			with self.subTest(points=points):
				told = self.quote(points=points, total=20)
				self.assertIn(words, told["refusal"])
				self.assertGreaterEqual(told["amount"], 0)
		self.assertIn("not active", self.quote(points=1, posting_date="2019-12-31")["refusal"])

	def test_limits_of_the_program(self):
		program = make_program(minimum_redemption_points=20, redemption_step=10, maximum_redemption_share=50)
		customer = make_customer(loyalty_program=program.name)
		make_invoice(customer, 1000)
		told = self.quote(customer.name, points="all", total=85)
		self.assertEqual((told["points"], told["limits"]), (40, {"least": 20, "step": 10, "share": 50}))
		self.assertIn("multiples of 10", self.quote(customer.name, points=25, total=85)["refusal"])
		self.assertIn("20 points or more", self.quote(customer.name, points=10, total=85)["refusal"])
		self.assertIn("50", self.quote(customer.name, points=50, total=85)["refusal"])
		told = self.quote(customer.name, points="all", total=10)
		self.assertEqual(told["points"], 0)
		self.assertTrue(told["refusal"])


class TestStatement(ApiTestCase):
	def pages(self, customer, limit, between=lambda: None):
		cursor, found = {}, []
		while True:
			page = self.answer(self.get, "statement", customer=customer, limit=limit, **cursor)
			found += page["entries"]
			self.assertLessEqual(len(page["entries"]), limit)
			if not page["next"]:
				return found
			cursor = {"cursor": page["next"]}
			between()

	def test_pages_are_stable_while_entries_are_written(self):
		customer = make_customer(loyalty_program=self.program.name)
		for days in (30, 20, 20, 10, 0, 0, 0):
			make_invoice(customer, 100, posting_date=add_days(today(), -days))
		make_adjustment(customer, -5)
		table = "Loyalty Point Entry"
		there = frappe.get_all(
			table,
			filters={"customer": customer.name},
			order_by="posting_date desc, creation desc, name desc",
			pluck="name",
		)
		self.assertEqual([row["name"] for row in self.pages(customer.name, 3)], there)

		def meanwhile():
			make_invoice(customer, 100)
			make_invoice(customer, 100, posting_date=add_days(today(), -40))

		found = [row["name"] for row in self.pages(customer.name, 3, meanwhile)]
		self.assertEqual(len(found), len(set(found)))
		self.assertEqual([name for name in found if name in there], there)

	def test_an_entry(self):
		entries = self.pages(self.customer, 50)
		self.assertEqual(len(entries), 1)
		(entry,) = entries
		for key, value in {
			"entry_type": "Earned",
			"points": 100,
			"remaining": 100,
			"posting_date": today(),
			"expiry_date": add_days(today(), 365),
			"tier": "Silver",
			"purchase_amount": 1000,
			"invoice_type": "Sales Invoice",
			"reason": None,
		}.items():
			self.assertEqual(entry[key], value, key)

	def test_cursors_that_are_none(self):
		for cursor in ("x", "AAAA", "bnVsbA", "W10", "é", "WzEsMiwzXQ", "' or 1=1 --"):
			answer = self.get("statement", customer=self.customer, cursor=cursor)
			self.assert_error(answer, 400, "invalid_argument", "cursor: ")


class TestEnrol(ApiTestCase):
	def setUp(self):
		self.manager = RestClient(make_user("Accounts Manager", "Sales Master Manager", "Sales Manager"))

	def test_joining_twice_is_joining(self):
		customer = make_customer().name
		for _time in range(2):
			told = self.answer(
				self.post, "enrol", self.manager, customer=customer, loyalty_program=self.program.name
			)
			self.assertEqual(
				(told["loyalty_program"], told["balance"], told["active"]), (self.program.name, 0, True)
			)
		self.assertTrue(find(customer, self.program.name))

	def test_who_is_in_another_program_stays_in_it(self):
		other = make_program().name
		answer = self.post("enrol", self.manager, customer=self.customer, loyalty_program=other)
		self.assert_error(answer, 409, "in_other_program", self.program.name)
		answer = self.post("enrol", self.manager, customer=self.customer, loyalty_program="No Such")
		self.assert_error(answer, 404, "not_found", "loyalty_program")

	def test_calls_are_limited_by_the_sites_configuration(self):
		customer = make_customer().name
		update_site_config("loyalty_api_limits", {"enrol": 2})
		self.addCleanup(update_site_config, "loyalty_api_limits", "None")
		statuses = [
			self.post("enrol", self.manager, customer=customer, loyalty_program=self.program.name)
			for _time in range(4)
		]
		self.assert_error(statuses[-1], 429, "too_many_requests", "2")


class TestAdjust(ApiTestCase):
	def setUp(self):
		self.manager = RestClient(make_user("Accounts Manager", "Accounts User", "Sales User"))
		self.member = make_customer(loyalty_program=self.program.name).name

	def adjust(self, api=None, **params):
		values = {
			"customer": self.member,
			"points": 50,
			"reason": "Goodwill",
			"explanation": "By a test",
			"idempotency_key": self.id(),
		}
		return self.post("adjust", api or self.manager, **values | params)

	def test_a_draft_and_a_submitted_one(self):
		status, body = self.adjust(self.cashier)
		self.assertEqual((status, body["message"]["status"]), (200, "Draft"), body)
		self.assertEqual(balance(frappe.get_doc("Customer", self.member)), 0)
		status, body = self.adjust(submit=True, points="20")
		self.assertEqual((status, body["message"]["status"]), (200, "Submitted"), body)
		self.assertEqual(body["message"]["expiry_date"], add_days(today(), 365))
		self.assertEqual(balance(frappe.get_doc("Customer", self.member)), 20)

	def test_the_same_key_moves_points_once(self):
		first = self.adjust(submit=True)
		self.assertEqual(first[0], 200, first[1])
		self.assertEqual(self.adjust(submit="true", points="50")[1]["message"], first[1]["message"])
		self.assertEqual(balance(frappe.get_doc("Customer", self.member)), 50)
		answer = self.adjust(submit=True, points=51)
		self.assert_error(answer, 409, "idempotency_key_reused", first[1]["message"]["name"])
		# keys are each user's own
		other = RestClient(make_user("Accounts Manager", "Accounts User", "Sales User"))
		self.assertNotEqual(self.adjust(other)[1]["message"]["name"], first[1]["message"]["name"])

	def test_what_is_refused_uses_up_no_key(self):
		answer = self.adjust(points=-5, submit=True)
		self.assert_error(answer, 417, "refused", "5 cannot be taken")
		self.assertEqual(self.adjust(points=5, submit=True)[0], 200)

	def test_who_may_not_submit_leaves_no_draft(self):
		self.assert_error(self.adjust(self.cashier, submit=True), 403, "not_permitted")
		self.assertEqual(frappe.db.count(ADJUSTMENT, {"customer": self.member}), 0)

	def test_a_key_is_not_for_anybody_to_say(self):
		name = self.adjust()[1]["message"]["name"]
		key = frappe.db.get_value(ADJUSTMENT, name, "idempotency_key")
		self.assertEqual(len(key), 64)
		status, _body = self.manager.resource(
			"PUT", ADJUSTMENT, name, idempotency_key="x", request_digest="y"
		)
		self.assertEqual(status, 200)
		self.assertEqual(frappe.db.get_value(ADJUSTMENT, name, "idempotency_key"), key)
		frappe.delete_doc(ADJUSTMENT, name)
		status, doc = self.manager.resource(
			"POST",
			ADJUSTMENT,
			customer=self.member,
			points=1,
			reason="Goodwill",
			explanation="x",
			idempotency_key=key,
		)
		self.assertEqual((status, doc.get("idempotency_key")), (200, None))

	def test_a_transfer(self):
		self.adjust(submit=True)
		getter = make_customer(loyalty_program=self.program.name)
		status, body = self.adjust(
			reason="Transfer", points=30, to_customer=getter.name, submit=True, idempotency_key="transfer"
		)
		self.assertEqual((status, body["message"].get("to_customer")), (200, getter.name), body)
		self.assertEqual(balance(getter), 30)

	def test_reasons_and_programs_that_are_none(self):
		self.assert_error(self.adjust(reason="Because"), 417, "refused")
		self.assert_error(self.adjust(loyalty_program="No Such"), 404, "not_found", "loyalty_program")
		self.assert_error(self.adjust(to_customer="No Such"), 404, "not_found")


class TestPrograms(ApiTestCase):
	def test_a_program(self):
		found = self.answer(self.get, "programs")
		self.assertEqual([row["name"] for row in found], sorted(row["name"] for row in found))
		(program,) = (row for row in found if row["name"] == self.program.name)
		self.assertEqual(
			program["tiers"],
			[
				{"name": "Silver", "minimum": 0, "factor": 10},
				{"name": "Gold", "minimum": 2000, "factor": 5},
			],
		)
		self.assertEqual(
			(program["active"], program["expiry_days"], program["conversion_factor"]), (True, 365, 0.5)
		)


class TestResource(ApiTestCase):
	"""/api/resource of the app's doctypes, as Frappe's clients use it."""

	def test_an_adjustment_is_listed_read_inserted_and_submitted(self):
		api = RestClient(make_user("Accounts Manager", "Accounts User", "Sales User"))
		customer = make_customer(loyalty_program=self.program.name).name
		for ending in ("docstatus", "submit"):
			status, doc = api.resource(
				"POST", ADJUSTMENT, customer=customer, points=5, reason="Goodwill", explanation="x"
			)
			self.assertEqual((status, doc["docstatus"]), (200, 0))
			if ending == "docstatus":
				status, doc = api.resource("PUT", ADJUSTMENT, doc["name"], docstatus=1)
			else:
				status, doc = api.call("frappe.client.submit", doc=doc)
			self.assertEqual((status, doc["docstatus"]), (200, 1), doc)
			status, doc = api.resource("GET", ADJUSTMENT, doc["name"])
			self.assertEqual((status, doc["docstatus"]), (200, 1))
		query = {
			"filters": json.dumps([["customer", "=", customer], ["loyalty_points", ">", 0]]),
			"fields": json.dumps(["loyalty_points", "entry_type"]),
			"order_by": "loyalty_points desc",
			"limit_start": 1,
			"limit_page_length": 5,
		}
		status, body = api.request("GET", "/api/resource/Loyalty Point Entry", query_string=query)
		self.assertEqual((status, body["data"]), (200, [{"loyalty_points": 5, "entry_type": "Adjusted"}]))
		status, rows = api.list("Loyalty Membership", filters={"customer": customer}, fields=["balance"])
		self.assertEqual((status, rows), (200, [{"balance": 10}]))


class TestPreview(ApiTestCase):
	def test_the_desk_and_the_api_agree_on_what_may_be_redeemed(self):
		invoice = make_invoice(self.customer, 30, submit=False)
		shown = desk.invoice_preview(frappe.as_json(invoice.as_dict()))
		told = self.answer(self.get, "redeem_quote", customer=self.customer, points="all", total=30)
		self.assertEqual(told["most"], shown["most"])
