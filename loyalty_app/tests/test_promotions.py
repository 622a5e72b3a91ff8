"""What promotions give an invoice, what a return takes back of it, and how often they are used."""

import json
from unittest.mock import patch

import frappe
from frappe.custom.doctype.custom_field.custom_field import create_custom_field

from loyalty_app.api.desk import invoice_preview
from loyalty_app.ledger import Event, LedgerBusy, audit, promotions, settle_invoice, verify
from loyalty_app.ledger.membership import find
from loyalty_app.tests.test_documents import LoyaltyTestCase, balance, earned, entries_of
from loyalty_app.tests.utils import (
	count_queries,
	make_customer,
	make_invoice,
	make_item,
	make_program,
	make_promotion,
	make_return,
	tree_node,
)

FRIDAY, SATURDAY = "2026-06-05", "2026-06-06"


class PromotionTestCase(LoyaltyTestCase):
	def setUp(self):
		self.program = make_program(expiry_duration=0)
		self.customer = make_customer(loyalty_program=self.program.name)
		self.coffee, self.cake = (make_item(item_name=name).name for name in ("Coffee", "Cake"))

	def promote(self, **kwargs):
		return make_promotion(self.program, **kwargs)

	def sell(self, *lines, **kwargs):
		"""An invoice of lines (item, qty, rate)."""
		items = [{"item_code": item, "qty": qty, "rate": rate} for item, qty, rate in lines]
		return make_invoice(kwargs.pop("customer", self.customer), items=items, **kwargs)

	def buy(self, amount=100, **kwargs):
		"""The points that an invoice over coffee earns."""
		kwargs.setdefault("posting_date", FRIDAY)
		return earned(self.sell((self.coffee, 1, amount), **kwargs)).loyalty_points

	def uses(self, promotion):
		return frappe.db.get_value("Loyalty Promotion", promotion.name, "uses")


class TestGiving(PromotionTestCase):
	def test_one_entry_has_base_points_and_what_promotions_gave_by_line(self):
		double = self.promote(items=[("Item", self.coffee)])
		bonus = self.promote(effect="Fixed Bonus", points=5)
		invoice = self.sell((self.coffee, 2, 50), (self.cake, 1, 55))
		(entry,) = entries_of(invoice)
		coffee, cake = (row.name for row in invoice.items)
		self.assertEqual(entry.loyalty_points, 15 + 10 + 5)
		self.assertEqual(
			json.loads(entry.promotions), {double.name: {coffee: 10}, bonus.name: {coffee: 3, cake: 2}}
		)
		self.assertEqual(balance(self.customer), 30)

	def test_a_form_promises_what_the_submit_records(self):
		double = self.promote(items=[("Item", self.coffee)])
		draft = self.sell((self.coffee, 2, 50), (self.cake, 1, 55), submit=False)
		promised = invoice_preview(draft.as_dict())["earning"]
		line = {"promotion": double.name, "points": 10, "qty": 2, "item": "Coffee"}
		self.assertEqual((promised["points"], promised["promotions"]), (25, [line]))
		draft.submit()
		self.assertEqual(earned(draft).loyalty_points, 25)
		self.assertEqual(invoice_preview(draft.as_dict())["promotions"], [line])
		make_return(draft, qty=1)
		told = invoice_preview(draft.as_dict())["promotions"]
		self.assertEqual([g["points"] for g in told], [5])

	def test_a_program_without_promotions_and_one_of_another_program(self):
		make_promotion(make_program())
		self.assertEqual(self.buy(), 10)

	def test_a_new_a_changed_and_a_deleted_promotion_count_from_the_next_invoice(self):
		self.assertEqual(self.buy(), 10)
		promotion = self.promote()
		self.assertEqual(self.buy(), 20)
		promotion.multiplier = 3
		promotion.save()
		self.assertEqual(self.buy(), 30)
		promotion.enabled = 0
		promotion.save()
		self.assertEqual(self.buy(), 10)
		other = self.promote(code="NEVER USED")
		other.delete()
		self.assertEqual(self.buy(), 10)

	def test_days_and_hours(self):
		self.promote(days=["friday"], from_time="16:00", to_time="18:00")
		self.assertEqual(self.buy(posting_time="15:59:59"), 10)
		self.assertEqual(self.buy(posting_time="16:00:00"), 20)
		self.assertEqual(self.buy(posting_time="18:00:00"), 10)
		self.assertEqual(self.buy(posting_date=SATURDAY, posting_time="16:00:00"), 10)

	def test_trees_include_what_is_below(self):
		for doctype, field in (("Customer Group", "customer_group"), ("Territory", "customer_territory")):
			with self.subTest(doctype):
				above = tree_node(doctype, is_group=1)
				below = tree_node(doctype, parent=above)
				promotion = self.promote(**{field: above})
				inside = make_customer(loyalty_program=self.program.name, **{frappe.scrub(doctype): below})
				self.assertEqual(self.buy(customer=inside), 20)
				self.assertEqual(self.buy(), 10)
				promotion.enabled = 0
				promotion.save()
		above = tree_node("Item Group", is_group=1)
		espresso = make_item(item_group=tree_node("Item Group", parent=above)).name
		self.promote(items=[("Item Group", above)], exclusions=[("Item", self.coffee)])
		self.assertEqual(earned(self.sell((espresso, 1, 100))).loyalty_points, 20)
		self.assertEqual(self.buy(), 10)

	def test_brand(self):
		frappe.get_doc({"doctype": "Brand", "brand": "Loyalty Test Beans"}).insert(ignore_if_duplicate=True)
		beans = make_item(brand="Loyalty Test Beans").name
		self.promote(items=[("Brand", "Loyalty Test Beans")])
		self.assertEqual(earned(self.sell((beans, 1, 100))).loyalty_points, 20)
		self.assertEqual(self.buy(), 10)

	def test_what_never_earns_gets_nothing(self):
		self.program.append("exclusions", {"exclude_type": "Item", "exclude_value": self.cake})
		self.program.save()
		self.promote(minimum_amount=100)
		self.assertEqual(earned(self.sell((self.coffee, 1, 100), (self.cake, 1, 900))).loyalty_points, 20)
		self.assertEqual(earned(self.sell((self.coffee, 1, 99), (self.cake, 1, 900))).loyalty_points, 9)

	def test_what_is_paid_with_points_does_not_count(self):
		self.buy(1000)
		self.promote()
		self.assertEqual(self.buy(100, redeem=50), 10)

	def test_tier_and_no_tier(self):
		self.program = make_program(tiers=[("Silver", 200, 10), ("Gold", 1000, 5)])
		self.customer = make_customer(loyalty_program=self.program.name)
		self.promote(tier="Gold")
		self.promote(effect="Fixed Bonus", points=7)
		self.assertEqual([self.buy(100), self.buy(100), self.buy(1000)], [0, 10 + 7, 200 + 7 + 200])

	def test_first_purchase(self):
		self.promote(first_purchase=1, effect="Fixed Bonus", points=50)
		first = self.sell((self.coffee, 1, 100))
		self.assertEqual(earned(first).loyalty_points, 60)
		self.assertEqual(self.buy(), 10)

	def test_a_code_is_typed_into_the_invoice(self):
		self.promote(code="Summer")
		self.assertEqual(self.buy(), 10)
		invoice = self.sell((self.coffee, 1, 100), loyalty_promotion_code=" SUMMER ")
		self.assertEqual(earned(invoice).loyalty_points, 20)
		self.assertFalse(make_return(invoice).loyalty_promotion_code)
		with self.assertRaisesRegex(frappe.ValidationError, "Promotion Code.*no promotion of .*Winter"):
			self.buy(loyalty_promotion_code="Winter")
		with self.assertRaisesRegex(frappe.ValidationError, "Promotion Code.*in no Loyalty Program"):
			self.buy(customer=make_customer(), loyalty_promotion_code="Summer")

	def test_a_pos_invoice_is_an_invoice(self):
		self.promote(code="TILL")
		invoice = self.sell((self.coffee, 2, 50), doctype="POS Invoice", loyalty_promotion_code="till")
		self.assertEqual(earned(invoice).loyalty_points, 20)
		back = make_return(invoice)
		self.assertEqual(earned(invoice).loyalty_points, 0)
		back.cancel()
		self.assertEqual(earned(invoice).loyalty_points, 20)

	def test_more_points_than_can_be_recorded_are_refused(self):
		self.promote(effect="Fixed Bonus", points=2**31 - 1)
		with self.assertRaisesRegex(frappe.ValidationError, "more than can be recorded"):
			self.buy()


class TestBirthday(PromotionTestCase):
	@classmethod
	def setUpClass(cls):
		super().setUpClass()
		create_custom_field(
			"Customer", {"fieldname": "loyalty_test_birthday", "label": "Born", "fieldtype": "Date"}
		)
		settings = frappe.get_doc("Loyalty Settings")
		settings.birthday_field = "loyalty_test_birthday"
		settings.save()

	def test_the_month_counts(self):
		self.promote(birthday_month=1)
		self.assertEqual(self.buy(), 10)
		self.customer.loyalty_test_birthday = "1990-06-30"
		self.customer.save()
		self.assertEqual(self.buy(), 20)
		self.assertEqual(self.buy(posting_date="2026-07-01"), 10)

	def test_nobody_s_month_counts_once_the_field_is_deleted(self):
		self.promote(birthday_month=1)
		with patch.object(frappe.get_cached_doc("Loyalty Settings"), "birthday_field", "gone"):
			self.assertEqual(self.buy(), 10)

	def test_the_customer_counts_as_it_is_saved(self):
		"""Whatever a request that began before has put back into the cache."""
		group, territory = tree_node("Customer Group"), tree_node("Territory")
		for asked, changes in (
			({"customer_group": group}, {"customer_group": group}),
			({"customer_territory": territory}, {"territory": territory}),
			({"birthday_month": 1}, {"loyalty_test_birthday": "1990-06-30"}),
		):
			with self.subTest(**asked):
				promotion = self.promote(**asked)
				draft = self.sell((self.coffee, 1, 100), posting_date=FRIDAY, submit=False)
				before = frappe.get_doc("Customer", self.customer.name)
				self.customer.reload()
				self.customer.update(changes).save()
				draft.reload()  # ERPNext has told it of the new group
				frappe.cache.set_value(frappe.get_document_cache_key("Customer", before.name), before)
				frappe.local.cache.clear()
				draft.submit()
				self.assertEqual(earned(draft).loyalty_points, 20)
				frappe.clear_document_cache("Customer", before.name)
				promotion.enabled = 0
				promotion.save()


class TestReturning(PromotionTestCase):
	def setUp(self):
		super().setUp()
		self.double = self.promote(items=[("Item", self.coffee)])
		self.invoice = self.sell((self.coffee, 4, 25), (self.cake, 1, 100))
		self.assertEqual(self.points(), 30)

	def points(self):
		(entry,) = entries_of(self.invoice)
		return entry.loyalty_points

	def return_of(self, line, qty=1, submit=True):
		return make_return(self.invoice, qty=qty, item=line, submit=submit)

	def test_lines_take_back_what_they_earned_whatever_became_of_the_promotion(self):
		self.double.multiplier, self.double.enabled = 5, 0
		self.double.save()
		self.promote(effect="Fixed Bonus", points=1000)
		self.return_of(self.cake)
		self.assertEqual(self.points(), 20)
		first = self.return_of(self.coffee)
		self.assertEqual(self.points(), 7 + 7)
		second = self.return_of(self.coffee, 3)
		self.assertEqual(self.points(), 0)
		self.assertEqual(balance(self.customer), 0)
		second.cancel()
		self.assertEqual(self.points(), 14)
		first.cancel()
		self.assertEqual(self.points(), 20)

	def test_a_full_return_and_its_cancel(self):
		before = earned(self.invoice)
		back = make_return(self.invoice)
		self.assertEqual(self.points(), 0)
		back.cancel()
		after = earned(self.invoice)
		for field in ("loyalty_points", "purchase_amount", "promotions", "expiry_date"):
			self.assertEqual(after[field], before[field], field)

	def test_a_return_that_names_no_lines(self):
		draft = self.return_of(self.coffee, 2, submit=False)
		draft.items[0].sales_invoice_item = None
		draft.submit()
		self.assertEqual(self.points(), 15 + 5)

	def test_cancelling_leaves_nothing_and_repeating_changes_nothing(self):
		before = entries_of(self.invoice)
		settle_invoice(self.invoice, Event.SUBMIT)
		self.assertEqual(entries_of(self.invoice), before)
		self.invoice.cancel()
		self.assertEqual(entries_of(self.invoice), [])
		self.assertEqual(balance(self.customer), 0)


class TestLimits(PromotionTestCase):
	def test_per_customer(self):
		self.promote(limit_per_customer=2)
		invoices = [self.sell((self.coffee, 1, 100)) for _ in range(3)]
		self.assertEqual([earned(i).loyalty_points for i in invoices], [20, 20, 10])
		other = make_customer(loyalty_program=self.program.name)
		self.assertEqual(self.buy(customer=other), 20)
		invoices[0].cancel()
		self.assertEqual([self.buy(), self.buy()], [20, 10])

	def test_in_all(self):
		promotion = self.promote(limit_total=2)
		others = [make_customer(loyalty_program=self.program.name) for _ in range(3)]
		invoices = [self.sell((self.coffee, 1, 100), customer=other) for other in others]
		self.assertEqual([earned(i).loyalty_points for i in invoices], [20, 20, 10])
		draft = self.sell((self.coffee, 1, 100), submit=False)
		self.assertEqual(invoice_preview(draft.as_dict())["earning"]["points"], 10)
		invoices[0].cancel()
		self.assertEqual(self.uses(promotion), 1)
		draft.submit()
		self.assertEqual((earned(draft).loyalty_points, self.uses(promotion)), (20, 2))

	def test_a_return_keeps_its_place_so_that_its_cancel_never_exceeds_the_limit(self):
		promotion = self.promote(limit_total=1, limit_per_customer=1)
		back = make_return(self.sell((self.coffee, 1, 100)))
		self.assertEqual((self.buy(), self.uses(promotion)), (10, 1))
		back.cancel()
		self.assertEqual(self.uses(promotion), 1)
		self.assertEqual(balance(self.customer), 20 + 10)

	def test_only_who_gets_something_uses_it(self):
		coffee = self.promote(items=[("Item", self.coffee)], limit_total=1, combination="Best One Only")
		better = self.promote(multiplier=3, combination="Best One Only")
		self.assertEqual(self.buy(), 30)
		self.assertEqual(self.uses(coffee), 0)
		better.enabled = 0
		better.save()
		self.assertEqual((self.buy(), self.buy()), (20, 10))

	def test_a_limit_that_is_set_later_counts_what_was_before(self):
		promotion = self.promote()
		self.assertEqual((self.buy(), self.buy()), (20, 20))
		promotion.limit_total = 3
		promotion.save()
		self.assertEqual(self.uses(promotion), 2)
		self.assertEqual((self.buy(), self.buy()), (20, 10))

	def test_a_limit_that_is_set_while_an_invoice_is_submitted_holds_for_it(self):
		for limit, points in ((2, 20), (1, None)):
			with self.subTest(limit=limit):
				promotion = self.promote(items=[("Item", item := make_item().name)])
				self.sell((item, 1, 100))

				def given_before_the_limit(*arguments, promotion=promotion, limit=limit, **options):
					given = given_for(*arguments, **options)
					promotion.limit_total = limit
					promotion.save()
					return given

				draft, given_for = self.sell((item, 1, 100), submit=False), promotions.given_for
				frappe.db.savepoint("refused")
				with patch.object(promotions, "given_for", given_before_the_limit):
					if points:
						draft.submit()
						self.assertEqual(earned(draft).loyalty_points, points)
						self.assertEqual(self.uses(promotion), limit)
						continue
					with self.assertRaises(LedgerBusy):
						draft.submit()
				frappe.db.rollback(save_point="refused")

	def test_nobody_else_changes_the_count(self):
		promotion = self.promote(limit_total=5)
		stale = frappe.get_doc("Loyalty Promotion", promotion.name)
		self.buy()
		stale.uses = 0
		stale.to_date = "2099-01-01"
		stale.save()
		self.assertEqual(self.uses(promotion), 1)

	def test_uses_go_along_when_customers_are_merged(self):
		promotion = self.promote(limit_per_customer=2, limit_total=5)
		other = make_customer(loyalty_program=self.program.name)
		self.buy(customer=other)
		self.buy()
		frappe.rename_doc("Customer", other.name, self.customer.name, merge=True)
		self.assertEqual((self.buy(), self.uses(promotion)), (10, 2))

	def test_counts_are_proved_and_mended(self):
		promotion = self.promote(limit_total=5)
		self.buy()
		member = find(self.customer.name, self.program.name)
		frappe.db.set_value("Loyalty Membership", member, "promotions_used", None)
		frappe.db.set_value("Loyalty Promotion", promotion.name, "uses", 4)
		faults = " ".join(verify())
		self.assertIn("promotions_used", faults)
		self.assertIn(f"{promotion.name} has counted 4 invoices, the entries come to 1", faults)
		audit.mend([member])
		with count_queries() as statements:
			audit.mend_promotions()
		# What is counted must not be older than the locks under which it is.
		self.assertIn("uses", statements[0])
		self.assertEqual(self.uses(promotion), 1)
