"""Adjustments from a file: what is checked is what comes, and it can be undone."""

import csv
import io
from unittest.mock import patch

import frappe
from frappe.model.base_document import get_controller
from frappe.utils import add_days, getdate, today

from loyalty_app.api import imports as api
from loyalty_app.ledger import LedgerBusy, adjustments, batch, imports, membership, runs, verify
from loyalty_app.ledger.membership import find
from loyalty_app.ledger.test_runs import lose_workers, queue
from loyalty_app.tests.test_documents import LoyaltyTestCase, balance
from loyalty_app.tests.utils import (
	as_user,
	count_own_queries,
	make_adjustment,
	make_customer,
	make_invoice,
	make_program,
	make_user,
)

COUNTED = (
	"Loyalty Point Adjustment",
	"Loyalty Point Entry",
	"Loyalty Point Log",
	"Loyalty Membership",
	"Series",
)


def file_of(content: bytes | str, name: str) -> str:
	"""Upload a private file as this user; return its address."""
	return (
		frappe.get_doc({"doctype": "File", "file_name": name, "content": content, "is_private": 1})
		.insert(ignore_permissions=True)
		.file_url
	)


def csv_of(heading: list[str], *rows: list) -> str:
	out = io.StringIO()
	csv.writer(out).writerows([heading, *rows])
	return file_of(out.getvalue(), f"points-{frappe.generate_hash(length=8)}.csv")


def finish(name: str, jobs: list):
	"""Do all the work of a run; return its document."""
	while jobs:
		function, arguments = jobs.pop(0)
		getattr(runs, function)(**arguments)
	return frappe.get_doc(runs.DOCTYPE, name)


class ImportTestCase(LoyaltyTestCase):
	def setUp(self):
		frappe.set_user("Administrator")
		self.program = make_program()
		self.customers = [make_customer(loyalty_program=self.program.name) for _ in range(3)]

	def check(self, url, **kwargs):
		with queue() as jobs:
			return finish(api.check(url, **kwargs), jobs)

	def go_on(self, method, check):
		with queue() as jobs:
			return finish(getattr(api, method)(check.name), jobs)

	def rows(self, check):
		return frappe.get_all(
			imports.DOCTYPE, filters={"run": check.name}, fields=["*"], order_by="row_no", limit=0
		)

	def counted(self):
		return {doctype: frappe.db.count(doctype) for doctype in COUNTED if doctype != "Series"} | {
			"Series": frappe.db.sql("select sum(current) from `tabSeries`")[0][0]
		}

	def balances(self):
		return [balance(customer) for customer in self.customers]

	def opening_balances(self):
		one, two, three = self.customers
		return csv_of(
			["Customer", "Points", "Expiry Date"],
			[one.name, 100, add_days(today(), 90)],
			[two.name, 50, ""],
			[three.name, 25, ""],
		)


class TestImport(ImportTestCase):
	def test_check_import_undo(self):
		before = self.counted()
		check = self.check(self.opening_balances())
		self.assertEqual((check.status, check.memberships, check.changed, check.faults), ("Done", 3, 3, 0))
		self.assertEqual(self.counted(), before)
		rows = self.rows(check)
		self.assertEqual([(r.status, r.row_no) for r in rows], [("Ready", 2), ("Ready", 3), ("Ready", 4)])
		self.assertEqual([(r.balance_before, r.balance_after) for r in rows], [(0, 100), (0, 50), (0, 25)])

		run = self.go_on("start", check)
		self.assertEqual((run.status, run.changed, run.faults), ("Done", 3, 0))
		self.assertEqual(self.balances(), [100, 50, 25])
		rows = self.rows(check)
		self.assertEqual({r.status for r in rows}, {"Imported"})
		doc = frappe.get_doc(adjustments.DOCTYPE, rows[0].adjustment)
		for field, value in {
			"docstatus": 1,
			"points": 100,
			"reason": "Opening Balance",
			"loyalty_program": self.program.name,
			"company": self.program.company,
			"customer_name": self.customers[0].customer_name,
			"expiry_date": getdate(add_days(today(), 90)),
			"posting_date": getdate(today()),
			"imported_by": run.name,
			"membership": find(self.customers[0].name, self.program.name),
			"owner": "Administrator",
		}.items():
			self.assertEqual(doc.get(field), value, field)

		undone = self.go_on("undo", check)
		self.assertEqual((undone.status, undone.changed, undone.faults), ("Done", 3, 0))
		self.assertEqual(self.balances(), [0, 0, 0])
		self.assertEqual({r.status for r in self.rows(check)}, {"Undone"})
		self.assertEqual(frappe.db.get_value(adjustments.DOCTYPE, doc.name, "docstatus"), 2)
		self.assertEqual(frappe.db.count("Loyalty Point Entry", {"customer": self.customers[0].name}), 0)

	def test_it_writes_what_submitting_each_would(self):
		check = self.check(self.opening_balances())
		self.go_on("start", check)
		row = self.rows(check)[1]
		other = make_customer(loyalty_program=self.program.name)
		by_hand = make_adjustment(other, 50, reason="Opening Balance", explanation=None)
		left_out = {"name", "creation", "modified", "customer", "customer_name", "membership", "invoice"}
		left_out |= {"imported_by", "previous_hash", "hash", "logged_at", "reference_name", "entry", "after"}

		def all_of(doc, customer):
			found = [frappe.get_doc(adjustments.DOCTYPE, doc).as_dict()]
			for doctype in ("Loyalty Point Entry", "Loyalty Point Log", "Loyalty Membership"):
				found += frappe.get_all(doctype, filters={"customer": customer}, fields=["*"])
			return [
				{key: value for key, value in values.items() if key not in left_out and key != "log_hash"}
				for values in found
			]

		self.assertEqual(all_of(row.adjustment, self.customers[1].name), all_of(by_hand.name, other.name))

	def test_rows_of_one_customer_are_checked_one_after_the_other(self):
		one, two, _three = self.customers
		url = csv_of(
			["Customer", "Points", "Reason", "Explanation", "To Customer"],
			[one.name, 100, "Opening Balance", "", ""],
			[two.name, 5, "Opening Balance", "", ""],
			[one.name, -30, "Correction", "Counted twice", ""],
			[one.name, -71, "Correction", "Too much", ""],
			[one.name, 20, "Transfer", "A gift", two.name],
			[one.name, -50, "Correction", "All of it", ""],
		)
		with patch.object(runs, "MEMBERSHIPS_IN_SET", 1), patch.object(runs, "MEMBERSHIPS_IN_RANGE", 1):
			check = self.check(url)
			rows = self.rows(check)
			self.assertEqual(
				[(r.status, r.balance_after) for r in rows],
				[
					("Ready", 100),
					("Ready", 5),
					("Ready", 70),
					("Refused", 0),
					("Ready", 50),
					("Ready", 0),
				],
			)
			self.assertIn("71 cannot be taken, 70 are spendable", rows[3].message)
			self.assertEqual([(f.row_no, f.fault) for f in check.findings], [(5, rows[3].message)])
			run = self.go_on("start", check)
		self.assertEqual((run.changed, run.faults), (5, 0))
		self.assertEqual(self.balances()[:2], [0, 25])
		self.go_on("undo", check)
		self.assertEqual(self.balances()[:2], [0, 0])

	def test_errors_are_named_row_by_row(self):
		one, two, three = (customer.name for customer in self.customers)
		stranger = make_customer().name
		url = csv_of(
			["Customer", "Points", "Expiry Date", "Reason", "Explanation", "Bonus"],
			[one, "1.5", "", "", "", ""],
			[one, "many", "", "", "", ""],
			[one, "", "", "", "", ""],
			[one, 0, "", "", "", ""],
			["Nobody at all", 5, "", "", "", ""],
			[one, 5, "soon", "", "", ""],
			[one, 5, add_days(today(), -1), "", "", ""],
			[one, 5, "", "Bribe", "", ""],
			[one, 5, "", "Goodwill", "", ""],
			[stranger, 5, "", "", "", ""],
			["", 5, "", "", "", ""],
			[one, -5, "", "Correction", "Nothing there", ""],
			[two, 5, add_days(today(), 9), "", "", "x"],
		)
		before = self.counted()
		check = self.check(url)
		self.assertEqual((check.memberships, check.changed, check.faults), (13, 1, 12))
		self.assertEqual(self.counted(), before)
		self.assertIn("Bonus", check.notes)
		for row, message in zip(
			self.rows(check),
			(
				"whole number, not 1.5",
				"whole number, not many",
				"Points: enter how many",
				"Points: enter how many",
				"Nobody at all missing",
				"Expiry Date: Value soon must",
				"is before Posting Date",
				"Reason: Value must be one of",
				"Explanation: say what",
				"Loyalty Program: ",
				"Customer: choose",
				"5 cannot be taken, 0 are spendable",
			),
		):
			self.assertEqual(row.status, "Refused", message)
			self.assertIn(message, row.message)
		self.go_on("start", check)
		self.assertEqual(self.balances(), [0, 5, 0])
		self.assertIsNotNone(three)

	def test_what_has_changed_since_the_check_is_refused_at_import(self):
		one = self.customers[0]
		make_invoice(one, 1000)
		check = self.check(
			csv_of(["Customer", "Points", "Reason", "Explanation"], [one.name, -80, "Correction", "x"])
		)
		make_adjustment(one, -50)
		run = self.go_on("start", check)
		self.assertEqual((run.changed, run.faults), (0, 1))
		self.assertIn("80 cannot be taken, 50 are spendable", self.rows(check)[0].message)
		self.assertEqual(balance(one), 50)

	def test_members_who_owe_points_and_whose_points_have_expired(self):
		one, two, three = self.customers
		self.program.reload()
		self.program.allow_negative_adjustment = 1
		self.program.save()
		make_adjustment(one, -30)
		make_invoice(two, 1000, posting_date=add_days(today(), -400))
		frappe.db.delete("Loyalty Membership", {"customer": three.name})
		check = self.check(self.opening_balances())
		self.assertEqual(
			[(r.balance_before, r.balance_after) for r in self.rows(check)], [(-30, 70), (0, 50), (0, 25)]
		)
		self.assertEqual(self.balances()[:2], [-30, 0])
		self.go_on("start", check)
		self.assertEqual(self.balances(), [70, 50, 25])
		self.go_on("undo", check)
		self.assertEqual(self.balances(), [-30, 0, 0])

	def test_undoing_what_was_spent(self):
		one = self.customers[0]
		check = self.check(self.opening_balances())
		self.go_on("start", check)
		spent = make_invoice(one, 100, redeem=40)
		self.program.reload()
		self.program.if_points_already_spent = "Block"
		self.program.save()
		undone = self.go_on("undo", check)
		self.assertEqual((undone.changed, undone.faults), (2, 1))
		self.assertIn(spent.name, undone.findings[0].fault)
		self.assertEqual(self.rows(check)[0].status, "Imported")
		self.assertEqual(self.balances(), [100 - 40 + 6, 0, 0])

		self.program.reload()
		self.program.if_points_already_spent = "Allow Negative Balance"
		self.program.save()
		self.go_on("undo", check)
		self.assertEqual(self.balances(), [6 - 40, 0, 0])
		with self.assertRaisesRegex(frappe.ValidationError, "nothing to undo"):
			api.undo(check.name)

	def test_undoing_rows_of_one_customer_of_which_some_was_spent(self):
		"""What was spent moves from the lot that is taken back to the next one, before that is taken back, too."""
		one, two, three = (customer.name for customer in self.customers)
		rows = [[name, 100, add_days(today(), days)] for name in (one, two) for days in (30, 90)]
		check = self.check(csv_of(["Customer", "Points", "Expiry Date"], *rows, [three, 5, ""]))
		self.go_on("start", check)
		# the one by an undo, the other by hand
		for name in (one, two):
			make_adjustment(name, -60)
		for row in self.rows(check)[2:4]:
			frappe.get_doc(adjustments.DOCTYPE, row.adjustment).cancel()
		self.assertEqual(self.go_on("undo", check).faults, 0)

		def state(customer):
			name = find(customer, self.program.name)
			state = membership.state(name)
			table = frappe.qb.DocType("Loyalty Point Entry")
			query = frappe.qb.from_(table).where(table.membership == name)
			query = query.select(table.loyalty_points, table.remaining_points, table.is_open)
			lots = query.select(table.redeem_against, table.expiry_date).run()
			return state.balance, state.shortfall, state.next_expiry, lots

		self.assertEqual(state(one), state(two))
		self.assertEqual(state(one)[:2], (-60, 60))
		self.assertEqual(self.balances(), [-60, -60, 0])

	def test_what_was_cancelled_by_hand_is_undone_already(self):
		check = self.check(self.opening_balances())
		self.go_on("start", check)
		frappe.get_doc(adjustments.DOCTYPE, self.rows(check)[0].adjustment).cancel()
		self.assertEqual(self.go_on("undo", check).faults, 0)
		self.assertEqual(self.balances(), [0, 0, 0])

	def test_a_broken_off_import_goes_on_and_doubles_nothing(self):
		check = self.check(self.opening_balances())
		with queue() as jobs, patch.object(runs, "MEMBERSHIPS_IN_SET", 1):
			name = api.start(check.name)
			runs.divide(**jobs.pop(0)[1])
			((_function, arguments),) = jobs
			with patch.object(runs, "note", side_effect=[None, KeyboardInterrupt]):
				with self.assertRaises(KeyboardInterrupt):
					runs.work(**arguments)
			lose_workers()
			self.assertEqual(api.start(check.name), name, "it is gone on with")
			runs.work(**arguments)
			runs.work(**arguments)
		self.assertEqual(self.balances(), [100, 50, 25])
		with self.assertRaisesRegex(frappe.ValidationError, "nothing to import"):
			api.start(check.name)

	def test_a_deadlock_is_tried_again(self):
		"""With the transaction, the database has thrown away its savepoints."""
		one = self.customers[0]
		make_adjustment(one, 100)
		check = self.check(
			csv_of(["Customer", "Points", "Reason", "Explanation"], [one.name, -30, "Correction", "x"])
		)
		settle_in, deadlocks = adjustments.settle_in, [frappe.QueryDeadlockError]

		def settle(*arguments):
			if deadlocks:
				raise deadlocks.pop()
			settle_in(*arguments)

		def roll_back(save_point=None):
			if save_point:
				raise frappe.db.OperationalError(1305, f"SAVEPOINT {save_point} does not exist")

		with patch.object(adjustments, "settle_in", settle), patch.object(frappe.db, "rollback", roll_back):
			run = self.go_on("start", check)
		self.assertEqual((run.changed, run.faults), (1, 0), run.findings)
		self.assertEqual(balance(one), 70)

	def test_rows_that_somebody_else_kept_locked_can_be_done_later(self):
		check = self.check(self.opening_balances())
		for method, status in (("start", "Ready"), ("undo", "Imported")):
			with (
				patch.object(imports, "rows_of", side_effect=frappe.QueryTimeoutError),
				patch.object(frappe.db, "rollback"),
			):
				run = self.go_on(method, check)
			self.assertEqual((run.changed, run.faults), (0, 3))
			for row in self.rows(check):
				self.assertEqual((row.status, row.message), (status, "somebody else kept it locked"))
			self.assertEqual(self.go_on(method, check).changed, 3)
		self.assertEqual({row.message for row in self.rows(check)}, {None})

	def test_names_are_taken_before_customers_are_held(self):
		"""As by who inserts an adjustment and submits it in one request."""
		check, order = self.check(self.opening_balances()), []

		def noted(owner, name):
			function = getattr(owner, name)

			def called(*arguments):
				order.append(name)
				return function(*arguments)

			return patch.object(owner, name, called)

		with noted(batch, "name_all"), noted(membership, "hold"):
			self.go_on("start", check)
		self.assertEqual(order, ["name_all", "hold"])

	def test_who_meets_a_deadlock_is_asked_to_try_again(self):
		check = self.check(self.opening_balances())
		deadlock = patch.object(runs, "start_import", side_effect=frappe.QueryDeadlockError)
		with deadlock, self.assertRaises(LedgerBusy):
			api.start(check.name)

	def test_imports_outlive_the_clearing_of_old_runs(self):
		url = self.opening_balances()
		check, checked_only = self.check(url), self.check(url)
		run = self.go_on("start", check)
		for doc in (check, checked_only, run):
			long_ago = add_days(today(), -100)
			frappe.db.set_value(runs.DOCTYPE, doc.name, "creation", long_ago, update_modified=False)
		get_controller(runs.DOCTYPE).clear_old_logs(days=90)
		kept = [bool(frappe.db.exists(runs.DOCTYPE, doc.name)) for doc in (check, checked_only, run)]
		self.assertEqual(kept, [True, False, True])
		self.assertEqual((len(self.rows(check)), len(self.rows(checked_only))), (3, 0))
		self.assertEqual(self.go_on("undo", check).changed, 3)

	def test_statements_do_not_grow_with_the_rows(self):
		counts = []
		for number in (5, 60):
			customers = [make_customer(loyalty_program=self.program.name) for _ in range(number)]
			check = self.check(csv_of(["Customer", "Points"], *([c.name, 5] for c in customers)))
			names = [row.name for row in self.rows(check)]
			run = frappe._dict(kind="Import", name="x", owner="Administrator", import_check=check.name)
			with count_own_queries() as statements:
				imports.act(names, run)
			undo = run | {"kind": "Import Undo"}
			with count_own_queries() as undoing:
				imports.act(names, frappe._dict(undo))
			counts.append((len(statements), len(undoing)))
		self.assertEqual(*counts)
		self.assertGreater(min(counts[1]), 5)
		self.assertLessEqual(max(counts[1]), 25)


class TestFiles(ImportTestCase):
	def test_a_workbook(self):
		from frappe.utils.xlsxutils import make_xlsx

		rows = [
			["Customer", "Points", "Posting Date", "Expiry Date"],
			[self.customers[0].name, 100, getdate(add_days(today(), -3)), getdate(add_days(today(), 9))],
		]
		content = make_xlsx(rows, "Points").getvalue()
		check = self.check(file_of(content, f"points-{frappe.generate_hash(length=8)}.xlsx"))
		self.assertEqual((check.status, check.changed), ("Done", 1), check.findings)
		self.go_on("start", check)
		doc = frappe.get_doc(adjustments.DOCTYPE, self.rows(check)[0].adjustment)
		self.assertEqual(doc.posting_date, getdate(add_days(today(), -3)))
		self.assertEqual(doc.expiry_date, getdate(add_days(today(), 9)))
		self.assertEqual(doc.points, 100)

	def test_files_that_cannot_be_read(self):
		for url, message in (
			(csv_of(["Customer", "Bonus"], ["x", 5]), "no column Points"),
			(csv_of(["Points"], [5]), "no column Customer"),
			(csv_of(["Customer", "Points"]), "at least one row"),
			(file_of(b"PK\x03\x04 nonsense", f"x{frappe.generate_hash(length=8)}.xlsx"), "could not be read"),
		):
			check = self.check(url)
			self.assertEqual(check.status, "Failed", message)
			self.assertIn(message, check.findings[0].fault)
			self.assertEqual(self.rows(check), [])
			with self.assertRaisesRegex(frappe.ValidationError, "not a check that is done"):
				api.start(check.name)
		with self.assertRaisesRegex(frappe.ValidationError, "There is no file"):
			api.check("/private/files/none.csv")
		with self.assertRaisesRegex(frappe.ValidationError, "one of these types"):
			api.check(file_of("x", f"x{frappe.generate_hash(length=8)}.txt"))

	def test_what_a_file_may_not_say_is_left_out(self):
		run = frappe.get_last_doc("DocType")
		url = csv_of(
			["Customer", "Points", "Company", "Amended From", "Membership", "ID"],
			[self.customers[0].name, 5, "Nowhere", run.name, run.name, "MY-NAME"],
		)
		check = self.check(url)
		self.assertEqual((check.changed, check.faults), (1, 0), [f.fault for f in check.findings])
		self.go_on("start", check)
		doc = frappe.get_doc(adjustments.DOCTYPE, self.rows(check)[0].adjustment)
		self.assertEqual((doc.company, doc.amended_from), (self.program.company, None))
		self.assertNotEqual(doc.name, "MY-NAME")

	def test_rows_that_name_no_program_get_the_one_that_is_chosen(self):
		other = make_program()
		check = self.check(self.opening_balances(), loyalty_program=other.name)
		self.assertEqual((check.changed, check.faults), (0, 3))
		self.assertIn(f"is not in Loyalty Program {other.name}", self.rows(check)[0].message)

	def test_a_reference_has_to_be_there(self):
		invoice = make_invoice(self.customers[0], 100)
		heading = ["Customer", "Points", "Reference Document Type", "Reference Document"]
		check = self.check(
			csv_of(
				heading,
				[self.customers[0].name, 5, "Sales Invoice", invoice.name],
				[self.customers[1].name, 5, "Sales Invoice", "none of ours"],
			)
		)
		self.assertEqual([r.status for r in self.rows(check)], ["Ready", "Refused"])
		self.assertIn("none of ours", self.rows(check)[1].message)


class TestWhoMayImport(ImportTestCase):
	def test_roles(self):
		url = self.opening_balances()
		for roles, allowed in (
			(["Accounts User"], False),
			(["Auditor"], False),
			(["Accounts Manager"], True),
		):
			with as_user(make_user(*roles)):
				if allowed:
					own = self.opening_balances()
					self.assertEqual(self.check(own).changed, 3)
				else:
					self.assertRaises(frappe.PermissionError, api.check, url)
		check = self.check(url)
		with as_user(make_user("Accounts User")):
			self.assertRaises(frappe.PermissionError, api.start, check.name)
			self.assertRaises(frappe.PermissionError, api.undo, check.name)
			self.assertRaises(frappe.PermissionError, api.next_steps, check.name)
		with as_user(make_user("Auditor")):
			self.assertEqual(api.next_steps(check.name), {"import": 0, "undo": 0})
		with as_user(make_user("Accounts Manager")):
			self.assertEqual(api.next_steps(check.name), {"import": 3, "undo": 0})

	def test_files_of_others(self):
		manager, other = (make_user("Accounts Manager") for _ in range(2))
		with as_user(manager):
			url = self.opening_balances()
		with as_user(other):
			self.assertRaises(frappe.PermissionError, api.check, url)
			# the same content has the same address
			again = file_of(frappe.get_doc("File", {"file_url": url}).get_content(), url.rpartition("/")[2])
			self.assertEqual(again, url)
			self.assertEqual(self.check(url).changed, 3)

	def test_user_permissions_apply_to_each_row(self):
		user = make_user("Accounts Manager")
		for value in (self.customers[0].name, self.customers[2].name):
			frappe.get_doc(
				{"doctype": "User Permission", "user": user, "allow": "Customer", "for_value": value}
			).insert(ignore_permissions=True)
		with as_user(user):
			check = self.check(self.opening_balances())
		self.assertEqual([r.status for r in self.rows(check)], ["Ready", "Refused", "Ready"])

	def test_the_approver_is_not_who_made_the_file(self):
		self.program.reload()
		self.program.adjustment_needs_approver = 1
		self.program.save()
		author, approver = (make_user("Accounts Manager") for _ in range(2))
		with as_user(author):
			check = self.check(self.opening_balances())
			run = self.go_on("start", check)
		self.assertEqual((run.changed, run.faults), (0, 3))
		self.assertIn("somebody else has to submit", run.findings[0].fault)
		with as_user(author):
			check = self.check(self.opening_balances())
		with as_user(approver):
			run = self.go_on("start", check)
		self.assertEqual((run.changed, run.faults), (3, 0))
		doc = frappe.get_doc(adjustments.DOCTYPE, self.rows(check)[0].adjustment)
		self.assertEqual((doc.owner, doc.modified_by), (author, approver))

	def test_somebody_else_may_go_on_with_it(self):
		manager = make_user("Accounts Manager")
		with queue() as jobs:
			with as_user(manager):
				name = api.check(self.opening_balances())
			check = finish(name, jobs)
			with as_user(manager):
				name = api.start(check.name)
			finish(name, jobs)
		doc = frappe.get_doc(adjustments.DOCTYPE, self.rows(check)[0].adjustment)
		self.assertEqual((doc.owner, doc.modified_by), (manager, manager))
		self.assertEqual(frappe.session.user, "Administrator")


class TestFrappesDataImport(ImportTestCase):
	"""What Frappe's own Data Import does with adjustments, row by row."""

	def test_submit_after_import(self):
		from frappe.core.doctype.data_import.importer import Importer

		doc = frappe.get_doc(
			{
				"doctype": "Data Import",
				"reference_doctype": adjustments.DOCTYPE,
				"import_type": "Insert New Records",
				"submit_after_import": 1,
				"import_file": csv_of(
					["Customer", "Points", "Reason"],
					*([customer.name, 10, "Opening Balance"] for customer in self.customers),
				),
			}
		).insert()
		with patch.object(frappe.db, "commit"):
			Importer(adjustments.DOCTYPE, data_import=doc).import_data()
		self.assertEqual(self.balances(), [10, 10, 10])
		self.assertEqual(verify(find(self.customers[0].name, self.program.name)), [])
