"""How long installing over existing entries takes: building memberships, lots and the log.

Run with a bench's Python in its `sites` folder, on a site that may be thrown away:

	cd sites && ../env/bin/python ../apps/loyalty_app/benchmarks/takeover.py --site SITE --entries 1000000

Fills the site with entries as ERPNext writes them (a redemption for every third lot), takes them over, checks that no
balance has changed, and prints seconds and entries per second, of a tenth of the entries first: the ratio of the two
rates says whether the cost grows with the number of entries.
"""

import datetime
import random
import resource
import time

import frappe
from command import connect, parser_of
from frappe.utils import add_days, today

ENTRIES_OF_A_CUSTOMER = 20


def main():
	parser = parser_of(__doc__)
	parser.add_argument("--entries", type=int, default=1_000_000)
	arguments = parser.parse_args()
	connect(arguments.site)
	rates = []
	for entries in (arguments.entries // 10, arguments.entries):
		clear()
		fill(entries)
		before = balances()
		start, used = time.perf_counter(), time.process_time()
		memberships = take_over()
		seconds, used = time.perf_counter() - start, time.process_time() - used
		assert balances() == before, "balances changed"
		check_totals(before)
		rates.append(entries / seconds)
		print(
			f"\n{entries:>9,} entries, {memberships:>7,} memberships: {seconds:6.1f} s ({used:.1f} s of it in Python),"
			f" {entries / seconds:,.0f} entries/s,"
			f" peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MB"
		)
	print(f"rate with ten times the entries: {rates[1] / rates[0]:.2f} of the rate before")


def take_over() -> int:
	from loyalty_app.ledger.takeover import take_over_entries

	return take_over_entries(connections=2)


def clear():
	for doctype in ("Loyalty Point Entry", "Loyalty Membership", "Loyalty Point Log"):
		frappe.db.delete(doctype)
	frappe.db.delete("Customer", {"customer_group": "Loyalty Benchmark"})
	frappe.db.commit()


def fill(count: int, redemptions: bool = True):
	"""Insert `count` entries of ERPNext's, of customers made for them; without `redemptions`, lots only."""
	from loyalty_app.tests.utils import make_program

	chance = random.Random(count)
	program = make_program(tiers=[("Silver", 0, 10), ("Gold", 5000, 5)])
	stamp = datetime.datetime.now()
	customers = [f"Loyalty Benchmark {i}" for i in range(count // ENTRIES_OF_A_CUSTOMER)]
	frappe.db.bulk_insert(
		"Customer",
		["name", "customer_name", "customer_group", "loyalty_program", "creation", "modified"],
		[(c, c, "Loyalty Benchmark", program.name, stamp, stamp) for c in customers],
	)
	rows = []
	for i in range(count):
		customer = customers[i // ENTRIES_OF_A_CUSTOMER]
		age = ENTRIES_OF_A_CUSTOMER - i % ENTRIES_OF_A_CUSTOMER
		posted = add_days(today(), -age * 20)
		row = (
			f"B{i:09}",
			customer,
			program.name,
			"Silver",
			program.company,
			"Sales Invoice",
			f"BENCH-{i}",
			posted,
			stamp,
		)
		if redemptions and i % ENTRIES_OF_A_CUSTOMER % 3 == 2:
			lot = rows[-1]
			rows.append((*row, add_days(lot[7], 365), -chance.randint(1, lot[10]), 100, lot[0]))
		else:
			points = chance.randint(1, 500)
			rows.append((*row, add_days(posted, 365), points, points * 10, None))
	frappe.db.bulk_insert(
		"Loyalty Point Entry",
		[
			"name", "customer", "loyalty_program", "loyalty_program_tier", "company", "invoice_type", "invoice",
			"posting_date", "creation", "expiry_date", "loyalty_points", "purchase_amount", "redeem_against",
		],
		rows,
	)  # fmt: skip
	frappe.db.commit()


def balances() -> dict[str, int]:
	"""What ERPNext shows of every customer: the sum of the points that have not expired."""
	return dict(
		frappe.db.sql(
			"""select customer, sum(loyalty_points) from `tabLoyalty Point Entry`
			where expiry_date >= %s group by customer having sum(loyalty_points) != 0""",
			today(),
		)
	)


def check_totals(before: dict[str, int]):
	"""The memberships say the same, where nothing has expired since they were built."""
	shown = dict(frappe.db.sql("select customer, balance from `tabLoyalty Membership` where balance != 0"))
	assert shown == {customer: int(points) for customer, points in before.items()}, "memberships differ"


if __name__ == "__main__":
	main()
