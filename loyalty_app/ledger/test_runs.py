"""Runs over all memberships: divided, worked on, broken off, gone on with."""

from contextlib import contextmanager
from unittest.mock import patch

import frappe
from frappe.utils import add_days, add_to_date, now_datetime, today

from loyalty_app.ledger import expiry, runs
from loyalty_app.ledger.membership import find
from loyalty_app.tests.test_documents import LoyaltyTestCase, balance
from loyalty_app.tests.utils import make_customer, make_invoice, make_program, make_user


@contextmanager
def queue():
	"""Collect what is queued instead of queueing it, and commit nothing."""
	jobs = []
	with (
		patch.object(runs, "_enqueue", lambda function, job, **kwargs: jobs.append((function, kwargs))),
		patch.object(frappe.db, "commit"),
	):
		yield jobs


def run(kind: str, **kwargs):
	"""Start a run, do all its work, and return its document."""
	with queue() as jobs:
		name = runs.start(kind, **kwargs)
		while jobs:
			function, arguments = jobs.pop(0)
			getattr(runs, function)(**arguments)
	return frappe.get_doc(runs.DOCTYPE, name)


class TestRuns(LoyaltyTestCase):
	def setUp(self):
		self.program = make_program(expiry_duration=30)
		frappe.db.delete(runs.DOCTYPE)

	def members(self, count, days_ago=40):
		customers = [make_customer(loyalty_program=self.program.name) for _ in range(count)]
		for customer in customers:
			make_invoice(customer, 100, posting_date=add_days(today(), -days_ago))
			# as it was on the day itself
			frappe.db.set_value(
				"Loyalty Membership",
				find(customer.name, self.program.name),
				"next_expiry",
				add_days(today(), -days_ago + 30),
			)
		return customers
