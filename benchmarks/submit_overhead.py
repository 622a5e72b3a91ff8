"""What loyalty adds to a submit, by this app and by ERPNext's built-in code, as a customer's history grows.

Run with a bench's Python in its `sites` folder, on two sites of one bench that may be thrown away, one with this app
and one with ERPNext alone:

	cd sites && ../env/bin/python ../apps/loyalty_app/benchmarks/submit_overhead.py --site SITE --builtin-site OTHER

For each number of existing entries there is one customer, whose history is written in bulk: 20 lots are open, the others
are spent or expired. Two processes, one a site, take turns, again and again through all sizes. A turn is a submit that
earns, one at the till that redeems over three lots, and beside each the same of a customer in no program: a plain one,
and one at the till of which the amount redeemed is written off, which ERPNext books by as many entries of its own as a
redemption; this app does not make sure there that the customer is in none. Loyalty's share of a submit is its time less
that of the one beside it. Medians, with the range in which half of the shares lie; and, less troubled by what else the
machine does, the difference of the times that a tenth of the submits stay under. Statements are counted in the same way,
and reading balance and tier is timed. Prints a table and writes the results as JSON.
"""

import contextlib
import io
import json
import multiprocessing
import os
import platform
import time
import traceback
from datetime import date, timedelta
from pathlib import Path
from statistics import median, quantiles
from unittest.mock import patch

import frappe
import till
from command import parser_of

SIZES = (10, 1_000, 50_000, 1_000_000)
OPEN_LOTS = 20
POINTS = 10
PRICE = 50
REDEEMED = 2 * POINTS + 1
ENTRIES_AT_ONCE = 10_000
RESULTS = Path(__file__).parent / "results" / "submit_overhead.json"
# Of the measurements of a size, so many more, first, are for warming up.
WARM_UP = 2
READS = 5
# The share of each kind of submit is its time less that of this other.
BESIDE = {"earn": "without", "redeem": "written_off"}
# In each turn the app measures so often: its shares are small beside what one submit differs from the next.
IN_A_TURN = {"app": 4, "builtin": 1}


def main():
	parser = parser_of(__doc__)
	parser.add_argument("--builtin-site", required=True)
	parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
	parser.add_argument("--rounds", type=int, default=40, help="submits of each kind and size")
	parser.add_argument("--output", type=Path, default=RESULTS)
	arguments = parser.parse_args()
	context = multiprocessing.get_context("spawn")
	sides = {
		"app": Side(context, arguments.site, arguments.sizes),
		"builtin": Side(context, arguments.builtin_site, arguments.sizes),
	}
	versions = {name: side.answer() for name, side in sides.items()}
	assert "loyalty_app" in versions["app"] and "loyalty_app" not in versions["builtin"], versions
	print("histories are written", flush=True)
	found = {name: {size: [] for size in arguments.sizes} for name in sides}
	for number in range(arguments.rounds + WARM_UP):
		for size in arguments.sizes:
			# The one that goes first is the other in the next round.
			for name in sorted(sides, reverse=bool(number % 2)):
				for _ in range(IN_A_TURN[name] if number >= WARM_UP else 1):
					measured = sides[name].ask(size)
					if number >= WARM_UP:
						found[name][size].append(measured)
	results = {
		"measured_at": date.today().isoformat(),
		"machine": {"cores": os.cpu_count(), "platform": platform.machine()},
		"versions": versions["app"],
		"rounds": arguments.rounds,
		"sizes": list(arguments.sizes),
		**{name: [summary(found[name][size]) for size in arguments.sizes] for name in sides},
	}
	results["wrong"] = sides["app"].ask("verify")
	for side in sides.values():
		side.ask("end")
	arguments.output.parent.mkdir(exist_ok=True)
	arguments.output.write_text(json.dumps(results, indent="\t") + "\n")
	print_table(results)


def summary(measured: list[dict]) -> dict:
	"""Of the measurements of one size: medians and quartiles in ms, and statements."""

	def of(values):
		first, _, third = quantiles(values, n=4)
		return {"median": round(median(values), 3), "quartiles": [round(first, 3), round(third, 3)]}

	def share(kind):
		return of([m[kind] - m[BESIDE[kind]] for m in measured]) | {
			"fastest_tenth": round(fastest(kind) - fastest(BESIDE[kind]), 3)
		}

	def fastest(kind):
		return quantiles([m[kind] for m in measured], n=10)[0]

	return {
		"submit_without": of([m["without"] for m in measured]),
		"earn": share("earn"),
		"redeem": share("redeem"),
		"read": of([m["read"] for m in measured]),
		"statements": {
			kind: int(median(m[f"{kind}_statements"] - m[f"{beside}_statements"] for m in measured))
			for kind, beside in BESIDE.items()
		},
	}


def print_table(results: dict):
	for kind, title in (
		("earn", "submit that earns"),
		("redeem", "submit that redeems over 3 lots"),
		("read", "reading balance and tier"),
	):
		print(f"\n{title}: ms{'' if kind == 'read' else ' added'}, median (half lie between)")
		print(
			f"{'entries':>10}{'this app':>30}{'built-in':>30}{'ratio':>8}"
			f"{'fastest tenth: app':>20}{'built-in':>10}{'statements: app':>17}{'built-in':>10}"
		)
		for size, app, builtin in zip(results["sizes"], results["app"], results["builtin"]):
			cells = [
				f"{side[kind]['median']:.2f} ({side[kind]['quartiles'][0]:.2f}-{side[kind]['quartiles'][1]:.2f})"
				for side in (app, builtin)
			]
			statements = [side["statements"].get(kind, "") for side in (app, builtin)]
			ratio = builtin[kind]["median"] / app[kind]["median"] if app[kind]["median"] > 0 else 0
			quick = [side[kind].get("fastest_tenth", "") for side in (app, builtin)]
			print(
				f"{size:10,}{cells[0]:>30}{cells[1]:>30}{ratio:8.1f}"
				f"{quick[0]:>20}{quick[1]:>10}{statements[0]:>17}{statements[1]:>10}"
			)
	without = [median(s["submit_without"]["median"] for s in results[name]) for name in ("app", "builtin")]
	print(
		f"\nthe submit beside one that earns takes {without[0]:.0f} ms with this app, {without[1]:.0f} ms without"
	)
	print(f"verify found {len(results['wrong'])} differences after it: {results['wrong'][:3]}")


class Side:
	"""A process that works on one site, and does something only when it is asked."""

	def __init__(self, context, site: str, sizes):
		self.pipe, other = context.Pipe()
		self.process = context.Process(target=serve, args=(other, site, tuple(sizes)), daemon=True)
		self.process.start()

	def ask(self, what):
		self.pipe.send(what)
		return self.answer()

	def answer(self):
		answer = self.pipe.recv()
		if isinstance(answer, str):
			raise SystemExit(answer)
		return answer


def serve(pipe, site: str, sizes):
	try:
		till.open_site(site)
		shop = Shop(sizes)
		pipe.send(versions())
		while (asked := pipe.recv()) != "end":
			pipe.send(shop.verify() if asked == "verify" else shop.measure(asked))
		pipe.send(True)
	except Exception:
		pipe.send(traceback.format_exc())


def versions() -> dict:
	found = {app: frappe.get_attr(f"{app}.__version__") for app in frappe.get_installed_apps()}
	return found | {"database": frappe.db.sql("select version()")[0][0]}


class Shop:
	"""A site with one customer for each size of history, and one in no program."""

	def __init__(self, sizes):
		from loyalty_app.tests.utils import make_customer, make_pos_profile

		self.has_app = "loyalty_app" in frappe.get_installed_apps()
		self.program = till.make_everyday_program()
		self.stranger = make_customer().name
		self.worth = REDEEMED * self.program.conversion_factor
		# ERPNext books a write-off for invoices of a point of sale only.
		self.at_the_till = {
			"is_pos": 1,
			"pos_profile": make_pos_profile(self.program.company),
			"payments": [{"mode_of_payment": "Cash", "amount": PRICE - self.worth}],
		}
		self.customers = {size: make_customer(loyalty_program=self.program.name).name for size in sizes}
		frappe.db.commit()
		for size, customer in self.customers.items():
			(self.fill if self.has_app else self.fill_builtin)(customer, size)
		frappe.db.commit()
		frappe.db.sql("analyze table `tabLoyalty Point Entry`")

	# --- histories

	def fill(self, customer: str, size: int):
		from loyalty_app.ledger.membership import find
		from loyalty_app.tests.history import add_closed_lots, add_open_lots

		name = find(customer, self.program.name)
		closed, open_lots = parts(size)
		add_open_lots(name, open_lots, POINTS)
		for start in range(0, closed, ENTRIES_AT_ONCE):
			add_closed_lots(name, min(ENTRIES_AT_ONCE, closed - start), start=start)
			frappe.db.commit()

	def fill_builtin(self, customer: str, size: int):
		"""The same history as ERPNext writes it: what expires leaves no row, so that every closed lot is redeemed."""
		# by the site's clock, as its invoices are posted
		now_is, closed_and_open = frappe.utils.getdate(), parts(size)
		columns = (
			"name", "customer", "loyalty_program", "loyalty_program_tier", "company", "invoice_type", "invoice",
			"posting_date", "expiry_date", "loyalty_points", "purchase_amount", "redeem_against", "creation", "modified",
		)  # fmt: skip
		rows = []
		stamp = frappe.utils.now()
		for number, is_open in (
			*((i, False) for i in range(closed_and_open[0])),
			*((i, True) for i in range(closed_and_open[1])),
		):
			posted = now_is if is_open else now_is - timedelta(days=730)
			expires = now_is + timedelta(days=1 + number) if is_open else now_is - timedelta(days=365)
			name = f"{customer}-{'O' if is_open else 'C'}{number}"
			same = (customer, self.program.name, "Silver", self.program.company, "Sales Invoice")
			rows.append(
				(name, *same, f"OLD-{name}", posted, expires, POINTS, POINTS * 10, None, stamp, stamp)
			)
			if not is_open:
				rows.append(
					(f"{name}D", *same, f"OLD-{name}-R", posted, expires, -POINTS, 0, name, stamp, stamp)
				)
			if len(rows) >= ENTRIES_AT_ONCE:
				frappe.db.bulk_insert("Loyalty Point Entry", list(columns), rows)
				frappe.db.commit()
				rows = []
		frappe.db.bulk_insert("Loyalty Point Entry", list(columns), rows)
		frappe.db.commit()

	def verify(self) -> list[str]:
		from loyalty_app.ledger import verify
		from loyalty_app.ledger.membership import find

		return [f for c in self.customers.values() for f in verify(find(c, self.program.name))]

	# --- measuring

	def measure(self, size: int) -> dict:
		"""Milliseconds and statements of the four kinds of submit, and of reading balance and tier."""
		customer = self.customers[size]
		measured, booked = {}, {}
		for kind, who, fields in (
			("without", self.stranger, {}),
			("earn", customer, {}),
			("written_off", self.stranger, {**self.at_the_till, "write_off_amount": self.worth}),
			("redeem", customer, {**self.at_the_till, "redeem": REDEEMED}),
		):
			measured[kind], measured[f"{kind}_statements"] = self.submit(who, fields)
			booked[kind] = frappe.db.count("GL Entry", {"voucher_no": self.last.name, "is_cancelled": 0})
			if who == customer:
				till.take_back(self.last.name)
		for kind, beside in BESIDE.items():
			assert booked[kind] == booked[beside], booked
		measured["read"] = median(self.read(customer) for _ in range(READS))
		return measured

	def submit(self, customer: str, fields: dict) -> tuple[float, int]:
		from loyalty_app.tests.utils import count_queries

		doc = till.draft_at_hand(customer, PRICE, **fields)
		asking = contextlib.nullcontext()
		if self.has_app and customer == self.stranger:
			asking = patch("loyalty_app.overrides.invoice.hold_first")
		with count_queries() as statements, contextlib.redirect_stdout(io.StringIO()), asking:
			started = time.perf_counter()
			doc.submit()
			frappe.db.commit()
			took = time.perf_counter() - started
		self.last = doc
		return took * 1000, len(statements)

	def read(self, customer: str) -> float:
		till.begin_request()
		frappe.get_cached_doc("Customer", customer)
		frappe.get_cached_doc("Loyalty Program", self.program.name)
		if self.has_app:
			from loyalty_app.ledger.membership import summary

			started = time.perf_counter()
			summary(customer)
		else:
			from erpnext.accounts.doctype.loyalty_program.loyalty_program import (
				get_loyalty_program_details_with_points,
			)

			started = time.perf_counter()
			get_loyalty_program_details_with_points(customer, self.program.name, company=self.program.company)
		return (time.perf_counter() - started) * 1000


def parts(size: int) -> tuple[int, int]:
	"""How many closed lots, of two entries each, and how many open ones make so many entries."""
	open_lots = min(OPEN_LOTS, max(3, size // 2))
	return (size - open_lots) // 2, open_lots


if __name__ == "__main__":
	main()
