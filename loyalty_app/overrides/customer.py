"""What loyalty does to Customer: joining, leaving and switching programs, merging, deleting."""

import frappe
from frappe import _
from frappe.model.document import Document

from loyalty_app import enrolment
from loyalty_app.ledger import membership, merge, unless_busy


def connections(data: dict) -> dict:
	"""Add what is loyalty's to what a customer's form lists as connected. The desk translates labels."""
	items = ["Loyalty Membership", "Loyalty Point Entry", "Loyalty Point Adjustment"]
	return data | {"transactions": [*data["transactions"], {"label": "Loyalty", "items": items}]}


def before_validate(doc: Document, method: str | None = None) -> None:
	"""Join the one program that fits, before ERPNext looks for one (rules 3)."""
	enrolment.assign(doc)


@unless_busy()
def validate(doc: Document, method: str | None = None) -> None:
	"""Show the tier reached in the customer's program; leaving or switching resets it (rules 3)."""
	enrolment.keep_choice_open(doc)
	member = None
	if doc.loyalty_program and not doc.is_new():
		# Frappe has locked the customer. As the tier is now, not when this transaction first read something.
		member = membership.lock_for(doc.name, doc.loyalty_program)
	doc.loyalty_program_tier = member.loyalty_program_tier if member else None


@unless_busy()
def on_update(doc: Document, method: str | None = None) -> None:
	"""Open the membership of the program joined; those left stay, for later returns and cancels."""
	before = doc.get_doc_before_save()
	if before and before.customer_name != doc.customer_name:
		membership.show_title(doc.name, doc.customer_name)
	if before and before.loyalty_program == doc.loyalty_program:
		return
	if doc.loyalty_program:
		membership.ensure(doc.name, doc.loyalty_program)
	membership.mark_active([doc.name], doc.loyalty_program)


@unless_busy()
def before_rename(doc: Document, method: str | None, old: str, new: str, merge_into: bool = False) -> None:
	"""Take the locks of the ledger before Frappe takes its own. It may be about to queue the renaming only."""
	merge.prepare(old, new)


@unless_busy()
def after_rename(doc: Document, method: str | None, old: str, new: str, merge_into: bool = False) -> None:
	"""Bring memberships along; pool the points of two customers who become one, while both are still there."""
	merge.finish(old, new)


@unless_busy()
def on_trash(doc: Document, method: str | None = None) -> None:
	"""Refuse to delete a customer whose points are on record; drop memberships in which nothing happened."""
	membership.hold(doc.name)
	for member in membership.lock_all_of(doc.name):
		# what was moved since this transaction first read is seen by who has the lock
		if member.log_count or frappe.db.exists("Loyalty Point Log", {"membership": member.name}):
			frappe.throw(
				_(
					"Customer {0} cannot be deleted: loyalty points are on record. Disable the customer instead, or"
					" merge it into another."
				).format(frappe.bold(doc.customer_name or doc.name)),
				frappe.LinkExistsError,
				title=_("Loyalty points on record"),
			)
		membership.delete(member.name)
