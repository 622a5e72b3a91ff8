"""ERPNext's own ways to loyalty numbers, those that go round our methods too: they read the table the ledger writes.

`TestWholeERPNext` needs pages of ERPNext that the sandbox's stand-in does not have; it exists only where they do.
"""

import inspect
from importlib.util import find_spec
from unittest.mock import patch

import frappe
from frappe.utils import add_days, today

from loyalty_app import hooks
from loyalty_app.ledger.expiry import close_all
from loyalty_app.ledger.membership import find
from loyalty_app.tests.test_documents import LoyaltyTestCase, balance, earned, entries_of, gl_of
from loyalty_app.tests.utils import account, company, make_customer, make_invoice, make_program, make_return

WHOLE_ERPNEXT = find_spec("erpnext.accounts.doctype.payment_request") is not None


class DoorsTestCase(LoyaltyTestCase):
	def setUp(self):
		self.program = make_program(tiers=[("Silver", 0, 10)], expiry_duration=30)
		self.customer = make_customer(loyalty_program=self.program.name)

	def dashboard(self, customer=None) -> dict[str, int]:
		"""Points by company, as ERPNext shows them on the customer."""
		from erpnext.accounts.party import get_dashboard_info

		info = get_dashboard_info("Customer", (customer or self.customer).name)
		return {row["company"]: row.get("loyalty_points") for row in info}

	def counted_by_erpnext(self) -> int:
		"""The points that ERPNext's server code counts for orders, payment requests and its order page."""
		from erpnext.accounts.doctype.loyalty_program.loyalty_program import (
			get_loyalty_program_details_with_points,
		)

		details = get_loyalty_program_details_with_points(self.customer.name, self.program.name)
		return int(details.get("loyalty_points"))

	def order(self, amount: float = 200):
		sample = make_invoice(self.customer, amount, submit=False)
		order = frappe.get_doc(
			{
				"doctype": "Sales Order",
				"customer": self.customer.name,
				"company": sample.company,
				"order_type": "Shopping Cart",
				"transaction_date": today(),
				"delivery_date": today(),
				"currency": sample.currency,
				"conversion_rate": 1,
				"selling_price_list": sample.selling_price_list,
				"price_list_currency": sample.currency,
				"plc_conversion_rate": 1,
				"items": [
					{
						"item_code": sample.items[0].item_code,
						"qty": 1,
						"rate": amount,
						"delivery_date": today(),
					}
				],
			}
		).insert(ignore_permissions=True)
		return order.submit()


class TestNumbers(DoorsTestCase):
	def assert_all_say(self, points: int):
		self.assertEqual(balance(self.customer), points)
		self.assertEqual(self.dashboard(), {company(): points})
		self.assertEqual(self.counted_by_erpnext(), points)

	def test_after_every_movement(self):
		first = make_invoice(self.customer, items=[{"rate": 250, "qty": 4}])
		self.assert_all_say(100)
		second = make_invoice(self.customer, items=[{"rate": 50, "qty": 4}], redeem=80)
		self.assert_all_say(20 + 12)
		make_return(second, qty=2)
		self.assert_all_say(20 + 40 + 6)
		make_return(first, qty=4)  # 40 of its points stay spent
		self.assert_all_say(6 - 40)
		make_invoice(self.customer, 1000)
		self.assert_all_say(100 + 6 - 40)

	def test_never_expiring_points_are_shown(self):
		self.program.expiry_duration = 0
		self.program.save()
		make_invoice(self.customer, 1000)
		self.assert_all_say(100)
		make_invoice(self.customer, 500, redeem=30)
		self.assert_all_say(70 + 47)

	def test_expired_points_are_not_shown_whether_or_not_the_daily_job_ran(self):
		old = make_invoice(self.customer, 1000, posting_date=add_days(today(), -20))
		make_invoice(self.customer, 300, posting_date=add_days(today(), -19), redeem=20)
		self.assert_all_say(80 + 28)
		self.assertEqual(str(earned(old).expiry_date), add_days(today(), 10))
		older = make_invoice(self.customer, 500, posting_date=add_days(today(), -31))
		self.assert_all_say(80 + 28)
		close_all([find(self.customer.name, self.program.name)])
		self.assert_all_say(80 + 28)
		self.assertEqual(sum(e.loyalty_points for e in entries_of(older)), 0)

	def test_programs_of_several_companies_are_shown_by_company(self):
		make_invoice(self.customer, 1000)
		other = company("Loyalty Test Other Co", "LTO")
		program = make_program(company=other)
		self.customer.reload()
		self.customer.loyalty_program = program.name
		self.customer.save()
		make_invoice(self.customer, 300, company=other)
		self.assertEqual(self.dashboard(), {company(): 100, other: 30})


class TestShoppingCart(DoorsTestCase):
	def test_an_order_is_checked_against_the_ledger(self):
		from erpnext.accounts.doctype.loyalty_program.loyalty_program import validate_loyalty_points

		make_invoice(self.customer, 1000)
		order = self.order()
		self.assertEqual(validate_loyalty_points(order, 60), 60)
		with self.assertRaisesRegex(frappe.ValidationError, "enough Loyalty Points"):
			validate_loyalty_points(order, 101)
		make_invoice(self.customer, 200, redeem=80)
		with self.assertRaisesRegex(frappe.ValidationError, "enough Loyalty Points"):
			validate_loyalty_points(order, 60)

	def test_points_of_an_order_pay_its_first_invoice(self):
		from erpnext.selling.doctype.sales_order.sales_order import make_sales_invoice

		make_invoice(self.customer, 1000)
		order = self.order()
		frappe.db.set_value("Sales Order", order.name, {"loyalty_points": 60, "loyalty_amount": 60})
		invoice = make_sales_invoice(order.name, ignore_permissions=True)
		invoice.insert(ignore_permissions=True)
		invoice.submit()
		self.assertEqual((invoice.loyalty_points, invoice.outstanding_amount), (60, 140))
		self.assertEqual(gl_of(invoice)[self.program.expense_account], 60)
		self.assertEqual(balance(self.customer), 40 + 14)


class TestSignatures(DoorsTestCase):
	def test_replaced_methods_take_what_erpnext_s_take(self):
		for replaced, path in hooks.override_whitelisted_methods.items():
			with self.subTest(replaced):
				theirs = inspect.signature(frappe.get_attr(replaced)).parameters
				ours = inspect.signature(frappe.get_attr(path)).parameters
				self.assertEqual(
					[(p.name, p.default) for p in ours.values()],
					[(p.name, p.default) for p in theirs.values()],
				)


if WHOLE_ERPNEXT:

	class TestWholeERPNext(DoorsTestCase):
		"""Runs only where real ERPNext is installed."""

		def test_the_customer_s_form_shows_the_balance(self):
			make_invoice(self.customer, 1000)
			doc = frappe.get_doc("Customer", self.customer.name)
			doc.run_method("onload")
			(info,) = doc.get("__onload").dashboard_info
			self.assertEqual(info["loyalty_points"], 100)

		def test_the_order_s_web_page_offers_the_balance(self):
			from erpnext.templates.pages.order import get_context

			make_invoice(self.customer, 1000)
			make_invoice(self.customer, 200, redeem=30)
			order = self.order()
			frappe.form_dict.update({"doctype": "Sales Order", "name": order.name, "parents": []})
			context = frappe._dict()
			with patch.object(frappe, "has_website_permission", return_value=True):
				get_context(context)
			self.assertEqual(context.available_loyalty_points, balance(self.customer))

		def test_a_payment_request_redeems_on_the_order_and_the_invoice_follows(self):
			from erpnext.accounts.doctype.payment_request.payment_request import make_payment_request
			from erpnext.selling.doctype.sales_order.sales_order import make_sales_invoice

			make_invoice(self.customer, 1000)
			order = self.order()
			args = {"dt": "Sales Order", "dn": order.name}
			frappe.db.savepoint("refused")
			with self.assertRaisesRegex(frappe.ValidationError, "enough Loyalty Points"):
				make_payment_request(loyalty_points=101, **args)
			frappe.db.rollback(save_point="refused")
			request = make_payment_request(loyalty_points=50, return_doc=True, mute_email=True, **args)
			self.assertEqual(request.grand_total, 150)
			invoice = make_sales_invoice(order.name, ignore_permissions=True)
			invoice.insert(ignore_permissions=True)
			invoice.submit()
			self.assertEqual((invoice.loyalty_amount, invoice.outstanding_amount), (50, 150))
			self.assertEqual(balance(self.customer), 100 - 50 + 15)

		def test_advances_pay_what_points_do_not(self):
			make_invoice(self.customer, 1000)
			advance = self.receive(500)
			invoice = make_invoice(self.customer, 400, redeem=80, disable_rounded_total=1, submit=False)
			invoice.run_method("set_advances")
			self.assertEqual([row.allocated_amount for row in invoice.advances], [320])
			invoice = make_invoice(
				self.customer, 400, redeem=80, disable_rounded_total=1, allocate_advances_automatically=1
			)
			self.assertEqual([row.allocated_amount for row in invoice.advances], [320])
			invoice.reload()
			advance.reload()
			self.assertEqual((invoice.outstanding_amount, invoice.status), (0, "Paid"))
			self.assertEqual(advance.unallocated_amount, 180)

		def receive(self, amount: float):
			"""A payment by the customer that no invoice stands behind yet."""
			entry = frappe.get_doc(
				{
					"doctype": "Payment Entry",
					"payment_type": "Receive",
					"party_type": "Customer",
					"party": self.customer.name,
					"company": company(),
					"posting_date": today(),
					"paid_from": account(account_type="Receivable"),
					"paid_to": account(account_type="Cash"),
					"paid_amount": amount,
					"received_amount": amount,
					"source_exchange_rate": 1,
					"target_exchange_rate": 1,
					"reference_no": "1",
					"reference_date": today(),
				}
			)
			entry.insert(ignore_permissions=True)
			return entry.submit()

		def test_all_transactions_of_a_company_are_deleted(self):
			"""As somebody does who has tried the system out and now begins in earnest."""
			other = company("Loyalty Trial Co", "LTRC")
			program = make_program(company=other)
			customer = make_customer(loyalty_program=program.name)
			frappe.get_doc(
				doctype="Loyalty Point Entry",
				customer=customer.name,
				loyalty_program=program.name,
				company=other,
				loyalty_points=100,
				purchase_amount=5000,
			).insert()
			make_invoice(self.customer, 1000)
			record = frappe.get_doc(doctype="Transaction Deletion Record", company=other).insert()
			record.process_in_single_transaction = True
			record.submit()
			record.start_deletion_tasks()
			self.assertEqual(record.status, "Completed")
			for doctype in ("Loyalty Point Entry", "Loyalty Membership", "Loyalty Point Log"):
				self.assertEqual(frappe.get_all(doctype, {"company": other}), [], doctype)
			customer.reload()
			self.assertEqual((customer.loyalty_program, customer.loyalty_program_tier), (program.name, None))
			customer.save()
			# of other companies, nothing is gone
			self.assertEqual(balance(self.customer), 100)

		def test_the_counter_s_pages_ask_for_balance_and_worth(self):
			"""What the counter's script reads of the answer, with the arguments that it sends."""
			from loyalty_app.api.erpnext import get_loyalty_program_details_with_points

			make_invoice(self.customer, 1000)
			answer = get_loyalty_program_details_with_points(
				customer=self.customer.name, loyalty_program=self.program.name, silent="true"
			)
			self.assertEqual((answer.loyalty_points, answer.conversion_factor), (100, 1))
