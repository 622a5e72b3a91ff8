"""Many processes that spend, take back and give the points of a few customers at once, and the proof that it was exact.

Run with a bench's Python in its `sites` folder, on a site that may be thrown away:

	cd sites && ../env/bin/python ../apps/loyalty_app/benchmarks/concurrency.py --site SITE --tries 10000

Every process makes one request after another, each on a connection of its own: submit a Sales Invoice, redeeming or
not; cancel one; return one; cancel a return; insert a bonus or a deduction; save a customer, who switches programs now
and then; edit a program's tiers; do the daily runs. The invoices are real, saved before as drafts. Time is not: the app
is told the day, which all processes move on together, so that lots expire and are closed meanwhile. A request that is
told to try again (LedgerBusy) tries again; anything else that reaches the caller, but a refusal by a rule, is a fault.

In the end `ledger.verify()` has to find nothing, no lot may be spent beyond its points, and everything must be as if the
requests had come one after another, in the order of the log: a model in which every point is a token of its own
(`loyalty_app.rules.test_lots.Model`) and every invoice a note of price, pieces and points goes through them in that
order, and has to come to the same earnings, redemptions, debts, lots, spend and tiers, for each customer in each program.
Exits with 1 on any fault.
"""

import json
import multiprocessing
import random
import sys
import time
import traceback
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from itertools import groupby, repeat
from statistics import median

import frappe
import till
from command import parser_of
from till import DURATION, POINT_IS_WORTH, QTY, TIERS, Outcome, attempt

ACTIONS = {
	"submit": 45,
	"cancel": 14,
	"return": 12,
	"cancel return": 8,
	"bonus": 7,
	"deduct": 3,
	"save customer": 5,
	"edit tiers": 2,
	"daily run": 2,
}
TRIES_A_DAY = 25
EVENTS = {"cancel": "Cancel", "cancel return": "Return Cancelled"}


def main():
	parser = parser_of(__doc__)
	parser.add_argument("--processes", type=int, default=4)
	parser.add_argument("--tries", type=int, default=400, help="in all")
	parser.add_argument("--customers", type=int, default=4)
	parser.add_argument("--seed", type=int, default=1)
	parser.add_argument(
		"--block", action="store_true", help="the second program blocks taking back spent points"
	)
	parser.add_argument(
		"--snapshot-isolation",
		action="store_true",
		help="with innodb_snapshot_isolation, as MariaDB 11.6 has",
	)
	arguments = parser.parse_args()
	programs, customers = till.set_up(arguments.site, arguments.customers, arguments.block)
	begin, per_day = calendar(arguments)
	make_fiscal_years(arguments.site, begin)
	started = time.perf_counter()
	outcomes = run(arguments, programs, customers, begin, per_day)
	seconds = time.perf_counter() - started
	till.open_site(arguments.site)
	last = day_of(begin, per_day, days_of(arguments) - 1)
	with till.day(lambda: last):
		close_all(programs)
		print_table(outcomes, seconds)
		sys.exit(judge(outcomes, programs, customers, last))


def days_of(arguments) -> int:
	"""How often the day moves on."""
	return max(1, round(arguments.tries / arguments.processes / TRIES_A_DAY))


def calendar(arguments) -> tuple[date, int]:
	"""The first day, and the calendar days that pass each time: enough for a customer's invoices to have days of
	their own, by which the order of what they spend is known."""
	share = ACTIONS["submit"] / sum(ACTIONS.values())
	per_day = 4 + int(TRIES_A_DAY * arguments.processes * share * 1.3 / arguments.customers)
	return date.today() - timedelta(days=per_day * days_of(arguments) + 1), per_day


def day_of(begin: date, per_day: int, number: int) -> date:
	return begin + timedelta(days=(number + 1) * per_day)


def make_fiscal_years(site: str, begin: date):
	from loyalty_app.tests.utils import company, ensure_fiscal_year, make_invoice

	till.open_site(site)
	company()
	for year in range(begin.year, date.today().year + 1):
		ensure_fiscal_year(date(year, 7, 1))
	# What the factories make once is there before many want it at once.
	from loyalty_app.tests.utils import make_customer

	make_invoice(make_customer(), submit=False)
	frappe.db.commit()
	frappe.destroy()


# --- the processes


def run(arguments, programs, customers, begin, per_day) -> list[Outcome]:
	context = multiprocessing.get_context("spawn")
	barrier, results = context.Barrier(arguments.processes), context.Queue()
	workers = [
		context.Process(
			target=work, args=(number, arguments, programs, customers, begin, per_day, barrier, results)
		)
		for number in range(arguments.processes)
	]
	for worker in workers:
		worker.start()
	outcomes = [o for _ in workers for o in results.get()]
	for worker in workers:
		worker.join()
	return outcomes


def work(number, arguments, programs, customers, begin, per_day, barrier, results):
	outcomes = []
	try:
		worker = Worker(number, arguments, programs, customers, begin, per_day)
		till.open_site(arguments.site)
		worker.make_drafts()
		if arguments.snapshot_isolation:
			frappe.db.sql("set session innodb_snapshot_isolation = 1")
			frappe.db.commit()
		with till.day(lambda: worker.today):
			for epoch in range(days_of(arguments)):
				worker.today = day_of(begin, per_day, epoch)
				barrier.wait(1800)
				if not epoch and not number:
					print("drafts are made", flush=True)
				outcomes += worker.live_through(epoch)
	except Exception:
		outcomes.append(Outcome("process", None, begin, traceback.format_exc(), 0, 0))
		barrier.abort()
	results.put(outcomes)


class Worker:
	"""One terminal: its drafts, and what it does with them and with everybody's invoices."""

	def __init__(self, number, arguments, programs, customers, begin, per_day):
		self.number, self.programs, self.customers = number, programs, customers
		self.processes, self.count = arguments.processes, days_of(arguments)
		self.begin, self.per_day = begin, per_day
		self.chance = random.Random(f"{arguments.seed} {number}")
		self.same_for_all = random.Random(arguments.seed)
		self.drafts, self.today, self.day_number = defaultdict(list), begin, 0

	def make_drafts(self):
		"""Save this process's part of the invoices: of every calendar day and customer, one process makes one."""
		for epoch in range(self.count):
			first = day_of(self.begin, self.per_day, epoch - 1)
			for i in range(self.per_day - 1):
				for j, customer in enumerate(self.customers):
					if (i + j) % self.processes == self.number:
						posted = first + timedelta(days=i + 1)
						self.drafts[epoch].append(till.make_draft(customer, posted, self.chance))
						frappe.db.commit()

	def live_through(self, epoch: int) -> list[Outcome]:
		self.day_number = epoch
		self.deductible = [
			c for i, c in enumerate(self.customers) if (i + epoch) % self.processes == self.number
		]
		self.open_drafts = [*getattr(self, "open_drafts", [])[-20:], *self.drafts.pop(epoch, [])]
		self.chance.shuffle(self.open_drafts)
		actions = self.chance.choices(list(ACTIONS), list(ACTIONS.values()), k=TRIES_A_DAY)
		if not self.number:
			actions[0] = "daily run"
		return [outcome for action in actions if (outcome := self.do(action))]

	def do(self, action: str) -> Outcome | None:
		document, act = getattr(self, action.replace(" ", "_"))()
		return attempt(action, document, self.today, act) if act else None

	def look(self, query: str, *values):
		"""What a person sees before: in a request of its own."""
		till.begin_request()
		return frappe.db.sql(query, values)

	def one(self, condition: str) -> str | None:
		found = self.look(
			f"""select name from `tabSales Invoice` one where customer in ({", ".join(["%s"] * len(self.customers))})
			and docstatus = 1 and {condition} order by rand() limit 1""",
			*self.customers,
		)
		return found[0][0] if found else None

	def balance(self, customer: str) -> int:
		found = self.look(
			"""select m.balance from `tabLoyalty Membership` m join `tabCustomer` c
			on c.name = m.customer and c.loyalty_program = m.loyalty_program where c.name = %s""",
			customer,
		)
		return max(found[0][0], 0) if found else 0

	def submit(self):
		if not self.open_drafts:
			return None, None
		draft = self.open_drafts.pop()
		redeem = 0
		if self.chance.random() < 0.7:
			# At most half of the total, and now and then more than there is.
			most = int(float(draft.price) * QTY / 2 / float(POINT_IS_WORTH))
			redeem = min(int(self.balance(draft.customer) * self.chance.random() * 1.1), most)

		def act():
			doc = frappe.get_doc("Sales Invoice", draft.name)
			doc.redeem_loyalty_points, doc.loyalty_points = int(bool(redeem)), redeem
			try:
				doc.submit()
			except frappe.ValidationError:
				self.open_drafts.insert(0, draft)
				raise

		return draft.name, act

	def cancel(self):
		name = self.one(
			"is_return = 0 and not exists (select 1 from `tabSales Invoice` r"
			" where r.return_against = one.name and r.docstatus = 1)"
		)
		return name, name and (lambda: frappe.get_doc("Sales Invoice", name).cancel() and None)

	def cancel_return(self):
		name = self.one("is_return = 1")
		return name, name and (lambda: frappe.get_doc("Sales Invoice", name).cancel() and None)

	def return_(self):
		from loyalty_app.tests.utils import make_return

		name, pieces = self.one("is_return = 0"), self.chance.randint(1, QTY)

		def act():
			doc = frappe.get_doc("Sales Invoice", name)
			return make_return(doc, qty=pieces, posting_date=self.today, set_posting_time=1).name

		return name, name and act

	def bonus(self):
		return self.entry(self.chance.choice(self.customers), self.chance.randint(1, 15))

	def deduct(self):
		"""One of each customer a day, so that the order in which debts are covered is known."""
		if not self.deductible:
			return None, None
		customer = self.deductible.pop()
		balance = self.balance(customer)
		return self.entry(customer, -self.chance.randint(1, balance + 2))

	def entry(self, customer: str, points: int):
		reason = f"{self.number}-{self.day_number}-{self.chance.random()}"
		good_for = self.chance.randint(0, DURATION)

		def act():
			program = frappe.db.get_value("Customer", customer, "loyalty_program")
			doc = frappe.get_doc(
				{
					"doctype": "Loyalty Point Entry",
					"customer": customer,
					"loyalty_program": program,
					"loyalty_points": points,
					"posting_date": self.today,
					"expiry_date": self.today + timedelta(days=good_for) if points > 0 else None,
					"discretionary_reason": reason,
				}
			)
			return doc.insert().name

		return None, act

	def save_customer(self):
		customer, switch = self.chance.choice(self.customers), self.chance.random() < 0.4

		def act():
			doc = frappe.get_doc("Customer", customer)
			if switch:
				doc.loyalty_program = next(p for p in self.programs if p != doc.loyalty_program)
			doc.customer_details = str(self.chance.random())
			doc.save()

		return customer, act

	def edit_tiers(self):
		program, face = self.chance.choice(self.programs), self.chance.choice(TIERS)

		def act():
			doc = frappe.get_doc("Loyalty Program", program)
			for row, (_name, minimum, factor) in zip(doc.collection_rules, face):
				row.min_spent, row.collection_factor = minimum, float(factor)
			doc.save()

		return program, act

	def daily_run(self):
		def act():
			from loyalty_app.ledger import runs

			runs.start_expiry()
			runs.start_verification()

		return None, act


# "return" is no name for a method.
setattr(Worker, "return", Worker.return_)


# --- the proof


def close_all(programs: list[str]):
	from loyalty_app.ledger import expiry

	expiry.close_all(memberships(programs))
	frappe.db.commit()


def memberships(programs: list[str]) -> list[str]:
	return frappe.get_all("Loyalty Membership", {"loyalty_program": ("in", programs)}, pluck="name")


def print_table(outcomes: list[Outcome], seconds: float):
	print(
		f"{'':15}{'tries':>8}{'done':>8}{'refused':>8}{'asked to try again':>20}{'faults':>8}{'median ms':>11}"
	)
	by_action = defaultdict(list)
	for outcome in outcomes:
		by_action[outcome.action].append(outcome)
	for action, mine in [*by_action.items(), ("all", outcomes)]:
		results = Counter(o.result for o in mine)
		faults = len(mine) - results["done"] - results["refused"]
		print(
			f"{action:15}{len(mine):8}{results['done']:8}{results['refused']:8}{sum(o.busy for o in mine):20}"
			f"{faults:8}{median(o.seconds for o in mine) * 1000:11.0f}"
		)
	for reason, times in Counter(o.reason for o in outcomes if o.result == "refused").most_common(12):
		print(f"refused {times:5} times: {reason[:140]}")
	print(f"{seconds:.0f} s in all, the making of drafts included")


def judge(outcomes: list[Outcome], programs: list[str], customers: list[str], today: date) -> int:
	"""Print what is wrong, if anything is, and the verdict; return the exit code."""
	from loyalty_app.ledger import audit

	faults = [f"{o.action} {o.document}: {o.result}" for o in outcomes if o.result not in ("done", "refused")]
	unhandled = len(faults)
	overspent = points_overspent(programs)
	differences = [str(d) for d in audit.differences(memberships(programs))]
	for finding in frappe.get_all(
		"Loyalty Ledger Run Finding", {"membership": ("in", memberships(programs))}, ["parent", "fault"]
	):
		differences.append(f"run {finding.parent} found meanwhile: {finding.fault}")
	unlike, events = compare(outcomes, programs, customers, today)
	for fault in [*faults, *differences, *unlike][:30]:
		print("  ", fault)
	print(
		f"{'FAULT' if faults or overspent or differences or unlike else 'ok'}: {len(outcomes)} tries,"
		f" {overspent} points overspent, {unhandled} errors unhandled, {len(differences)} differences found by verify,"
		f" {len(unlike)} from the serial order of {events} events"
	)
	return int(bool(faults or overspent or differences or unlike))


def points_overspent(programs: list[str]) -> int:
	rows = frappe.db.sql(
		"""select lot.loyalty_points + sum(draw.loyalty_points) from `tabLoyalty Point Entry` lot
		join `tabLoyalty Point Entry` draw on draw.redeem_against = lot.name
		where lot.loyalty_program in %s and draw.loyalty_points < 0 group by lot.name, lot.loyalty_points""",
		[programs],
	)
	return sum(max(0, -int(left)) for (left,) in rows)


def compare(outcomes, programs, customers, today) -> tuple[list[str], int]:
	"""Where the ledger is not as the model says, and how many events that went through."""
	days = {
		(EVENTS[o.action], o.document): o.today for o in outcomes if o.action in EVENTS and o.result == "done"
	}
	invoices = {
		row.name: row
		for row in frappe.db.sql(
			"""select name, customer, posting_date, return_against, loyalty_points, docstatus, creation, modified,
			(select sum(qty) from `tabSales Invoice Item` item where item.parent = one.name) qty,
			(select max(rate) from `tabSales Invoice Item` item where item.parent = one.name) rate
			from `tabSales Invoice` one where customer in %s""",
			[customers],
			as_dict=True,
		)
	}
	unlike, count, told = [], 0, set()
	silent = silent_of_returns(outcomes, programs)
	for name in memberships(programs):
		serial = Serial(invoices, days, silent)
		rows = frappe.get_all(
			"Loyalty Point Log",
			{"membership": name},
			["event", "reference_name", "after", "entry", "sequence", "creation"],
			order_by="sequence",
		)
		for event, reference, changes in events_of(rows):
			if event == "Expiry":
				continue
			if (event, reference) in told:
				unlike.append(f"{name}: {event} of {reference} is told twice")
			told.add((event, reference))
			count += 1
			serial.go_on(event, reference, changes)
		serial.catch_up_at_last()
		if faults := [*serial.faults, *serial.unlike(name, today)]:
			faults.insert(0, first_difference(rows, Serial(invoices, days, silent)))
		unlike += [f"{name}: {fault}" for fault in faults]
	unlike += unlogged(outcomes, told | silent, invoices)
	for customer in customers:
		row = frappe.get_doc("Customer", customer)
		filters = {"customer": customer, "loyalty_program": row.loyalty_program}
		tier = frappe.db.get_value("Loyalty Membership", filters, "loyalty_program_tier")
		if (row.loyalty_program_tier or None) != (tier or None):
			unlike.append(f"{customer} shows tier {row.loyalty_program_tier}, the membership has {tier}")
		for active, program in frappe.db.sql(
			"select active, loyalty_program from `tabLoyalty Membership` where customer = %s", customer
		):
			if bool(active) != (program == row.loyalty_program):
				unlike.append(f"{customer} is in {row.loyalty_program}, but in {program} active is {active}")
	return unlike, count


def silent_of_returns(outcomes: list[Outcome], programs: list[str]) -> set[tuple[str, str]]:
	"""Returns, and cancels of returns, that were done without a word in the log.

	ERPNext lets two returns made at once take back more pieces than were sold: when the second is submitted, or one of
	them cancelled, all is back before and after, and no point moves. The model is told where it comes to that invoice
	next, and tells if it should have moved one.
	"""
	events = {"return": "Return", "cancel return": "Return Cancelled"}
	done = {(events[o.action], o.document) for o in outcomes if o.action in events and o.result == "done"}
	rows = frappe.get_all(
		"Loyalty Point Log",
		{"loyalty_program": ("in", programs), "event": ("in", list(events.values()))},
		["event", "reference_name"],
		limit=0,
	)
	return done - {(row.event, row.reference_name) for row in rows}


def events_of(rows: list) -> Iterator[tuple[str, str, list]]:
	for (event, reference), changes in groupby(rows, lambda row: (row.event, row.reference_name)):
		yield event, reference, list(changes)


def first_difference(rows: list, serial: "Serial") -> str:
	"""The event from which on what is drawn is not as one after another, with everything that is known of it."""
	entries = {}
	for event, reference, changes in events_of(rows):
		for change in changes:
			entries[change.entry] = frappe._dict(json.loads(change.after or "{}"), name=change.entry)
		if event == "Expiry":
			continue
		serial.go_on(event, reference, changes)
		drawn, tokens = Counter(), serial.drawn()
		for entry in entries.values():
			if (entry.loyalty_points or 0) < 0 and entry.entry_type != "Expired":
				lot = owner_of(entries[entry.redeem_against]) if entry.redeem_against else None
				drawn[lot, owner_of(entry)] -= entry.loyalty_points
		if drawn != tokens:
			differing = {key for key in drawn.keys() | tokens.keys() if drawn[key] != tokens[key]}
			what = "; ".join(f"{key}: {drawn[key]}, not {tokens[key]}" for key in sorted(differing, key=str))
			on = serial.days.get((event, reference))
			return f"first at log row {changes[0].sequence}, {event} of {reference} on {on}: {what}"
	return "what is drawn is as one after another"


def unlogged(outcomes: list[Outcome], told: set, invoices: dict) -> list[str]:
	"""Requests that were done, but of which the log does not tell.

	ERPNext lets an invoice be cancelled while its return is being submitted; such a return moves no points.
	"""
	of_cancelled = {
		row.name
		for row in invoices.values()
		if row.return_against and invoices[row.return_against].docstatus == 2
	}
	names = EVENTS | {
		"submit": "Submit",
		"return": "Return",
		"bonus": "Direct Insert",
		"deduct": "Direct Insert",
	}
	return [
		f"{o.action} {o.document} was done, the log does not tell of it"
		for o in outcomes
		if o.result == "done"
		and o.action in names
		and o.document not in of_cancelled
		and (names[o.action], o.document) not in told
	]


class Serial:
	"""One membership, gone through event by event: the invoices as a shopkeeper notes them, the points as tokens."""

	def __init__(self, invoices: dict, days: dict, silent: set[tuple[str, str]]):
		from loyalty_app.rules.test_lots import Model

		self.invoices, self.days, self.silent = invoices, days, silent
		self.model, self.live, self.faults = Model(), {}, []
		# names of returns that were cancelled
		self.taken_back = set()
		self.bonus = self.deducted = 0

	@property
	def spend(self):
		return sum(max(i.spend, 0) for i in self.live.values())

	def go_on(self, event: str, reference: str, changes: list):
		said = [json.loads(row.after) for row in changes if row.after]
		if event == "Direct Insert":
			self.insert(said, reference, changes)
		elif event == "Submit":
			self.submit(self.invoices[reference], said)
		else:
			document = self.invoices[reference]
			invoice = self.live.get(document.return_against or reference)
			if not invoice:
				self.faults.append(
					f"{event} of {reference} changed points of an invoice that was cancelled before"
				)
				return
			self.catch_up(invoice, changes[0].creation)
			if event == "Return":
				pieces = -int(document.qty)
				# two returns made at once may take back more than was sold; points never more than were paid
				pieces_back = min(invoice.pieces_back + pieces, QTY)
				back = max(invoice.redeemed * pieces_back // QTY - invoice.points_back, 0)
				if back != -(document.loyalty_points or 0):
					self.faults.append(
						f"{reference} gives back {-document.loyalty_points} points, not {back}"
					)
				invoice.returns.append((document, pieces, back))
				self.settle(invoice, document.posting_date)
			elif event == "Return Cancelled":
				invoice.returns = [r for r in invoice.returns if r[0] is not document]
				self.taken_back.add(document.name)
				self.settle(invoice, self.days[event, reference])
			elif event == "Cancel":
				del self.live[reference]
				self.settle(invoice, self.days[event, reference], cancelled=True)
			else:
				self.faults.append(f"unknown event {event}")

	def catch_up(self, invoice, now):
		"""Go through the returns of `invoice` that were made or cancelled before `now` without a word in the log.

		When they were begun is known, but not when they had their turn: not while they would have moved points.
		"""
		for event, name in sorted(self.silent):
			document, returns = self.invoices[name], invoice.returns
			is_there = any(r[0] is document for r in returns)
			if event == "Return" and not is_there and document.creation < now:
				after = [*returns, (document, -int(document.qty), 0)]
			elif event == "Return Cancelled" and is_there and document.modified < now:
				after = [r for r in returns if r[0] is not document]
			else:
				continue
			if document.return_against != invoice.voucher.name or name in self.taken_back:
				continue
			before = invoice.earned, invoice.points_back
			invoice.returns = after
			if (invoice.earned, invoice.points_back) != before:
				invoice.returns = returns
			elif event == "Return Cancelled":
				self.taken_back.add(name)

	def catch_up_at_last(self):
		"""In the end all of them must have had their turn."""
		for invoice in self.live.values():
			self.catch_up(invoice, datetime.max)
			there = {document.name for document, _pieces, _back in invoice.returns}
			for event, name in self.silent:
				is_over = name in self.taken_back or (
					name in there and ("Return Cancelled", name) not in self.silent
				)
				if self.invoices[name].return_against == invoice.voucher.name and not is_over:
					self.faults.append(f"{event} of {name} moved points of which the log does not tell")

	def submit(self, document, said: list[dict]):
		from fractions import Fraction

		from loyalty_app.ledger.test_history import LiveInvoice

		earned = next((s for s in said if s["entry_type"] == "Earned"), None)
		if not earned:
			self.faults.append(f"{document.name} has no entry of what it earned")
			return
		redeemed = document.loyalty_points or 0
		tier, factor = earned.get("loyalty_program_tier"), earned.get("collection_factor")
		expires = document.posting_date + timedelta(days=DURATION)
		factor = Fraction(str(factor)) if factor else None
		invoice = LiveInvoice(
			document, Fraction(str(document.rate)), redeemed, POINT_IS_WORTH, factor, tier, expires
		)
		# The program may be edited at this very moment: the tier is one that either of its faces gives.
		possible = {tier_at(face, self.spend + invoice.spend) for face in TIERS}
		if (tier, factor) not in possible:
			self.faults.append(
				f"{document.name} earned in tier {tier} at {factor}, which is none of {possible}"
			)
		self.live[document.name] = invoice
		self.settle(invoice, document.posting_date)

	def settle(self, invoice, on: date, cancelled: bool = False):
		self.model.settle(
			invoice.voucher,
			0 if cancelled else invoice.earned,
			0 if cancelled else invoice.redeemed - invoice.points_back,
			invoice.doc.posting_date,
			invoice.expires,
			on,
		)

	def insert(self, said: list[dict], reference: str, changes: list):
		row = next(json.loads(c.after) for c in changes if c.entry == reference)
		who, posted = ("Entry", row["discretionary_reason"]), date.fromisoformat(row["posting_date"])
		if row["loyalty_points"] > 0:
			self.bonus += row["loyalty_points"]
			# Lots of the same days are drawn in the order of their names.
			self.model.made = repeat(reference)
			expires = date.fromisoformat(row["expiry_date"])
			self.model.settle(who, row["loyalty_points"], 0, posted, expires, posted)
			self.model.made = repeat("")
		else:
			points = -sum(s["loyalty_points"] for s in said if s.get("discretionary_reason") == who[1])
			if points > self.model.spendable(posted):
				self.faults.append(
					f"entry {reference} took {points} points of {self.model.spendable(posted)}"
				)
			self.deducted += points
			self.model.settle(who, 0, points, posted, posted, posted)

	def drawn(self) -> Counter:
		"""Points by the lot they were drawn from, None where no lot covers them, and by who spent them."""
		found = Counter(
			(token.lot.owner, token.spender) for token in self.model.tokens if token.spender is not None
		)
		found.update({(None, who): points for who, points in self.model.debts.items() if points})
		return found

	def unlike(self, name: str, today: date):
		"""Everything in the tables that is not as in the model."""
		member = frappe.get_doc("Loyalty Membership", name)
		faces = {tier_at(face, self.spend)[0] if self.spend else None for face in TIERS}
		debts = {who: n for who, n in self.model.debts.items() if n}
		for field, expected in {
			"total_spent": float(self.spend),
			"points_earned": sum(i.earned for i in self.live.values()) + self.bonus,
			"points_redeemed": sum(i.redeemed - i.points_back for i in self.live.values()) + self.deducted,
			"balance": self.model.spendable(today),
			"shortfall": sum(debts.values()),
		}.items():
			if (member.get(field) or 0) != expected:
				yield f"{field} is {member.get(field)}, one after another it is {expected}"
		if (member.loyalty_program_tier or None) not in faces:
			yield f"tier is {member.loyalty_program_tier}, one after another it is one of {faces}"
		rows = frappe.get_all("Loyalty Point Entry", {"membership": name}, ["*"])
		named = {row.name: row for row in rows}
		free = Counter(
			token.lot.owner
			for token in self.model.tokens
			if token.spender is None and token.lot.expires >= today
		)
		draws, left = Counter(), Counter()
		for row in rows:
			if row.loyalty_points > 0 and row.remaining_points:
				left[owner_of(row)] += row.remaining_points
			elif row.loyalty_points < 0 and row.entry_type != "Expired":
				lot = owner_of(named[row.redeem_against]) if row.redeem_against else None
				draws[lot, owner_of(row)] -= row.loyalty_points
		for what, actual, expected in (
			("points drawn", draws, self.drawn()),
			("points left of", left, free),
		):
			for key in actual.keys() | expected.keys():
				if actual[key] != expected[key]:
					yield f"{what} {key}: {actual[key]}, one after another {expected[key]}"


def owner_of(row) -> tuple:
	from loyalty_app.rules.lots import Voucher

	return Voucher(row.invoice_type, row.invoice) if row.invoice else ("Entry", row.discretionary_reason)


def tier_at(face, spend):
	from fractions import Fraction

	name, _minimum, factor = max(
		(t for t in face if t[1] <= spend), key=lambda t: t[1], default=(None, 0, None)
	)
	return name, Fraction(factor) if factor else None


if __name__ == "__main__":
	main()
