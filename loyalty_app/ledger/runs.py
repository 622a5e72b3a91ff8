"""Work over all memberships: closing what has expired, verifying, rebuilding, showing new tiers; over the rows of a
file: importing adjustments.

A run is a Loyalty Ledger Run, which the desk shows with its progress. It is divided into ranges of memberships or rows,
each a job on the `long` queue, so that as many workers as there are share it. A range is worked through in small sets,
each a transaction that also notes how far it has come: killed at any moment, the run goes on from there, and
doing anything twice changes nothing.
"""

from collections.abc import Callable, Iterable
from typing import NamedTuple

import frappe
from frappe import _
from frappe.model.document import Document
from frappe.utils import add_to_date, get_datetime, getdate, now, now_datetime, strip_html, today

from loyalty_app.ledger import audit, bulk, expiry, imports, membership, notices, tiering
from loyalty_app.ledger.audit import Difference
from loyalty_app.ledger.busy import insist

DOCTYPE = "Loyalty Ledger Run"
RANGE = "Loyalty Ledger Run Range"
FINDING = "Loyalty Ledger Run Finding"

# A range is a job: long enough for its start not to matter, short enough to be shared fairly.
MEMBERSHIPS_IN_RANGE = 5_000
# A set is a transaction: short enough for terminals not to wait.
MEMBERSHIPS_IN_SET = 200
# Memberships that the daily verification looks at, from a point of their names' order that is chosen by chance.
SAMPLE = 2_000
BEYOND = 2**62
MOST_FINDINGS = 1_000
TRIES = 3
# A range that no worker has got on with for so long has lost its worker.
STALLED_AFTER_MINUTES = 10


class Result(NamedTuple):
	"""What became of some memberships: how many things were changed, and what was wrong."""

	changed: int = 0
	differences: tuple[Difference, ...] = ()


class Kind(NamedTuple):
	"""A kind of run: which things it is about, and what it does with some of them.

	names: those after one name, up to another, so many, in their order.
	act: what is done with some, the whole of a transaction but for its end.
	difference: what is told of one that could not be worked on.
	prepare: what has to be done before there are names. Raises ValidationError where there cannot be any.
	"""

	names: Callable[[Document, str, str | None, int], list[str]]
	act: Callable[[list[str], Document], Result]
	difference: Callable[[str, str], Difference] = Difference
	prepare: Callable[[Document], None] | None = None


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
	mended = audit.mend(names)
	return Result(len({d.membership for d in mended}), tuple(mended))


KINDS = {
	"Expiry": Kind(
		_memberships(lambda table, run: table.next_expiry < getdate(today())),
		lambda names, run: Result(expiry.close_all(names)),
	),
	"Verification": Kind(
		_memberships(),
		lambda names, run: Result(differences=tuple(audit.differences(names))),
	),
	"Rebuild": Kind(_memberships(), _mend),
	"Tiers": Kind(
		_memberships(lambda table, run: table.loyalty_program == run.loyalty_program),
		lambda names, run: Result(membership.follow_tiers(names)),
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

	`sample` limits it to so many memberships.
	"""
	unfinished = {"kind": kind, "loyalty_program": loyalty_program, "status": ("in", ("Queued", "Running"))}
	if name := frappe.db.get_value(DOCTYPE, {k: v or ("is", "not set") for k, v in unfinished.items()}):
		resume(name)
		return name
	return _begin(kind=kind, loyalty_program=loyalty_program, sample=sample)


def start_import(kind: str, check: Document | None = None, **values) -> str:
	"""Start a check of a file, or the import or undoing of what `check` has read; return the run's name."""
	of_check = {"import_check": check.name, "status": ("in", ("Queued", "Running"))} if check else None
	if check and (running := frappe.db.get_value(DOCTYPE, of_check)):
		resume(running)
		return running
	return _begin(kind=kind, import_check=check and check.name, **values)


def _begin(**values) -> str:
	run = frappe.get_doc({"doctype": DOCTYPE, **values}).insert(ignore_permissions=True)
	_enqueue("divide", run.name, run=run.name)
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
	for name in frappe.get_all(DOCTYPE, filters={"status": ("in", ("Queued", "Running"))}, pluck="name"):
		resume(name)


def resume(name: str) -> None:
	"""Queue what is left of the run `name`, and nobody is at work on."""
	stalled = add_to_date(now_datetime(), minutes=-STALLED_AFTER_MINUTES)
	status, modified = frappe.db.get_value(DOCTYPE, name, ["status", "modified"])
	if status == "Queued" and get_datetime(modified) < stalled:
		_enqueue("divide", f"{name}::{now()}", run=name)
	table = frappe.qb.DocType(RANGE)
	left = frappe.qb.from_(table).select(table.name, table.attempts).where(table.parent == name)
	for part, attempts in left.where((table.is_done == 0) & (table.touched_at < stalled)).run():
		_queue_range(name, part, attempts + 1)
	if status == "Running":
		# Its last worker may have been killed between the end of its range and that of the run.
		finish(name)


def divide(run: str) -> None:
	"""Divide the run into ranges and queue them (background job)."""
	# The run alone: on Frappe 15 its document would lock the place of its ranges, too, where others insert theirs.
	if frappe.db.get_value(DOCTYPE, run, "status", for_update=True) != "Queued":
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
	bulk.insert(RANGE, rows, _child_of(run, "ranges") | {"touched_at": at, "is_done": 0})
	frappe.db.set_value(DOCTYPE, run, {"status": "Running", "started_at": at, "memberships": total})
	for row in rows:
		_queue_range(run, row["name"], 1)
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
	"""Names, in their order, of memberships or rows that `run` is about: after one name, up to another."""
	return KINDS[run.kind].names(run, after, until, MEMBERSHIPS_IN_SET if limit is None else limit)


def work(run: str, part: str) -> None:
	"""Work through what is left of a range (background job). Commits after each set."""
	frappe.db.commit()  # nosemgrep: a background job, whose sets read what is there when they begin
	fields = ["name", "owner", "kind", "loyalty_program", "import_check"]
	doc = frappe.db.get_value(DOCTYPE, run, fields, as_dict=True)
	bounds = frappe.db.get_value(RANGE, part, ["reached", "last_membership", "is_done"], as_dict=True)
	if not (doc and bounds) or bounds.is_done:
		return
	after = bounds.reached or ""
	while names := next_names(doc, after, until=bounds.last_membership):
		frappe.db.commit()  # nosemgrep: see above
		note(run, part, names, act(doc, names))
		frappe.db.commit()  # nosemgrep: one set is one transaction
		after = names[-1]
	frappe.db.set_value(RANGE, part, "is_done", 1)
	frappe.db.commit()  # nosemgrep: who comes last has to see that the others are done
	finish(run)
	frappe.db.commit()  # nosemgrep: the range is done


def act(run: Document, names: list[str]) -> Result:
	"""Do what `run` does with `names`; where that fails, with one after another."""
	kind = KINDS[run.kind]
	try:
		# A terminal may be quicker; its transaction is short.
		return insist(kind.act, names, run, tries=TRIES)
	except (frappe.QueryDeadlockError, frappe.QueryTimeoutError):
		fault = _("somebody else kept it locked")
	except Exception as e:
		frappe.db.rollback()
		fault = f"{type(e).__name__}: {e}"
		if len(names) == 1:
			title = "A loyalty run could not work on something"
			frappe.log_error(title=title, message=frappe.get_traceback())
	if len(names) == 1:
		return Result(0, (kind.difference(names[0], fault),))
	changed, differences = 0, []
	for name in names:
		one = act(run, [name])
		frappe.db.commit()  # nosemgrep: one that fails must not take the others with it
		changed += one.changed
		differences += one.differences
	return Result(changed, tuple(differences))


def note(run: str, part: str, names: list[str], result: Result) -> None:
	"""Note in the transaction of a set how far its range has come, and what was found."""
	table = frappe.qb.DocType(RANGE)
	query = frappe.qb.update(table).set(table.reached, names[-1]).set(table.touched_at, now())
	query.where(table.name == part).run()
	told = result.differences[:MOST_FINDINGS]
	if told and frappe.db.count(FINDING, {"parent": run}) < MOST_FINDINGS:
		tell(run, told)
	# The run's own row comes last: all workers share it.
	run_table = frappe.qb.DocType(DOCTYPE)
	(
		frappe.qb.update(run_table)
		.set(run_table.done, run_table.done + len(names))
		.set(run_table.changed, run_table.changed + result.changed)
		.set(run_table.faults, run_table.faults + len(result.differences))
		.set(run_table.modified, now())
		.where(run_table.name == run)
	).run()


def tell(run: str, differences: Iterable[Difference]) -> None:
	"""Add what was found to the findings of the run."""
	rows = [
		{
			"name": bulk.new_name(),
			"idx": i,
			"membership": d.membership,
			"entry": d.entry,
			"row_no": d.row,
			"fault": d.fault,
		}
		for i, d in enumerate(differences, 1)
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
	# Not by the document: Frappe 15 would lock its ranges to see what changes.
	frappe.db.set_value(DOCTYPE, run, {"status": "Done", "ended_at": now()})
	doc = frappe.get_doc(DOCTYPE, run)
	doc.notify_update()
	if doc.faults:
		alert(doc)


def alert(run) -> None:
	from frappe.desk.doctype.notification_log.notification_log import enqueue_create_notification
	from frappe.utils.user import get_users_with_role

	subject = {
		"Verification": _("Loyalty points: {0} differences were found"),
		"Rebuild": _("Loyalty points: {0} differences were mended"),
		imports.CHECK: _("Loyalty points: {0} rows of the file are not ready"),
		imports.IMPORT: _("Loyalty points: {0} rows were not imported"),
		imports.UNDO: _("Loyalty points: {0} rows were not undone"),
	}.get(run.kind, _("Loyalty points: {0} memberships could not be worked on"))
	concerned = [run.owner] if run.kind in imports.KINDS else get_users_with_role("Accounts Manager")
	enqueue_create_notification(
		[user for user in concerned if "@" in user],
		{
			"type": "Alert",
			"document_type": DOCTYPE,
			"document_name": run.name,
			"subject": subject.format(run.faults),
			"from_user": "Administrator",
		},
	)


def _queue_range(run: str, part: str, attempt: int) -> None:
	frappe.db.set_value(RANGE, part, {"attempts": attempt, "touched_at": now()})
	_enqueue("work", f"{part}::{attempt}", run=run, part=part)


def _enqueue(function: str, job: str, **arguments) -> None:
	frappe.enqueue(
		f"loyalty_app.ledger.runs.{function}",
		queue="long",
		job_id=f"loyalty_ledger_run::{function}::{job}",
		deduplicate=True,
		enqueue_after_commit=True,
		**arguments,
	)
