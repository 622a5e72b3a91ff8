"""Work over all memberships: closing what has expired, verifying, rebuilding, showing new tiers; over customers: letting
them join a program; over the rows of a file: importing adjustments.

A run is a Loyalty Ledger Run, which the desk shows with its progress. It is divided into ranges of what it is about, each
a job on the `long` queue, so that as many workers as there are share it. A range is worked through in small sets,
each a transaction that also notes how far it has come: killed at any moment, the run goes on from there, and
doing anything twice changes nothing.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import frappe
from frappe import _
from frappe.model.document import Document
from frappe.utils import (
	add_to_date,
	background_jobs,
	get_datetime,
	getdate,
	now,
	now_datetime,
	strip_html,
	today,
)

from loyalty_app.ledger import audit, bulk, expiry, imports, joining, membership, notices, tiering
from loyalty_app.ledger.audit import UNFINISHED, Difference
from loyalty_app.ledger.busy import insist, is_busy

DOCTYPE = audit.RUN
RANGE = "Loyalty Ledger Run Range"
FINDING = "Loyalty Ledger Run Finding"

# A range is a job: long enough for its start not to matter, short enough to be shared fairly.
MEMBERSHIPS_IN_RANGE = 5_000
# A set is a transaction: short enough for terminals not to wait.
MEMBERSHIPS_IN_SET = audit.MEMBERSHIPS_AT_ONCE
# Memberships that the daily verification looks at, from a point of their names' order that is chosen by chance.
SAMPLE = 2_000
BEYOND = 2**62
MOST_FINDINGS = 1_000
TRIES = 3
# A range that no worker has got on with for so long has lost its worker.
STALLED_AFTER_MINUTES = 10
# After so many workers have begun, and none got any further, it is given up: what comes next must not wait for it.
MOST_ATTEMPTS = 8
# What is written of a range that is over. Nobody needs its bounds any more; they may be names of customers, and so of
# people who want to be forgotten.
OVER = {"is_done": 1, "worker": None, "reached": None, "last_membership": None}


class Result(NamedTuple):
	"""What became of some memberships: how many things were changed, what is wrong, and what was, and is mended."""

	changed: int = 0
	differences: tuple[Difference, ...] = ()
	mended: tuple[Difference, ...] = ()


class Kind(NamedTuple):
	"""A kind of run: which things it is about, and what it does with some of them.

	names: those after one name, up to another, so many, in their order.
	act: what is done with some, the whole of a transaction but for its end.
	difference: what is told of one that could not be worked on, and whether only because somebody else kept it locked.
	prepare: what has to be done before there are names. Raises ValidationError where there cannot be any.
	beyond: what is done once in a run, beside everything that has a name.
	"""

	names: Callable[[Document, str, str | None, int], list[str]]
	act: Callable[[list[str], Document], Result]
	difference: Callable[[str, str, bool], Difference] = lambda name, fault, is_locked: Difference(
		name, fault
	)
	prepare: Callable[[Document], None] | None = None
	beyond: Callable[[Document], Result] | None = None


def _memberships(condition: Callable | None = None) -> Callable:
	"""The `names` of memberships that meet a condition on their table."""

	def names(run: Document, after: str, until: str | None, limit: int) -> list[str]:
		table = frappe.qb.DocType(membership.DOCTYPE)
		query = frappe.qb.from_(table).select(table.name).where(table.name > after).orderby(table.name)
		if until:
			query = query.where(table.name <= until)
		return (query.where(condition(table, run)) if condition else query).limit(limit).run(pluck=True)

	return names


def _mend(names: list[str], run: Document) -> Result:
	mended, left = audit.mend(names)
	return Result(len({d.membership for d in mended}), left, mended)


def _mend_promotions(run: Document) -> Result:
	mended = tuple(audit.mend_promotions())
	return Result(len(mended), mended=mended)


KINDS = {
	"Expiry": Kind(
		_memberships(lambda table, run: table.next_expiry < getdate(today())),
		lambda names, run: Result(expiry.close_all(names)),
	),
	"Verification": Kind(
		_memberships(),
		lambda names, run: Result(differences=tuple(audit.differences(names))),
		beyond=lambda run: Result(differences=tuple(audit.beyond_memberships(bool(run.sample)))),
	),
	"Rebuild": Kind(_memberships(), _mend, beyond=_mend_promotions),
	"Tiers": Kind(
		_memberships(lambda table, run: table.loyalty_program == run.loyalty_program),
		lambda names, run: Result(membership.follow_tiers(names)),
	),
	joining.KIND: Kind(
		joining.next_names,
		lambda names, run: Result(joining.act(names, run)),
		joining.difference,
		joining.prepare,
	),
	"Expiry Notices": Kind(
		_memberships(lambda table, run: notices.expires_soon(table)),
		lambda names, run: Result(notices.tell_expiring(names)),
	),
	"Statements": Kind(
		_memberships(lambda table, run: notices.wants_statement(table)),
		lambda names, run: Result(notices.send_statements(names)),
	),
}
KINDS |= {
	kind: Kind(
		imports.next_names,
		lambda names, run: Result(*imports.act(names, run)),
		imports.difference,
		imports.read if kind == imports.CHECK else None,
	)
	for kind in imports.KINDS
}


def start(kind: str, loyalty_program: str | None = None, sample: int | None = None) -> str:
	"""Start a run of `kind`, or go on with the one that is not finished; return its name.

	`sample` limits it to so many memberships. A run of more or fewer is another.
	"""
	same = {"kind": kind, "loyalty_program": loyalty_program or ("is", "not set"), "sample": sample or 0}
	return _resumed(same) or _begin(kind=kind, loyalty_program=loyalty_program, sample=sample)


def start_tiers_of(program: str) -> str:
	"""Start showing the members of `program` its new tiers; return the run's name.

	Never by going on with a run that is not finished: what that has done already was done by the tiers before.
	"""
	return _begin(kind="Tiers", loyalty_program=program)


def start_import(kind: str, check: Document | None = None, **values) -> str:
	"""Start a check of a file, or the import or undoing of what `check` has read; return the run's name."""
	running = _resumed({"import_check": check.name}) if check else None
	return running or _begin(kind=kind, import_check=check and check.name, **values)


def _resumed(filters: dict) -> str | None:
	"""The run that is not finished and meets `filters`, gone on with; None where there is none, or it had to be given up."""
	filters["status"] = UNFINISHED
	if name := frappe.db.get_value(DOCTYPE, filters):
		resume(name)
	return frappe.db.get_value(DOCTYPE, filters) if name else None


def _begin(**values) -> str:
	run = frappe.get_doc({"doctype": DOCTYPE, **values}).insert(ignore_permissions=True)
	_queue_run(run.name, 0)
	return run.name


def start_expiry() -> None:
	"""Close what has expired (scheduler, daily)."""
	start("Expiry")


def start_verification() -> None:
	"""Verify a sample of the memberships (scheduler, daily)."""
	start("Verification", sample=SAMPLE)


def start_tiers() -> None:
	"""Lower the tiers that were not earned again in a period that has ended (scheduler, daily)."""
	table = frappe.qb.DocType(membership.DOCTYPE)
	for name in frappe.get_all(
		"Loyalty Program", filters={"tier_period": ["in", tiering.PERIODS]}, pluck="name"
	):
		end = tiering.ended(frappe.get_cached_doc("Loyalty Program", name), getdate(today()))
		query = frappe.qb.from_(table).select(table.name).where(table.loyalty_program == name).limit(1)
		if query.where(table.tier_evaluated_on.isnull() | (table.tier_evaluated_on < end)).run():
			start("Tiers", name)


def start_notices() -> None:
	"""Tell members what somebody listens to: of points about to expire, and monthly statements (scheduler, daily)."""
	for event, kind in ((notices.EXPIRING, "Expiry Notices"), (notices.STATEMENT, "Statements")):
		if notices.is_heard(event):
			start(kind)


def resume_stalled() -> None:
	"""Go on with runs that lost their workers (scheduler, hourly)."""
	for name in frappe.get_all(DOCTYPE, filters={"status": UNFINISHED}, pluck="name"):
		resume(name)


def resume(name: str) -> None:
	"""Queue what is left of the run `name`, and nobody is at work on; give up what no worker gets done."""
	run = frappe.db.get_value(DOCTYPE, name, ["status", "modified", "attempts"], as_dict=True)
	if run.status == "Queued" and _is_stalled(run.modified):
		if run.attempts < MOST_ATTEMPTS:
			_queue_run(name, run.attempts)
		else:
			doc = frappe.get_doc(DOCTYPE, name)
			fail(doc, _given_up())
			alert(doc)
	table = frappe.qb.DocType(RANGE)
	left = frappe.qb.from_(table).select(table.name).where((table.parent == name) & (table.is_done == 0))
	left = left.where(table.touched_at < _stalled()).orderby(table.name).run(pluck=True)
	given_up = [part for part in left if not _retry(name, part)]
	if given_up:
		# First, so that the form shows it at the top.
		tell(name, [Difference(None, _given_up())] * len(given_up), first=0)
		_count(name, faults=len(given_up))
	if run.status == "Running":
		# Its last worker may have been killed between the end of its range and that of the run.
		finish(name)


def _retry(run: str, part: str) -> bool:
	"""Queue a range that has lost its worker; False if it was given up instead."""
	# As it is now: its job may have waited until this moment.
	found = _lock_range(part)
	if not found or found.is_done or not _is_stalled(found.touched_at):
		return True
	if found.attempts < MOST_ATTEMPTS:
		_queue_range(run, part, found)
		return True
	frappe.db.set_value(RANGE, part, OVER | {"is_given_up": 1})
	return False


def _stalled():
	return add_to_date(now_datetime(), minutes=-STALLED_AFTER_MINUTES)


def _is_stalled(touched_at) -> bool:
	"""Whether what was touched at that moment has lost its worker."""
	return get_datetime(touched_at) < _stalled()


def _given_up() -> str:
	return _(
		"A part of this run was given up: {0} background workers began with it, and none got any further. The Error Log may say why. Then start the run again."
	).format(MOST_ATTEMPTS)


def divide(run: str) -> None:
	"""Divide the run into ranges and queue them (background job)."""
	found = _lock_run(run)
	if not found or found.status != "Queued":
		return
	frappe.db.set_value(DOCTYPE, run, "attempts", found.attempts + 1)
	frappe.db.commit()  # nosemgrep: a background job, which may be killed before it has divided anything
	if _lock_run(run).status != "Queued":
		return
	doc = frappe.get_doc(DOCTYPE, run)
	if prepare := KINDS[doc.kind].prepare:
		try:
			prepare(doc)
		except frappe.ValidationError as e:
			fail(doc, strip_html(str(e)))
			frappe.db.commit()  # nosemgrep: a background job
			return
	ranges, total = [], 0
	for after, until in _stretches(doc.sample):
		while names := next_names(
			doc, after, until, min(MEMBERSHIPS_IN_RANGE, (doc.sample or BEYOND) - total)
		):
			ranges.append((after, names[-1]))
			total, after = total + len(names), names[-1]
	at = now()
	rows = [
		{"name": bulk.new_name(), "idx": i, "reached": after, "last_membership": last}
		for i, (after, last) in enumerate(ranges, 1)
	]
	if KINDS[doc.kind].beyond:
		# A range of nothing that has a name, so that it is shared, gone on with and counted as the others are.
		rows.append({"name": bulk.new_name(), "idx": len(rows) + 1, "reached": "", "last_membership": None})
	bulk.insert(RANGE, rows, _child_of(run, "ranges") | {"touched_at": at, "is_done": 0, "attempts": 0})
	frappe.db.set_value(DOCTYPE, run, {"status": "Running", "started_at": at, "memberships": total})
	for row in rows:
		_queue_range(run, row["name"], frappe._dict(row, attempts=0))
	finish(run)
	frappe.db.commit()  # nosemgrep: a background job


def _stretches(sample: int | None) -> list[tuple[str, str | None]]:
	"""Where names of memberships are to be looked for: everywhere, or for a `sample` from a point chosen by chance to
	the end, and then from the beginning to that point. Names are made by chance, so that any stretch is a sample."""
	if not sample:
		return [("", None)]
	point = bulk.new_name()
	return [(point, None), ("", point)]


def _child_of(run: str, table: str) -> dict:
	"""What all new rows of a table of the run have in common."""
	return bulk.made() | {"parent": run, "parenttype": DOCTYPE, "parentfield": table}


def next_names(run, after: str, until: str | None = None, limit: int | None = None) -> list[str]:
	"""Names, in their order, of what `run` is about: after one name, up to another."""
	return KINDS[run.kind].names(run, after, until, MEMBERSHIPS_IN_SET if limit is None else limit)


def work(run: str, part: str) -> None:
	"""Work through what is left of a range (background job), unless somebody else does. Commits after each set."""
	frappe.db.commit()  # nosemgrep: a background job, whose sets read what is there when they begin
	worker = bulk.new_name()
	found = _take_in_hand(part, worker)
	frappe.db.commit()  # nosemgrep: see above; other workers have to see who has it
	fields = ["name", "owner", "kind", "loyalty_program", "import_check", "sample"]
	doc = frappe.db.get_value(DOCTYPE, run, fields, as_dict=True)
	if not (doc and found):
		return
	for names in _sets(doc, found):
		frappe.db.commit()  # nosemgrep: see above
		result = act(doc, names)
		if not _is_in_hand(part, worker):
			frappe.db.rollback()
			return
		note(run, part, names, result)
		frappe.db.commit()  # nosemgrep: one set is one transaction
	if _is_in_hand(part, worker):
		frappe.db.set_value(RANGE, part, OVER)
	frappe.db.commit()  # nosemgrep: who comes last has to see that the others are done
	finish(run)
	frappe.db.commit()  # nosemgrep: the range is done


def _sets(doc, part: frappe._dict) -> Iterator[list[str]]:
	"""What is left of a range, some names at a time; nothing, once, of one that is beyond all names."""
	if not part.last_membership:
		yield []
		return
	after = part.reached or ""
	while names := next_names(doc, after, until=part.last_membership):
		yield names
		after = names[-1]


def _lock_run(run: str) -> frappe._dict | None:
	# The run alone: on Frappe 15 its document would lock the place of its ranges, too, where others insert theirs.
	return frappe.db.get_value(DOCTYPE, run, ["status", "attempts"], as_dict=True, for_update=True)


def _lock_range(part: str) -> frappe._dict | None:
	fields = ["reached", "last_membership", "is_done", "touched_at", "attempts", "worker"]
	return frappe.db.get_value(RANGE, part, fields, as_dict=True, for_update=True)


def _take_in_hand(part: str, worker: str) -> frappe._dict | None:
	"""Let the range be this `worker`'s, and return it; None if it is done, or somebody else's who is at work on it.

	A job may be there twice: one that has waited for long is queued again.
	"""
	found = _lock_range(part)
	if not found or found.is_done or (found.worker and not _is_stalled(found.touched_at)):
		return None
	values = {"worker": worker, "attempts": found.attempts + 1, "touched_at": now()}
	frappe.db.set_value(RANGE, part, values)
	return found


def _is_in_hand(part: str, worker: str) -> bool:
	"""Whether the range is still this `worker`'s, until the transaction ends: who takes too long has lost it."""
	found = _lock_range(part)
	return bool(found and found.worker == worker and not found.is_done)


def act(run: Document, names: list[str]) -> Result:
	"""Do what `run` does with `names`, without any what it does beyond them; where that fails, with one after another."""
	kind = KINDS[run.kind]
	try:
		# A terminal may be quicker; its transaction is short.
		return insist(kind.act, names, run, tries=TRIES) if names else insist(kind.beyond, run, tries=TRIES)
	except Exception as e:
		frappe.db.rollback()
		is_locked = is_busy(e)
		fault = _("somebody else kept it locked") if is_locked else f"{type(e).__name__}: {e}"
		if len(names) <= 1 and not is_locked:
			title = "A loyalty run could not work on something"
			frappe.log_error(title=title, message=frappe.get_traceback())
	if not names:
		return Result(0, (Difference(None, fault),))
	if len(names) == 1:
		return Result(0, (kind.difference(names[0], fault, is_locked),))
	whole = Result()
	for name in names:
		one = act(run, [name])
		frappe.db.commit()  # nosemgrep: one that fails must not take the others with it
		whole = Result(*(sums + more for sums, more in zip(whole, one)))
	return whole


def note(run: str, part: str, names: list[str], result: Result) -> None:
	"""Note in the transaction of a set how far its range has come, and what was found."""
	# What is beyond all names is done at once; to note it as done later would let it be done, and counted, twice.
	reached = {"reached": names[-1], "attempts": 0} if names else OVER
	frappe.db.set_value(RANGE, part, {"touched_at": now(), **reached})
	# What could not be mended comes first; of what was, the log tells.
	told = (*result.differences, *result.mended)[:MOST_FINDINGS]
	if told and frappe.db.count(FINDING, {"parent": run}) < MOST_FINDINGS:
		tell(run, told)
	# The run's own row comes last: all workers share it.
	_count(run, done=len(names), changed=result.changed, faults=len(result.differences))


def _count(run: str, **more: int) -> None:
	table = frappe.qb.DocType(DOCTYPE)
	query = frappe.qb.update(table).set(table.modified, now()).where(table.name == run)
	for field, number in more.items():
		query = query.set(table[field], table[field] + number)
	query.run()


def tell(run: str, differences: Iterable[Difference], first: int = 1) -> None:
	"""Add what was found to the findings of the run, numbered from `first`."""
	rows = [
		{
			"name": bulk.new_name(),
			"idx": i,
			"membership": d.membership,
			"entry": d.entry,
			"row_no": d.row,
			"fault": d.fault,
		}
		for i, d in enumerate(differences, first)
	]
	bulk.insert(FINDING, rows, _child_of(run, "findings"))


def fail(doc: Document, fault: str) -> None:
	"""End the run `doc`, which cannot be done at all."""
	tell(doc.name, [Difference(None, fault)])
	doc.db_set({"status": "Failed", "faults": 1, "ended_at": now()}, notify=True)


def finish(run: str) -> None:
	"""End the run if all its ranges are done, and tell who has to know what was wrong.

	To be called at the beginning of a transaction. It locks the run alone, and reads ranges once it has: workers lock
	theirs first and then the run.
	"""
	status = frappe.db.get_value(DOCTYPE, run, "status", for_update=True)
	if status != "Running" or frappe.db.exists(RANGE, {"parent": run, "is_done": 0}):
		return
	given_up = frappe.db.exists(RANGE, {"parent": run, "is_given_up": 1})
	# Not by the document: Frappe 15 would lock its ranges to see what changes.
	frappe.db.set_value(DOCTYPE, run, {"status": "Failed" if given_up else "Done", "ended_at": now()})
	doc = frappe.get_doc(DOCTYPE, run)
	doc.notify_update()
	if doc.faults or (doc.kind == "Rebuild" and doc.changed):
		alert(doc)


def alert(run) -> None:
	from frappe.desk.doctype.notification_log.notification_log import enqueue_create_notification
	from frappe.utils.user import get_users_with_role

	subject = {
		"Verification": _("Loyalty points: {0} differences were found"),
		"Rebuild": _("Loyalty points: {0} differences could not be mended"),
		joining.KIND: _("Loyalty points: {0} customers could not be enrolled"),
		imports.CHECK: _("Loyalty points: {0} rows of the file are not ready"),
		imports.IMPORT: _("Loyalty points: {0} rows were not imported"),
		imports.UNDO: _("Loyalty points: {0} rows were not undone"),
	}.get(run.kind, _("Loyalty points: {0} memberships could not be worked on"))
	if run.status == "Failed":
		subject = _("Loyalty points: a run could not be finished ({0})").format(_(run.kind))
	elif run.kind == "Rebuild" and not run.faults:
		subject = _("Loyalty points: what differed was mended in {0} memberships or promotions")
	concerned = [run.owner] if run.kind in imports.KINDS else get_users_with_role("Accounts Manager")
	enqueue_create_notification(
		[user for user in concerned if "@" in user],
		{
			"type": "Alert",
			"document_type": DOCTYPE,
			"document_name": run.name,
			"subject": subject.format(run.faults or run.changed),
			"from_user": "Administrator",
		},
	)


def _queue_run(run: str, attempts: int) -> None:
	_enqueue("divide", f"{run}::{attempts}", run=run)


def _queue_range(run: str, part: str, found: frappe._dict) -> None:
	"""Queue a range for another worker. By its name, the job is another than that of a worker who was killed, which Frappe
	may take for one at work, and the same as long as it waits: it is not queued twice."""
	frappe.db.set_value(RANGE, part, {"worker": None, "touched_at": now()})
	# What was reached may be a customer's name, which has any characters: not all are for a job's name.
	reached = hashlib.sha256((found.reached or "").encode()).hexdigest()[:16]
	_enqueue("work", f"{part}::{reached}::{found.attempts}", run=run, part=part)


def _enqueue(function: str, job: str, **arguments) -> None:
	job_id = f"loyalty_ledger_run::{function}::{job}"
	_forget_lost(job_id)
	frappe.enqueue(
		f"loyalty_app.ledger.runs.{function}",
		queue="long",
		job_id=job_id,
		deduplicate=True,
		enqueue_after_commit=True,
		**arguments,
	)


def _forget_lost(job_id: str) -> None:
	"""Forget the job where no worker will ever get it: one that was killed between taking it out of the queue and beginning
	with it leaves it marked as queued, and Frappe would not queue it again."""
	job = background_jobs.get_job(job_id)
	if job and job.get_status() == "queued" and job.get_position() is None:
		job.delete()
