"""The daily job that closes lots whose last day has passed.

Points stop counting the day after their date whether or not it runs; it writes the expiry rows, and brings
the cached balances along.
"""

from datetime import date

import frappe
from frappe.utils import getdate, today

from loyalty_app.ledger import entries, membership
from loyalty_app.ledger.log import Cause
from loyalty_app.rules import lots

# Memberships in one transaction: short enough for terminals not to wait.
AT_ONCE = 100


def enqueue_sweep() -> None:
	"""Queue the sweep (scheduler, daily)."""
	frappe.enqueue(
		"loyalty_app.ledger.expiry.sweep", queue="long", job_id="loyalty_app_expiry", deduplicate=True
	)


def sweep() -> int:
	"""Close every lot that was good through a day before today; return how many memberships had one.

	Commits after each batch, so it can be stopped at any time and run again: what is done is not due any more.
	"""
	on = getdate(today())
	swept, last = 0, ""
	while names := due(on, after=last):
		for name in names:
			frappe.db.savepoint("membership")
			try:
				close_expired(name)
			except Exception:
				# One that fails, or was merged away just now, must not keep the others from expiring.
				frappe.db.rollback(save_point="membership")
				frappe.log_error(
					title="Loyalty points were not expired",
					message=f"Loyalty Membership {name}\n\n{frappe.get_traceback()}",
				)
		swept, last = swept + len(names), names[-1]
		frappe.db.commit()  # nosemgrep: a background job, one batch is one transaction
	return swept


def due(on: date, after: str = "") -> list[str]:
	"""Some memberships with a lot that expired before `on` and is still open, by name, from `after` on."""
	table = frappe.qb.DocType(membership.DOCTYPE)
	return (
		frappe.qb.from_(table)
		.select(table.name)
		.where((table.next_expiry < on) & (table.name > after))
		.orderby(table.name)
		.limit(AT_ONCE)
		.run(pluck=True)
	)


def close_expired(name: str) -> None:
	"""Close the expired lots of the membership `name`."""
	member = membership.lock(name)
	table = frappe.qb.DocType(entries.DOCTYPE)
	on = getdate(today())
	book = entries.read(
		table.membership == name, table.is_open == 1, table.expiry_date < on, table.remaining_points > 0
	)
	before = {e.name: e for e in book}
	after = lots.expire(book, on, entries.new_name)
	if not entries.write(member, before, after, Cause("Expiry")):
		# Its points were spent or taken back before they expired: only the date is left to put right.
		membership.apply(member, {}, {})
