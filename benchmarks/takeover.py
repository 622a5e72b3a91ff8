"""How long installing over existing entries takes: building memberships, lots and the log.

Run with a bench's Python in its `sites` folder, on a site that may be thrown away:

	cd sites && ../env/bin/python ../apps/loyalty_app/benchmarks/takeover.py --site SITE --entries 1000000

Fills the site with entries as ERPNext writes them (a redemption for every third lot), takes them over, checks that no
balance has changed, and prints seconds and entries per second, of a tenth of the entries first: the ratio of the two
rates says whether the cost grows with the number of entries.
"""

import random
import resource
import time
from datetime import date, timedelta

import frappe
from command import connect, parser_of
from frappe.utils import today

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
	from loyalty_app.setup.install import take_over_entries

	return take_over_entries()


def clear():
	"""Leave the site as it is when the app is being installed: no entries, and no index of ours on them."""
	for index in {
		row["Key_name"] for row in frappe.db.sql("show index from `tabLoyalty Point Entry`", as_dict=True)
	}:
		if index.startswith("loyalty_point_entry_"):
			frappe.db.sql_ddl(f"alter table `tabLoyalty Point Entry` drop index {index}")
	# Deleted rows would be cleared away by the database while we measure.
	for doctype in ("Loyalty Point Entry", "Loyalty Membership", "Loyalty Point Log"):
		frappe.db.truncate(doctype)
	frappe.db.delete("Customer", {"customer_group": "Loyalty Benchmark"})
	frappe.db.commit()


def fill(count: int, redemptions: bool = True):
	"""Insert `count` entries of ERPNext's, of customers made for them; without `redemptions`, lots only."""
	from loyalty_app.ledger import bulk
	from loyalty_app.tests.utils import make_program

	chance = random.Random(count)
	program = make_program(tiers=[("Silver", 0, 10), ("Gold", 5000, 5)])
	customers = [f"Loyalty Benchmark {i}" for i in range(count // ENTRIES_OF_A_CUSTOMER)]
	bulk.insert(
		"Customer",
		[{"name": c, "customer_name": c} for c in customers],
		{"customer_group": "Loyalty Benchmark", "loyalty_program": program.name, **bulk.made()},
	)
	rows = []
	for i in range(count):
		age = ENTRIES_OF_A_CUSTOMER - i % ENTRIES_OF_A_CUSTOMER
		posted = date.today() - timedelta(days=age * 20)
		row = {
			"name": f"B{i:09}",
			"customer": customers[i // ENTRIES_OF_A_CUSTOMER],
			"invoice": f"BENCH-{i}",
			"posting_date": posted,
		}
		if redemptions and i % ENTRIES_OF_A_CUSTOMER % 3 == 2:
			lot = rows[-1]
			points, spent, lot_name = -chance.randint(1, lot["loyalty_points"]), 100, lot["name"]
			posted = lot["posting_date"]
		else:
			points, lot_name = chance.randint(1, 500), None
			spent = points * 10
		row.update(expiry_date=posted + timedelta(days=365), loyalty_points=points)
		row.update(purchase_amount=spent, redeem_against=lot_name)
		rows.append(row)
	bulk.insert(
		"Loyalty Point Entry",
		rows,
		{
			"loyalty_program": program.name,
			"loyalty_program_tier": "Silver",
			"company": program.company,
			"invoice_type": "Sales Invoice",
			**bulk.made(),
		},
	)
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
