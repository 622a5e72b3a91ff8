import unittest

from loyalty_app.ledger import bulk


class TestNames(unittest.TestCase):
	def test_no_two_are_the_same_in_the_largest_ledger(self):
		entries = 100_000_000
		chance = entries**2 / 2 / 16 ** len(bulk.new_name())
		self.assertLess(chance, 1 / 3_000)
