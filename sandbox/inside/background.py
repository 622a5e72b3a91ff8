"""Background processes of a site.

usage: python -m sandbox.inside.background worker | scheduler
"""

import os
import sys


def worker(burst: bool = False) -> None:
	"""Run jobs of all queues, one after another, until told to stop (or, with burst, until there are none)."""
	# each job runs in a fork: what is imported here, it need not import again
	import frappe.app  # noqa: F401
	from frappe.utils.background_jobs import start_worker

	# on SQLite a job takes the write lock before it reads, as a request that writes does
	os.environ["SANDBOX_JOBS"] = "1"
	start_worker(quiet=True, burst=burst)


def scheduler() -> None:
	"""Enqueue scheduled jobs when they are due."""
	from frappe.utils.scheduler import start_scheduler

	start_scheduler()


if __name__ == "__main__":
	{"worker": worker, "scheduler": scheduler}[sys.argv[1]]()
