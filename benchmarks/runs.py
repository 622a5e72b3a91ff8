"""How long work over all memberships takes: rebuilding, verifying, and closing what has expired.

Run with a bench's Python in its `sites` folder, on a site that may be thrown away:

	cd sites && ../env/bin/python ../apps/loyalty_app/benchmarks/runs.py --site SITE --entries 1000000

Fills the site with entries (every third a redemption), rebuilds and verifies all memberships as they are, and rebuilds them
once more with a wrong balance in each; fills it again, with as many lots that are good, and closes them all on a day when
they have expired. The work is that of the jobs of the *long* queue, shared by as many processes as are asked for, without a
queue between them; times are of the whole run, memory is the largest process's. Ends with an error where a process takes
more memory than it should, or a run finds anything that it does not mend.
"""

from contextlib import redirect_stdout
from io import StringIO

import frappe
import takeover
from command import connect, parser_of
from shared_run import share

LONG_AFTER = 500
# Of the lots that are filled in, every tenth has expired before.
FILLED_FOR_GOOD = 10 / 9
MOST_MEMORY = 300


def main():
	parser = parser_of(__doc__)
	parser.add_argument("--entries", type=int, default=1_000_000)
	parser.add_argument("--processes", type=int, default=2)
	arguments = parser.parse_args()
	prepare(arguments, arguments.entries, redemptions=True)
	measure(arguments, "Rebuild")
	measure(arguments, "Verification")
	spoil(arguments)
	mended = measure(arguments, "Rebuild")
	assert mended.changed == mended.memberships, (mended.changed, mended.memberships)
	customers = round(arguments.entries * FILLED_FOR_GOOD / takeover.ENTRIES_OF_A_CUSTOMER)
	good = prepare(arguments, customers * takeover.ENTRIES_OF_A_CUSTOMER, redemptions=False)
	expired = measure(arguments, "Expiry", days=LONG_AFTER)
	assert expired.changed == good, (expired.changed, good)
	measure(arguments, "Verification")


def prepare(arguments, entries: int, redemptions: bool) -> int:
	"""Fill the site; return how many of the lots are good."""
	connect(arguments.site)
	takeover.clear()
	# One that was broken off would be gone on with.
	for doctype in ("Loyalty Ledger Run", "Loyalty Ledger Run Range", "Loyalty Ledger Run Finding"):
		frappe.db.truncate(doctype)
	takeover.fill(entries, redemptions)
	with redirect_stdout(StringIO()):
		takeover.take_over()
	good = frappe.db.count("Loyalty Point Entry", {"is_open": 1, "remaining_points": (">", 0)})
	print(
		f"\n{frappe.db.count('Loyalty Point Entry'):,} entries, {frappe.db.count('Loyalty Membership'):,} memberships"
	)
	frappe.destroy()
	return good


def spoil(arguments) -> None:
	connect(arguments.site)
	frappe.db.sql("update `tabLoyalty Membership` set balance = balance + 1")
	frappe.db.commit()
	frappe.destroy()


def measure(arguments, kind: str, days: int = 0):
	"""Do a run with its jobs shared by processes, print how long it took, and return its document."""
	from loyalty_app.ledger import runs

	run, seconds, _before, memory = share(arguments.site, arguments.processes, lambda: runs.start(kind), days)
	print(
		f"{kind:13} {run.done:>8,} memberships {seconds:7.1f} s, {arguments.processes} processes,"
		f" peak memory {memory} MB; {run.changed:,} changed, {run.faults} faults"
	)
	assert memory < MOST_MEMORY, f"{memory} MB"
	return run


if __name__ == "__main__":
	main()
