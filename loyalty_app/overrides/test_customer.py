"""Joining, leaving, switching, merging and deleting: rules 3."""

from unittest.mock import patch

import frappe
from frappe.model.document import execute_action
from frappe.model.rename_doc import update_document_title
from frappe.utils import add_days, today

from loyalty_app.ledger import LedgerBusy, expiry, membership, verify
from loyalty_app.ledger.membership import find, summary
from loyalty_app.tests.test_documents import LoyaltyTestCase, balance, earned, entries_of, tier
from loyalty_app.tests.utils import (
	count_queries,
	make_adjustment,
	make_customer,
	make_invoice,
	make_program,
	make_return,
	on_day,
	unique,
)


def fresh(doc):
	return frappe.get_doc(doc.doctype, doc.name)


def merge(old, new):
	"""`new`, after `old` was merged into it."""
	frappe.rename_doc("Customer", old.name, new.name, merge=True, force=True)
	return fresh(new)


def queue_renaming(old, name: str, **kwargs):
	"""Rename `old` in the desk, which leaves it to a worker; return the job."""
	jobs = []
	with (
		patch("frappe.model.rename_doc.is_scheduler_inactive", return_value=False),
		patch("frappe.utils.background_jobs.enqueue", lambda method, **job: jobs.append((method, job))),
	):
		update_document_title(doctype="Customer", docname=old.name, name=name, enqueue=True, **kwargs)
	(job,) = (job for method, job in jobs if method == "frappe.model.document.execute_action")
	arguments = {key: value for key, value in job.items() if key in ("name", "merge") or key[:2] == "__"}
	return lambda: execute_action(**arguments)


def membership_of(customer, program) -> tuple[int, int]:
	"""Balance, and whether this is the current one."""
	return frappe.db.get_value("Loyalty Membership", find(customer.name, program.name), ["balance", "active"])


class TestCustomer(LoyaltyTestCase):
	def test_joining_opens_a_membership_and_leaving_keeps_it(self):
		program = make_program()
		customer = make_customer(loyalty_program=program.name)
		name = find(customer.name, program.name)
		self.assertEqual(frappe.db.get_value("Loyalty Membership", name, "active"), 1)
		invoice = make_invoice(customer, 100)
		self.assertEqual(tier(customer), "Silver")

		customer.reload()
		customer.loyalty_program = None
		customer.save()
		self.assertIsNone(tier(customer))
		self.assertEqual(frappe.db.get_value("Loyalty Membership", name, ["active", "balance"]), (0, 10))
		self.assertEqual(len(entries_of(invoice)), 1)

	def test_switching_resets_the_tier_and_coming_back_restores_it(self):
		one = make_program(tiers=[("Silver", 0, 10), ("Gold", 1000, 10)])
		other = make_program(tiers=[("Bronze", 0, 10)])
		customer = make_customer(loyalty_program=one.name)
		make_invoice(customer, 1000)
		self.assertEqual(tier(customer), "Gold")
		for program, expected in ((other, None), (one, "Gold")):
			customer.reload()
			customer.loyalty_program = program.name
			customer.save()
			self.assertEqual(tier(customer), expected)
			active = frappe.get_all(
				"Loyalty Membership",
				filters={"customer": customer.name, "active": 1},
				pluck="loyalty_program",
			)
			self.assertEqual(active, [program.name])

	def test_a_forged_tier_is_not_kept(self):
		customer = make_customer(loyalty_program=make_program().name)
		customer.loyalty_program_tier = "Platinum"
		customer.save()
		self.assertIsNone(tier(customer))

	def test_renaming_keeps_the_points(self):
		customer = make_customer(loyalty_program=make_program().name)
		invoice = make_invoice(customer, 100)
		new = frappe.rename_doc("Customer", customer.name, unique("Renamed"), force=True)
		self.assertEqual(balance(frappe.get_doc("Customer", new)), 10)
		self.assertEqual(earned(invoice).customer, new)

	def test_renaming_twice_and_taking_the_name_that_is_free_now(self):
		program = make_program()
		customer, later = (make_customer(loyalty_program=program.name) for _ in range(2))
		first, second = customer.name, unique("Renamed")
		invoice = make_invoice(customer, 100)
		make_invoice(later, 50)
		frappe.rename_doc("Customer", first, second, force=True)
		frappe.rename_doc("Customer", second, unique("Renamed Again"), force=True)
		frappe.rename_doc("Customer", later.name, first, force=True)
		self.assertEqual(balance(frappe.get_doc("Customer", first)), 5)
		self.assertEqual(
			earned(invoice).customer, frappe.db.get_value("Sales Invoice", invoice.name, "customer")
		)
		# And again under a name that has been somebody's, by who has none of the points.
		new = make_customer(loyalty_program=program.name, customer_name=second)
		self.assertEqual((new.name, balance(new)), (second, 0))

	def test_members_are_called_as_their_customers(self):
		program = make_program()
		customer = make_customer(loyalty_program=program.name)
		customer.customer_name = unique("Called")
		customer.save()
		name = find(customer.name, program.name)
		self.assertEqual(
			frappe.db.get_value("Loyalty Membership", name, "customer_name"), customer.customer_name
		)
		new = frappe.rename_doc("Customer", customer.name, unique("Renamed"), force=True)
		self.assertEqual(
			frappe.db.get_value("Loyalty Membership", name, "customer_name"),
			frappe.db.get_value("Customer", new, "customer_name"),
		)

	def test_merging_pools_memberships_and_entries(self):
		program = make_program(tiers=[("Silver", 0, 10), ("Gold", 2000, 10)])
		elsewhere = make_program()
		old, new = (make_customer(loyalty_program=program.name) for _ in range(2))
		first = make_invoice(old, 1000)
		second = make_invoice(new, 1000)
		old.reload()
		old.loyalty_program = elsewhere.name
		old.save()
		make_invoice(old, 500)

		made = {e.name: str(e.creation) for e in entries_of(first)}
		frappe.rename_doc("Customer", old.name, new.name, merge=True, force=True)
		self.assertEqual({e.name: str(e.creation) for e in entries_of(first)}, made)
		# The log names the customer in the merge; it is still sound when that customer gets another name.
		new = frappe.get_doc(
			"Customer", frappe.rename_doc("Customer", new.name, unique("Renamed"), force=True)
		)
		self.assertEqual((balance(new), tier(new)), (200, "Gold"))
		self.assertEqual(
			{earned(first).membership, earned(second).membership}, {find(new.name, program.name)}
		)
		kept = frappe.db.get_value(
			"Loyalty Membership", find(new.name, elsewhere.name), ["balance", "active"]
		)
		self.assertEqual(kept, (50, 0))
		# The old customer's invoice can be paid with and reversed as before.
		make_invoice(new, 1000, redeem=150)
		first.reload()
		first.cancel()
		self.assertEqual(entries_of(first), [])
		self.assertEqual(balance(new), 100 - 150 + 85)

	def test_a_merge_that_waits_for_a_worker_has_moved_nothing_yet(self):
		program, elsewhere = make_program(), make_program()
		old, new = (make_customer(loyalty_program=program.name) for _ in range(2))
		first, second = make_invoice(old, 1000), make_invoice(old, 500)
		make_invoice(new, 200)
		for customer in (old, new):
			membership.ensure(customer.name, elsewhere.name)
		with count_queries() as statements:
			merge_now = queue_renaming(old, new.name, merge=True)
		written = [s for s in statements if s.split()[0].lower() in ("insert", "update", "delete")]
		self.assertEqual([s for s in written if "tabLoyalty" in s or "tabCustomer" in s], [])
		# The ledger goes on until then.
		first.reload()
		first.cancel()
		self.assertEqual((balance(old), balance(new)), (50, 20))
		merge_now()
		self.assertFalse(frappe.db.exists("Customer", old.name))
		self.assertEqual(membership_of(new, program), (70, 1))
		self.assertEqual(membership_of(new, elsewhere), (0, 0))
		self.assertEqual(earned(second).membership, find(new.name, program.name))
		self.assertEqual(set(self.customers_in_log(new, program)), {new.name})

	def customers_in_log(self, customer, program):
		entries = frappe.get_all(
			"Loyalty Point Entry", filters={"customer": customer.name, "loyalty_program": program.name}
		)
		names = ("in", [row.name for row in entries])
		return frappe.get_all("Loyalty Point Log", filters={"entry": names}, pluck="customer")

	def test_renaming_by_a_worker_keeps_the_points(self):
		customer = make_customer(loyalty_program=make_program().name)
		make_invoice(customer, 100)
		name = unique("Renamed")
		queue_renaming(customer, name)()
		self.assertEqual(balance(frappe.get_doc("Customer", name)), 10)
		self.assertEqual(frappe.get_all("Loyalty Membership", {"customer": customer.name}), [])

	def test_a_merge_locks_all_memberships_before_it_moves_anything(self):
		programs = [make_program() for _ in range(2)]
		old, new = (make_customer(loyalty_program=programs[0].name) for _ in range(2))
		for customer in (old, new):
			membership.ensure(customer.name, programs[1].name)
		names = [find(customer.name, program.name) for customer in (old, new) for program in programs]
		lock_all, locked = membership.lock_all, []

		def noted(names):
			locked.append(sorted(names))
			return lock_all(names)

		with patch.object(membership, "lock_all", noted):
			merge(old, new)
		self.assertEqual(locked[0], sorted(names))

	def test_who_meets_a_deadlock_over_points_is_asked_to_try_again(self):
		program = make_program()
		customer, other = (make_customer(loyalty_program=program.name) for _ in range(2))
		for function, act in (
			("lock_for", customer.save),
			("hold", lambda: frappe.rename_doc("Customer", customer.name, unique("Renamed"), force=True)),
			("hold", lambda: merge(customer, other)),
			("hold", lambda: frappe.delete_doc("Customer", customer.name)),
		):
			deadlock = patch.object(membership, function, side_effect=frappe.QueryDeadlockError)
			with self.subTest(function), deadlock, self.assertRaises(LedgerBusy):
				act()
		customer.reload()
		customer.loyalty_program = make_program().name
		deadlock = patch.object(membership, "ensure", side_effect=frappe.QueryDeadlockError)
		frappe.db.savepoint("before_the_request")
		with deadlock, self.assertRaises(LedgerBusy):
			customer.save()
		frappe.db.rollback(save_point="before_the_request")

	def test_merging_into_who_is_in_another_program(self):
		one, other = make_program(), make_program()
		old, new = make_customer(loyalty_program=one.name), make_customer(loyalty_program=other.name)
		make_invoice(old, 100)
		make_invoice(new, 200)
		new = merge(old, new)
		self.assertEqual((new.loyalty_program, balance(new)), (other.name, 20))
		self.assertEqual(membership_of(new, one), (10, 0))
		new.loyalty_program = one.name
		new.save()
		self.assertEqual((balance(new), tier(new)), (10, "Silver"))

	def test_who_is_in_no_program_goes_on_in_that_of_the_one_merged(self):
		program = make_program()
		old, new = make_customer(loyalty_program=program.name), make_customer()
		make_invoice(old, 100)
		new = merge(old, new)
		self.assertEqual((new.loyalty_program, tier(new), balance(new)), (program.name, "Silver", 10))
		self.assertEqual(membership_of(new, program), (10, 1))
		# The other way round there is nothing to do.
		self.assertEqual(balance(merge(make_customer(), new)), 10)

	def test_who_has_left_stays_out_when_merged(self):
		program = make_program()
		old, new = (make_customer(loyalty_program=program.name) for _ in range(2))
		new.loyalty_program = None
		new.save()
		make_invoice(old, 100)
		new = merge(old, new)
		self.assertFalse(new.loyalty_program)
		self.assertIsNone(tier(new))
		self.assertEqual(membership_of(new, program), (10, 0))

	def test_merging_those_with_adjustments(self):
		program = make_program()
		old, new = (make_customer(loyalty_program=program.name) for _ in range(2))
		make_invoice(old, 100)
		made = make_adjustment(old, 5)
		taken = make_adjustment(old, -3)
		draft = make_adjustment(old, 7, submit=False)
		between = make_adjustment(old, 4, submit=False, reason="Transfer", to_customer=new.name)
		new = merge(old, new)
		name = find(new.name, program.name)
		self.assertEqual(balance(new), 12)
		self.assertEqual(fresh(made).membership, name)
		fresh(draft).submit()
		self.assertEqual(balance(new), 19)
		with self.assertRaisesRegex(frappe.ValidationError, "another customer"):
			fresh(between).submit()
		for doc in (taken, made):
			fresh(doc).cancel()
		self.assertEqual(balance(new), 17)

	def test_merging_those_who_owe_both(self):
		program = make_program()
		old, new = (make_customer(loyalty_program=program.name) for _ in range(2))
		for customer, points in ((old, 100), (new, 50)):
			source = make_invoice(customer, points * 10)
			make_invoice(customer, points, redeem=points)
			fresh(source).cancel()
		new = merge(old, new)
		self.assertEqual(balance(new), -150)
		make_invoice(new, 2000)
		self.assertEqual(balance(new), 50)

	def test_merging_three(self):
		program = make_program()
		one, two, three = (make_customer(loyalty_program=program.name) for _ in range(3))
		invoices = [make_invoice(customer, 100) for customer in (one, two, three)]
		three = merge(merge(one, two), three)
		self.assertEqual(balance(three), 30)
		for invoice in invoices:
			make_return(invoice)
		self.assertEqual(balance(three), 0)

	def test_merging_settles_a_shortfall(self):
		program = make_program()
		old, new = (make_customer(loyalty_program=program.name) for _ in range(2))
		source = make_invoice(old, 1000)
		spent = make_invoice(old, 200, redeem=100)
		source.reload()
		source.cancel()
		make_invoice(new, 1000)
		frappe.rename_doc("Customer", old.name, new.name, merge=True, force=True)
		new.reload()
		self.assertEqual(balance(new), 100 + 10 - 100)
		self.assertEqual(
			frappe.db.get_value("Loyalty Membership", find(new.name, program.name), "shortfall"), 0
		)
		self.assertTrue(entries_of(spent)[-1].redeem_against)

	def test_deleting_is_refused_once_points_are_on_record(self):
		program = make_program()
		idle, busy = (make_customer(loyalty_program=program.name) for _ in range(2))
		make_invoice(busy, 100)
		frappe.delete_doc("Customer", idle.name)
		self.assertIsNone(find(idle.name, program.name))
		with self.assertRaisesRegex(frappe.LinkExistsError, "loyalty points are on record"):
			frappe.delete_doc("Customer", busy.name)

	def test_deleting_is_refused_though_nothing_is_left(self):
		customer = make_customer(loyalty_program=make_program().name)
		make_invoice(customer, 100).cancel()
		self.assertEqual(balance(customer), 0)
		with self.assertRaisesRegex(frappe.LinkExistsError, "loyalty points are on record"):
			frappe.delete_doc("Customer", customer.name, force=True)

	def test_points_of_who_is_disabled_expire_and_wait(self):
		program = make_program(expiry_duration=10, tiers=[("Silver", 0, 10)])
		customer = make_customer(loyalty_program=program.name)
		make_invoice(customer, 100, posting_date=add_days(today(), -8))
		make_invoice(customer, 200)
		customer.reload()
		customer.disabled = 1
		customer.save()
		self.assertEqual((balance(customer), tier(customer)), (30, "Silver"))
		name = find(customer.name, program.name)
		with on_day(add_days(today(), 5)):
			expiry.close_all([name])
			self.assertEqual(verify(name), [])
			self.assertEqual(summary(customer.name).balance, 20)
		make_adjustment(customer, -5)
		customer.disabled = 0
		customer.save()
		make_invoice(customer, 100, redeem=15)
