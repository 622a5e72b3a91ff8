"""The proof finds what somebody with a database client did, and mending puts it right."""

import json
from hashlib import sha256
from unittest.mock import patch

import frappe
from frappe.utils import add_days, now_datetime, today
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loyalty_app.ledger import audit, log, membership, packed, rebuild, verify
from loyalty_app.ledger.membership import find
from loyalty_app.loyalty_app.report.loyalty_audit_trail.loyalty_audit_trail import mended_in_words
from loyalty_app.tests.utils import (
	IntegrationTestCase,
	make_customer,
	make_invoice,
	make_program,
	make_return,
	names_with_letters,
	store,
	unique,
)
from loyalty_app.tests.work import count_work

ENTRY, MEMBERSHIP, LOG = "Loyalty Point Entry", "Loyalty Membership", "Loyalty Point Log"

# The first of them looks through all modules there are for constants, which takes seconds with Frappe among them.
UNHURRIED = settings(deadline=None, suppress_health_check=list(HealthCheck))


class TestAudit(IntegrationTestCase):
	def setUp(self):
		self.enterContext(names_with_letters())
		self.program = make_program(tiers=[("Silver", 0, 10), ("Gold", 1500, 5)])
		self.customer = make_customer(loyalty_program=self.program.name)
		self.first = make_invoice(self.customer, 1000)
		self.second = make_invoice(self.customer, 1000, redeem=40)
		make_return(self.second, qty=1)
		self.name = find(self.customer.name, self.program.name)
		self.assertEqual(verify(self.name), [])
		self.lot = frappe.db.get_value(ENTRY, {"invoice": self.first.name, "entry_type": "Earned"})

	def assert_found(self, *words):
		faults = " | ".join(verify(self.name))
		for word in words:
			self.assertIn(word, faults)

	def assert_mended(self):
		self.assertNotEqual(rebuild(self.name), [])
		self.assertEqual(verify(self.name), [])
		self.assertEqual(rebuild(self.name), [])

	def test_one_point_more_or_less(self):
		"""Python's own hash of -1 is that of -2."""
		invoice = make_invoice(self.customer, 100, redeem=2)
		draw = frappe.db.get_value(ENTRY, {"invoice": invoice.name, "loyalty_points": -2})
		lot = frappe.get_doc(ENTRY, frappe.db.get_value(ENTRY, draw, "redeem_against"))
		frappe.db.set_value(ENTRY, draw, "loyalty_points", -1)
		frappe.db.set_value(ENTRY, lot.name, "remaining_points", lot.remaining_points + 1)
		member = frappe.get_doc(MEMBERSHIP, self.name)
		values = {"balance": member.balance + 1, "points_redeemed": member.points_redeemed - 1}
		frappe.db.set_value(MEMBERSHIP, self.name, values)
		self.assertEqual(len(verify(self.name)), 1)
		self.assert_found(f"entry {draw}: the log says", "'loyalty_points': -1")

	def test_a_verification_reads_the_entries_twice(self):
		"""Once to compare each, once to sum; more only where something may be wrong."""
		for name, statements in ((None, 2), ("remaining_points", 4), ("customer", 3)):
			with self.subTest(name), count_work() as asked:
				if name:
					frappe.db.set_value(ENTRY, self.lot, name, 3)
				audit.differences([self.name])
				reading = [s for s in asked if "select" in s.query.lower() and f"tab{ENTRY}" in s.query]
				self.assertEqual(len(reading), statements, reading)
				frappe.db.set_value(
					ENTRY, self.lot, {"remaining_points": 100, "customer": self.customer.name}
				)

	@settings(UNHURRIED, max_examples=150)
	@given(
		st.lists(
			st.tuples(
				st.integers(0, 9),
				st.booleans(),
				st.one_of(
					st.tuples(st.sampled_from(["loyalty_points", "remaining_points"]), st.integers(-3, 3)),
					st.tuples(st.just("is_open"), st.integers(0, 2)),
					st.tuples(st.just("redeem_against"), st.sampled_from([None, "", "gone", 0, 1, 2, 3])),
					st.tuples(
						st.just("entry_type"),
						st.sampled_from([None, "", "Earned", "Redeemed", "Expired", "expired "]),
					),
					st.tuples(st.sampled_from(log.WHOSE), st.sampled_from([None, "", "gone"])),
				),
			),
			min_size=1,
			max_size=4,
		)
	)
	def test_the_sieve_holds_back_nothing_that_is_wrong(self, changes):
		if not frappe.db.exists(ENTRY, {"membership": self.name, "entry_type": "Redeemed"}):
			make_invoice(self.customer, 100, redeem=10)
		names = frappe.get_all(ENTRY, {"membership": self.name}, pluck="name", order_by="name")
		frappe.db.savepoint("before_the_changes")
		for which, more, (field, value) in changes:
			name = names[which % len(names)]
			if field == "redeem_against" and isinstance(value, int):
				value = names[value % len(names)]
			if field.endswith("points") and more:
				value += frappe.db.get_value(ENTRY, name, field)
			frappe.db.set_value(ENTRY, name, field, value)
		sieve = audit.Sieve(membership.states([self.name]))
		table = frappe.qb.DocType(ENTRY)
		mine = frappe.qb.from_(table).where(table.membership == self.name)
		for name, *values in packed.rows(mine, [table[field] for field in ("name", *audit.SIFTED)]):
			sieve.add(self.name, name, values)
		lots = [*audit.wrong_lots([self.name]), *audit.lost_lots([self.name])]
		others = audit.unlike_membership([self.name])
		frappe.db.rollback(save_point="before_the_changes")
		if lots or not any(value == "expired " for _which, _more, (_field, value) in changes):
			self.assertEqual(sieve.lots, [self.name] if lots else [], lots)
		self.assertEqual(sieve.others, [self.name] if others else [], others)

	def test_a_log_row_of_a_whole_second(self):
		with patch.object(log, "now_datetime", lambda: now_datetime().replace(microsecond=0)):
			make_invoice(self.customer, 100)
		self.assertEqual(verify(self.name), [])

	def test_text_with_what_stands_between_columns(self):
		for text in ("a\x1fb", "\x1f" * 3):
			frappe.db.set_value(ENTRY, self.lot, "discretionary_reason", text)
			self.assert_found(f"entry {self.lot}: the log says", repr(text))
			self.assert_mended()

	def test_a_membership_in_another_case(self):
		"""MariaDB takes it for the same; for SQLite, it is another one."""
		row = frappe.get_last_doc(LOG, {"membership": self.name, "entry": self.lot})
		frappe.db.set_value(LOG, row.name, "membership", self.name.upper())
		self.assert_found(f"log row {row.sequence}")
		frappe.db.set_value(LOG, row.name, "membership", self.name)
		added = store(
			ENTRY,
			membership=self.name.upper(),
			entry_type="Adjusted",
			customer=self.customer.name,
			loyalty_program=self.program.name,
			company=self.program.company,
			loyalty_points=50,
			remaining_points=50,
			is_open=1,
			posting_date=today(),
			expiry_date=add_days(today(), 10),
		)
		frappe.db.set_value(ENTRY, self.lot, "membership", self.name.upper())
		rebuild(self.name)
		self.assertEqual(verify(self.name), [])
		balance = frappe.db.get_value(MEMBERSHIP, self.name, "balance")
		if frappe.db.db_type == "mariadb":
			told = frappe.get_last_doc(LOG, {"membership": self.name, "entry": added.name})
			self.assertEqual((told.event, told.points_after), ("Rebuild", 50))
			self.assertEqual(balance, 150)
			for entry in (added.name, self.lot):
				self.assertEqual(frappe.db.get_value(ENTRY, entry, "membership"), self.name)
		else:
			self.assertEqual(balance, 0)
			self.assertEqual(len([d for d in audit.entries_of_nobody() if self.name.upper() in d.fault]), 2)

	def test_what_is_no_number(self):
		"""SQLite keeps any text."""
		found = [["", *["x"] * len(audit.SIFTED)]]
		member = membership.state(self.name)
		sieve, replays = audit.Sieve([member]), {self.name: log.Replay()}
		with patch.object(audit, "entries_in_table", lambda _replays: [[self.name, *row] for row in found]):
			((name, change),) = audit.unlike_log(replays, sieve)
		self.assertEqual((name, change.after["loyalty_points"], sieve.lots), (self.name, "x", [self.name]))

	def test_what_promotions_gave_that_nobody_can_read(self):
		for kept in ("{", "[1]"):
			frappe.db.set_value(ENTRY, self.lot, "promotions", kept)
			self.assert_found(f"entry {self.lot}: the log says")

	# Signs of every kind that JSON writes in a way of its own.
	@UNHURRIED
	@given(st.lists(st.text('aZ 0"\\/\n\x00\x1f\x7f\u0631\u6f22\ud83d\U0001f600')))
	def test_a_hash_is_that_of_the_list_as_json(self, texts):
		self.assertEqual(log._hash_of(texts), sha256(json.dumps(texts).encode()).hexdigest())

	@UNHURRIED
	@given(st.decimals(-(10**11), 10**11, places=9))
	def test_a_number_is_the_same_as_column_and_in_json(self, amount):
		kept = json.loads(json.dumps(float(amount)))
		self.assertEqual(log.number(f"{amount:.9f}"), log.number(str(kept)))
		self.assertEqual(float(log.number(f"{amount:.9f}") or 0), kept)

	def test_a_number_is_the_same_however_a_database_writes_it(self):
		said = dict.fromkeys(log.LOGGED) | {"loyalty_points": 5, "purchase_amount": 12.0, "earn_on": ""}
		other = dict.fromkeys(log.LOGGED) | {"loyalty_points": 5.0, "purchase_amount": 12}
		self.assertEqual(log.fingerprint(said), log.fingerprint(list(other.values())))
		self.assertNotEqual(log.fingerprint(said), log.fingerprint(other | {"purchase_amount": 12.000000001}))
		self.assertIsNone(log.fingerprint(None))

	def test_whose_entries_are(self):
		other = make_customer(loyalty_program=self.program.name).name
		frappe.db.set_value(ENTRY, self.lot, "customer", other)
		self.assert_found(
			f"entry {self.lot}: customer is {other}, the membership has {self.customer.name}",
		)
		self.assert_mended()
		self.assertEqual(frappe.db.get_value(ENTRY, self.lot, "customer"), self.customer.name)
		frappe.db.set_value(ENTRY, {"membership": self.name}, {"company": "Gone", "loyalty_program": None})
		number = frappe.db.count(ENTRY, {"membership": self.name})
		self.assert_found(
			f"{number} entries, of which ",
			f" is one: company is Gone, the membership has {self.program.company}",
			f" is one: loyalty_program is None, the membership has {self.program.name}",
		)
		self.assert_mended()

	def test_whose_a_membership_is(self):
		"""Nobody but the log can say who is right: mending would complete a theft."""
		thief = make_customer().name
		frappe.db.set_value(MEMBERSHIP, self.name, "customer", thief)
		rows = frappe.db.count(LOG, {"membership": self.name})
		found = f"customer is {thief}, {rows} rows of the log say {self.customer.name}"
		self.assert_found(found, f"customer is {self.customer.name}, the membership has {thief}")
		rebuild(self.name)
		self.assert_found(found)
		self.assertEqual(frappe.db.get_value(ENTRY, self.lot, "customer"), self.customer.name)

	def test_of_which_company_a_membership_is(self):
		frappe.db.set_value(MEMBERSHIP, self.name, "company", "Gone")
		self.assert_found(
			f"company is Gone, Loyalty Program {self.program.name} is of {self.program.company}",
			f"rows of the log say {self.program.company}",
		)

	def test_renaming_and_merging_raise_no_alarm(self):
		frappe.rename_doc("Customer", self.customer.name, unique("Renamed"), force=True)
		self.assertEqual(verify(self.name), [])
		renamed = frappe.db.get_value(MEMBERSHIP, self.name, "customer")
		twin = make_customer(loyalty_program=self.program.name)
		make_invoice(twin, 500)
		gone = find(twin.name, self.program.name)
		frappe.rename_doc("Customer", twin.name, renamed, merge=True, force=True)
		self.assertFalse(frappe.db.exists(MEMBERSHIP, gone))
		self.assertTrue(frappe.db.exists(LOG, {"membership": gone}))
		self.assertEqual(verify(find(renamed, self.program.name)), [])
		self.assertEqual([d for d in audit.beyond_memberships() if gone in d.fault], [])
		# What is left of it is evidence, too.
		row = frappe.get_last_doc(LOG, {"membership": gone, "action": "Delete"})
		frappe.db.delete(LOG, {"name": row.name})
		faults = " ".join(verify())
		self.assertIn(f"membership {gone} is gone, but its log has 1 entries", faults)

	def test_a_membership_that_is_gone(self):
		frappe.db.delete(MEMBERSHIP, {"name": self.name})
		faults = [fault for fault in verify() if self.name in fault]
		self.assertIn(f"entry {self.lot} belongs to membership {self.name}, which is gone", faults)
		self.assertTrue(any(f"membership {self.name} is gone, but its log has" in f for f in faults), faults)
		self.assertLessEqual(set(faults), {d.fault for d in audit.beyond_memberships(sample=True)})

	def test_a_program_that_is_gone(self):
		frappe.db.delete("Loyalty Program", {"name": self.program.name})
		frappe.clear_document_cache("Loyalty Program", self.program.name)
		frappe.db.set_value(MEMBERSHIP, self.name, "balance", 7)
		self.assert_found(f"Loyalty Program {self.program.name} is not there", "balance is 7")
		rebuild(self.name)
		self.assert_found("balance is 7")

	def test_entries_of_another_company_that_were_there_at_installation(self):
		"""ERPNext let programs of one company give points for invoices of another."""
		row = frappe.get_last_doc(LOG, {"membership": self.name, "entry": self.lot, "action": "Insert"})
		values = [json.loads(row.after).get(field) for field in log.LOGGED]
		frappe.db.set_value(ENTRY, self.lot, "company", "Another")
		self.assert_found("company is Another")
		after = json.dumps({"fields": log.LOGGED, "entries": {self.lot: values}})
		frappe.db.set_value(LOG, row.name, {"action": log.INSERT_MANY, "event": "Install", "after": after})
		self.assertNotIn("company is Another", " ".join(verify(self.name)))

	def test_what_the_log_is_found_by(self):
		row = frappe.get_last_doc(LOG, {"membership": self.name, "sequence": 1})
		for column, value in (
			("invoice", "Another"),
			("invoice_type", "POS Invoice"),
			("points_before", 3),
			("points_after", 3),
		):
			with self.subTest(column):
				right = row.get(column)
				frappe.db.set_value(LOG, row.name, column, value)
				self.assert_found(f"log row 1: {column} is {value}, what it says of entries has {right}")
				frappe.db.set_value(LOG, row.name, column, right)
		self.assertEqual(verify(self.name), [])

	def test_a_log_that_nobody_can_read(self):
		row = frappe.get_last_doc(LOG, {"membership": self.name, "sequence": 1})
		for after in ('{"loyalty', "[1, 2]", "7", '{"loyalty_points": 1' + "0" * 400 + "}"):
			frappe.db.set_value(LOG, row.name, "after", after)
			self.assert_found("log row 1", "says of entries what nobody can read")

	def test_totals(self):
		right = frappe.db.get_value(MEMBERSHIP, self.name, "*", as_dict=True)
		for field, value in (
			("balance", 7),
			("total_spent", 3),
			("points_earned", 1),
			("points_redeemed", 8),
			("points_expired", 9),
			("shortfall", 2),
			("next_expiry", add_days(today(), 3)),
			("all_spendable_from", add_days(today(), -3)),
			("loyalty_program_tier", "Gold"),
		):
			with self.subTest(field):
				frappe.db.set_value(MEMBERSHIP, self.name, field, value)
				self.assert_found(f"{field} is ")
				self.assert_mended()
				self.assertEqual(
					str(frappe.db.get_value(MEMBERSHIP, self.name, field)), str(right[field]), field
				)

	def test_the_tier_that_the_customer_shows(self):
		frappe.db.set_value("Customer", self.customer.name, "loyalty_program_tier", "Gold")
		self.assert_found(f"customer {self.customer.name} shows the tier Gold, the membership has Silver")
		self.assert_mended()
		self.assertEqual(
			frappe.db.get_value("Customer", self.customer.name, "loyalty_program_tier"), "Silver"
		)

	def test_whether_the_customer_is_in_the_program_now(self):
		frappe.db.set_value(MEMBERSHIP, self.name, "active", 0)
		self.assert_found(
			f"active is 0, customer {self.customer.name} is in Loyalty Program {self.program.name}"
		)
		self.assert_mended()
		self.assertEqual(frappe.db.get_value(MEMBERSHIP, self.name, "active"), 1)
		frappe.db.set_value("Customer", self.customer.name, "loyalty_program", None)
		self.assert_found(f"active is 1, customer {self.customer.name} is in no Loyalty Program")
		self.assert_mended()
		self.assertEqual(frappe.db.get_value(MEMBERSHIP, self.name, "active"), 0)

	def test_a_draw_of_another_membership(self):
		"""It takes nothing from the lot, and is told of as drawing on nothing."""
		other = make_invoice(make_customer(loyalty_program=self.program.name), 1000)
		theirs = frappe.db.get_value(ENTRY, {"invoice": other.name})
		draw = frappe.db.get_value(
			ENTRY, {"invoice": make_invoice(self.customer, 100, redeem=10).name, "loyalty_points": -10}
		)
		frappe.db.set_value(ENTRY, draw, "redeem_against", theirs)
		self.assert_found(f"entry {draw} draws on {theirs}, which is not there")
		self.assertEqual(verify(frappe.db.get_value(ENTRY, theirs, "membership")), [])

	def test_what_is_left_of_a_lot(self):
		frappe.db.set_value(ENTRY, self.lot, "remaining_points", 3)
		self.assert_found(f"entry {self.lot} has 3 points left, it should have 100")
		self.assert_mended()
		frappe.db.set_value(ENTRY, self.lot, "is_open", 0)
		self.assert_found(f"entry {self.lot} is marked as closed with 100 points left")
		self.assert_mended()
		self.assertEqual(frappe.db.get_value(ENTRY, self.lot, "is_open"), 1)

	def test_an_overdrawn_lot_stays_empty(self):
		"""No points come of it: neither of redeeming others, nor of giving back what was drawn from it."""
		make_invoice(self.customer, 1000)
		overdrawing = make_invoice(self.customer, 100, redeem=60)
		lot, *_others = frappe.get_all(
			ENTRY, {"invoice": overdrawing.name}, pluck="redeem_against", order_by="loyalty_points"
		)
		frappe.db.set_value(ENTRY, lot, "loyalty_points", 30)
		self.assert_found(f"entry {lot} is overdrawn by 30 points")
		rebuild(self.name)
		self.assertEqual(verify(self.name), [f"{self.name}: entry {lot} is overdrawn by 30 points"])
		self.assertEqual(frappe.db.get_value(ENTRY, lot, ["remaining_points", "is_open"]), (0, 0))
		told = {"membership": self.name, "event": audit.REBUILT.event}
		rows = frappe.db.count(LOG, told)
		rebuild(self.name)
		self.assertEqual(frappe.db.count(LOG, told), rows, "the log tells of what was not mended")
		before = frappe.db.get_value(MEMBERSHIP, self.name, "balance")
		redeeming = make_invoice(self.customer, 100, redeem=50)
		self.assertNotIn(lot, frappe.get_all(ENTRY, {"invoice": redeeming.name}, pluck="redeem_against"))
		redeeming.cancel()
		self.assertEqual(frappe.db.get_value(MEMBERSHIP, self.name, "balance"), before)
		overdrawing.reload()
		overdrawing.cancel()
		self.assertEqual(frappe.db.get_value(ENTRY, lot, "remaining_points"), 30)
		self.assertEqual(verify(self.name), [])

	def test_points_that_were_changed_in_the_table(self):
		frappe.db.set_value(ENTRY, self.lot, "loyalty_points", 900)
		self.assert_found(f"entry {self.lot}: the log says", "'loyalty_points': 900", "points_earned is")
		self.assert_mended()
		# What the table says is what counts from now on, and the log tells when that was found.
		told = frappe.get_last_doc(LOG, {"membership": self.name, "event": "Rebuild", "action": "Update"})
		self.assertEqual((told.entry, told.points_before, told.points_after), (self.lot, 100, 900))

	def test_entries_that_were_deleted_or_added_in_the_table(self):
		frappe.db.delete(ENTRY, {"name": self.lot})
		self.assert_found(f"entry {self.lot}: the log says", "the table says None")
		self.assert_mended()
		added = store(
			ENTRY,
			membership=self.name,
			entry_type="Adjusted",
			customer=self.customer.name,
			loyalty_program=self.program.name,
			company=self.program.company,
			loyalty_points=50,
			posting_date=today(),
			expiry_date=add_days(today(), 10),
		)
		self.assert_found(f"entry {added.name}: the log says None", f"entry {added.name} has 0 points left")
		self.assert_mended()

	def test_a_draw_without_its_lot(self):
		draw = frappe.db.get_value(ENTRY, {"invoice": self.second.name, "entry_type": "Redeemed"})
		if not draw:
			self.second = make_invoice(self.customer, 100, redeem=10)
			draw = frappe.db.get_value(ENTRY, {"invoice": self.second.name, "entry_type": "Redeemed"})
		frappe.db.set_value(ENTRY, draw, "redeem_against", "gone")
		self.assert_found(f"entry {draw} draws on gone, which is not there")

	def test_a_changed_log_stays_evidence(self):
		row = frappe.get_last_doc(LOG, {"membership": self.name, "sequence": 1})
		frappe.db.set_value(
			LOG, row.name, "after", json.dumps({**json.loads(row.after), "loyalty_points": 1})
		)
		self.assert_found("log row 1", "was changed after it was written")
		self.assertIn("could not be mended", " ".join(rebuild(self.name)))
		self.assert_found("log row 1", "was changed after it was written")

	def test_a_log_that_was_cut_off_stays_evidence(self):
		"""Whatever is mended or written after it."""
		last = frappe.get_last_doc(LOG, {"membership": self.name}, order_by="sequence desc")
		frappe.db.delete(LOG, {"name": last.name})
		frappe.db.delete(ENTRY, {"name": last.entry})
		self.assertIn("could not be mended", " ".join(rebuild(self.name)))
		self.assert_found("the end of the log is not the one this membership remembers")
		make_invoice(self.customer, 100)
		self.assert_found("is missing", "was changed after it was written")

	def test_a_log_that_was_gone_on_with_stays_evidence(self):
		forged = make_invoice(self.customer, 100)
		row = frappe.get_last_doc(LOG, {"membership": self.name}, order_by="sequence desc")
		self.assertEqual(row.invoice, forged.name)
		remembered = {"log_count": row.sequence - 1, "log_hash": row.previous_hash}
		frappe.db.set_value(MEMBERSHIP, self.name, remembered)
		self.assertNotEqual(rebuild(self.name), [])
		self.assert_found("the end of the log is not the one this membership remembers")
		make_invoice(self.customer, 100)
		self.assert_found("was changed after it was written")

	def test_the_log_tells_what_was_mended(self):
		right = frappe.db.get_value(MEMBERSHIP, self.name, "balance")
		frappe.db.set_value(MEMBERSHIP, self.name, {"balance": 7, "points_expired": 3})
		frappe.db.set_value(ENTRY, self.lot, {"remaining_points": 1, "customer": "Somebody Else"})
		frappe.db.set_value("Customer", self.customer.name, "loyalty_program_tier", None)
		self.assert_mended()
		row = frappe.get_last_doc(LOG, {"membership": self.name}, order_by="sequence desc")
		self.assertEqual((row.event, row.action, row.entry), ("Rebuild", "Mend", None))
		self.assertEqual(json.loads(row.before), {"balance": 7, "points_expired": 3})
		left = frappe.db.get_value(ENTRY, self.lot, "remaining_points")
		told = {"balance": right, "points_expired": 0, "lots": {self.lot: left}, "shown": True}
		self.assertEqual(json.loads(row.after), told | {"given_back": {self.lot: ["customer"]}})
		words = mended_in_words(json.loads(row.before), json.loads(row.after))
		self.assertIn(f"Balance: 7 → {right}", words)
		self.assertIn(f"{left} points left of {self.lot}", words)

	def test_log_rows_that_are_missing(self):
		last = frappe.get_all(LOG, {"membership": self.name}, order_by="sequence desc", limit=1)[0].name
		frappe.db.delete(LOG, {"name": last})
		self.assert_found("the end of the log is not the one this membership remembers")
		frappe.db.delete(LOG, {"membership": self.name, "sequence": 1})
		self.assert_found("log row 1 is missing")

	def test_a_long_log_is_read_page_by_page(self):
		for amount in (100, 200, 300):
			make_invoice(self.customer, amount)
		with patch.object(log, "ROWS_AT_ONCE", 2):
			self.assertEqual(verify(self.name), [])
			frappe.db.set_value(ENTRY, self.lot, "loyalty_points", 900)
			gone = frappe.get_last_doc(ENTRY, {"membership": self.name, "entry_type": "Earned"}).name
			frappe.db.delete(ENTRY, {"name": gone})
			added = store(
				ENTRY, membership=self.name, entry_type="Adjusted", loyalty_points=5, posting_date=today()
			)
			self.assert_found(
				f"entry {self.lot}: the log says",
				f"entry {gone}: the log says",
				f"entry {added.name}: the log says None",
			)

	def test_a_log_of_version_0_1(self):
		"""It has the empty values, too, and names of its own."""
		member = frappe._dict(frappe.db.get_value(MEMBERSHIP, self.name, "*", as_dict=True), log_hash="")
		for row in frappe.get_all(LOG, {"membership": self.name}, ["*"], order_by="sequence"):
			old = {"previous_hash": member.log_hash}
			for key in ("before", "after"):
				old[key] = row[key] and json.dumps(
					{"discretionary_reason": None, "excluded_items": None, **json.loads(row[key])},
					sort_keys=True,
				)
			member.log_hash = log.row_hash(row | old)
			frappe.db.set_value(LOG, row.name, old | {"hash": member.log_hash}, update_modified=False)
		frappe.db.set_value(MEMBERSHIP, self.name, "log_hash", member.log_hash)
		self.assertEqual(verify(self.name), [])

	def test_verifying_writes_nothing(self):
		frappe.db.set_value(MEMBERSHIP, self.name, "balance", 7)
		before = frappe.db.get_value(MEMBERSHIP, self.name, "*", as_dict=True)
		verify()
		self.assertEqual(frappe.db.get_value(MEMBERSHIP, self.name, "*", as_dict=True), before)
