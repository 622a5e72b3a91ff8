"""A ledger run whose jobs several processes share, as workers of the *long* queue would."""

import multiprocessing
import resource
import time
from collections.abc import Callable
from contextlib import nullcontext
from typing import NamedTuple
from unittest.mock import patch

import frappe
from command import connect
from frappe.utils import add_days, today


class Done(NamedTuple):
	"""What came of it: the run's document, seconds in all and before the first job, and the peak memory of a process
	in MB."""

	run: object
	seconds: float
	before: float
	memory: int


def share(site: str, processes: int, start: Callable[[], str], days: int = 0) -> Done:
	"""Do the run that `start` begins and names, so many `days` from now; it must end without a fault."""
	connect(site)
	from loyalty_app.ledger import runs

	day = add_days(today(), days) if days else None
	jobs, begun = [], time.perf_counter()
	with (
		_on(day),
		patch.object(runs, "_enqueue", lambda function, job, **kwargs: jobs.append((function, kwargs))),
	):
		name = start()
		frappe.db.commit()
		runs.divide(**jobs.pop(0)[1])
	before = time.perf_counter() - begun
	parts = [kwargs["part"] for _function, kwargs in jobs]
	frappe.destroy()
	with multiprocessing.Pool(processes) as pool:
		memory = max(pool.imap_unordered(_work, [(site, name, part, day) for part in parts]), default=0)
	seconds = time.perf_counter() - begun
	connect(site)
	run = frappe.get_doc(runs.DOCTYPE, name)
	frappe.destroy()
	assert run.status == "Done" and not run.faults, [row.fault for row in run.findings][:5]
	return Done(run, seconds, before, memory)


def _work(task) -> int:
	"""Do one job in this process; return the peak of its memory in MB."""
	site, name, part, day = task
	connect(site)
	from loyalty_app.ledger import runs

	with _on(day):
		runs.work(name, part)
	frappe.destroy()
	return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def _on(day: str | None):
	from loyalty_app.tests.utils import on_day

	return on_day(day) if day else nullcontext()
