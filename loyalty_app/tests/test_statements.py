"""How many statements the ledger adds to a request: counted, so that nobody makes it grow again.

What is counted are the statements that this app's own code asks for. Counts do not depend on the machine, and an event
that costs the same with 10 and with 2,000 lots that are over does nothing for each of them.
"""

import frappe

from loyalty_app.api import desk, v1
from loyalty_app.ledger import audit, bulk, entries, expiry, log, membership, verify
from loyalty_app.ledger.membership import ensure, find, look, spendable_by, summary
from loyalty_app.tests.history import add_closed_lots, add_open_lots
from loyalty_app.tests.utils import (
	IntegrationTestCase,
	count_own_queries,
	count_queries,
	make_adjustment,
	make_customer,
	make_invoice,
	make_item,
	make_program,
	make_promotion,
	tree_node,
)
from loyalty_app.tests.work import count_work, work_in, work_of

FEW, MANY = 10, 2_000


class TestStatements(IntegrationTestCase):
	@classmethod
	def setUpClass(cls):
		super().setUpClass()
		cls.program = make_program(tiers=[("Silver", 0, 10), ("Gold", 1_000_000, 5)])
		cls.few, cls.many = cls.make_member(FEW), cls.make_member(MANY)
		for customer in (cls.few, cls.many):  # fill what Frappe and ERPNext keep in memory
			make_invoice(customer, redeem=1)

	@classmethod
	def make_member(cls, closed_lots):
		customer = make_customer(loyalty_program=cls.program.name)
		name = find(customer.name, cls.program.name)
		add_closed_lots(name, closed_lots)
		add_open_lots(name, 30)
		assert verify(name) == [], verify(name)[:3]
		return customer

	def statements_of_submit(self, customer, counter=count_queries, **kwargs):
		draft = make_invoice(customer, submit=False, **kwargs)
		draft = frappe.get_doc(draft.doctype, draft.name)
		with counter() as statements:
			draft.submit()
		self.addCleanup(draft.cancel)  # so that each test begins in the lower tier
		return statements

	def assert_at_most(self, limit, statements):
		self.assertLessEqual(len(statements), limit, "\n".join(s[:150] for s in statements))

	def tier_changed(self, statements):
		return any(s.replace("`", "").replace('"', "").startswith("UPDATE tabCustomer") for s in statements)

	def test_earning(self):
		few, many = (
			self.statements_of_submit(customer, count_own_queries) for customer in (self.few, self.many)
		)
		self.assert_at_most(6, few)
		for written in ("tabLoyalty Point Entry", "tabLoyalty Point Log", "tabLoyalty Membership"):
			self.assertTrue(any(written in s for s in few), "the count misses what is written")
		self.assertEqual(len(few), len(many))
		# A lock where a new member has no entries yet would keep another new member's first ones out.
		self.assertEqual([s for s in few if "tabLoyalty Point Entry" in s and s.endswith("FOR UPDATE")], [])

	def test_earning_where_the_tier_changes(self):
		for customer in (self.few, self.many):
			statements = self.statements_of_submit(customer, count_own_queries, amount=1_000_000)
			self.assert_at_most(7, statements)
			self.assertTrue(self.tier_changed(statements))

	def test_promotions(self):
		"""However many there are, and whatever they look at: items and their groups, two more trees, the last for the places
		that are left."""
		program = make_program()
		customer = make_customer(loyalty_program=program.name)
		items = [{"item_code": make_item().name, "rate": 100} for _ in range(5)]
		make_invoice(customer, items=items)

		def submit():
			draft = make_invoice(customer, items=items, submit=False)
			draft = frappe.get_doc(draft.doctype, draft.name)
			with count_own_queries() as statements:
				draft.submit()
			return statements

		self.assert_at_most(6, submit())
		make_promotion(program)
		submit()  # reads the promotion into Frappe's cache
		self.assert_at_most(6, submit())
		groups = [tree_node("Item Group", is_group=1) for _ in range(3)]
		above = {
			"customer_group": frappe.db.get_value(
				"Customer Group", customer.customer_group, "parent_customer_group"
			),
			"customer_territory": frappe.db.get_value("Territory", customer.territory, "parent_territory"),
		}
		counts = []
		for _ in range(2):
			for group in groups:
				make_promotion(program, exclusions=[("Item Group", group)], limit_total=9, **above)
			submit()
			counts.append(submit())
		self.assert_at_most(6 + 6, counts[0])
		self.assertEqual(len(counts[0]), len(counts[1]))

	def test_redeeming_over_three_lots(self):
		"""The statements of this app: that the books of a redemption have two rows more is ERPNext's share."""
		for amount, limit, changes_tier in ((100, 10, False), (1_100_000, 11, True)):
			counts = []
			for customer in (self.few, self.many):
				with self.subTest(amount=amount, customer=customer.name):
					statements = self.statements_of_submit(
						customer, count_own_queries, amount=amount, redeem=29
					)
					self.assert_at_most(limit, statements)
					self.assertEqual(self.tier_changed(statements), changes_tier)
					counts.append(len(statements))
			self.assertEqual(len(set(counts)), 1, counts)
		self.assertEqual(verify(find(self.many.name, self.program.name)), [])

	def test_what_the_database_has_to_read(self):
		"""A statement may be one and still go through all of a customer's history."""
		for kind, values in (("earn", {"amount": 100}), ("redeem", {"amount": 100, "redeem": 29})):
			with self.subTest(kind):
				few, many = (
					work_in(self.statements_of_submit(customer, count_work, **values))
					for customer in (self.few, self.many)
				)
				self.assertGreater(few, 0)
				self.assertLess(many, few * 1.5)

	def test_log_rows_that_tell_of_many_entries_are_found_among_many_others(self):
		"""They are looked at wherever an invoice that has no entries is cancelled or returned."""
		work = []
		for rows in (FEW, MANY):
			member = bulk.new_name()
			self.add_log(member, rows)
			work.append(work_of(log.told_among_many, member, "ACC-SINV-NONE"))
		self.assertLess(work[1], work[0] + MANY / 20)

	def test_the_newest_entries_are_read_without_those_before(self):
		"""By the form of a Customer, and by the API, page by page; also of who was in another program before."""
		other = make_program().name
		for customer in (self.few, self.many):
			ensure(customer.name, other)

		def page(customer, cursor=None):
			return v1.statement(customer=customer, limit=5, cursor=cursor)["next"]

		for what, act in (
			("form", desk.customer_summary),
			("first page", page),
			("second page", lambda customer: page(customer, page(customer))),
		):
			work = []
			for customer in (self.few, self.many):
				act(customer.name)  # fills what Frappe keeps in memory
				work.append(work_of(act, customer.name))
			with self.subTest(what):
				self.assertLess(work[1], work[0] * 1.5, work)

	def test_what_is_a_customer_s_is_read_without_what_is_others(self):
		"""By ERPNext, whenever the form of a Customer opens, and by Frappe, when one is renamed or merged."""
		customer = make_customer(loyalty_program=self.program.name).name
		make_invoice(customer)
		self.add_log(bulk.new_name(), MANY)
		owed = """select company, sum(loyalty_points) from `tabLoyalty Point Entry`
			where customer = %s and expiry_date >= %s group by company"""
		for doctype, act, *arguments in (
			("Loyalty Point Entry", frappe.db.sql, owed, (customer, frappe.utils.today())),
			("Loyalty Point Entry", self.rename, "Loyalty Point Entry", customer),
			("Loyalty Point Log", self.rename, "Loyalty Point Log", customer),
		):
			with self.subTest(doctype, act=act.__name__):
				whole = work_of(frappe.db.sql, f"select max(`owner`) from `tab{doctype}`")
				act(*arguments)  # fills what Frappe keeps in memory
				self.assertLess(work_of(act, *arguments), whole / 5)

	def rename(self, doctype, customer):
		"""As Frappe does it."""
		frappe.db.set_value(doctype, {"customer": customer}, "customer", customer, update_modified=False)

	def add_log(self, member, rows):
		"""Log rows of something that is no membership, of which the last tells of many entries."""
		of = {"membership": member, "customer": "Somebody Else", "event": "Submit"}
		actions = ["Insert"] * (rows - 1) + [log.INSERT_MANY]
		rows = [{"name": bulk.new_name(), "sequence": i, "action": a} for i, a in enumerate(actions, 1)]
		bulk.insert(log.DOCTYPE, rows, of | {"after": '{"fields": [], "entries": {}}'})

	def test_what_is_pending(self):
		"""Points that mature cost a redemption one statement more, which reads those that are pending alone."""
		self.set_maturity(14)
		self.addCleanup(self.set_maturity, 0)
		for values, limit in (({}, 6), ({"redeem": 29}, 11)):
			counts, work = [], []
			for customer in (self.few, self.many):
				with self.subTest(customer=customer.name, **values):
					self.addCleanup(make_invoice(customer).cancel)
					counts.append(len(self.statements_of_submit(customer, count_own_queries, **values)))
					self.assertLessEqual(counts[-1], limit)
					work.append(work_in(self.statements_of_submit(customer, count_work, **values)))
			self.assertEqual(len(set(counts)), 1, counts)
			self.assertLess(work[1], work[0] * 1.5)

	def test_pending_points_are_read_without_those_that_are_spendable(self):
		work = []
		for lots in (30, 600):
			customer = make_customer(loyalty_program=self.program.name)
			name = find(customer.name, self.program.name)
			add_open_lots(name, lots)
			self.set_maturity(14)
			self.addCleanup(make_invoice(customer).cancel)
			self.set_maturity(0)
			with count_work() as done:
				self.assertEqual(summary(customer.name).pending, 10)
			work.append(work_in(done))
		self.assertLess(work[1], work[0] * 1.5)

	def test_tiers_held_for_a_period_cost_nothing_more(self):
		counts = []
		for period in ({}, {"tier_period": "Last N Months"}, {"tier_period": "Fiscal Year"}):
			program = make_program(tiers=[("Silver", 0, 10), ("Gold", 1_000_000, 5)], **period)
			customer = make_customer(loyalty_program=program.name)
			add_closed_lots(find(customer.name, program.name), FEW)
			make_invoice(customer)
			with self.subTest(**period):
				for amount, limit in ((100, 6), (1_000_000, 7)):
					counts.append(len(self.statements_of_submit(customer, count_own_queries, amount=amount)))
					self.assertLessEqual(counts[-1], limit)
		self.assertEqual(counts, counts[:2] * 3)

	def set_maturity(self, days):
		self.program.reload()
		self.program.maturity_days = days
		self.program.save()

	def test_adjusting(self):
		"""Points added, taken over three lots, taken over many, and moved: no statement for each lot."""
		other = make_customer(loyalty_program=self.program.name)
		moving = {"reason": "Transfer", "to_customer": other.name}
		for limit, points, values in ((7, 29, {}), (9, -29, {}), (11, -290, {}), (17, 29, moving)):
			counts = []
			for customer in (self.few, self.many):
				with self.subTest(points=points, customer=customer.name, **values):
					draft = make_adjustment(customer, points, submit=False, **values)
					draft = frappe.get_doc(draft.doctype, draft.name)
					with count_own_queries() as submit:
						draft.submit()
					with count_own_queries() as cancel:
						draft.cancel()
					self.assert_at_most(limit, submit)
					self.assert_at_most(limit, cancel)
					counts.append((len(submit), len(cancel)))
			self.assertEqual(len(set(counts)), 1, counts)
		self.assertEqual(verify(find(self.many.name, self.program.name)), [])

	def test_reading_balance_and_tier(self):
		for customer in (self.few, self.many):
			with count_queries() as statements:
				member = look(customer.name, self.program.name)
				self.assertGreater(spendable_by(member, frappe.utils.getdate()), 0)
			self.assert_at_most(1, statements)
			frappe.get_cached_doc("Customer", customer.name)
			with count_queries() as statements:
				self.assertTrue(summary(customer.name).tier)
			self.assert_at_most(2, statements)


class TestSets(IntegrationTestCase):
	"""What jobs work through at once, in a database that has counted what is there."""

	DUE = 5

	def test_a_long_history_among_others_is_not_read(self):
		program = make_program()
		sets = [self.make_set(program, closed) for closed in (0, MANY)]
		if frappe.db.db_type == "mariadb":
			frappe.db.sql(f"analyze table `tab{entries.DOCTYPE}`")  # commits
			self.addCleanup(self.delete, sets, program)
		work = []
		for names in sets:
			work.append(work_of(expiry.close_all, names))
			due = {"membership": ("in", names), "entry_type": "Expired"}
			self.assertEqual(frappe.db.count(entries.DOCTYPE, due), self.DUE * len(names))
		self.assertLess(work[1], work[0] + MANY / 2)

	def make_set(self, program, closed):
		"""As many memberships as are worked through at once, all with lots to close, one with so many that are over."""
		names = sorted(bulk.new_name() for _ in range(audit.MEMBERSHIPS_AT_ONCE))
		gone = frappe.utils.add_days(frappe.utils.today(), -1)
		members = [{"name": name, "customer": name, "next_expiry": gone} for name in names]
		lots = [(name, number, 5) for name in names for number in range(self.DUE)]
		lots += [(names[0], self.DUE + number, 0) for number in range(closed)]
		rows = [
			{"name": f"{name}-{number}", "membership": name, "remaining_points": left, "is_open": left > 0}
			for name, number, left in lots
		]
		same = {"loyalty_program": program.name, "company": program.company, **bulk.made()}
		bulk.insert(membership.DOCTYPE, members, same)
		same |= {"posting_date": gone, "expiry_date": gone, "entry_type": "Earned", "loyalty_points": 5}
		bulk.insert(entries.DOCTYPE, rows, same)
		return names

	def delete(self, sets, program):
		for names in sets:
			for doctype in (entries.DOCTYPE, log.DOCTYPE):
				frappe.db.delete(doctype, {"membership": ("in", names)})
			frappe.db.delete(membership.DOCTYPE, {"name": ("in", names)})
		program.delete()
		frappe.db.commit()
