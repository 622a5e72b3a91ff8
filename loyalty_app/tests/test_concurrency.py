"""Terminals at once: rules 5. Each request is a thread with its own database connection, as on a server.

On SQLite writers queue up for the one write lock; on MariaDB they meet at the membership's row lock.
"""

from concurrent.futures import ThreadPoolExecutor

import frappe

from loyalty_app.ledger import verify
from loyalty_app.ledger.membership import find
from loyalty_app.tests.rest import RestClient
from loyalty_app.tests.test_documents import balance, earned, entries_of
from loyalty_app.tests.utils import IntegrationTestCase, make_customer, make_invoice, make_program

TERMINALS = 6


class TestConcurrency(IntegrationTestCase):
	def setUp(self):
		self.program = make_program()
		self.customer = make_customer(loyalty_program=self.program.name)
		self.api = RestClient()

	def submit_all(self, drafts):
		"""Submit drafts at the same time; return the statuses of the answers and their bodies."""
		frappe.db.commit()
		with ThreadPoolExecutor(len(drafts)) as pool:
			answers = list(
				pool.map(
					lambda d: self.api.open(
						"PUT", f"/api/resource/Sales Invoice/{d.name}", json={"docstatus": 1}
					),
					drafts,
				)
			)
		frappe.db.rollback()
		return answers

	def drafts(self, count=TERMINALS, **kwargs):
		return [make_invoice(self.customer, submit=False, **kwargs) for _ in range(count)]

	def assert_all_submitted(self, drafts):
		refused = [body for status, body in self.submit_all(drafts) if status != 200]
		self.assertEqual(refused, [])

	def test_the_same_points_are_spent_once(self):
		lot = make_invoice(self.customer, 1000)
		answers = self.submit_all(self.drafts(amount=100, redeem=100))
		self.assertEqual(sorted(status for status, _body in answers), [200] + [417] * (TERMINALS - 1))
		for status, body in answers:
			if status != 200:
				self.assertIn("enough Loyalty Points", str(body))
		self.assertEqual(earned(lot).remaining_points, 0)
		self.assertEqual(balance(self.customer), 0)
		self.assertEqual(verify(find(self.customer.name, self.program.name)), [])

	def test_all_succeed_when_there_are_points_for_all(self):
		make_invoice(self.customer, 1000)
		drafts = self.drafts(amount=100, redeem=10)
		self.assert_all_submitted(drafts)
		for draft in drafts:
			self.assertEqual(sum(e.loyalty_points for e in entries_of(draft)), 9 - 10)
		self.assertEqual(balance(self.customer), 100 - TERMINALS)
		self.assertEqual(verify(find(self.customer.name, self.program.name)), [])

	def test_the_first_membership_is_opened_once(self):
		frappe.db.delete("Loyalty Membership", {"customer": self.customer.name})
		drafts = self.drafts(amount=100)
		self.assert_all_submitted(drafts)
		self.assertEqual(frappe.db.count("Loyalty Membership", {"customer": self.customer.name}), 1)
		self.assertEqual([len(entries_of(d)) for d in drafts], [1] * TERMINALS)
		self.assertEqual(balance(self.customer), 10 * TERMINALS)
		self.assertEqual(verify(find(self.customer.name, self.program.name)), [])
