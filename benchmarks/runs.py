"""How long work over all memberships takes: rebuilding, verifying, and closing what has expired.

Run with a bench's Python in its `sites` folder, on a site that may be thrown away:

	cd sites && ../env/bin/python ../apps/loyalty_app/benchmarks/runs.py --site SITE --entries 1000000

Fills the site with entries (every third a redemption) and rebuilds and verifies all memberships; fills it again, with
lots only, and closes them all on a day when they have expired. The jobs are those of the *long* queue, shared by as
many processes as are asked for; times are of the whole run, memory is the largest process's. Ends with a
verification that must find nothing.
"""

import multiprocessing
import resource
import time
from contextlib import nullcontext, redirect_stdout
from io import StringIO
from unittest.mock import patch

import frappe
import takeover
from command import connect, parser_of
from frappe.utils import add_days, today

LONG_AFTER = 500


def main():
	parser = parser_of(__doc__)
	parser.add_argument("--entries", type=int, default=1_000_000)
	parser.add_argument("--processes", type=int, default=2)
	arguments = parser.parse_args()
	prepare(arguments, redemptions=True)
	measure(arguments, "Rebuild")
	measure(arguments, "Verification")
	prepare(arguments, redemptions=False)
	expired = measure(arguments, "Expiry", days=LONG_AFTER)
	assert expired.changed == arguments.entries - already_expired, (expired.changed, already_expired)
	measure(arguments, "Verification")


already_expired = 0


def prepare(arguments, redemptions: bool):
	global already_expired
	connect(arguments.site)
	takeover.clear()
	# One that was broken off would be gone on with.
	for doctype in ("Loyalty Ledger Run", "Loyalty Ledger Run Range", "Loyalty Ledger Run Finding"):
		frappe.db.truncate(doctype)
	takeover.fill(arguments.entries, redemptions)
	with redirect_stdout(StringIO()):
		takeover.take_over()
	already_expired = frappe.db.count("Loyalty Point Entry", {"entry_type": "Expired"})
	print(
		f"\n{frappe.db.count('Loyalty Point Entry'):,} entries, {frappe.db.count('Loyalty Membership'):,} memberships"
	)
	frappe.destroy()


def measure(arguments, kind: str, days: int = 0):
	"""Do a run with its jobs shared by processes, print how long it took, and return its document."""
	connect(arguments.site)
	from loyalty_app.ledger import runs
	from loyalty_app.tests.utils import on_day

	day = add_days(today(), days)
	jobs, start = [], time.perf_counter()
	with (
		on_day(day) if days else nullcontext(),
		patch.object(runs, "_enqueue", lambda function, job, **kwargs: jobs.append((function, kwargs))),
	):
		name = runs.start(kind)
		frappe.db.commit()
		runs.divide(**jobs.pop(0)[1])
	parts = [kwargs["part"] for _function, kwargs in jobs]
	frappe.destroy()
	with multiprocessing.Pool(arguments.processes) as pool:
		tasks = [(arguments.site, name, part, day if days else None) for part in parts]
		memory = max(pool.imap_unordered(work, tasks), default=0)
	seconds = time.perf_counter() - start
	connect(arguments.site)
	run = frappe.get_doc(runs.DOCTYPE, name)
	frappe.destroy()
	print(
		f"{kind:13} {run.done:>8,} memberships {seconds:7.1f} s, {arguments.entries / seconds:>9,.0f} entries/s,"
		f" {arguments.processes} processes, peak memory {memory} MB; {run.changed:,} changed, {run.faults} faults"
	)
	assert run.status == "Done" and not run.faults, [row.fault for row in run.findings][:5]
	return run


def work(task) -> int:
	"""Do one job in this process; return the peak of its memory in MB."""
	site, name, part, day = task
	connect(site)
	from loyalty_app.ledger import runs
	from loyalty_app.tests.utils import on_day

	with on_day(day) if day else nullcontext():
		runs.work(name, part)
	frappe.destroy()
	return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


if __name__ == "__main__":
	main()
