import json

import frappe
from frappe.utils import add_days, getdate, today

from loyalty_app.api import desk, forms
from loyalty_app.ledger import LedgerBusy
from loyalty_app.ledger.busy import refuse
from loyalty_app.tests.utils import (
	IntegrationTestCase,
	as_user,
	company,
	count_queries,
	make_customer,
	make_invoice,
	make_item,
	make_program,
	make_return,
	make_user,
	tax_account,
	tree_node,
)

TIERS = [("Bronze", 100, 10), ("Silver", 1000, 5), ("Gold", 5000, 1)]


def as_sent(doc, **changes) -> str:
	"""Return the document as the form sends it."""
	return json.dumps({**doc.as_dict(), **changes}, default=str)


def preview(doc, **changes) -> frappe._dict:
	return frappe._dict(desk.invoice_preview(as_sent(doc, **changes)))


def draft(customer, amount=100, **kwargs):
	return make_invoice(customer, amount, submit=False, **kwargs)


class TestWithoutTrace(IntegrationTestCase):
	def test_a_deadlock_is_told_though_its_savepoint_is_gone(self):
		def deadlock():
			frappe.db.release_savepoint("loyalty_preview")
			raise frappe.QueryDeadlockError

		with self.assertRaises(LedgerBusy):
			forms.without_trace(deadlock)

	def test_a_deadlock_is_no_refusal(self):
		with self.assertRaises(LedgerBusy):
			forms.without_trace(lambda: forms.refusal_in(refuse))


class TestInvoicePreview(IntegrationTestCase):
	def test_what_is_no_invoice_is_refused(self):
		invoice = {"doctype": "Sales Invoice", "name": "new-sales-invoice-1"}
		for sent in (
			"x",
			"[]",
			{"doctype": "User"},
			{**invoice, "items": "x"},
			{**invoice, "items": ["x"]},
			{**invoice, "name": {"a": 1}},
		):
			with (
				self.subTest(sent=sent),
				self.assertRaisesRegex(frappe.ValidationError, "Not a Sales Invoice,? or POS Invoice"),
			):
				desk.invoice_preview(sent)

	def test_a_draft_promises_what_its_submit_records(self):
		customer = make_customer(loyalty_program=make_program(tiers=TIERS, conversion_factor=0.5).name)
		for amount, tier in ((95, None), (33.37, "Bronze"), (900, "Silver"), (4990, "Gold"), (0.3, "Gold")):
			invoice = draft(customer, amount)
			promised = preview(invoice).earning
			invoice.submit()
			entry = frappe.db.get_value(
				"Loyalty Point Entry",
				{"invoice": invoice.name, "entry_type": "Earned"},
				["loyalty_points", "loyalty_program_tier", "purchase_amount", "expiry_date"],
				as_dict=True,
			)
			self.assertEqual(promised["tier"], tier)
			self.assertEqual(
				(promised["points"], promised["tier"], promised["purchase_amount"], promised["expiry_date"]),
				(
					entry.loyalty_points,
					entry.loyalty_program_tier or None,
					float(entry.purchase_amount),
					entry.expiry_date,
				),
			)

	def test_an_unsaved_invoice_is_totalled_here(self):
		"""The form's own totals may be late or missing; net of the item that never earns, taxes and discount in."""
		group = tree_node("Item Group")
		never = make_item(item_group=group)
		program = make_program(
			tiers=[("Only", 0, 1)], exclusions=[{"exclude_type": "Item Group", "exclude_value": group}]
		)
		customer = make_customer(loyalty_program=program.name)
		invoice = draft(
			customer,
			items=[{"rate": 100, "qty": 2}, {"rate": 50, "item_code": never.name}],
			taxes=[
				{
					"charge_type": "On Net Total",
					"account_head": tax_account(),
					"description": "Tax",
					"rate": 10,
				}
			],
		)
		unsaved = as_sent(
			invoice,
			name="new-sales-invoice-abcdef",
			__islocal=1,
			base_grand_total=0,
			base_net_total=0,
			grand_total=0,
		)
		promised = desk.invoice_preview(unsaved)
		self.assertEqual(promised["state"], "draft")
		self.assertEqual(promised["earning"]["points"], 220)
		self.assertEqual(promised["earning"]["excluded_items"], [never.name])
		invoice.submit()
		self.assertEqual(preview(invoice).earned, 220)

	def test_nothing_is_saved_and_nothing_is_said(self):
		customer = make_customer(loyalty_program=make_program().name)
		make_invoice(customer, 500)
		invoice = draft(customer)
		frappe.clear_messages()
		counted = {
			dt: frappe.db.count(dt) for dt in ("Sales Invoice", "Loyalty Point Entry", "Loyalty Point Log")
		}
		modified = frappe.db.get_value("Sales Invoice", invoice.name, "modified")
		answer = preview(invoice, redeem_loyalty_points=1, loyalty_points=100000)
		self.assertIn("more value than the Total Amount", answer.refusal)
		self.assertEqual(frappe.local.message_log, [])
		self.assertEqual(frappe.db.get_value("Sales Invoice", invoice.name, "modified"), modified)
		for doctype, before in counted.items():
			self.assertEqual(frappe.db.count(doctype), before)

	def test_what_may_be_redeemed(self):
		program = make_program(conversion_factor=0.5, minimum_redemption_points=10, redemption_step=5)
		customer = make_customer(loyalty_program=program.name)
		make_invoice(customer, 430)  # 43 points
		answer = preview(draft(customer, 100))
		self.assertEqual((answer.balance, answer.worth, answer.most), (43, 21.5, 40))
		self.assertEqual((answer.least, answer.step), (10, 5))
		self.assertEqual(preview(draft(customer, 7)).most, 10)
		self.assertEqual(preview(draft(customer, 4)).most, 0)

	def test_what_may_be_redeemed_keeps_to_all_limits_at_once(self):
		"""Use All offers what a submit takes: by minimum, step and share, and says what keeps it from offering any."""
		program = make_program(
			conversion_factor=0.5,
			minimum_redemption_points=10,
			redemption_step=7,
			maximum_redemption_share=20,
		)
		customer = make_customer(loyalty_program=program.name)
		make_invoice(customer, 430)  # 43 points
		invoice = draft(customer, 100)
		answer = preview(invoice)
		self.assertEqual((answer.most, answer.least, answer.step, answer.share), (35, 14, 7, 20))
		for points, refusal in ((42, "20% of an invoice"), (36, "multiples of 7"), (7, "10 points or more")):
			typed = preview(invoice, redeem_loyalty_points=1, loyalty_points=points)
			self.assertIn(refusal, typed.refusal)
		self.assertIsNone(answer.redeems_nothing)
		none = preview(draft(customer, 34))
		self.assertEqual(none.most, 0)
		self.assertIn("20% of an invoice", none.redeems_nothing)
		self.assertEqual(make_invoice(customer, 100, redeem=answer.most).loyalty_amount, 17.5)

	def test_the_redemption_typed_is_judged_as_at_saving(self):
		program = make_program(conversion_factor=0.5, minimum_redemption_points=10, redemption_step=5)
		customer = make_customer(loyalty_program=program.name)
		make_invoice(customer, 430)
		invoice = draft(customer, 100)
		for points, refusal in (
			(5, "redeems 10 points or more"),
			(12, "multiples of 5"),
			(45, "don't have enough"),
			(500, "more value than the Total Amount"),
			(-3, "more than zero"),
			(1.5, "whole number"),
			("many", "whole number"),
		):
			answer = preview(invoice, redeem_loyalty_points=1, loyalty_points=points)
			self.assertIn(refusal, answer.refusal, points)
			self.assertNotIn("<", answer.refusal)
			self.assertEqual(answer.earning["points"], 10)
			invoice.reload()
			invoice.redeem_loyalty_points, invoice.loyalty_points = 1, points
			self.assertRaises(frappe.ValidationError, invoice.save)
			invoice.reload()
		answer = preview(invoice, redeem_loyalty_points=1, loyalty_points=40)
		self.assertIsNone(answer.refusal)
		self.assertEqual((answer.points, answer.amount), (40, 20))
		self.assertEqual(answer.earning["points"], 8)  # not on what points pay
		self.assertEqual(answer.expense_account, program.expense_account)
		self.assertEqual(answer.cost_center, program.cost_center)

	def test_a_box_just_ticked_is_no_mistake(self):
		customer = make_customer(loyalty_program=make_program().name)
		make_invoice(customer, 430)
		for points in (None, 0, ""):
			answer = preview(draft(customer), redeem_loyalty_points=1, loyalty_points=points)
			self.assertIsNone(answer.refusal)
			self.assertEqual(answer.most, 43)

	def test_points_are_those_of_the_posting_date(self):
		customer = make_customer(loyalty_program=make_program(expiry_duration=10).name)
		make_invoice(customer, 500, posting_date=add_days(today(), -5))
		invoice = draft(customer)
		self.assertEqual(preview(invoice).balance, 50)
		self.assertEqual(preview(invoice, posting_date=add_days(today(), -6), set_posting_time=1).balance, 0)
		self.assertEqual(preview(invoice, posting_date=add_days(today(), 5), set_posting_time=1).balance, 50)
		self.assertEqual(preview(invoice, posting_date=add_days(today(), 6), set_posting_time=1).balance, 0)

	def test_foreign_currency_counts_in_company_currency(self):
		customer = make_customer(loyalty_program=make_program().name)
		make_invoice(customer, 5000)
		invoice = draft(customer, 100)
		answer = preview(invoice, currency="EUR", conversion_rate=2, plc_conversion_rate=2)
		self.assertEqual(answer.earning["points"], 20)
		self.assertEqual(answer.most, 200)

	def test_why_nothing_is_earned(self):
		program = make_program(from_date=add_days(today(), -10), to_date=add_days(today(), -5))
		customer = make_customer(loyalty_program=program.name)
		answer = preview(draft(customer))
		self.assertIn("not active", answer.earns_nothing)
		self.assertEqual(answer.most, 0)
		other = company("Loyalty Test Co 2", "LTC2")
		customer = make_customer(loyalty_program=make_program(company=other).name)
		self.assertIn("belongs to", preview(draft(customer)).earns_nothing)
		customer = make_customer(loyalty_program=make_program().name)
		self.assertIn("opening", preview(draft(customer), is_opening="Yes").earns_nothing)

	def test_without_items_there_is_a_balance_all_the_same(self):
		customer = make_customer(loyalty_program=make_program().name)
		make_invoice(customer, 430)
		answer = preview(draft(customer), items=[], name="new-1", __islocal=1)
		self.assertEqual((answer.balance, answer.earning, answer.most), (43, None, 0))

	def test_nobody_in_a_program(self):
		self.assertEqual(preview(draft(make_customer())).state, "none")

	def test_a_submitted_invoice_says_what_it_did(self):
		customer = make_customer(loyalty_program=make_program().name)
		make_invoice(customer, 500)
		invoice = make_invoice(customer, 100, redeem=30)
		answer = preview(invoice)
		self.assertEqual((answer.state, answer.earned, answer.redeemed), ("submitted", 7, 30))
		self.assertEqual([e.loyalty_points for e in answer.entries], [7, -30])
		# what the caller says of a submitted invoice does not count
		forged = preview(invoice, docstatus=0, items=[], customer="Nobody")
		self.assertEqual((forged.state, forged.earned), ("submitted", 7))
		invoice.cancel()
		answer = preview(invoice)
		self.assertEqual(
			(answer.state, answer.earned, answer.redeemed, answer.entries), ("cancelled", 0, 0, [])
		)
		self.assertEqual(preview(frappe.copy_doc(invoice), name="new-1", __islocal=1).balance, 50)

	def test_a_return_says_what_it_took_back(self):
		customer = make_customer(loyalty_program=make_program().name)
		make_invoice(customer, 500)
		invoice = make_invoice(customer, items=[{"rate": 50, "qty": 4}], redeem=40)  # earns 16
		returned = make_return(invoice, qty=1, submit=False)
		self.assertEqual(preview(returned).state, "return")
		returned.submit()
		answer = preview(returned)
		self.assertEqual((answer.state, answer.earned, answer.redeemed), ("submitted", -4, -10))
		self.assertEqual(preview(invoice).earned, 12)

	def test_a_pos_invoice_is_an_invoice(self):
		customer = make_customer(loyalty_program=make_program().name)
		make_invoice(customer, 500)
		invoice = make_invoice(customer, 100, doctype="POS Invoice", submit=False, redeem=20)
		answer = preview(invoice)
		self.assertEqual((answer.state, answer.balance, answer.earning["points"]), ("draft", 50, 8))

	def test_only_those_who_may_read_the_customer(self):
		customer = make_customer(loyalty_program=make_program().name)
		invoice = draft(customer)
		with as_user(make_user("Accounts User")):
			self.assertEqual(preview(invoice).state, "draft")
		for roles in ((), ("Website Manager",), ("Customer",)):
			with as_user(make_user(*roles)):
				self.assertRaises(frappe.PermissionError, preview, invoice)
				self.assertRaises(frappe.PermissionError, desk.customer_summary, customer.name)
		with as_user("Guest"):
			self.assertRaises(frappe.PermissionError, preview, invoice)
			self.assertRaises(frappe.PermissionError, desk.customer_summary, customer.name)

	def test_user_permissions_of_company_and_customer(self):
		program = make_program()
		customer, other = make_customer(loyalty_program=program.name), make_customer()
		invoice = draft(customer)
		user = make_user("Accounts User")
		allowed = frappe.get_doc(
			{"doctype": "User Permission", "user": user, "allow": "Customer", "for_value": other.name}
		).insert()
		with as_user(user):
			self.assertRaises(frappe.PermissionError, preview, invoice)
			self.assertRaises(frappe.PermissionError, desk.customer_summary, customer.name)
		allowed.delete()
		frappe.get_doc(
			{
				"doctype": "User Permission",
				"user": user,
				"allow": "Company",
				"for_value": company("Loyalty Test Co 2", "LTC2"),
			}
		).insert()
		with as_user(user):
			self.assertRaises(frappe.PermissionError, preview, invoice)
			self.assertEqual(desk.customer_summary(customer.name), {})

	def test_only_invoices(self):
		self.assertRaises(frappe.ValidationError, desk.invoice_preview, {"doctype": "User", "name": "x"})
		self.assertRaises(frappe.ValidationError, desk.invoice_preview, "[]")


class TestCustomerSummary(IntegrationTestCase):
	def test_what_the_customer_form_shows(self):
		customer = make_customer(loyalty_program=make_program(tiers=TIERS, conversion_factor=2).name)
		self.assertEqual(desk.customer_summary(customer.name)["movements"], [])
		for amount in (1100, 50, 60):
			make_invoice(customer, amount)
		make_invoice(customer, 100, redeem=10)
		shown = desk.customer_summary(customer.name)
		self.assertEqual(
			(shown.tier, shown.tier_minimum, shown.next_tier, shown.missing_to_next_tier),
			("Silver", 1000, "Gold", 3710),
		)
		self.assertEqual((shown.points_earned, shown.points_redeemed, shown.points_expired), (258, 10, 0))
		self.assertEqual((shown.balance, shown.worth), (248, 496))
		self.assertEqual(len(shown.movements), 5)
		self.assertEqual(getdate(shown.next_expiry), getdate(add_days(today(), 365)))

	def test_a_program_left(self):
		left = make_program()
		customer = make_customer(loyalty_program=left.name)
		make_invoice(customer, 500)
		customer.reload()
		customer.loyalty_program = make_program().name
		customer.save()
		self.assertEqual(desk.customer_summary(customer.name)["balance"], 0)
		self.assertEqual(desk.customer_summary(customer.name, left.name)["balance"], 50)
		self.assertEqual(desk.customer_summary(make_customer().name), {})

	def test_who_may_not_read_entries_sees_none(self):
		customer = make_customer(loyalty_program=make_program().name)
		make_invoice(customer, 500)
		with as_user(make_user("Sales User")):
			shown = desk.customer_summary(customer.name)
			self.assertEqual((shown.balance, shown.sees_entries, shown.movements), (50, False, []))
		with as_user(make_user("Accounts User")):
			self.assertEqual(len(desk.customer_summary(customer.name).movements), 1)

	def test_a_long_history_costs_no_more(self):
		customer = make_customer(loyalty_program=make_program().name)
		make_invoice(customer, 500)
		desk.customer_summary(customer.name)
		with count_queries() as few:
			desk.customer_summary(customer.name)
		for _i in range(7):
			make_invoice(customer, 100)
		desk.customer_summary(customer.name)
		with count_queries() as many:
			desk.customer_summary(customer.name)
		self.assertLessEqual(len(many), len(few))
