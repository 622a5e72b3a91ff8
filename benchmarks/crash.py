"""Workers that are killed at random instants while they move points, and the proof that nothing is left half done.

Run with a bench's Python in its `sites` folder, on a site that may be thrown away:

	cd sites && ../env/bin/python ../apps/loyalty_app/benchmarks/crash.py --site SITE --kills 200

A process submits, cancels or returns a real Sales Invoice, cancels a return, inserts a bonus, or works on an expiry or
verification run, and is sent SIGKILL at an instant chosen by chance within the time that this takes. Those that were
done before are not counted. After each kill `verify` has to find nothing, and of every invoice either everything is
there (its docstatus, its entries with all its points, its rows in the general ledger) or nothing. In the end the runs
that lost their worker are resumed, as the scheduler does every hour, and have to finish. Exits with 1 on any fault.
"""

import os
import random
import signal
import sys
import time
from collections import Counter, defaultdict
from datetime import date, timedelta

import frappe
import till
from command import parser_of
from till import DURATION, QTY

ACTIONS = {
	"submit": 35,
	"cancel": 15,
	"return": 15,
	"cancel return": 8,
	"bonus": 7,
	"expiry run": 12,
	"verification run": 8,
}
# So often an action is let be, to know how long it takes, and to have something to begin with.
SPARED = 3
# Of the usual time that an action takes, within what part its process is killed: a little later too.
LATEST = 1.15
REFUSED = 2


def main():
	parser = parser_of(__doc__)
	parser.add_argument("--kills", type=int, default=200)
	parser.add_argument("--customers", type=int, default=8)
	parser.add_argument("--seed", type=int, default=1)
	arguments = parser.parse_args()
	sys.exit(Crashes(arguments).run())


class Crashes:
	def __init__(self, arguments):
		self.site, self.kills = arguments.site, arguments.kills
		self.programs, self.customers = till.set_up(arguments.site, arguments.customers)
		self.chance = random.Random(arguments.seed)
		# The day moves on with every action, so that there are lots that have expired.
		self.today = date.today() - timedelta(days=5 * self.kills)
		self.usual = defaultdict(lambda: 0.5)
		self.faults, self.killed, self.done, self.failed = [], Counter(), Counter(), Counter()
		self.runs_before, self.any_invoice = set(), None

	def run(self) -> int:
		from loyalty_app.ledger import runs

		# Small sets, so that a run of a few memberships is many transactions, and may be killed between any two.
		runs.MEMBERSHIPS_IN_SET, runs.MEMBERSHIPS_IN_RANGE, runs.STALLED_AFTER_MINUTES = 1, 3, 0
		till.open_site(self.site)
		self.runs_before = set(frappe.get_all(runs.DOCTYPE, pluck="name"))
		self.any_invoice = till.make_draft(self.customers[0], self.today, self.chance).name
		frappe.db.set_value(runs.DOCTYPE, {"status": ("in", ("Queued", "Running"))}, "status", "Done")
		frappe.db.commit()
		started = time.perf_counter()
		with till.day(lambda: self.today):
			while sum(self.killed.values()) < self.kills:
				self.today += timedelta(days=1)
				self.attempt(self.chance.choices(list(ACTIONS), list(ACTIONS.values()))[0])
			self.finish_runs()
		self.check()
		return self.tell(time.perf_counter() - started)

	def attempt(self, action: str):
		"""Let a process do `action` and kill it; see what it left."""
		till.begin_request()
		act = getattr(self, action.replace(" ", "_"))()
		if not act:
			return
		# The process has a connection of its own; this one has to be gone before it is there twice.
		frappe.destroy()
		ready, tell = os.pipe()
		child = os.fork()
		if not child:
			self.be_worker(act, tell)
		os.close(tell)
		os.read(ready, 1)
		started = time.perf_counter()
		wait = self.chance.random() * self.usual[action] * LATEST
		if self.done[action] < SPARED:
			wait = 120
		status = None
		while (left := wait - (time.perf_counter() - started)) > 0 and not status:
			time.sleep(min(left, 0.002))
			pid, code = os.waitpid(child, os.WNOHANG)
			status = (code,) if pid else None
		if status:
			self.usual[action] += (time.perf_counter() - started - self.usual[action]) / 3
			code = os.waitstatus_to_exitcode(status[0])
			(self.failed if code else self.done)[action] += 1
			if code not in (0, REFUSED):
				self.faults.append(f"{action} failed, see the Error Log")
		else:
			os.kill(child, signal.SIGKILL)
			os.waitpid(child, 0)
			self.killed[action] += 1
			# Half of what it takes more, so that the time is found from below, too.
			self.usual[action] *= 1.01
		os.close(ready)
		till.open_site(self.site)
		self.check()

	def be_worker(self, act, tell):
		"""Do `act` in a process of its own, which ends here."""
		code = 1
		try:
			sys.stdout = open(os.devnull, "w")
			till.open_site(self.site)
			# A worker has long been at work: what it keeps in memory is there.
			for doctype in (
				"Sales Invoice",
				"Sales Invoice Item",
				"GL Entry",
				"Payment Ledger Entry",
				"Customer",
			):
				frappe.get_meta(doctype)
			frappe.get_doc("Sales Invoice", self.any_invoice)
			till.begin_request()
			os.write(tell, b".")
			with till.jobs_at_hand() as jobs:
				act()
				frappe.db.commit()
				till.work_off(jobs)
			code = 0
		except frappe.ValidationError:
			code = REFUSED
		except BaseException:
			frappe.log_error(title="Crash benchmark")
			frappe.db.commit()
			code = 3
		finally:
			os._exit(code)

	# --- what a worker does

	def submit(self):
		customer = self.chance.choice(self.customers)
		draft = till.make_draft(customer, self.today - timedelta(days=self.chance.randint(0, 3)), self.chance)
		frappe.db.commit()
		balance = frappe.db.get_value("Loyalty Membership", {"customer": customer}, "balance") or 0
		redeem = min(int(max(balance, 0) * self.chance.random()), int(float(draft.price) * QTY / 2))

		def act():
			doc = frappe.get_doc("Sales Invoice", draft.name)
			doc.redeem_loyalty_points, doc.loyalty_points = int(bool(redeem)), redeem
			doc.submit()

		return act

	def one(self, condition: str) -> str | None:
		found = frappe.db.sql(
			f"""select name from `tabSales Invoice` one where customer in %s and docstatus = 1 and {condition}
			order by rand() limit 1""",
			[self.customers],
		)
		return found[0][0] if found else None

	def cancel(self):
		name = self.one(
			"is_return = 0 and not exists (select 1 from `tabSales Invoice` r"
			" where r.return_against = one.name and r.docstatus = 1)"
		)
		return name and (lambda: frappe.get_doc("Sales Invoice", name).cancel())

	def cancel_return(self):
		name = self.one("is_return = 1")
		return name and (lambda: frappe.get_doc("Sales Invoice", name).cancel())

	def return_(self):
		from loyalty_app.tests.utils import make_return

		name, pieces = self.one("is_return = 0"), self.chance.randint(1, QTY)
		return name and (
			lambda: make_return(
				frappe.get_doc("Sales Invoice", name), qty=pieces, posting_date=self.today, set_posting_time=1
			)
		)

	def bonus(self):
		entry = {
			"doctype": "Loyalty Point Entry",
			"customer": self.chance.choice(self.customers),
			"loyalty_program": self.programs[0],
			"loyalty_points": self.chance.randint(1, 30),
			"posting_date": self.today,
			"expiry_date": self.today + timedelta(days=self.chance.randint(0, DURATION)),
		}
		return lambda: frappe.get_doc(entry).insert()

	def expiry_run(self):
		from loyalty_app.ledger import runs

		def act():
			runs.start_expiry()
			runs.resume_stalled()

		return act

	def verification_run(self):
		from loyalty_app.ledger import runs

		def act():
			runs.start_verification()
			runs.resume_stalled()

		return act

	# --- what it leaves

	def finish_runs(self):
		from loyalty_app.ledger import runs

		time.sleep(0.01)
		with till.jobs_at_hand() as jobs:
			# What lost its worker goes on as it was begun; then comes the run of the next day.
			for begin in (runs.resume_stalled, runs.start_expiry):
				begin()
				frappe.db.commit()
				till.work_off(jobs)
		for run in frappe.get_all(runs.DOCTYPE, fields=["name", "kind", "status"]):
			if run.name not in self.runs_before and run.status != "Done":
				self.faults.append(f"run {run.name} ({run.kind}) is {run.status}")
		table = frappe.qb.DocType("Loyalty Membership")
		query = frappe.qb.from_(table).select(table.name).where(table.next_expiry < self.today)
		overdue = query.where(table.loyalty_program.isin(self.programs)).run(pluck=True)
		self.faults += [f"{name} has lots that expired and are open" for name in overdue]

	def check(self):
		from loyalty_app.ledger import audit

		frappe.db.rollback()
		names = frappe.get_all("Loyalty Membership", {"loyalty_program": ("in", self.programs)}, pluck="name")
		found = [str(d) for d in audit.differences(names)] + half_done(self.customers)
		self.faults += [fault for fault in found if fault not in self.faults]

	def tell(self, seconds: float) -> int:
		print(f"{'':20}{'killed':>8}{'done before':>13}{'refused or failed':>19}")
		for action in ACTIONS:
			print(f"{action:20}{self.killed[action]:8}{self.done[action]:13}{self.failed[action]:19}")
		for fault in self.faults[:30]:
			print("  ", fault)
		print(
			f"{'FAULT' if self.faults else 'ok'}: {sum(self.killed.values())} processes killed in {seconds:.0f} s,"
			f" {len(self.faults)} faults found"
		)
		return int(bool(self.faults))


setattr(Crashes, "return", Crashes.return_)


def half_done(customers: list[str]) -> list[str]:
	"""Invoices of which one part is there and another is not."""
	rows = frappe.db.sql(
		"""select one.name, one.docstatus, one.is_return, one.loyalty_points,
		(select count(*) from `tabLoyalty Point Entry` e where e.invoice = one.name and e.entry_type = 'Earned') earned,
		(select coalesce(-sum(e.loyalty_points), 0) from `tabLoyalty Point Entry` e
			where e.invoice = one.name and e.entry_type = 'Redeemed') redeemed,
		(select coalesce(-sum(r.loyalty_points), 0) from `tabSales Invoice` r
			where r.return_against = one.name and r.docstatus = 1) given_back,
		(select count(*) from `tabGL Entry` gl where gl.voucher_no = one.name and gl.is_cancelled = 0) booked
		from `tabSales Invoice` one where one.customer in %s""",
		[customers],
		as_dict=True,
	)
	faults = []
	for row in rows:
		stands = row.docstatus == 1
		has_entries = stands and not row.is_return
		if bool(row.booked) != stands:
			faults.append(
				f"{row.name}: docstatus {row.docstatus} with {row.booked} rows in the general ledger"
			)
		if row.earned != int(has_entries):
			faults.append(f"{row.name}: docstatus {row.docstatus} with {row.earned} entries of points earned")
		expected = row.loyalty_points - row.given_back if has_entries else 0
		if row.redeemed != expected:
			faults.append(f"{row.name}: {row.redeemed} points redeemed, it says {expected}")
	return faults


if __name__ == "__main__":
	main()
