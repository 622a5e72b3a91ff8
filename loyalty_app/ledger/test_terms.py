# Copyright (c) 2026, loyalty_app maintainers
# See license.txt

import frappe

from loyalty_app.ledger import membership, terms
from loyalty_app.tests.utils import (
	IntegrationTestCase,
	count_queries,
	make_customer,
	make_program,
	make_promotion,
)


class TestTerms(IntegrationTestCase):
	"""What `loyalty_app.tests.test_concurrency` does not show with requests at once."""

	def setUp(self):
		self.program = make_program()
		self.customer = make_customer(loyalty_program=self.program.name)
		self.promotion = make_promotion(self.program)
		frappe.db.commit()

	def statements_of(self, act) -> int:
		with count_queries() as statements:
			act()
		return len(statements)

	def hold(self):
		membership.hold(self.customer.name)

	def read_promotions(self):
		self.hold()
		return [(doc.name, doc.multiplier) for doc in terms.promotions_of(self.program.name)]

	def shared(self):
		"""The promotions that another process finds in the cache."""
		frappe.local.cache.clear()
		found = frappe.cache.get_value(terms._kept(terms._key(terms.PROMOTION, self.program.name)))
		return found and [doc.name for doc in found]

	def test_a_change_is_told_before_it_is_committed(self):
		for doc in (self.program, self.promotion):
			with self.subTest(doc.doctype):
				key, seen = terms._key(doc.doctype, self.program.name), []
				doc.reload()
				doc.save()
				seen.append(terms._told(key))
				frappe.db.before_commit.add(lambda key=key, seen=seen: seen.append(terms._told(key)))
				frappe.db.commit()
				seen.append(terms._told(key))
				self.assertEqual(len(set(seen)), 3)

	def test_what_was_told_and_given_up_costs_one_read(self):
		self.read_promotions()
		usual = [self.statements_of(self.hold), self.statements_of(self.read_promotions)]
		self.assertEqual(usual, [1, 1])
		for doctype in (terms.DOCTYPE, terms.PROMOTION):
			terms._tell(terms._key(doctype, self.program.name), "given up")
		self.assertGreater(self.statements_of(self.hold), 1)
		self.assertEqual(self.statements_of(self.hold), 1)
		self.assertGreater(self.statements_of(self.read_promotions), 1)
		self.assertEqual(self.statements_of(self.read_promotions), 1)

	def test_what_is_not_committed_is_seen_here_alone(self):
		self.read_promotions()
		other = make_promotion(self.program)
		names = sorted([self.promotion.name, other.name])
		self.assertEqual([name for name, _multiplier in self.read_promotions()], names)
		self.assertEqual(self.shared(), [self.promotion.name])
		frappe.db.rollback()
		self.assertEqual([name for name, _multiplier in self.read_promotions()], [self.promotion.name])

	def test_every_change_is_told(self):
		self.promotion.multiplier = 3
		self.promotion.save()
		frappe.db.commit()
		self.assertEqual(self.read_promotions(), [(self.promotion.name, 3)])
		self.promotion.db_set("multiplier", 4)
		frappe.db.commit()
		self.assertEqual(self.read_promotions(), [(self.promotion.name, 4)])
		name = f"{self.promotion.name} anew"
		frappe.rename_doc("Loyalty Promotion", self.promotion.name, name, force=True)
		frappe.db.commit()
		self.assertEqual(self.read_promotions(), [(name, 4)])
		frappe.delete_doc("Loyalty Promotion", name)
		frappe.db.commit()
		self.assertEqual(self.read_promotions(), [])
		self.assertEqual(self.shared(), [])

	def test_a_list_that_is_older_than_what_was_told_is_not_shown_either(self):
		before = terms.promotions_of(self.program.name)
		self.promotion.enabled = 0
		self.promotion.save()
		frappe.db.commit()
		terms.keep_promotions(self.program.name, before)
		frappe.flags.loyalty_programs_locked = set()
		self.assertEqual(terms.promotions_of(self.program.name), [])
