from unittest.mock import patch

import frappe
from frappe.utils import add_days, today

from loyalty_app import enrolment
from loyalty_app.ledger import bulk, membership
from loyalty_app.tests.utils import (
	IntegrationTestCase,
	as_user,
	count_queries,
	leaf,
	make_customer,
	make_invoice,
	make_program,
	make_user,
	tree_node,
)


class TestEnrolment(IntegrationTestCase):
	"""Each test works in a customer group of its own, so that other programs of the site do not count."""

	def setUp(self):
		self.others = frappe.get_all("Loyalty Program", filters={"auto_opt_in": 1}, pluck="name")
		for name in self.others:
			frappe.db.set_value("Loyalty Program", name, "auto_opt_in", 0)
		self.top = tree_node("Customer Group", is_group=1)
		self.middle = tree_node("Customer Group", self.top, is_group=1)
		self.bottom = tree_node("Customer Group", self.middle)

	def tearDown(self):
		for name in self.others:
			frappe.db.set_value("Loyalty Program", name, "auto_opt_in", 1)
		frappe.db.set_value("Loyalty Program", {"customer_group": self.top}, "auto_opt_in", 0)
		# enrolling commits, and with it the programs of the site that setUp has put aside
		frappe.db.commit()

	def program(self, **kwargs):
		return make_program(**{"customer_group": self.top, "auto_opt_in": 1, **kwargs})

	def eligible(self, **kwargs):
		values = {"customer_group": self.bottom, "territory": leaf("Territory"), **kwargs}
		return enrolment.eligible_programs(frappe.get_doc({"doctype": "Customer", **values}))

	def test_nested_groups_at_any_depth(self):
		program = self.program().name
		for group in (self.top, self.middle, self.bottom):
			self.assertEqual(self.eligible(customer_group=group), [program])
		self.assertEqual(self.eligible(customer_group=leaf("Customer Group")), [])

	def test_a_group_below_does_not_reach_up(self):
		program = self.program(customer_group=self.middle).name
		self.assertEqual(self.eligible(customer_group=self.top), [])
		self.assertEqual(self.eligible(customer_group=self.bottom), [program])
		frappe.db.set_value("Loyalty Program", program, "auto_opt_in", 0)

	def test_territory(self):
		land = tree_node("Territory", is_group=1)
		town = tree_node("Territory", land)
		program = self.program(customer_territory=land).name
		self.assertEqual(self.eligible(territory=town), [program])
		self.assertEqual(self.eligible(), [])
		self.assertEqual(self.eligible(territory=None), [])

	def test_empty_means_all(self):
		program = self.program(customer_group=None).name
		self.assertEqual(self.eligible(customer_group=leaf("Customer Group")), [program])
		self.assertEqual(self.eligible(customer_group=None, territory=None), [program])
		frappe.db.set_value("Loyalty Program", program, "auto_opt_in", 0)

	def test_only_programs_active_today(self):
		self.program(from_date=add_days(today(), 1))
		self.program(to_date=add_days(today(), -1))
		self.program(auto_opt_in=0)
		self.assertEqual(self.eligible(), [])
		last_day = self.program(from_date=today(), to_date=today()).name
		self.assertEqual(self.eligible(), [last_day])

	def test_number_of_queries_does_not_grow_with_the_tree(self):
		self.program()
		customer = frappe.get_doc(
			{"doctype": "Customer", "customer_group": self.bottom, "territory": leaf("Territory")}
		)
		with count_queries() as statements:
			enrolment.eligible_programs(customer)
		self.assertLessEqual(len(statements), 3, statements)

	def test_one_match_is_assigned_on_saving(self):
		program = self.program().name
		customer = make_customer(customer_group=self.bottom, auto_opt_in=True)
		self.assertEqual(customer.loyalty_program, program)
		self.assertTrue(
			frappe.db.exists("Loyalty Membership", {"customer": customer.name, "loyalty_program": program})
		)

	def test_several_matches_ask_to_choose(self):
		# ERPNext looks one level down only: it sees the program of the middle group and not the one of the top
		self.program()
		below = self.program(customer_group=self.middle)
		frappe.clear_messages()
		customer = make_customer(customer_group=self.bottom, auto_opt_in=True)
		self.assertFalse(customer.loyalty_program)
		asked = [m for m in map(str, frappe.local.message_log) if "Multiple Loyalty Programs found" in m]
		self.assertEqual(len(asked), 1)
		below.db_set("auto_opt_in", 0)

	def test_the_customer_s_own_choice_stays(self):
		self.program()
		chosen = make_program().name
		customer = make_customer(customer_group=self.bottom, loyalty_program=chosen)
		customer.save()
		self.assertEqual(customer.loyalty_program, chosen)

	def existing(self, number: int) -> list[str]:
		return [make_customer(customer_group=self.bottom).name for _ in range(number)]

	def test_existing_customers(self):
		inside, outside = self.existing(3), make_customer().name
		member_elsewhere = make_customer(customer_group=self.bottom, loyalty_program=make_program().name).name
		disabled = make_customer(customer_group=self.bottom, disabled=1).name
		program = self.program().name
		self.assertEqual(enrolment.count_existing_customers(program), (3, 0))

		enrolment.enrol_existing_customers(program)

		self.assertEqual(self.members(program), sorted(inside))
		for name in (outside, member_elsewhere, disabled):
			self.assertNotEqual(frappe.db.get_value("Customer", name, "loyalty_program"), program)
		for name in inside:
			self.assertEqual(
				frappe.db.get_value(
					"Loyalty Membership", {"customer": name, "loyalty_program": program}, "active"
				),
				1,
			)
		self.assertEqual(
			enrolment.progress(program), {"status": "Done", "done": 3, "total": 3, "to_choose": 0}
		)

	def test_who_comes_back_is_active_and_has_the_tier_again(self):
		program = make_program(customer_group=tree_node("Customer Group"))
		customer = make_customer(loyalty_program=program.name, customer_group=program.customer_group)
		make_invoice(customer, 100)
		customer.reload()
		customer.loyalty_program = None
		customer.save()
		frappe.db.set_value("Loyalty Program", program.name, "auto_opt_in", 1)
		enrolment.enrol_existing_customers(program.name)
		member = frappe.db.get_value(
			"Loyalty Membership", {"customer": customer.name}, ["active", "loyalty_program_tier"]
		)
		self.assertEqual(member, (1, "Silver"))
		self.assertEqual(
			frappe.db.get_value("Customer", customer.name, ["loyalty_program", "loyalty_program_tier"]),
			(program.name, "Silver"),
		)

	def test_existing_customers_with_a_choice_are_left_to_choose(self):
		self.existing(2)
		program, other = self.program().name, self.program(customer_group=self.bottom).name
		self.assertEqual(enrolment.count_existing_customers(program), (0, 2))
		enrolment.enrol_existing_customers(program)
		self.assertEqual(self.members(program) + self.members(other), [])
		frappe.db.set_value("Loyalty Program", other, "auto_opt_in", 0)

	def test_goes_on_where_it_was_broken_off(self):
		names = sorted(self.existing(5))
		program = self.program().name
		join, batch_size = enrolment._join, enrolment.BATCH_SIZE
		batches = []

		def broken_off(program, batch):
			batches.append(batch)
			if len(batches) == 2:
				raise RuntimeError("broken off")
			return join(program, batch)

		enrolment._join, enrolment.BATCH_SIZE = broken_off, 2
		try:
			self.assertRaises(RuntimeError, enrolment.enrol_existing_customers, program)
			self.assertEqual(self.members(program), names[:2])
			self.assertEqual(enrolment.progress(program)["status"], "Failed")
			self.assertEqual(enrolment.progress(program)["done"], 2)
			enrolment.enrol_existing_customers(program)
		finally:
			enrolment._join, enrolment.BATCH_SIZE = join, batch_size
		self.assertEqual(self.members(program), names)
		self.assertEqual([len(batch) for batch in batches], [2, 2, 2, 1])

	def test_a_deadlock_is_tried_again(self):
		names = sorted(self.existing(2))
		program = self.program().name
		open_all, deadlocks = membership.open_all, [frappe.QueryDeadlockError]

		def busy(customers, program):
			if deadlocks:
				raise deadlocks.pop()
			open_all(customers, program)

		with patch.object(membership, "open_all", busy):
			enrolment.enrol_existing_customers(program)
		self.assertEqual(self.members(program), names)
		self.assertEqual(enrolment.progress(program)["status"], "Done")

	def test_who_joins_by_being_saved_meanwhile_is_a_member_once(self):
		names = sorted(self.existing(2))
		program = self.program().name
		new_row = membership.new_row

		def new_row_after_another(customer, *values):
			if customer == names[0]:
				bulk.insert(membership.DOCTYPE, [new_row(customer, *values)])
			return new_row(customer, *values)

		with (
			patch.object(membership, "new_row", new_row_after_another),
			patch.object(membership.listeners, "tell") as tell,
		):
			enrolment.enrol_existing_customers(program)
		self.assertEqual(self.members(program), names)
		members = frappe.get_all(
			membership.DOCTYPE, filters={"loyalty_program": program}, pluck="customer", order_by="customer"
		)
		self.assertEqual(members, names)
		(told,) = (call.args[2] for call in tell.call_args_list if call.args[1] == ["after_insert"])
		self.assertEqual(told, [membership.find(names[1], program)])

	def test_ticking_auto_opt_in_starts_it(self):
		program = self.program(auto_opt_in=0)
		enqueued = []
		original, enrolment.enqueue = enrolment.enqueue, enqueued.append
		try:
			program.save()
			self.assertEqual(enqueued, [])
			program.auto_opt_in = 1
			program.save()
			self.assertEqual(enqueued, [program.name])
			program.save()
			self.assertEqual(enqueued, [program.name])
			self.program()
			self.assertEqual(enqueued, [program.name])
		finally:
			enrolment.enqueue = original

	def test_only_who_may_write_the_program_starts_it(self):
		program = self.program()
		reader = make_user("Sales User")
		with as_user(reader):
			self.assertEqual(enrolment.progress(program.name)["status"], "")
			self.assertRaises(frappe.PermissionError, enrolment.start, program.name)
		stranger = make_user()
		with as_user(stranger):
			self.assertRaises(frappe.PermissionError, enrolment.progress, program.name)

	def members(self, program: str) -> list[str]:
		return frappe.get_all("Customer", filters={"loyalty_program": program}, order_by="name", pluck="name")
