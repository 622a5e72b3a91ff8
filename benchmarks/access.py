"""What the statements of a submit read, and by which index, as the ledger of all other customers grows.

Run with a bench's Python in its `sites` folder, on MariaDB and a site that may be thrown away:

	cd sites && ../env/bin/python ../apps/loyalty_app/benchmarks/access.py --site SITE --entries 10000 100000 1000000

Fills the site with entries of other customers, anew for each size, and lets a customer of 1,000 entries submit an invoice
that earns and one that redeems over three lots, and asks for the balance. Prints for each statement of this app what the
database reads by (EXPLAIN, with the largest ledger), and how many rows it has read (Handler_read) with each size. What they
read with ten times the largest ledger is on the line through the first size and the last. Ends with an error where that is
more than with the first, or a statement reads by no index.
"""

import contextlib
import io

import frappe
import takeover
import till
from command import connect, parser_of
from submit_overhead import POINTS, PRICE, REDEEMED, parts

OWN_ENTRIES = 1_000
# A page of an index more or less, and what the statistics of a table say of it.
NOISE = 2


def main():
	parser = parser_of(__doc__)
	parser.add_argument("--entries", type=int, nargs="+", default=(10_000, 100_000, 1_000_000))
	arguments = parser.parse_args()
	sizes = sorted(arguments.entries)
	connect(arguments.site)
	assert frappe.db.db_type == "mariadb", "rows are counted by MariaDB"
	measured = [look(entries) for entries in sizes]
	faults = []
	for kind in measured[0]:
		faults += print_table(kind, sizes, [of[kind] for of in measured])
	if faults:
		raise SystemExit("\n".join(faults))
	print(f"\nok: nothing reads more with {sizes[-1]:,} entries of others than with {sizes[0]:,}")


def look(others: int) -> dict[str, list[tuple]]:
	"""The statements of each kind with so many entries of others on the site: query, access, and rows read."""
	from loyalty_app.ledger.membership import find, summary
	from loyalty_app.tests.history import add_closed_lots, add_open_lots
	from loyalty_app.tests.utils import make_customer

	takeover.clear()
	takeover.fill(others)
	with contextlib.redirect_stdout(io.StringIO()):
		takeover.take_over()
	program = till.make_everyday_program()
	customer = make_customer(loyalty_program=program.name).name
	name = find(customer, program.name)
	closed, open_lots = parts(OWN_ENTRIES)
	add_open_lots(name, open_lots, POINTS)
	add_closed_lots(name, closed)
	frappe.db.commit()
	for doctype in ("Loyalty Point Entry", "Loyalty Membership", "Loyalty Point Log", "Customer"):
		frappe.db.sql(f"analyze table `tab{doctype}`")
	found = {}
	# What is first fills Frappe's caches.
	for _ in range(2):
		found["submit that earns"] = submit(customer)
		found["submit that redeems over 3 lots"] = submit(customer, redeem=REDEEMED)
		found["balance and tier"] = statements(lambda: summary(customer))
	frappe.db.commit()
	return found


def submit(customer: str, **fields) -> list[tuple]:
	"""The statements of the submit of an invoice, which is cancelled again."""
	doc = till.draft_at_hand(customer, PRICE, **fields)
	found = statements(doc.submit)
	frappe.db.commit()
	till.take_back(doc.name)
	return found


def statements(act) -> list[tuple]:
	from loyalty_app.tests.work import count_work

	with contextlib.redirect_stdout(io.StringIO()), count_work() as done:
		act()
	return [(s.query, access(frappe.db.mogrify(s.query, s.values)), s.work) for s in done]


def access(query: str) -> str:
	"""How MariaDB reads each table for `query`: by which index, and in which way."""
	if query.lstrip().lower().startswith("insert"):
		return "inserts"
	rows = frappe.db.sql(f"explain {query}", as_dict=True)
	return ", ".join(f"{row.table} by {row.key or 'no index'} ({row.type})" for row in rows if row.table)


def print_table(kind: str, sizes: list[int], measured: list[list[tuple]]) -> list[str]:
	"""Print what the statements of a kind read with each size; return what is wrong with it."""
	ahead = sizes[-1] * 10
	print(f"\n{kind}: rows read of each statement, by entries of other customers on the site")
	print(
		"".join(f"{size:>11,}" for size in (*sizes, ahead))
		+ "  how they are read; the last column by extrapolation"
	)
	faults, totals = [], [0] * (len(sizes) + 1)
	if len({len(of) for of in measured}) > 1:
		faults.append(f"{kind}: {[len(of) for of in measured]} statements")
	for same in zip(*measured):
		query, how, _work = same[-1]
		read = [work for _query, _how, work in same]
		per_entry = (read[-1] - read[0]) / (sizes[-1] - sizes[0])
		read.append(round(read[-1] + per_entry * (ahead - sizes[-1])))
		totals = [total + rows for total, rows in zip(totals, read)]
		print("".join(f"{rows:>11,}" for rows in read) + f"  {how}")
		if read[-1] > read[0] + NOISE:
			faults.append(f"{kind} reads {read} rows: {query}")
		if "no index" in how:
			faults.append(f"{kind} reads by no index: {query}")
	print("".join(f"{rows:>11,}" for rows in totals) + "  all together")
	return faults


if __name__ == "__main__":
	main()
