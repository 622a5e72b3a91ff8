# Copyright (c) 2026, loyalty_app maintainers
# See license.txt

from unittest.mock import patch

import frappe

from loyalty_app.ledger import listeners, membership
from loyalty_app.tests.test_documents import LoyaltyTestCase
from loyalty_app.tests.utils import (
	count_queries,
	make_adjustment,
	make_customer,
	make_invoice,
	make_program,
	make_return,
)

MEMBERSHIP, ENTRY = "Loyalty Membership", "Loyalty Point Entry"


class TestWebhooks(LoyaltyTestCase):
	"""Frappe's Webhooks are told of what the ledger writes by statements."""

	def setUp(self):
		# Frappe 15 remembers in here whom it has told in this request
		frappe.flags.webhooks = frappe.flags.webhooks_executed = None
		self.program = make_program(tiers=[("Silver", 0, 10), ("Gold", 2000, 5)])
		self.customer = make_customer(loyalty_program=self.program.name)

	def listen(self, doctype, event, **values):
		doc = frappe.get_doc(
			{
				"doctype": "Webhook",
				"__newname": frappe.generate_hash(length=10),
				"webhook_doctype": doctype,
				"webhook_docevent": event,
				"request_url": "https://shop.example/points",
				"request_method": "POST",
				"request_structure": "JSON",
				"webhook_json": "{}",
				"enabled": 1,
				**values,
			}
		).insert()
		self.addCleanup(self.stop, doc)
		return doc

	def stop(self, webhook):
		webhook.reload()
		# Frappe forgets one that changes, not one that is deleted
		webhook.enabled = 0
		webhook.save()
		webhook.delete()
		frappe.db.commit()
		frappe.flags.webhooks = None

	def told(self, act) -> list:
		"""The documents that webhooks are queued with when `act` is committed."""
		frappe.db.commit()
		frappe.flags.webhooks = frappe.flags.webhooks_executed = None
		with patch.object(frappe, "enqueue") as enqueue:
			act()
			frappe.db.commit()
		calls = [call for call in enqueue.call_args_list if "enqueue_webhook" in str(call.args)]
		return [call.kwargs["doc"] for call in calls]

	def test_new_entries(self):
		self.listen(ENTRY, "after_insert")
		(doc,) = self.told(lambda: make_invoice(self.customer, 1000))
		self.assertEqual((doc.doctype, doc.customer, doc.loyalty_points), (ENTRY, self.customer.name, 100))
		self.assertEqual(frappe.db.get_value(ENTRY, doc.name, "remaining_points"), doc.remaining_points)
		(doc,) = self.told(lambda: make_adjustment(self.customer, -7))
		self.assertEqual((doc.loyalty_points, doc.entry_type), (-7, "Adjusted"))

	def test_conditions(self):
		self.listen(ENTRY, "after_insert", condition="(doc.loyalty_points or 0) < 0")
		self.assertEqual(self.told(lambda: make_invoice(self.customer, 1000)), [])
		self.assertEqual(len(self.told(lambda: make_adjustment(self.customer, -7))), 1)

	def test_entries_that_go(self):
		invoice = make_invoice(self.customer, 1000)
		self.listen(ENTRY, "on_trash")
		(doc,) = self.told(invoice.cancel)
		self.assertEqual((doc.invoice, doc.loyalty_points), (invoice.name, 100))

	def test_memberships_that_change(self):
		self.listen(MEMBERSHIP, "on_update")
		(doc,) = self.told(lambda: make_invoice(self.customer, 1000))
		self.assertEqual((doc.doctype, doc.balance, doc.loyalty_program_tier), (MEMBERSHIP, 100, "Silver"))
		invoice = make_invoice(self.customer, 1500)
		(doc,) = self.told(lambda: make_return(invoice))
		self.assertEqual((doc.balance, doc.loyalty_program_tier), (100, "Silver"))

	def test_tiers_that_follow_the_program(self):
		make_invoice(self.customer, 1000)
		self.listen(MEMBERSHIP, "on_update")
		name = membership.find(self.customer.name, self.program.name)

		def lower():
			self.program.reload()
			self.program.collection_rules[1].min_spent = 500
			self.program.save()
			membership.follow_tiers([name])

		(doc,) = self.told(lower)
		self.assertEqual((doc.name, doc.loyalty_program_tier), (name, "Gold"))

	def test_joining_and_leaving(self):
		self.listen(MEMBERSHIP, "after_insert")
		newcomer = make_customer()
		newcomer.loyalty_program = self.program.name
		(doc,) = self.told(newcomer.save)
		self.assertEqual((doc.customer, doc.loyalty_program), (newcomer.name, self.program.name))
		self.listen(MEMBERSHIP, "on_update")
		newcomer.reload()
		newcomer.loyalty_program = None
		(doc,) = self.told(newcomer.save)
		self.assertEqual((doc.customer, doc.active), (newcomer.name, 0))

	def test_nobody_listens_at_no_cost(self):
		name = membership.find(self.customer.name, self.program.name)
		member = membership.state(name)
		listeners.are_there(MEMBERSHIP, "on_update")
		with count_queries() as unheard:
			membership.save(member)
		self.assertEqual(unheard, [], "nothing has changed")
		member.balance += 1
		with count_queries() as unheard:
			membership.save(member)
		self.assertEqual([q for q in unheard if q.lower().startswith("select")], [])
		self.assertEqual(len(unheard), 1)
		member.balance -= 1
		membership.save(member)
		self.assertEqual(self.told(lambda: make_invoice(self.customer, 1000)), [])

	def test_who_listens_is_found_out_anew_after_minutes_at_the_most(self):
		"""A request that saw nobody may put that into the cache after somebody was saved."""
		listeners.forget()
		self.assertFalse(listeners.are_there(MEMBERSHIP, "on_update"))
		with count_queries() as statements:
			self.assertFalse(listeners.are_there(MEMBERSHIP, "on_update"))
		self.assertEqual(statements, [])
		left = frappe.cache.ttl(frappe.cache.make_key(listeners.CACHE))
		self.assertTrue(0 < left <= listeners.KEPT_SECONDS, left)

	def test_a_webhook_that_is_switched_off_is_told_nothing(self):
		webhook = self.listen(MEMBERSHIP, "on_update")
		self.assertTrue(listeners.are_there(MEMBERSHIP, "on_update"))
		webhook.enabled = 0
		webhook.save()
		self.assertFalse(listeners.are_there(MEMBERSHIP, "on_update"))
		self.assertEqual(self.told(lambda: make_invoice(self.customer, 1000)), [])
