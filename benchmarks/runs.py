"""How long work over all memberships takes: rebuilding, verifying, and closing what has expired.

Run with a bench's Python in its `sites` folder, on a site that may be thrown away:

	cd sites && ../env/bin/python ../apps/loyalty_app/benchmarks/runs.py --site SITE --entries 1000000

Fills the site with entries (every third a redemption), rebuilds and verifies all memberships as they are: with the log that
installing writes, which tells of many entries in a row, and with that of tills, which has a row for every entry. Rebuilds
them once more with a wrong balance in each. Fills the site again, with as many lots that are good, and closes them all on a
day when they have expired. Before that the database may rest, and write out what filling has changed: the lots of a shop have
lain for months.

The work is that of the jobs of the *long* queue, shared by as many processes as are asked for, without a queue between them;
times are of the whole run, memory is the largest process's. Beside each time is how fast the machine was then. Ends with an
error where a process takes more memory than it should, or a run finds anything that it does not mend.
"""

from collections import defaultdict
from contextlib import redirect_stdout
from io import StringIO
from time import sleep

import frappe
import takeover
from command import connect, parser_of, speed
from shared_run import share

LONG_AFTER = 500
# Of the lots that are filled in, every tenth has expired before.
FILLED_FOR_GOOD = 10 / 9
MOST_MEMORY = 300


def main():
	parser = parser_of(__doc__)
	parser.add_argument("--entries", type=int, default=1_000_000)
	parser.add_argument("--processes", type=int, default=2)
	parser.add_argument("--rest", type=int, default=180, help="seconds of rest before lots are closed")
	arguments = parser.parse_args()
	prepare(arguments, arguments.entries, redemptions=True)
	measure(arguments, "Rebuild")
	measure(arguments, "Verification")
	tell_one_by_one(arguments)
	measure(arguments, "Rebuild")
	measure(arguments, "Verification")
	spoil(arguments)
	mended = measure(arguments, "Rebuild")
	assert mended.changed == mended.memberships, (mended.changed, mended.memberships)
	customers = round(arguments.entries * FILLED_FOR_GOOD / takeover.ENTRIES_OF_A_CUSTOMER)
	good = prepare(arguments, customers * takeover.ENTRIES_OF_A_CUSTOMER, redemptions=False)
	sleep(arguments.rest)
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


def tell_one_by_one(arguments) -> None:
	"""Write the log anew, with a row for every entry, as it is of a shop whose tills have earned and spent all of them."""
	connect(arguments.site)
	from loyalty_app.ledger import audit, bulk, log, membership

	for names in audit.sets():
		members, told, pages = membership.states(names), defaultdict(dict), []
		for row in audit.log_rows(members):
			told[row.membership].update(log.told_in(row.after))
		frappe.db.delete(log.DOCTYPE, {"membership": ("in", names)})
		for member in members:
			member.update(log_count=0, log_hash="")
			for entry, values in told[member.name].items():
				page = log.Page(log.Cause("Submit", values["invoice_type"], values["invoice"]))
				page.add(member, [log.Change(entry, None, log.said(values))])
				pages.append(page)
		log.write_all(pages)
		ends = {
			member.name: {"log_count": member.log_count, "log_hash": member.log_hash} for member in members
		}
		bulk.update(membership.DOCTYPE, ends)
		frappe.db.commit()
	print(f"{frappe.db.count(log.DOCTYPE):,} rows of the log, one for every entry")
	frappe.destroy()


def spoil(arguments) -> None:
	connect(arguments.site)
	frappe.db.sql("update `tabLoyalty Membership` set balance = balance + 1")
	frappe.db.commit()
	frappe.destroy()


def measure(arguments, kind: str, days: int = 0):
	"""Do a run with its jobs shared by processes, print how long it took, and return its document."""
	from loyalty_app.ledger import runs

	connect(arguments.site)
	entries = frappe.db.count("Loyalty Point Entry")
	frappe.destroy()
	before = speed()
	run, seconds, _before, memory = share(arguments.site, arguments.processes, lambda: runs.start(kind), days)
	additions = (before + speed()) / 2
	number = run.changed if kind == "Expiry" else entries
	print(
		f"{kind:13} {number:>9,} {'lots' if kind == 'Expiry' else 'entries'} of {run.done:,} memberships {seconds:6.1f} s,"
		f" {seconds / number * 1e6:5.1f} s for 1,000,000; {arguments.processes} processes, peak memory {memory} MB;"
		f" {run.changed:,} changed, {run.faults} faults; {additions:.1f} million additions a second"
	)
	assert memory < MOST_MEMORY, f"{memory} MB"
	return run


if __name__ == "__main__":
	main()
