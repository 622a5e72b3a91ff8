"""What benchmarks share: a site with customers and drafts, and requests against it, each as a server would make it."""

import contextlib
import importlib
import io
import pkgutil
import random
import re
import sys
import time
import traceback
from datetime import date, timedelta
from typing import NamedTuple

import frappe
from command import connect

GROUP = "Loyalty Benchmark"
QTY = 4
DURATION = 100
# The two faces of each program's tiers, between which the benchmark edits them.
TIERS = (
	(("Bronze", 100, "10"), ("Silver", 3000, "8"), ("Gold", 12000, "5")),
	(("Bronze", 100, "10"), ("Silver", 5000, "6"), ("Gold", 9000, "4")),
)
POINT_IS_WORTH = "0.5"
TRIES_IF_BUSY = 20


class Draft(NamedTuple):
	"""A Sales Invoice that was saved, not submitted, and the day on which it was posted."""

	name: str
	customer: str
	posted: date
	price: str
	redeem: int


class Outcome(NamedTuple):
	"""What became of a try: `result` is done, refused, busy, or the fault."""

	action: str
	document: str | None
	today: date
	result: str
	busy: int
	seconds: float
	reason: str | None = None


def open_site(site: str) -> None:
	"""Connect this process to the site."""
	connect(site)


def begin_request() -> None:
	"""Forget what Frappe keeps of the request before, but for doctypes: to load those takes longer than a submit."""
	frappe.db.rollback()
	frappe.clear_messages()
	frappe.local.flags.update(currently_saving=[], loyalty_invoices_in_hand={})
	kept = frappe.local.cache
	for key in [
		key for key in kept if b"document_cache" in (key if isinstance(key, bytes) else key.encode())
	]:
		del kept[key]
	getattr(frappe.local, "document_cache", {}).clear()


def make_everyday_program():
	"""A program whose higher tier is never reached: what is measured is an everyday submit."""
	from loyalty_app.tests.utils import make_program

	return make_program(tiers=[("Silver", 0, 10), ("Gold", 10**10, 5)], from_date="2000-01-01")


def draft_at_hand(customer: str, price: float, **fields):
	"""The document of a new Sales Invoice, in a request of its own, as a till has it that is about to submit it."""
	from loyalty_app.tests.utils import make_invoice

	begin_request()
	with contextlib.redirect_stdout(io.StringIO()):
		draft = make_invoice(customer, price, submit=False, **fields)
	frappe.db.commit()
	begin_request()
	doc = frappe.get_doc("Sales Invoice", draft.name)
	# What a till shows before has filled the caches; no submit is the first to ask for its customer.
	frappe.get_cached_doc("Customer", customer)
	return doc


def take_back(name: str) -> None:
	"""Cancel the Sales Invoice `name`, so that the next one finds the same history."""
	begin_request()
	with contextlib.redirect_stdout(io.StringIO()):
		frappe.get_doc("Sales Invoice", name).cancel()
	frappe.db.commit()


@contextlib.contextmanager
def day(of):
	"""Let this app's code think that today is the date `of()`."""
	from unittest.mock import patch

	from frappe.utils import today

	for package in ("ledger", "overrides"):
		# Those imported later would not know of it.
		folder = importlib.import_module(f"loyalty_app.{package}")
		for module in pkgutil.iter_modules(folder.__path__, f"loyalty_app.{package}."):
			if ".test_" not in module.name:
				importlib.import_module(module.name)
	with contextlib.ExitStack() as stack:
		for name, module in list(sys.modules.items()):
			if name.startswith("loyalty_app.") and vars(module).get("today") is today:
				stack.enter_context(patch.object(module, "today", lambda: of().isoformat()))
		yield


@contextlib.contextmanager
def jobs_at_hand():
	"""Collect the jobs of ledger runs instead of queueing them for workers; `work_off` does them."""
	from unittest.mock import patch

	from loyalty_app.ledger import runs

	jobs = []
	with patch.object(
		runs, "_enqueue", lambda function, job, **arguments: jobs.append((function, arguments))
	):
		yield jobs


def work_off(jobs: list) -> None:
	from loyalty_app.ledger import runs

	while jobs:
		function, arguments = jobs.pop(0)
		getattr(runs, function)(**arguments)


def attempt(action: str, document: str | None, today: date, act) -> Outcome:
	"""Do `act` as a request of its own; where the ledger is busy, ask again as its message says.

	Whatever else reaches the caller than a refusal by a rule is a fault.
	"""
	started, busy = time.perf_counter(), 0
	while True:
		begin_request()
		reason = None
		try:
			with contextlib.redirect_stdout(io.StringIO()), jobs_at_hand() as jobs:
				done = act()
				frappe.db.commit()
				work_off(jobs)
			result = "done"
			document = done or document
		except Exception as e:
			frappe.db.rollback()
			result, reason = result_of(e)
		if result != "busy" or busy >= TRIES_IF_BUSY:
			return Outcome(action, document, today, result, busy, time.perf_counter() - started, reason)
		busy += 1
		time.sleep(random.random() * 0.05 * busy)


def result_of(e: Exception) -> tuple[str, str]:
	"""What it means that a request failed with `e`, and the reason given, without names and numbers."""
	from loyalty_app.ledger import LedgerBusy

	reason = re.sub(r"<[^>]*>|\d[\d.,-]*|Loyalty Test Customer \w+", "", str(e))
	reason = f"{type(e).__name__}: {' '.join(reason.split())}"
	if isinstance(e, LedgerBusy):
		return "busy", reason
	# Not enough points, already cancelled, changed meanwhile: what the document's rules say, in words.
	if isinstance(e, frappe.ValidationError) and not isinstance(e, frappe.QueryDeadlockError):
		return "refused", reason
	frames = [f for f in traceback.extract_tb(e.__traceback__) if "/frappe/" not in f.filename]
	where = ", ".join(f"{f.name} ({f.filename.rpartition('/')[2]}:{f.lineno})" for f in frames[-6:])
	return f"{type(e).__name__}: {str(e)[:300]} in {where}", reason


def set_up(site: str, customers: int, blocks: bool = False) -> tuple[list[str], list[str]]:
	"""Two programs, and customers in the first; return the names of both."""
	from loyalty_app.tests.utils import make_customer, make_program, tree_node

	open_site(site)
	if not frappe.db.exists("Customer Group", GROUP):
		tree_node("Customer Group", title=GROUP)
	programs = [
		make_program(
			tiers=[(name, minimum, float(factor)) for name, minimum, factor in TIERS[0]],
			conversion_factor=float(POINT_IS_WORTH),
			expiry_duration=DURATION,
			if_points_already_spent=spent,
			from_date="2000-01-01",
		).name
		for spent in ("Allow Negative Balance", "Block" if blocks else "Allow Negative Balance")
	]
	names = [make_customer(loyalty_program=programs[0], customer_group=GROUP).name for _ in range(customers)]
	frappe.db.commit()
	frappe.destroy()
	return programs, names


def make_draft(customer: str, posted: date, chance: random.Random) -> Draft:
	"""Save a Sales Invoice of four pieces at a price, with nothing redeemed yet."""
	from loyalty_app.tests.utils import make_invoice

	price = chance.choice(["12.5", "20", "33.33", "60.25"])
	with contextlib.redirect_stdout(io.StringIO()):
		doc = make_invoice(
			customer,
			items=[{"rate": float(price), "qty": QTY}],
			posting_date=posted,
			submit=False,
			disable_rounded_total=1,
		)
	return Draft(doc.name, customer, posted, price, 0)


def days(first: date, last: date) -> list[date]:
	return [first + timedelta(days=i) for i in range((last - first).days + 1)]
