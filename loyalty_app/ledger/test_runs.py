"""Runs over all memberships: divided, worked on, broken off, gone on with."""

from contextlib import contextmanager
from unittest.mock import patch

import frappe
from frappe.utils import add_days, add_to_date, background_jobs, now_datetime, today

from loyalty_app.api import runs as api
from loyalty_app.ledger import LedgerBusy, audit, expiry, membership, runs
from loyalty_app.ledger.membership import find
from loyalty_app.loyalty_app.doctype.loyalty_program import loyalty_program
from loyalty_app.tests.test_documents import LoyaltyTestCase, tier
from loyalty_app.tests.utils import (
	as_user,
	count_queries,
	make_customer,
	make_invoice,
	make_program,
	make_promotion,
	make_user,
	on_day,
	store,
)


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


def lose_workers():
	"""Let it be so long that nobody got on with what is left of runs that whoever was at work on it is taken for dead."""
	long_ago = add_to_date(now_datetime(), minutes=-runs.STALLED_AFTER_MINUTES - 1)
	frappe.db.set_value(runs.RANGE, {"is_done": 0}, "touched_at", long_ago)
	for name in frappe.get_all(runs.DOCTYPE, {"status": "Queued"}, pluck="name"):
		frappe.db.set_value(runs.DOCTYPE, name, "modified", long_ago, update_modified=False)


class TestRuns(LoyaltyTestCase):
	def setUp(self):
		self.program = make_program(expiry_duration=30)
		frappe.db.delete(runs.DOCTYPE)

	def members(self, count):
		"""Customers whose points have expired, and nobody has noticed."""
		customers = [make_customer(loyalty_program=self.program.name) for _ in range(count)]
		with on_day(add_days(today(), -40)):
			for customer in customers:
				make_invoice(customer, 100, posting_date=add_days(today(), -40))
		return customers

	def left(self, customers):
		"""How many of them still have a lot that should be closed."""
		names = [find(customer.name, self.program.name) for customer in customers]
		return frappe.db.count(membership.DOCTYPE, {"name": ("in", names), "next_expiry": ("<", today())})

	def test_ranges_share_the_work(self):
		self.members(5)
		with patch.object(runs, "MEMBERSHIPS_IN_RANGE", 2), patch.object(runs, "MEMBERSHIPS_IN_SET", 1):
			done = run("Expiry")
		self.assertEqual(
			(done.status, done.memberships, done.done, done.changed, done.faults), ("Done", 5, 5, 5, 0)
		)
		self.assertEqual([row.is_done for row in done.ranges], [1, 1, 1])
		self.assertTrue(done.started_at and done.ended_at)

	def test_nothing_to_do_is_done_at_once(self):
		done = run("Expiry")
		self.assertEqual((done.status, done.memberships, done.ranges), ("Done", 0, []))

	def test_a_run_goes_on_where_its_worker_was_killed(self):
		customers = self.members(4)
		with queue() as jobs, patch.object(runs, "MEMBERSHIPS_IN_SET", 1):
			name = runs.start("Expiry")
			runs.divide(**jobs.pop(0)[1])
			(part,) = (arguments["part"] for _function, arguments in jobs)
			with patch.object(runs, "note", side_effect=[None, KeyboardInterrupt]):
				with self.assertRaises(KeyboardInterrupt):
					runs.work(name, part)
			self.assertEqual(self.left(customers), 2)
			jobs.clear()
			runs.resume_stalled()
			self.assertEqual(jobs, [], "somebody may still be at work on it")
			lose_workers()
			self.assertEqual(runs.start("Expiry"), name, "a run that is not finished is gone on with")
			((function, arguments),) = jobs
			getattr(runs, function)(**arguments)
			# the job that was thought dead comes back
			runs.work(name, part)
		done = frappe.get_doc(runs.DOCTYPE, name)
		self.assertEqual((done.status, self.left(customers)), ("Done", 0))

	def divided(self, jobs):
		"""Start a run that has one range; its name, and what the range's job is called with."""
		name = runs.start("Expiry")
		runs.divide(**jobs.pop(0)[1])
		((_function, arguments),) = jobs
		return name, arguments

	def test_a_range_has_one_worker(self):
		"""A job that has waited for long is there twice."""
		self.members(3)
		with queue() as jobs, patch.object(runs, "MEMBERSHIPS_IN_SET", 1):
			name, arguments = self.divided(jobs)
			act = runs.act

			def twice(run, names):
				runs.work(**arguments)
				return act(run, names)

			with patch.object(runs, "act", twice):
				runs.work(**arguments)
			runs.work(**arguments)
		done = frappe.get_doc(runs.DOCTYPE, name)
		self.assertEqual((done.status, done.done, done.changed), ("Done", done.memberships, done.memberships))

	def test_who_was_taken_for_dead_stops(self):
		self.members(2)
		with queue() as jobs, patch.object(runs, "MEMBERSHIPS_IN_SET", 1):
			name, arguments = self.divided(jobs)
			act = runs.act

			def slow(run, names):
				lose_workers()
				runs.resume(name)
				return act(run, names)

			with patch.object(runs, "act", slow), patch.object(frappe.db, "rollback") as rollback:
				runs.work(**arguments)
			rollback.assert_called_once()
			found = frappe.get_doc(runs.DOCTYPE, name)
			self.assertEqual((found.status, found.done), ("Running", 0))

	def test_what_only_waits_is_not_given_up(self):
		self.members(1)
		with queue() as jobs:
			name = runs.start("Expiry")
			for _hour in range(runs.MOST_ATTEMPTS + 1):
				lose_workers()
				runs.resume_stalled()
			runs.divide(**jobs[0][1])
			for _hour in range(runs.MOST_ATTEMPTS + 1):
				lose_workers()
				runs.resume_stalled()
			runs.work(**jobs[-1][1])
		done = frappe.get_doc(runs.DOCTYPE, name)
		self.assertEqual((done.status, done.done), ("Done", 1))

	def give_up(self, function: str):
		"""Start a verification, whose workers die in `function` again and again; return its name."""
		with queue() as jobs:
			name = runs.start("Verification", sample=2)
			with patch.object(runs, function, side_effect=KeyboardInterrupt):
				for _hour in range(runs.MOST_ATTEMPTS):
					while jobs:
						job, arguments = jobs.pop(0)
						try:
							getattr(runs, job)(**arguments)
						except KeyboardInterrupt:
							pass
					self.assertEqual(frappe.db.get_value(runs.DOCTYPE, name, "faults"), 0)
					lose_workers()
					runs.resume_stalled()
		return name

	def test_what_no_worker_gets_done_is_given_up(self):
		self.members(1)
		run("Expiry")
		manager = make_user("Accounts Manager")
		for function in ("act", "next_names"):  # the latter while the run is divided
			with (
				self.subTest(function),
				patch(
					"frappe.desk.doctype.notification_log.notification_log.enqueue_create_notification"
				) as tell,
			):
				given_up = frappe.get_doc(runs.DOCTYPE, self.give_up(function))
				self.assertEqual((given_up.status, given_up.faults), ("Failed", len(given_up.ranges) or 1))
				self.assertIn("was given up", given_up.findings[0].fault)
				self.assertTrue(given_up.ended_at)
				((users, message),) = (call.args for call in tell.call_args_list)
				self.assertIn(manager, users)
				self.assertIn("could not be finished", message["subject"])
				done = run("Verification", sample=2)
				self.assertNotEqual(done.name, given_up.name)
				self.assertEqual((done.status, done.faults), ("Done", 0))

	def test_a_run_ends_whose_last_worker_was_killed_before_it_ended_the_run(self):
		self.members(1)
		with patch.object(runs, "finish"):
			name = run("Expiry").name
		self.assertEqual(frappe.db.get_value(runs.DOCTYPE, name, "status"), "Running")
		runs.resume(name)
		self.assertEqual(frappe.db.get_value(runs.DOCTYPE, name, "status"), "Done")

	def test_who_ends_a_run_locks_no_range(self):
		"""A worker locks its range and then the run: the other order would be a deadlock."""
		self.members(1)
		with patch.object(runs, "finish"):
			name = run("Expiry").name
		with count_queries() as statements:
			runs.finish(name)
		locking = [s for s in statements if "FOR UPDATE" in s.upper() and f"tab{runs.RANGE}" in s]
		self.assertEqual(locking, [])

	def test_one_that_fails_does_not_keep_the_others(self):
		customers = self.members(3)
		failing = find(customers[1].name, self.program.name)
		close_all = expiry.close_all

		def fail(names):
			if failing in names:
				raise ValueError("no")
			return close_all(names)

		with patch.object(expiry, "close_all", fail), patch.object(frappe.db, "rollback"):
			done = run("Expiry")
		self.assertEqual((done.status, done.done, done.changed, done.faults), ("Done", 3, 2, 1))
		self.assertEqual(
			[(row.membership, row.fault) for row in done.findings], [(failing, "ValueError: no")]
		)
		self.assertEqual(self.left(customers), 1)
		expiry.close_all([failing])

	def test_a_terminal_that_is_quicker_is_waited_for(self):
		customers = self.members(1)
		close_all, failures = expiry.close_all, [frappe.QueryDeadlockError, frappe.QueryTimeoutError]

		def busy(names):
			if failures:
				raise failures.pop()
			return close_all(names)

		with patch.object(expiry, "close_all", busy), patch.object(frappe.db, "rollback"):
			done = run("Expiry")
		self.assertEqual((done.changed, done.faults, self.left(customers)), (1, 0, 0))

	def test_verification_tells_accounts_managers(self):
		(customer,) = self.members(1)
		run("Expiry")
		manager = make_user("Accounts Manager")
		name = find(customer.name, self.program.name)
		frappe.db.set_value(membership.DOCTYPE, name, "balance", 7)
		with patch(
			"frappe.desk.doctype.notification_log.notification_log.enqueue_create_notification"
		) as tell:
			done = run("Verification")
		((users, message),) = (call.args for call in tell.call_args_list)
		self.assertIn(manager, users)
		self.assertEqual(message["document_name"], done.name)
		self.assertIn("1 differences", message["subject"])
		self.assertEqual([(row.membership, row.fault[:10]) for row in done.findings], [(name, "balance is")])

		done = run("Rebuild")
		self.assertEqual((done.changed, done.faults), (1, 0))
		self.assertEqual([row.fault[:10] for row in done.findings], ["balance is"])
		self.assertEqual(run("Verification").faults, 0)

	def test_a_program_that_is_saved_meanwhile_raises_no_alarm(self):
		"""The cache may know of it before the verification, which sees memberships as they were, can."""
		(customer,) = self.members(1)
		saved = frappe.get_doc("Loyalty Program", self.program.name)
		saved.collection_rules[0].tier_name = "Bronze"
		frappe.cache.set_value(frappe.get_document_cache_key("Loyalty Program", saved.name), saved)
		name = find(customer.name, self.program.name)
		self.assertEqual(audit.differences([name]), [])
		frappe.clear_document_cache("Loyalty Program", saved.name)

	def test_a_sample_is_some_of_them(self):
		self.members(3)
		run("Expiry")
		done = run("Verification", sample=2)
		self.assertEqual((done.memberships, done.done, done.status), (2, 2, "Done"))
		everybody = frappe.db.count(membership.DOCTYPE)
		self.assertEqual(run("Verification", sample=everybody + 1).done, everybody)

	def test_all_are_verified_though_a_sample_is_being(self):
		with queue():
			sample = runs.start("Verification", sample=2)
			everything = runs.start("Verification")
			self.assertNotEqual(everything, sample)
			self.assertEqual(runs.start("Verification"), everything)
			self.assertEqual(runs.start("Verification", sample=2), sample)

	def test_what_no_membership_shows_is_verified_too(self):
		promotion = make_promotion(self.program, limit_total=5)
		frappe.db.set_value("Loyalty Promotion", promotion.name, "uses", 3)
		stray = store("Loyalty Point Entry", membership="gone", loyalty_points=5)
		fault = f"Loyalty Promotion {promotion.name} has counted 3 invoices, the entries come to 0"
		done = run("Verification")
		self.assertEqual(
			{(row.entry, row.fault.split(" belongs")[0]) for row in done.findings},
			{(stray.name, f"entry {stray.name}"), (None, fault)},
		)
		self.assertEqual((done.status, done.faults), ("Done", 2))
		self.assertEqual([row.entry for row in run("Verification", sample=2).findings], [stray.name])
		done = run("Rebuild")
		self.assertEqual([row.fault for row in done.findings], [fault])
		self.assertEqual(frappe.db.get_value("Loyalty Promotion", promotion.name, "uses"), 0)
		frappe.db.delete("Loyalty Point Entry", {"name": stray.name})

	def test_what_installing_left_is_no_alarm_every_day(self):
		left = store("Loyalty Point Entry", customer="Gone", loyalty_program=self.program.name)
		customer = make_customer(loyalty_program=self.program.name)
		past = store("Loyalty Point Entry", customer=customer.name, loyalty_program=self.program.name)
		self.assertEqual({row.entry for row in run("Verification").findings}, {left.name, past.name})
		self.assertEqual([row.entry for row in run("Verification", sample=2).findings], [past.name])
		for entry in (left, past):
			frappe.db.delete("Loyalty Point Entry", {"name": entry.name})

	def test_what_fails_beyond_the_memberships_is_told(self):
		with (
			patch.object(audit, "beyond_memberships", side_effect=ValueError("no")),
			patch.object(frappe.db, "rollback"),
		):
			done = run("Verification")
		self.assertEqual((done.status, [row.fault for row in done.findings]), ("Done", ["ValueError: no"]))

	def test_new_tiers_of_many_members_are_shown_in_the_background(self):
		customers = self.members(3)
		run("Expiry")
		self.program.reload()
		with queue() as jobs, patch.object(loyalty_program, "SHOWN_AT_ONCE", 2):
			self.rename_tier("Bronze")
			self.assertEqual({tier(c) for c in customers}, {"Silver"})
			while jobs:
				function, arguments = jobs.pop(0)
				getattr(runs, function)(**arguments)
		self.assertEqual({tier(c) for c in customers}, {"Bronze"})
		done = frappe.get_last_doc(runs.DOCTYPE)
		self.assertEqual((done.kind, done.loyalty_program, done.changed), ("Tiers", self.program.name, 3))

	def test_tiers_that_are_changed_again_are_shown_to_those_who_were_done_already(self):
		customers = self.members(3)
		run("Expiry")
		with (
			queue() as jobs,
			patch.object(loyalty_program, "SHOWN_AT_ONCE", 2),
			patch.object(runs, "MEMBERSHIPS_IN_RANGE", 1),
		):
			self.rename_tier("Bronze")
			runs.divide(**jobs.pop(0)[1])
			runs.work(**jobs.pop(0)[1])
			self.assertEqual([tier(c) for c in customers].count("Bronze"), 1)
			self.assertEqual(self.told_of(customers), [], "what is about to be shown is no difference")
			self.rename_tier("Copper")
			while jobs:
				function, arguments = jobs.pop(0)
				getattr(runs, function)(**arguments)
		self.assertEqual({tier(c) for c in customers}, {"Copper"})

	def rename_tier(self, name):
		self.program.reload()
		self.program.collection_rules[0].tier_name = name
		self.program.save()

	def told_of(self, customers):
		return audit.differences([find(customer.name, self.program.name) for customer in customers])

	def test_a_job_that_was_lost_with_its_worker_is_queued_again(self):
		"""Killed between taking a job out of the queue and beginning it, a worker leaves it marked as queued."""
		queue_of, job_id = background_jobs.get_queue("long"), "loyalty_ledger_run::work::lost"
		job = queue_of.enqueue_call("loyalty_app.nothing", job_id=background_jobs.create_job_id(job_id))
		runs._enqueue("work", "lost")
		self.assertEqual(background_jobs.get_job_status(job_id), "queued", "it waits for a worker")
		queue_of.remove(job)
		runs._enqueue("work", "lost")
		self.assertIsNone(background_jobs.get_job(job_id), "Frappe would not queue it")

	def test_what_is_beyond_the_memberships_is_counted_once(self):
		"""Killed when it has noted what it found, a worker need not end the range: it is done."""
		stray = store("Loyalty Point Entry", membership="gone", loyalty_points=5)
		with queue() as jobs:
			name = runs.start("Verification")
			runs.divide(**jobs.pop(0)[1])
			beyond = jobs.pop()[1]
			for _function, arguments in jobs:
				runs.work(**arguments)
			with patch.object(runs, "_is_in_hand", side_effect=[True, KeyboardInterrupt]):
				with self.assertRaises(KeyboardInterrupt):
					runs.work(**beyond)
			lose_workers()
			runs.resume(name)
			runs.work(**beyond)
		done = frappe.get_doc(runs.DOCTYPE, name)
		self.assertEqual((done.status, done.faults), ("Done", 1))
		frappe.db.delete("Loyalty Point Entry", {"name": stray.name})

	def test_only_managers_start_runs(self):
		with as_user(make_user("Accounts User")):
			self.assertRaises(frappe.PermissionError, api.start, "Verification")
		with queue() as jobs, as_user(make_user("Accounts Manager")):
			name = api.start("Verification")
			self.assertEqual(len(jobs), 1)
			self.assertEqual(frappe.get_doc(runs.DOCTYPE, name).owner, frappe.session.user)
			self.assertRaises(frappe.ValidationError, api.start, "Nonsense")
			doc = frappe.get_doc(runs.DOCTYPE, name)
			self.assertRaises(frappe.PermissionError, doc.save)
			self.assertRaises(frappe.PermissionError, frappe.share.add, runs.DOCTYPE, name, write=1)

	def test_nobody_changes_or_deletes_a_run(self):
		"""Whatever they may: who started an import is who wrote its adjustments."""
		doc = run("Verification")
		doc.owner = "somebody.else@loyalty.example"
		self.assertRaisesRegex(frappe.ValidationError, "cannot be changed by hand", doc.save)
		self.assertRaisesRegex(frappe.ValidationError, "cannot be deleted by hand", doc.delete)

	def test_who_meets_a_deadlock_is_asked_to_try_again(self):
		deadlock = patch.object(runs, "start", side_effect=frappe.QueryDeadlockError)
		with deadlock, self.assertRaises(LedgerBusy):
			api.start("Verification")

	def test_old_runs_are_cleared(self):
		done = run("Expiry")
		frappe.db.set_value(
			runs.DOCTYPE, done.name, "creation", add_days(now_datetime(), -100), update_modified=False
		)
		frappe.get_doc("DocType", runs.DOCTYPE)
		frappe.model.base_document.get_controller(runs.DOCTYPE).clear_old_logs(days=90)
		self.assertFalse(frappe.db.exists(runs.DOCTYPE, done.name))
