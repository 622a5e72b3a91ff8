"""Terminals at once: rules 5. Each request is a thread with its own database connection, as on a server.

On SQLite writers queue up for the one write lock; on MariaDB they meet at the membership's row lock.
"""

from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager, nullcontext
from threading import Event
from unittest.mock import patch

import frappe
from erpnext.accounts.doctype.sales_invoice.sales_invoice import SalesInvoice, make_sales_return
from frappe.utils import add_days, getdate, today

from loyalty_app.ledger import LedgerBusy, batch, imports, membership, merge, privacy, rebuild, terms, verify
from loyalty_app.ledger.membership import find, spendable
from loyalty_app.tests.rest import RestClient
from loyalty_app.tests.test_documents import balance, earned, entries_of
from loyalty_app.tests.utils import (
	IntegrationTestCase,
	company,
	make_adjustment,
	make_customer,
	make_invoice,
	make_item,
	make_program,
	make_promotion,
	make_return,
)

TERMINALS = 6


@contextmanager
def impatient(seconds: int = 1):
	"""Let requests wait no longer than this for somebody else's lock."""
	database = type(frappe.local.db)
	connect = database.connect
	setting = {
		"mariadb": f"set session innodb_lock_wait_timeout = {seconds}",
		"postgres": f"set lock_timeout = '{seconds}s'",
		"sqlite": f"pragma busy_timeout = {seconds * 1000}",
	}[frappe.db.db_type]

	def impatiently(self):
		connect(self)
		self._cursor.execute(setting)

	with patch.object(database, "connect", impatiently):
		yield


class TestConcurrency(IntegrationTestCase):
	def setUp(self):
		self.program = make_program()
		self.customer = make_customer(loyalty_program=self.program.name)
		self.api, self.site = RestClient(), frappe.local.site

	def submit_all(self, drafts):
		"""Submit drafts at the same time; return the statuses of the answers and their bodies."""
		return self.move_all([(draft, 1) for draft in drafts])

	def move_all(self, moves):
		"""Bring documents to a docstatus, each its own, all at the same time; return statuses and bodies."""
		frappe.db.commit()
		with ThreadPoolExecutor(len(moves)) as pool:
			answers = list(pool.map(lambda move: self.move(*move), moves))
		frappe.db.rollback()
		return answers

	def move(self, doc, docstatus):
		return self.api.open("PUT", f"/api/resource/{doc.doctype}/{doc.name}", json={"docstatus": docstatus})

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

	def test_a_person_is_forgotten_while_points_move(self):
		bonus = {"customer": self.customer.name, "loyalty_program": self.program.name, "loyalty_points": 5}
		frappe.get_doc(
			{"doctype": "Loyalty Point Entry", **bonus, "discretionary_reason": "For the first time"}
		).insert(ignore_permissions=True)
		draft = self.drafts(1)[0]
		frappe.db.commit()
		name = find(self.customer.name, self.program.name)
		status, body = self.elsewhere(draft, 1)
		self.assertEqual(status, 200, body)
		if frappe.db.db_type == "sqlite":
			frappe.db.rollback()  # what has been read is too old to go on with
		privacy.forget(
			privacy.Person(
				"nobody@loyalty.example",
				"forgotten",
				("nobody@loyalty.example",),
				{self.customer.name: self.customer.name},
			)
		)
		frappe.db.commit()
		self.assertEqual(verify(name), [])
		self.assertEqual(frappe.db.count("Loyalty Point Log", {"membership": name}), 2)

	def test_of_two_invoices_one_fits(self):
		make_invoice(self.customer, 1000)
		answers = self.submit_all(self.drafts(2, amount=100, redeem=60))
		self.assertEqual(sorted(status for status, _body in answers), [200, 417])
		self.assertEqual(balance(self.customer), 100 - 60 + 4)
		self.assertEqual(verify(find(self.customer.name, self.program.name)), [])

	def test_of_two_invoices_both_fit(self):
		make_invoice(self.customer, 1000)
		self.assert_all_submitted(self.drafts(2, amount=100, redeem=50))
		self.assertEqual(balance(self.customer), 100 - 2 * 50 + 2 * 5)
		self.assertEqual(verify(find(self.customer.name, self.program.name)), [])

	def test_the_last_places_of_a_promotion_go_to_as_many(self):
		"""Different customers, who share no other lock; then with a cancel that frees a place."""
		promotion = make_promotion(self.program, limit_total=3)
		customers = [make_customer(loyalty_program=self.program.name) for _ in range(TERMINALS)]
		first = make_invoice(customers[0], 100)
		drafts = [make_invoice(customer, 100, submit=False) for customer in customers[1:]]
		self.assert_all_submitted(drafts)
		self.assertEqual(sorted(earned(d).loyalty_points for d in drafts), [10, 10, 10, 20, 20])
		more = [make_invoice(customer, 100, submit=False) for customer in customers[1:]]
		answers = self.move_all([(first, 2), *((draft, 1) for draft in more)])
		self.assertEqual([body for status, body in answers if status != 200], [])
		given = sum(earned(d).loyalty_points == 20 for d in more)
		self.assertLessEqual(given, 1)
		self.assertEqual(frappe.db.get_value("Loyalty Promotion", promotion.name, "uses"), 2 + given)
		self.assertEqual(verify(), [])

	def test_a_limit_counts_the_invoice_that_was_submitted_while_it_was_set(self):
		"""The request that sets it has begun to read before, and sees nothing of the invoice's entries."""
		promotion = make_promotion(self.program)
		(draft,) = self.drafts(1)
		frappe.db.commit()
		request = frappe.get_doc("Loyalty Promotion", promotion.name)
		self.assertEqual(self.elsewhere(draft, 1)[0], 200)
		request.limit_total = 2
		# On SQLite, a transaction that has read may not write once another has.
		is_refused = frappe.db.db_type == "sqlite"
		with self.assertRaises(frappe.QueryDeadlockError) if is_refused else nullcontext():
			request.save()
		if is_refused:
			frappe.db.rollback()
			request.reload()
			request.limit_total = 2
			request.save()
		frappe.db.commit()
		self.assertEqual(frappe.db.get_value("Loyalty Promotion", promotion.name, "uses"), 1)
		self.assertEqual(verify(), [])

	def test_a_limit_counts_the_invoice_that_is_committed_after_it_was_set(self):
		"""It has given points while there was no limit, and nothing to count."""
		promotion = make_promotion(self.program)
		first, draft = self.drafts(2)
		frappe.db.commit()
		first.submit()  # reads the promotion under a lock, as the first one does after it was saved
		frappe.db.commit()
		draft.submit()
		path = f"/api/resource/Loyalty Promotion/{promotion.name}"
		with ThreadPoolExecutor(1) as pool:
			setting = pool.submit(self.api.open, "PUT", path, json={"limit_total": 3})
			wait([setting], timeout=2)
			frappe.db.commit()
			status, body = setting.result()
		if frappe.db.db_type == "sqlite":  # a transaction that has read may not write once another has
			status, body = self.meanwhile(self.api.open, "PUT", path, json={"limit_total": 3})
		self.assertEqual(status, 200, body)
		frappe.db.rollback()
		self.assertEqual(frappe.db.get_value("Loyalty Promotion", promotion.name, "uses"), 2)
		self.assertEqual(verify(), [])

	def test_an_invoice_that_meets_the_end_of_a_promotion_goes_by_it(self):
		"""It has the promotion at hand, and may have put it into everybody's cache like that."""
		promotion = make_promotion(self.program)
		(draft,) = self.drafts(1)
		frappe.db.commit()
		before = terms.promotions_of(self.program.name)
		self.assertEqual([doc.name for doc in before], [promotion.name])
		path = f"/api/resource/Loyalty Promotion/{promotion.name}"
		status, body = self.meanwhile(self.api.open, "PUT", path, json={"enabled": 0})
		self.assertEqual(status, 200, body)
		terms.keep_promotions(self.program.name, before)
		# On SQLite, a transaction that has read may not write once another has.
		is_refused = frappe.db.db_type == "sqlite"
		request = frappe.get_doc("Sales Invoice", draft.name)
		with self.assertRaises(frappe.ValidationError) if is_refused else nullcontext():
			request.submit()
		frappe.db.rollback() if is_refused else frappe.db.commit()
		if is_refused:
			frappe.get_doc("Sales Invoice", draft.name).submit()
		self.assertEqual(earned(draft).loyalty_points, 10)
		frappe.local.cache.clear()
		self.assertEqual(terms.promotions_of(self.program.name), [])

	def test_submits_cancels_and_returns_at_once(self):
		make_invoice(self.customer, 10_000)
		to_cancel = make_invoice(self.customer, 1000, redeem=50)
		to_return = make_invoice(self.customer, items=[{"rate": 500, "qty": 2}], redeem=40)
		returned = make_invoice(self.customer, items=[{"rate": 500, "qty": 2}], redeem=40)
		moves = [
			(to_cancel, 2),
			(make_return(to_return, qty=1, submit=False), 1),
			(make_return(returned, qty=1), 2),
			*((draft, 1) for draft in self.drafts(3, amount=100, redeem=10)),
		]
		answers = self.move_all(moves)
		self.assertEqual([body for status, body in answers if status != 200], [])
		self.assertEqual(entries_of(to_cancel), [])
		half_returned, whole_again = 48 - 20, 96 - 40
		self.assertEqual(balance(self.customer), 1000 + half_returned + whole_again + 3 * (9 - 10))
		self.assertEqual(verify(find(self.customer.name, self.program.name)), [])

	def test_returns_of_one_invoice_at_once(self):
		"""Each locks the others that there are, too: all wait for the customer first, or they would for each other.

		As the desk submits. Frappe's REST API locks the document before anybody else is asked, so that there it may come
		to "please try again".
		"""
		make_invoice(self.customer, 5000)
		invoice = make_invoice(self.customer, items=[{"rate": 250, "qty": 4}], redeem=40)
		drafts = [make_return(invoice, qty=1, submit=False).as_json() for _ in range(4)]
		frappe.db.commit()

		def submit(draft):
			return self.api.open("POST", "/api/method/frappe.client.submit", json={"doc": draft})

		with ThreadPoolExecutor(len(drafts)) as pool:
			answers = list(pool.map(submit, drafts))
		frappe.db.rollback()
		self.assertEqual([body for status, body in answers if status != 200], [])
		self.assertEqual(balance(self.customer), 500)
		self.assertEqual(verify(find(self.customer.name, self.program.name)), [])

	def test_a_return_that_is_made_meanwhile_is_known_by_its_lines(self):
		"""What comes back of an excluded item takes no points back, though another request was not to see its lines."""
		gift_card = make_item().name
		self.program.append("exclusions", {"exclude_type": "Item", "exclude_value": gift_card})
		self.program.save()
		items = [{"rate": 50, "qty": 2}, {"rate": 100, "qty": 1, "item_code": gift_card}]
		invoice = make_invoice(self.customer, items=items)
		self.assertEqual(earned(invoice).loyalty_points, 10)
		draft = make_return(invoice, qty=1, submit=False)
		other = make_sales_return(invoice.name)
		other.items = [row for row in other.items if row.item_code == gift_card]
		other.docstatus = 1
		frappe.db.commit()
		request = frappe.get_doc("Sales Invoice", draft.name)
		status, body = self.meanwhile(
			self.api.open, "POST", "/api/resource/Sales Invoice", json=frappe.parse_json(other.as_json())
		)
		self.assertEqual(status, 200, body)
		if frappe.db.db_type == "sqlite":
			frappe.db.rollback()  # a transaction that has read may not write once another has
		request.submit()
		frappe.db.commit()
		self.assertEqual((earned(invoice).loyalty_points, float(earned(invoice).purchase_amount)), (5, 50))
		self.assertEqual(verify(find(self.customer.name, self.program.name)), [])

	def test_an_invoice_is_cancelled_whose_customer_was_renamed_meanwhile(self):
		invoice = make_invoice(self.customer, 1000)
		frappe.db.commit()
		request, name = frappe.get_doc("Sales Invoice", invoice.name), f"{self.customer.name} Anew"
		status, body = self.meanwhile(
			self.api.open,
			"POST",
			"/api/method/frappe.client.rename_doc",
			json={"doctype": "Customer", "old_name": self.customer.name, "new_name": name},
		)
		self.assertEqual(status, 200, body)
		if frappe.db.db_type == "sqlite":
			frappe.db.rollback()
		with self.assertRaises(LedgerBusy):
			request.cancel()
		frappe.db.rollback()
		self.assertEqual(spendable(find(name, self.program.name), getdate()), 100)
		frappe.get_doc("Sales Invoice", invoice.name).cancel()
		self.assertEqual(entries_of(invoice), [])
		self.assertEqual(verify(find(name, self.program.name)), [])

	def test_an_invoice_goes_by_the_program_that_the_customer_is_in_now(self):
		"""Whatever a request that began before the change has put back into the cache."""
		other = make_program(tiers=[("Silver", 0, 5)])
		for customer in (self.customer, make_customer()):
			with self.subTest(was_in=customer.loyalty_program):
				draft = make_invoice(customer, 100, submit=False)
				before = frappe.get_doc("Customer", customer.name)
				customer.reload()
				customer.loyalty_program = other.name
				customer.save()
				frappe.cache.set_value(frappe.get_document_cache_key("Customer", before.name), before)
				frappe.local.cache.clear()
				draft.submit()
				self.assertEqual(
					(earned(draft).loyalty_program, earned(draft).loyalty_points), (other.name, 20)
				)
				self.assertEqual(
					frappe.get_cached_value("Customer", before.name, "loyalty_program"), other.name
				)

	def test_a_return_is_refused_whose_invoice_is_cancelled_meanwhile(self):
		"""The request to submit it has seen the invoice submitted, and must not settle by what it saw."""
		make_invoice(self.customer, 5000)
		invoice = make_invoice(self.customer, items=[{"rate": 250, "qty": 4}], redeem=40)
		draft = make_return(invoice, qty=1, submit=False)
		frappe.db.commit()
		request = frappe.get_doc("Sales Invoice", draft.name)
		self.assertEqual(self.elsewhere(invoice, 2)[0], 200)
		with self.assertRaises(frappe.ValidationError):
			request.submit()
		frappe.db.rollback()
		self.assertEqual(frappe.db.get_value("Sales Invoice", draft.name, "docstatus"), 0)
		self.assertEqual(entries_of(invoice), [])
		self.assertEqual(balance(self.customer), 500)
		self.assertEqual(verify(find(self.customer.name, self.program.name)), [])

	def test_a_lot_that_a_return_makes_anew_is_known_to_be_told_of(self):
		"""Its customer was told that it expires after the request to submit the return began."""
		invoice = make_invoice(self.customer, items=[{"rate": 250, "qty": 4}])
		draft = make_return(invoice, qty=1, submit=False)
		frappe.db.commit()
		request = frappe.get_doc("Sales Invoice", draft.name)
		table = "Loyalty Point Entry"
		self.meanwhile(self.connected, "set_value", table, earned(invoice).name, "expiry_notice_on", today())
		if frappe.db.db_type == "sqlite":
			frappe.db.rollback()  # a transaction that has read may not write once another has
		request.submit()
		frappe.db.commit()
		self.assertEqual((earned(invoice).loyalty_points, earned(invoice).expiry_notice_on), (75, getdate()))

	def test_after_a_renaming_memberships_go_by_the_customer_as_it_is_now(self):
		"""Who has left the program after the request began."""
		frappe.db.commit()
		name = find(self.customer.name, self.program.name)
		self.meanwhile(self.connected, "set_value", "Customer", self.customer.name, "loyalty_program", None)
		if frappe.db.db_type == "sqlite":
			frappe.db.rollback()
		membership.hold(self.customer.name)
		merge.refresh_customer(self.customer.name)
		frappe.db.commit()
		self.assertEqual(frappe.db.get_value("Loyalty Membership", name, "active"), 0)
		self.assertEqual(verify(name), [])

	def test_an_adjustment_takes_points_that_are_there_again(self):
		"""The request to submit it has seen them spent; and what could be spent yesterday, only the lots tell."""
		yesterday = add_days(today(), -1)
		make_invoice(self.customer, 1000, posting_date=yesterday)
		draft = make_adjustment(self.customer, -100, posting_date=yesterday, submit=False)
		spent = make_invoice(self.customer, 100, redeem=100, posting_date=yesterday)
		frappe.db.commit()
		request = frappe.get_doc(draft.doctype, draft.name)
		self.assertEqual(self.elsewhere(spent, 2)[0], 200)
		# On SQLite, a transaction that has read may not write once another has.
		is_refused = frappe.db.db_type == "sqlite"
		with self.assertRaises(LedgerBusy) if is_refused else nullcontext():
			request.submit()
			frappe.db.commit()
		frappe.db.rollback()
		self.assertEqual(balance(self.customer), 100 if is_refused else 0)
		self.assertEqual(verify(find(self.customer.name, self.program.name)), [])

	def test_a_customer_saved_while_an_invoice_changes_the_tier_shows_the_new_one(self):
		program, customer, draft = self.on_the_way_to_gold(100, 2000)
		request = frappe.get_doc("Customer", customer.name)
		self.assertEqual(self.elsewhere(draft, 1)[0], 200)
		request.website = "https://example.com"
		# On SQLite, a transaction that has read may not write once another has.
		is_refused = frappe.db.db_type == "sqlite"
		with self.assertRaises(LedgerBusy) if is_refused else nullcontext():
			request.save()
			frappe.db.commit()
		frappe.db.rollback()
		self.assertEqual(frappe.db.get_value("Customer", customer.name, "loyalty_program_tier"), "Gold")
		self.assertEqual(verify(find(customer.name, program.name)), [])

	def test_an_invoice_that_meets_an_edit_of_the_program_goes_by_the_new_terms(self):
		"""It has the program at hand as it was, and may have put it into everybody's cache like that."""
		program, customer, draft = self.on_the_way_to_gold(600, 100)
		request = frappe.get_doc("Sales Invoice", draft.name)
		before = frappe.get_cached_doc("Loyalty Program", program.name)
		rules = [
			{"tier_name": "Silver", "min_spent": 0, "collection_factor": 10},
			{"tier_name": "Gold", "min_spent": 500, "collection_factor": 5},
		]
		path = f"/api/resource/Loyalty Program/{program.name}"
		status, body = self.meanwhile(self.api.open, "PUT", path, json={"collection_rules": rules})
		self.assertEqual(status, 200, body)
		frappe.cache.set_value(frappe.get_document_cache_key("Loyalty Program", program.name), before)
		# On SQLite, a transaction that has read may not write once another has.
		is_refused = frappe.db.db_type == "sqlite"
		with self.assertRaises(frappe.ValidationError) if is_refused else nullcontext():
			request.submit()
		frappe.db.rollback() if is_refused else frappe.db.commit()
		if is_refused:
			frappe.get_doc("Sales Invoice", draft.name).submit()
		self.assertEqual(frappe.db.get_value("Customer", customer.name, "loyalty_program_tier"), "Gold")
		self.assertEqual(earned(draft).loyalty_points, 20)
		frappe.local.cache.clear()
		cached = frappe.get_cached_doc("Loyalty Program", program.name)
		self.assertEqual([row.min_spent for row in cached.collection_rules], [0, 500])
		self.assertEqual(verify(find(customer.name, program.name)), [])

	def test_an_adjustment_that_meets_an_edit_of_the_program_goes_by_the_new_terms(self):
		for values, refusal in (
			({"expiry_duration": 5}, None),
			({"adjustment_needs_approver": 1}, "somebody else has to submit"),
		):
			with self.subTest(**values):
				draft = make_adjustment(self.customer, 10, submit=False)
				frappe.db.commit()
				request = frappe.get_doc(draft.doctype, draft.name)
				before = frappe.get_cached_doc("Loyalty Program", self.program.name)
				path = f"/api/resource/Loyalty Program/{self.program.name}"
				status, body = self.meanwhile(self.api.open, "PUT", path, json=values)
				self.assertEqual(status, 200, body)
				if frappe.db.db_type == "sqlite":
					frappe.db.rollback()  # a transaction that has read may not write once another has
				key = frappe.get_document_cache_key("Loyalty Program", self.program.name)
				frappe.cache.set_value(key, before)
				if refusal:
					with self.assertRaisesRegex(frappe.ValidationError, refusal):
						request.submit()
				else:
					request.submit()
					self.assertEqual(getdate(request.expiry_date), getdate(add_days(today(), 5)))
				frappe.db.rollback()

	def test_a_first_invoice_meanwhile_keeps_program_company_and_customer_as_they_are(self):
		"""Who deletes or moves them has seen that there is nothing yet."""
		other = company("Loyalty Test Other Co", "LTOC")
		for refusal, act in (
			("has a history", lambda program, customer: program.delete()),
			("cannot be changed", lambda program, customer: program.update({"company": other}).save()),
			("points are on record", lambda program, customer: customer.delete()),
		):
			program = make_program(expense_account=None, cost_center=None)
			customer = make_customer(loyalty_program=program.name)
			draft = make_invoice(customer, 100, submit=False)
			frappe.db.commit()
			program.reload()
			customer.reload()
			self.assertEqual(self.elsewhere(draft, 1)[0], 200)
			# On SQLite, a transaction that has read may not write once another has.
			is_refused = self.assertRaises((frappe.QueryDeadlockError, LedgerBusy))
			if frappe.db.db_type != "sqlite":
				is_refused = self.assertRaisesRegex(frappe.ValidationError, refusal)
			with self.subTest(refusal), is_refused:
				act(program, customer)
			frappe.db.rollback()
			self.assertEqual(verify(find(customer.name, program.name)), [])
			self.assertEqual(balance(customer), 10)
			program.reload()
			self.assertEqual(earned(draft).company, program.company)

	def test_a_membership_is_rebuilt_while_points_move(self):
		"""What was read before waiting for the locks must not be written over what was done meanwhile."""
		lot = make_invoice(self.customer, 1000)
		draft = make_invoice(self.customer, 100, redeem=30, submit=False)
		name = find(self.customer.name, self.program.name)
		frappe.db.set_value("Loyalty Point Entry", earned(lot).name, "remaining_points", 97)
		frappe.db.commit()
		hold, answers = membership.lock_customers, []

		def hold_after_a_terminal(customers):
			if not answers:
				answers.append(None)  # the terminal holds the customer, too
				answers[0] = self.elsewhere(draft, 1)
			return hold(customers)

		with patch.object(membership, "lock_customers", hold_after_a_terminal):
			self.assertNotEqual(rebuild(name), [])
		frappe.db.commit()
		self.assertEqual(answers[0][0], 200, answers)
		self.assertEqual(earned(lot).remaining_points, 70)
		self.assertEqual(balance(self.customer), 100 - 30 + 7)
		self.assertEqual(verify(name), [])

	def test_an_import_is_undone_while_points_move(self):
		"""What it has read before it waits for the locks is not what there is once it has them."""
		imported = make_adjustment(self.customer, 50)
		(draft,) = self.drafts(1, amount=100)
		self.while_a_batch_waits(
			lambda: self.elsewhere(draft, 1),
			lambda: imports.undo([frappe._dict(adjustment=imported.name)], None),
		)
		self.assertEqual(balance(self.customer), 10)
		name = find(self.customer.name, self.program.name)
		self.assertEqual(membership.state(name).next_expiry, earned(draft).expiry_date)
		self.assertEqual(verify(name), [])

	def test_an_import_is_undone_while_its_customer_is_renamed(self):
		imported = make_adjustment(self.customer, 50)
		name = f"{self.customer.name} Anew"
		self.while_a_batch_waits(
			lambda: self.api.open(
				"POST",
				"/api/method/frappe.client.rename_doc",
				json={"doctype": "Customer", "old_name": self.customer.name, "new_name": name},
			),
			lambda: imports.undo([frappe._dict(adjustment=imported.name)], None),
			error=LedgerBusy,
		)
		self.assertEqual(entries_of(imported), [])
		self.assertEqual(verify(find(name, self.program.name)), [])

	def test_an_import_meets_a_membership_that_is_opened_meanwhile(self):
		frappe.db.delete("Loyalty Membership", {"customer": self.customer.name})
		(draft,) = self.drafts(1, amount=100)
		doc = make_adjustment(self.customer, 50, submit=False)

		def import_it():
			together = batch.Batch([frappe.get_doc(doc.doctype, doc.name)], open_missing=True)
			self.assertEqual([told.after for told in together.submit_all(None)], [60])
			frappe.db.rollback()

		self.while_a_batch_waits(lambda: self.elsewhere(draft, 1), import_it, error=LedgerBusy)
		self.assertEqual(balance(self.customer), 10)

	def while_a_batch_waits(self, request, act, error=None):
		"""Let `act` make a batch, and `request` be answered before that has its locks; it may be refused with `error`, and
		is to go through when it is tried again."""
		frappe.db.commit()
		hold, answers = membership.hold, []

		def hold_after_the_request(*customers):
			if not answers:
				answers.append(None)  # the request holds the customer, too
				answers[0] = self.meanwhile(request)
			return hold(*customers)

		if frappe.db.db_type == "sqlite":  # a transaction that has read may not write once another has
			error = frappe.QueryDeadlockError
		with patch.object(membership, "hold", hold_after_the_request):
			frappe.db.get_value("Customer", self.customer.name, "customer_name")
			with self.assertRaises(error) if error else nullcontext():
				act()
		self.assertEqual(answers[0][0], 200, answers)
		if error:
			frappe.db.rollback()
			act()
		frappe.db.commit()

	def elsewhere(self, doc, docstatus):
		"""Bring an invoice to a docstatus in another request, while this one goes on."""
		return self.meanwhile(self.move, doc, docstatus)

	def meanwhile(self, request, *arguments, **options):
		"""What a request answers that is made while this one goes on."""
		with ThreadPoolExecutor(1) as pool:
			return pool.submit(request, *arguments, **options).result()

	def connected(self, method, *arguments):
		"""Let a database connection of its own do something, and commit."""
		frappe.init(site=self.site)
		frappe.connect()
		try:
			getattr(frappe.db, method)(*arguments)
			frappe.db.commit()
		finally:
			frappe.destroy()

	def on_the_way_to_gold(self, spent, more):
		"""A program with a tier from 1,000 on, a customer who has spent so much, and a draft for more."""
		program = make_program(tiers=[("Silver", 0, 10), ("Gold", 1000, 5)])
		customer = make_customer(loyalty_program=program.name)
		make_invoice(customer, spent)
		draft = make_invoice(customer, more, submit=False)
		frappe.db.commit()
		return program, customer, draft

	def test_invoices_and_adjustments_take_the_same_points_once(self):
		lot = make_invoice(self.customer, 1000)
		adjustments = [make_adjustment(self.customer, -100, submit=False) for _ in range(3)]
		answers = self.submit_all(self.drafts(3, amount=100, redeem=100) + adjustments)
		self.assertEqual(sorted(status for status, _body in answers), [200] + [417] * 5)
		self.assertEqual(earned(lot).remaining_points, 0)
		self.assertEqual(balance(self.customer), 0)
		self.assertEqual(verify(find(self.customer.name, self.program.name)), [])

	def test_transfers_there_and_back_at_once(self):
		"""Both lock both customers: in one order, or they would wait for each other."""
		other = make_customer(loyalty_program=self.program.name)
		for customer in (self.customer, other):
			make_invoice(customer, 1000)
		drafts = [
			make_adjustment(giver, points, submit=False, reason="Transfer", to_customer=getter.name)
			for giver, getter, points in 3 * ((self.customer, other, 10), (other, self.customer, 7))
		]
		self.assert_all_submitted(drafts)
		self.assertEqual((balance(self.customer), balance(other)), (100 - 9, 100 + 9))
		for customer in (self.customer, other):
			self.assertEqual(verify(find(customer.name, self.program.name)), [])

	def test_who_waits_too_long_is_asked_to_try_again(self):
		lot = make_invoice(self.customer, 1000)
		(draft,) = self.drafts(1, redeem=10)
		frappe.db.commit()
		membership.hold(self.customer.name)
		with impatient():
			answer = self.elsewhere(draft, 1)
		self.assert_busy(answer, draft, lot)

	def test_an_adjustment_that_waits_too_long_is_to_be_tried_again(self):
		draft = make_adjustment(self.customer, 10, submit=False)
		frappe.db.commit()
		membership.hold(self.customer.name)
		with impatient():
			answer = self.elsewhere(draft, 1)
		self.assert_refused_as_busy(answer)
		self.assertEqual(frappe.db.get_value(draft.doctype, draft.name, "docstatus"), 0)
		self.assert_all_submitted([draft])
		self.assertEqual(balance(self.customer), 10)

	def test_who_is_in_a_deadlock_is_asked_to_try_again(self):
		"""This test locks against the order that all keep, as other people's code may."""
		lot = make_invoice(self.customer, 1000)
		(draft,) = self.drafts(1, redeem=10)
		name = find(self.customer.name, self.program.name)
		frappe.db.commit()
		membership.lock(name)
		# The database ends the transaction that has written less.
		frappe.db.bulk_insert("ToDo", ["name"], [(frappe.generate_hash(),) for _ in range(200)])
		held, hold = Event(), membership.hold

		def hold_and_tell(*customers):
			found = hold(*customers)
			held.set()
			return found

		with impatient(2), ThreadPoolExecutor(1) as pool:
			with patch.object(membership, "hold", hold_and_tell):
				answer = pool.submit(self.move, draft, 1)
				# Where one writer keeps out all others, the request does not get so far.
				if held.wait(2):
					hold(self.customer.name)
			answer = answer.result()
		self.assert_busy(answer, draft, lot)

	def test_a_deadlock_over_rows_of_erpnext_is_to_be_tried_again(self):
		"""ERPNext's general ledger locks gaps between vouchers, so that two customers' cancels may collide there."""
		doc = make_invoice(self.customer)
		for method, act in (("on_cancel", doc.cancel), ("validate", frappe.copy_doc(doc).insert)):
			deadlock = patch.object(SalesInvoice, method, side_effect=frappe.QueryDeadlockError)
			with self.subTest(method), deadlock, self.assertRaises(LedgerBusy):
				act()

	def test_a_program_that_is_saved_gives_way_to_an_invoice(self):
		self.program.reload()
		self.program.collection_rules[0].tier_name = "Another"
		deadlock = patch.object(membership, "lock_customers", side_effect=frappe.QueryDeadlockError)
		with deadlock, self.assertRaises(LedgerBusy):
			self.program.save()

	def assert_busy(self, answer, draft, lot):
		"""The request to submit `draft` was refused because of a lock, left nothing, and may be repeated."""
		self.assert_refused_as_busy(answer)
		self.assertEqual(frappe.db.get_value("Sales Invoice", draft.name, "docstatus"), 0)
		self.assertEqual(entries_of(draft), [])
		self.assertFalse(frappe.db.exists("GL Entry", {"voucher_no": draft.name}))
		self.assertEqual(earned(lot).remaining_points, 100)
		self.assert_all_submitted([draft])
		self.assertEqual(balance(self.customer), 100 - 10 + 9)
		self.assertEqual(verify(find(self.customer.name, self.program.name)), [])

	def assert_refused_as_busy(self, answer):
		status, body = answer
		if frappe.db.db_type == "sqlite":
			# All requests wait for the one write lock before they do anything: no ledger is asked.
			self.assertNotEqual(status, 200)
		else:
			self.assertEqual((status, body["exc_type"]), (409, "LedgerBusy"))
			self.assertIn("please try again", str(body))
		frappe.db.rollback()
