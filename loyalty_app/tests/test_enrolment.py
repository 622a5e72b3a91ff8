from unittest.mock import patch

import frappe
from frappe.utils import add_days, get_datetime, today

from loyalty_app import enrolment
from loyalty_app.ledger import LedgerBusy, bulk, joining, membership, runs
from loyalty_app.ledger.test_runs import lose_workers, queue, run
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
	unique,
)
from loyalty_app.tests.work import work_of


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

	def enrol(self, program: str):
		"""Enrol the existing customers, and return the run."""
		return run("Enrolment", loyalty_program=program)

	def test_existing_customers(self):
		inside, outside = self.existing(3), make_customer().name
		member_elsewhere = make_customer(customer_group=self.bottom, loyalty_program=make_program().name).name
		disabled = make_customer(customer_group=self.bottom, disabled=1).name
		program = self.program().name

		done = self.enrol(program)

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
			(done.status, done.memberships, done.done, done.changed, done.faults), ("Done", 3, 3, 3, 0)
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
		self.enrol(program.name)
		member = frappe.db.get_value(
			"Loyalty Membership", {"customer": customer.name}, ["active", "loyalty_program_tier"]
		)
		self.assertEqual(member, (1, "Silver"))
		self.assertEqual(
			frappe.db.get_value("Customer", customer.name, ["loyalty_program", "loyalty_program_tier"]),
			(program.name, "Silver"),
		)
		frappe.db.set_value("Loyalty Program", program.name, "auto_opt_in", 0)

	def test_existing_customers_with_a_choice_are_left_to_choose(self):
		self.existing(2)
		alone = make_customer(customer_group=self.middle).name
		program, other = self.program().name, self.program(customer_group=self.bottom).name
		done = self.enrol(program)
		self.assertEqual((self.members(program), self.members(other)), ([alone], []))
		self.assertEqual((done.memberships, done.to_choose), (1, 2))
		self.assertEqual(
			enrolment.progress(program), {"status": "Done", "done": 1, "total": 1, "to_choose": 2}
		)
		frappe.db.set_value("Loyalty Program", other, "auto_opt_in", 0)

	def test_ranges_share_the_work(self):
		names = sorted(self.existing(5))
		program = self.program().name
		with (
			patch.object(runs, "MEMBERSHIPS_IN_RANGE", 2),
			patch.object(runs, "MEMBERSHIPS_IN_SET", 1),
			queue() as jobs,
		):
			enrolment.enqueue(program)
			self.assertEqual(enrolment.progress(program)["status"], "Queued")
			runs.divide(**jobs.pop()[1])
			self.assertEqual([function for function, _arguments in jobs], ["work"] * 3)
			joined = []
			# in whatever order their workers are
			for _function, arguments in reversed(jobs):
				self.assertEqual(
					enrolment.progress(program),
					{"status": "Running", "done": len(joined), "total": 5, "to_choose": 0},
				)
				runs.work(**arguments)
				joined = self.members(program)
				self.assertEqual(enrolment.progress(program)["done"], len(joined))
		self.assertEqual(joined, names)
		self.assertEqual(enrolment.progress(program)["status"], "Done")

	def test_no_more_customers_are_read_than_a_set_takes(self):
		first = self.existing(2)
		asked = frappe._dict(loyalty_program=self.program().name), min(first), None, 1
		work = work_of(joining.next_names, *asked)
		self.existing(40)
		self.assertLess(work_of(joining.next_names, *asked), 2 * work)

	def divided(self, program: str, jobs: list):
		"""Start a run that has one range; its name, and what the range's job is called with."""
		name = runs.start("Enrolment", program)
		runs.divide(**jobs.pop(0)[1])
		((_function, arguments),) = jobs
		return name, arguments

	def test_goes_on_where_its_worker_was_killed(self):
		names = sorted(self.existing(4))
		program = self.program().name
		with queue() as jobs, patch.object(runs, "MEMBERSHIPS_IN_SET", 1):
			name, arguments = self.divided(program, jobs)
			note, sets = runs.note, []

			def killed(run, part, done, result):
				sets.append(done)
				if len(sets) == 3:
					# what the set has written goes with it
					membership.mark_active(done, None)
					frappe.db.set_value("Customer", done[0], "loyalty_program", None)
					frappe.db.delete(membership.DOCTYPE, {"customer": done[0]})
					raise KeyboardInterrupt
				note(run, part, done, result)

			with patch.object(runs, "note", killed), self.assertRaises(KeyboardInterrupt):
				runs.work(**arguments)
			self.assertEqual(self.members(program), names[:2])
			state = {"status": "Running", "done": 2, "total": 4, "to_choose": 0}
			self.assertEqual(enrolment.progress(program), state)
			jobs.clear()
			runs.resume_stalled()
			self.assertEqual(jobs, [], "somebody may still be at work on it")
			lose_workers()
			runs.resume_stalled()
			self.assertEqual(enrolment.start(program), state, "a run that is not finished is gone on with")
			((function, again),) = jobs
			self.assertEqual((function, again), ("work", {"run": name, "part": arguments["part"]}))
			runs.work(**again)
			# the job that was thought dead comes back
			runs.work(**arguments)
		self.assertEqual(self.members(program), names)
		self.assertEqual(enrolment.progress(program), state | {"status": "Done", "done": 4})
		self.assertEqual(frappe.db.count(membership.DOCTYPE, {"loyalty_program": program}), 4)

	def test_doing_it_twice_changes_nothing(self):
		self.existing(3)
		program = self.program().name
		self.enrol(program)

		def written():
			return [
				frappe.get_all(doctype, filters={"loyalty_program": program}, fields=["*"], order_by="name")
				for doctype in ("Customer", membership.DOCTYPE)
			]

		before = written()
		again = self.enrol(program)
		self.assertEqual((again.status, again.memberships, again.changed, again.ranges), ("Done", 0, 0, []))
		joining.act([customer.name for customer in before[0]], again)
		self.assertEqual(written(), before)

	def test_who_is_eligible_no_more_is_left_alone(self):
		first, second, third = sorted(self.existing(3))
		program, chosen = self.program().name, make_program().name
		with queue() as jobs:
			_name, arguments = self.divided(program, jobs)
			frappe.db.set_value("Customer", first, "loyalty_program", chosen)
			frappe.db.set_value("Customer", second, "disabled", 1)
			runs.work(**arguments)
		self.assertEqual(self.members(program), [third])
		self.assertEqual(self.members(chosen), [first])
		self.assertEqual(enrolment.progress(program)["done"], 1)

	def test_a_customer_who_fails_does_not_keep_the_others(self):
		first, failing, last = sorted(self.existing(3))
		program = self.program().name
		open_all, manager = membership.open_all, make_user("Accounts Manager")

		def fail(customers, program):
			if failing in customers:
				frappe.db.set_value("Customer", failing, "loyalty_program", None)
				raise ValueError("no")
			open_all(customers, program)

		with (
			patch.object(membership, "open_all", fail),
			patch.object(frappe.db, "rollback"),
			patch(
				"frappe.desk.doctype.notification_log.notification_log.enqueue_create_notification"
			) as tell,
		):
			done = self.enrol(program)
		self.assertEqual(self.members(program), [first, last])
		self.assertEqual((done.status, done.done, done.changed, done.faults), ("Done", 3, 2, 1))
		((row,), (call,)) = done.findings, tell.call_args_list
		self.assertEqual((row.membership, row.fault), (None, f"Customer {failing}: ValueError: no"))
		users, message = call.args
		self.assertIn(manager, users)
		self.assertIn("1 customers could not be enrolled", message["subject"])
		self.assertEqual(enrolment.progress(program)["done"], 2)

	def test_names_of_customers_may_have_any_characters(self):
		strange = unique("Zoë '%s' \"{0}\" :: 名前 \\ a/b|c&d;")
		title = strange + "é" * (140 - len(strange))
		longest = make_customer(customer_group=self.bottom, customer_name=title).name
		self.assertEqual(longest, title)
		names = {longest, *self.existing(2)}
		program = self.program().name
		with (
			patch.object(runs, "MEMBERSHIPS_IN_RANGE", 1),
			patch.object(frappe, "enqueue") as enqueue,
			patch.object(frappe.db, "commit"),
		):
			name = runs.start("Enrolment", program)
			runs.divide(name)
			ranges = frappe.get_all(
				runs.RANGE, filters={"parent": name}, fields=["name", "last_membership"], order_by="idx"
			)
			self.assertEqual({row.last_membership for row in ranges}, names)
			frappe.db.set_value(runs.RANGE, ranges[0].name, "reached", longest)
			lose_workers()
			runs.resume(name)
			frappe.db.set_value(runs.RANGE, ranges[0].name, "reached", None)
			for part in ranges:
				runs.work(name, part.name)
		ids = [call.kwargs["job_id"] for call in enqueue.call_args_list]
		for job_id in ids:
			self.assertRegex(job_id, "^[a-z0-9_:]+$")
		of_first = {job_id for job_id in ids if ranges[0].name in job_id}
		self.assertEqual(len(of_first), 2, "it has got on, and is another job")
		self.assertEqual(set(self.members(program)), names)
		self.assertEqual(enrolment.progress(program)["status"], "Done")

	def test_no_names_are_kept_of_customers_who_have_joined(self):
		"""Somebody of that name may want to be forgotten."""
		self.existing(2)
		with patch.object(runs, "MEMBERSHIPS_IN_RANGE", 1):
			done = self.enrol(self.program().name)
		self.assertEqual([(row.reached, row.last_membership) for row in done.ranges], [(None, None)] * 2)

	def test_a_deadlock_is_tried_again(self):
		names = sorted(self.existing(2))
		program = self.program().name
		open_all, deadlocks = membership.open_all, [frappe.QueryDeadlockError]

		def busy(customers, program):
			if deadlocks:
				raise deadlocks.pop()
			open_all(customers, program)

		with patch.object(membership, "open_all", busy), patch.object(frappe.db, "rollback"):
			self.enrol(program)
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
			self.enrol(program)
		self.assertEqual(self.members(program), names)
		members = frappe.get_all(
			membership.DOCTYPE, filters={"loyalty_program": program}, pluck="customer", order_by="customer"
		)
		self.assertEqual(members, names)
		(told,) = (call.args[2] for call in tell.call_args_list if call.args[1] == ["after_insert"])
		self.assertEqual(told, [membership.find(names[1], program)])

	def runs_of(self, program: str) -> list[str]:
		return frappe.get_all(
			runs.DOCTYPE, filters={"kind": "Enrolment", "loyalty_program": program}, pluck="name"
		)

	def test_ticking_auto_opt_in_starts_it(self):
		program = self.program(auto_opt_in=0)
		with queue() as jobs:
			program.save()
			self.assertEqual(self.runs_of(program.name), [])
			program.auto_opt_in = 1
			program.save()
			((function, arguments),) = jobs
			self.assertEqual((function, [arguments["run"]]), ("divide", self.runs_of(program.name)))
			self.assertEqual(enrolment.progress(program.name)["status"], "Queued")
			program.save()
			self.program()
		self.assertEqual(len(jobs), 1)

	def test_progress_is_that_of_the_newest_run(self):
		program = self.program().name
		self.assertEqual(enrolment.progress(program), {"status": "", "done": 0, "total": 0, "to_choose": 0})
		first = self.enrol(program)
		frappe.db.set_value(runs.DOCTYPE, first.name, "creation", add_days(get_datetime(), -1))
		self.existing(1)
		self.enrol(self.program(customer_group=self.middle, auto_opt_in=0).name)
		self.enrol(program)
		self.assertEqual(
			enrolment.progress(program), {"status": "Done", "done": 1, "total": 1, "to_choose": 0}
		)

	def test_a_program_that_begins_after_it_was_ticked_enrols_when_it_begins(self):
		(customer,) = self.existing(1)
		program = self.program(auto_opt_in=0, from_date=add_days(today(), 1))
		program.auto_opt_in = 1
		with queue() as jobs:
			program.save()
			runs.divide(**jobs.pop()[1])
			enrolment.start_begun()
		((ticked,), begins) = self.runs_of(program.name), today()
		self.assertEqual((self.members(program.name), jobs), ([], []))

		frappe.db.set_value(runs.DOCTYPE, ticked, "creation", add_days(get_datetime(), -1))
		frappe.db.set_value("Loyalty Program", program.name, "from_date", begins)
		with queue() as jobs:
			enrolment.start_begun()
			runs.divide(**jobs.pop()[1])
			((_function, arguments),) = jobs
			runs.work(**arguments)
			jobs.clear()
			self.assertEqual(self.members(program.name), [customer])
			# who has left is not put back on the next days
			frappe.db.set_value("Customer", customer, "loyalty_program", None)
			enrolment.start_begun()
		self.assertEqual((self.members(program.name), jobs), ([], []))

	def test_only_programs_that_have_just_begun_enrol_by_themselves(self):
		first = add_days(today(), -enrolment.BEGUN_WITHIN_DAYS)
		missed = self.program(from_date=first).name
		ticked = [
			missed,
			self.program(from_date=add_days(first, -1)).name,
			self.program(from_date=add_days(today(), -3), to_date=add_days(today(), -1)).name,
			self.program(from_date=today(), auto_opt_in=0).name,
		]
		for name in ticked:
			run = self.enrol(name).name
			frappe.db.set_value(runs.DOCTYPE, run, "creation", add_days(get_datetime(), -30))
		self.program(from_date=first)  # ticked from the start, as which it enrols nobody
		with patch.object(enrolment, "enqueue") as enqueue:
			enrolment.start_begun()
		self.assertEqual([call.args for call in enqueue.call_args_list], [(missed,)])

	def test_only_who_may_write_the_program_starts_it(self):
		program = self.program()
		reader, manager = make_user("Sales User"), make_user("Accounts Manager")
		with as_user(reader):
			self.assertEqual(enrolment.progress(program.name)["status"], "")
			self.assertRaises(frappe.PermissionError, enrolment.start, program.name)
		self.assertEqual(self.runs_of(program.name), [])
		with queue(), as_user(manager):
			self.assertEqual(enrolment.start(program.name)["status"], "Queued")
		with as_user(reader):
			self.assertEqual(enrolment.progress(program.name)["status"], "Queued")
		stranger = make_user()
		with as_user(stranger):
			self.assertRaises(frappe.PermissionError, enrolment.progress, program.name)

	def test_who_meets_a_deadlock_is_asked_to_try_again(self):
		deadlock = patch.object(runs, "start", side_effect=frappe.QueryDeadlockError)
		with deadlock, self.assertRaises(LedgerBusy):
			enrolment.start(self.program().name)

	def members(self, program: str) -> list[str]:
		return frappe.get_all("Customer", filters={"loyalty_program": program}, order_by="name", pluck="name")
