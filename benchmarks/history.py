"""Long random histories through the ledger, and whether its books agree in the end.

Run with a bench's Python in its `sites` folder, on a site that may be thrown away:

	cd sites && ../env/bin/python ../apps/loyalty_app/benchmarks/history.py --site SITE --events 1000000

Real is everything that the ledger does: `membership.hold` and `settle_invoice`, as the hooks of Sales Invoice call them,
bonuses inserted as documents, the closing of expired lots as the daily job does it; its locks, statements, hooks and
commits, one for every event, which is done again where the database lets it give way to another process. Not real are the invoices: documents with the fields that the ledger reads
(`invoices.FACTS`), which ERPNext never sees; those that are returned, and their returns, are rows of Sales Invoice,
written by one statement each, because the ledger looks for them there. What a return gives back of a redemption is
the script's arithmetic. The day is the script's, too: the app is told, and it moves on through the history.

Each process has customers of its own. In the end every lot, total and log row is compared by `audit.differences`, and
every membership with what the script has counted itself: spend, points earned and redeemed, tier. Exits with 1 on any
difference.
"""

import multiprocessing
import random
import sys
import time
import traceback
from datetime import date, datetime, timedelta
from typing import NamedTuple

import frappe
import till
from command import parser_of

EVENTS_OF_A_CUSTOMER = 50
EVENTS_A_DAY = 400
JOINING = 500
DURATION = 60
PIECES = 4
# Money in cents: spend at which a tier begins, and spend per point.
TIERS = (("Bronze", 10_000, 750), ("Silver", 100_000, 500), ("Gold", 400_000, 250))
POINT = 50
ACTIONS = {"submit": 52, "cancel": 13, "return": 20, "cancel return": 11, "bonus": 4}
# Invoices of a customer that are cancelled or returned after so many others are the exception.
RECENT = 12


class Invoice:
	"""What the script notes of an invoice."""

	def __init__(self, name, piece, redeemed, factor, posted):
		self.name, self.piece, self.redeemed, self.factor, self.posted = name, piece, redeemed, factor, posted
		self.returns, self.is_stored = {}, False

	@property
	def pieces_back(self):
		return sum(pieces for pieces, _points in self.returns.values())

	@property
	def points_back(self):
		return sum(points for _pieces, points in self.returns.values())

	@property
	def spend(self):
		return max(self.piece * (PIECES - self.pieces_back) - (self.redeemed - self.points_back) * POINT, 0)

	@property
	def earned(self):
		return self.spend // self.factor if self.factor else 0


class Customer:
	def __init__(self, name):
		self.name, self.live, self.bonus = name, [], 0

	@property
	def spend(self):
		return sum(invoice.spend for invoice in self.live)


class Told(NamedTuple):
	"""What a process has to say in the end."""

	events: int
	gave_way: int
	seconds: float
	busy: float
	faults: list[str]
	checked: float


def main():
	parser = parser_of(__doc__)
	parser.add_argument("--events", type=int, default=20_000)
	parser.add_argument("--processes", type=int, default=2)
	parser.add_argument("--seed", type=int, default=1)
	parser.add_argument(
		"--minutes", type=float, help="stop after so many, and check what was done until then"
	)
	arguments = parser.parse_args()
	till.open_site(arguments.site)
	from loyalty_app.tests.utils import make_program

	program = make_program(
		tiers=[(name, minimum / 100, factor / 100) for name, minimum, factor in TIERS],
		conversion_factor=POINT / 100,
		expiry_duration=DURATION,
		from_date="1990-01-01",
	)
	frappe.db.commit()
	frappe.destroy()

	context = multiprocessing.get_context("spawn")
	results = context.Queue()
	workers = [
		context.Process(target=work, args=(number, arguments, program.name, program.company, results))
		for number in range(arguments.processes)
	]
	started = time.perf_counter()
	for worker in workers:
		worker.start()
	told = [results.get() for _ in workers]
	for worker in workers:
		worker.join()
	seconds = time.perf_counter() - started
	faults = [fault for one in told for fault in one.faults]
	events, took = sum(one.events for one in told), max(one.seconds for one in told)
	rate = events / took or 1
	for fault in faults[:30]:
		print("  ", fault)
	print(
		f"{'FAULT' if faults else 'ok'}: {events:,} events in {took:.0f} s by {arguments.processes} processes,"
		f" {sum(one.gave_way for one in told)} of them done again:"
		f" {rate:,.0f} events/s, {sum(one.busy for one in told) / (events or 1) * 1000:.2f} ms of a processor in Python for each;"
		f" checked in {max(one.checked for one in told):.0f} s; {seconds:.0f} s in all; {len(faults)} differences"
	)
	print(f"1,000,000 events take {1_000_000 / rate / 60:.0f} minutes at this rate")
	sys.exit(bool(faults))


def work(number, arguments, program, company, results):
	try:
		results.put(History(number, arguments, program, company).run())
	except Exception:
		results.put(Told(0, 0, 1, 0, [traceback.format_exc()], 0))


class History:
	def __init__(self, number, arguments, program, company):
		self.program, self.company = program, company
		self.chance = random.Random(f"{arguments.seed} {number}")
		self.events = arguments.events // arguments.processes
		self.seconds = (arguments.minutes or float("inf")) * 60
		till.open_site(arguments.site)
		self.prefix = f"HIST-{frappe.generate_hash(length=6)}"
		self.made = self.gave_way = 0
		self.today = date.today() - timedelta(days=self.events // EVENTS_A_DAY + 1)
		self.faults = []
		self.customers = [
			Customer(f"{self.prefix}-{i}") for i in range(max(10, self.events // EVENTS_OF_A_CUSTOMER))
		]
		now = datetime.now()
		frappe.db.bulk_insert(
			"Customer",
			["name", "customer_name", "customer_group", "loyalty_program", "creation", "modified"],
			[(c.name, c.name, till.GROUP, program, now, now) for c in self.customers],
		)
		frappe.db.commit()
		from loyalty_app.ledger import membership

		# As when customers are saved.
		names = sorted(c.name for c in self.customers)
		for start in range(0, len(names), JOINING):
			self.do(lambda start=start: membership.open_all(names[start : start + JOINING], program))

	def run(self) -> Told:
		from loyalty_app.ledger import expiry

		started, used = time.perf_counter(), time.process_time()
		with till.day(lambda: self.today):
			for number in range(self.events):
				if number % EVENTS_A_DAY == 0:
					if time.perf_counter() - started > self.seconds:
						self.events = number
						break
					self.next_day(expiry)
				action = self.chance.choices(list(ACTIONS), list(ACTIONS.values()))[0]
				# Those who come first come again: half of the events are of a tenth of the customers.
				most = len(self.customers) if self.chance.random() < 0.5 else len(self.customers) // 10
				getattr(self, action.replace(" ", "_"))(self.customers[self.chance.randrange(most)])
			seconds, used = time.perf_counter() - started, time.process_time() - used
			started = time.perf_counter()
			self.check()
		return Told(self.events, self.gave_way, seconds, used, self.faults, time.perf_counter() - started)

	def next_day(self, expiry):
		"""The daily job, for the customers of this process: others may have got to another day."""
		frappe.db.commit()
		self.today += timedelta(days=1)
		table = frappe.qb.DocType("Loyalty Membership")
		query = frappe.qb.from_(table).select(table.name).where(table.next_expiry < self.today)
		names = query.where(table.customer.like(f"{self.prefix}-%")).run(pluck=True)
		frappe.db.commit()
		for start in range(0, len(names), 200):
			self.do(lambda start=start: expiry.close_all(names[start : start + 200]))

	# --- what happens

	def document(self, customer, name, total, points, posted, **fields):
		return frappe._dict(
			doctype="Sales Invoice",
			name=name,
			customer=customer.name,
			company=self.company,
			posting_date=posted,
			docstatus=1,
			is_return=0,
			is_opening="No",
			loyalty_program=self.program,
			redeem_loyalty_points=int(bool(points)),
			loyalty_points=points,
			loyalty_amount=points * POINT / 100,
			base_grand_total=total / 100,
			base_net_total=total / 100,
		).update(fields)

	def settle(self, customer, doc, event, before=lambda: None):
		"""Let the ledger settle `event` of `doc`, after what `before` does in the same transaction."""
		from loyalty_app.ledger import Event, membership, settle_invoice

		def act():
			before()
			membership.hold(customer.name)
			settle_invoice(doc, Event(event))

		self.do(act)

	def do(self, act):
		from loyalty_app.ledger import LedgerBusy

		while True:
			try:
				act()
			except (LedgerBusy, frappe.QueryDeadlockError, frappe.QueryTimeoutError):
				frappe.db.rollback()
				self.gave_way += 1
			else:
				return frappe.db.commit()

	def submit(self, customer):
		from loyalty_app.ledger import membership

		piece = self.chance.choice((125, 1_999, 4_250, 10_000, 33_333))
		posted = self.today - timedelta(days=self.chance.choice((0, 0, 0, 1, 5)))
		redeem = 0
		if self.chance.random() < 0.5 and (member := membership.look(customer.name, self.program)):
			most = min(membership.spendable_by(member, posted), piece * PIECES // POINT)
			redeem = self.chance.randint(0, max(most, 0))
		total = piece * PIECES
		self.made += 1
		invoice = Invoice(f"{self.prefix}-S{self.made}", piece, redeem, None, posted)
		reached = customer.spend + total - redeem * POINT
		tier = max((t for t in TIERS if t[1] <= reached), key=lambda t: t[1], default=None)
		invoice.factor = tier and tier[2]
		self.settle(customer, self.document(customer, invoice.name, total, redeem, posted), "Submit")
		customer.live.append(invoice)

	def chosen(self, customer, condition):
		found = [i for i in customer.live[-RECENT:] if condition(i)]
		return self.chance.choice(found) if found else None

	def cancel(self, customer):
		invoice = self.chosen(customer, lambda i: not i.returns)
		if not invoice:
			return self.submit(customer)
		customer.live.remove(invoice)
		total = invoice.piece * PIECES
		doc = self.document(customer, invoice.name, total, invoice.redeemed, invoice.posted, docstatus=2)
		self.settle(customer, doc, "Cancel", lambda: self.cancel_row(invoice.name))

	def return_(self, customer):
		invoice = self.chosen(customer, lambda i: i.pieces_back < PIECES)
		if not invoice:
			return self.submit(customer)
		total, rows = invoice.piece * PIECES, []
		if not invoice.is_stored:
			rows.append(self.document(customer, invoice.name, total, invoice.redeemed, invoice.posted))
			invoice.is_stored = True
		pieces = self.chance.randint(1, PIECES - invoice.pieces_back)
		back = invoice.redeemed * (invoice.pieces_back + pieces) // PIECES - invoice.points_back
		back = max(back, 0)
		self.made += 1
		doc = self.document(
			customer,
			f"{self.prefix}-R{self.made}",
			-pieces * invoice.piece,
			-back,
			self.today,
			is_return=1,
			return_against=invoice.name,
		)
		rows.append(doc)
		invoice.returns[doc.name] = (pieces, back)
		self.settle(customer, doc, "Return", lambda: self.store(rows))

	def cancel_return(self, customer):
		invoice = self.chosen(customer, lambda i: i.returns)
		if not invoice:
			return self.return_(customer)
		name = self.chance.choice(list(invoice.returns))
		pieces, back = invoice.returns.pop(name)
		doc = self.document(
			customer,
			name,
			-pieces * invoice.piece,
			-back,
			self.today,
			is_return=1,
			return_against=invoice.name,
			docstatus=2,
		)
		self.settle(customer, doc, "Return Cancelled", lambda: self.cancel_row(name))

	def bonus(self, customer):
		points = self.chance.randint(1, 40)
		bonus = {
			"doctype": "Loyalty Point Entry",
			"customer": customer.name,
			"loyalty_program": self.program,
			"loyalty_points": points,
			"posting_date": self.today,
			"discretionary_reason": "Bonus",
		}
		self.do(lambda: frappe.get_doc(bonus).insert())
		customer.bonus += points

	def store(self, rows):
		for doc in rows:
			columns = [key for key in doc if key != "doctype"]
			frappe.db.sql(
				f"insert into `tabSales Invoice` (`{'`, `'.join(columns)}`) values ({', '.join(['%s'] * len(columns))})",
				[doc[key] for key in columns],
			)

	def cancel_row(self, name):
		frappe.db.sql("update `tabSales Invoice` set docstatus = 2 where name = %s", name)

	# --- whether it is right

	def check(self):
		from loyalty_app.ledger import audit

		members = {
			row.customer: row
			for row in frappe.db.sql(
				"select * from `tabLoyalty Membership` where customer like %s",
				f"{self.prefix}-%",
				as_dict=True,
			)
		}
		names = sorted(row.name for row in members.values())
		for start in range(0, len(names), audit.MEMBERSHIPS_AT_ONCE):
			found = audit.differences(names[start : start + audit.MEMBERSHIPS_AT_ONCE])
			self.faults += [str(difference) for difference in found]
		for customer in self.customers:
			row = members.get(customer.name) or frappe._dict()
			spend = customer.spend
			tier = max((t for t in TIERS if spend and t[1] <= spend), key=lambda t: t[1], default=(None,))[0]
			for field, expected in {
				"total_spent": spend / 100,
				"points_earned": sum(i.earned for i in customer.live) + customer.bonus,
				"points_redeemed": sum(i.redeemed - i.points_back for i in customer.live),
				"loyalty_program_tier": tier,
			}.items():
				if (row.get(field) or 0) != (expected or 0):
					self.faults.append(f"{customer.name}: {field} is {row.get(field)}, counted {expected}")
			if row and row.balance != row.points_earned - row.points_redeemed - row.points_expired:
				self.faults.append(f"{customer.name}: the balance is not what came less what went")


# "return" is no name for a method.
setattr(History, "return", History.return_)


if __name__ == "__main__":
	main()
