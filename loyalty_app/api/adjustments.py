"""What the form of a Loyalty Point Adjustment shows: balances before and after, and what came of it."""

import frappe
from frappe.model.document import Document

from loyalty_app.api import forms
from loyalty_app.api.doors import whitelist
from loyalty_app.api.permissions import may_see_points, sees_company
from loyalty_app.ledger import adjustments

ENTRY = "Loyalty Point Entry"
WORDS = ("name", "customer", "to_customer", "loyalty_program", "reason", "posting_date", "expiry_date")


@whitelist(methods=["POST"])
def preview(doc: str | dict) -> dict:
	"""What an adjustment does when it is submitted, as the form sends it: unsaved, draft, submitted or cancelled.

	`state` is "none" (no customer, no program, or one of a company that is closed to the user), "draft", "submitted"
	or "cancelled". `customers` has customer, customer_name and `balance` (points spendable today) of each; in a
	draft's answer also `after`, the balance after it, None where it is incomplete or refused. A draft's answer has
	`refusal`, why it would be refused; `good_through`, the last day of points that it adds; `may_submit`, whether this
	user may submit it as it is saved; `needs_approver`, whether its author may not. A submitted one's has `entries`,
	as far as the user may read entries.
	"""
	given = forms.document_in(doc, (adjustments.DOCTYPE,), words=WORDS)
	if forms.docstatus_of(given) != 0:
		return _settled(frappe.get_doc(given["doctype"], given["name"]))
	draft = frappe.get_doc({**given, "docstatus": 0})
	draft.check_permission("create" if draft.is_new() else "read")
	return forms.without_trace(lambda: _draft(draft))


def _draft(doc: Document) -> dict:
	doc.before_validate()
	if not _may_see(doc):
		return {"state": "none"}
	customers = _balances(doc)
	answer = {
		"state": "draft",
		"customers": customers,
		"needs_approver": bool(_program(doc, "adjustment_needs_approver")),
		"may_submit": not doc.is_new() and bool(doc.has_permission("submit")),
	}
	if not doc.points or not doc.reason or (doc.reason == adjustments.TRANSFER and not doc.to_customer):
		return answer
	# asked for when it is saved, not while everything else is typed
	doc.explanation = doc.explanation or "-"
	answer["refusal"] = forms.refusal_in(doc.validate)
	if answer["refusal"]:
		return answer
	for row, outcome in zip(customers, adjustments.outcomes(doc)):
		row["after"] = outcome.after
	if adjustments.adds(doc):
		answer["good_through"] = adjustments.good_through(doc)
	return answer


def _settled(doc: Document) -> dict:
	doc.check_permission("read")
	if not _may_see(doc):
		return {"state": "none"}
	return {
		"state": "submitted" if doc.docstatus == 1 else "cancelled",
		"customers": _balances(doc),
		"entries": frappe.get_list(
			ENTRY,
			# the membership comes first in every index of these tables
			filters={
				"membership": ("in", adjustments.memberships_of(doc)),
				"invoice_type": doc.doctype,
				"invoice": doc.name,
			},
			fields=["name", "customer", "entry_type", "loyalty_points", "expiry_date"],
			order_by="loyalty_points, expiry_date, name",
		)
		if frappe.has_permission(ENTRY, "read")
		else [],
	}


def _may_see(doc: Document) -> bool:
	"""Whether there is something to show. Raises PermissionError for customers that the user may not read."""
	if not doc.customer or not doc.loyalty_program:
		return False
	for customer in adjustments.customers_of(doc):
		may_see_points(customer)
	return bool(_program(doc, "company")) and sees_company(_program(doc, "company"))


def _program(doc: Document, field: str):
	return frappe.get_cached_value("Loyalty Program", doc.loyalty_program, field)


def _balances(doc: Document) -> list[dict]:
	return [
		{
			"customer": customer,
			"customer_name": frappe.get_cached_value("Customer", customer, "customer_name"),
			"balance": adjustments.balance_of(customer, doc.loyalty_program),
		}
		for customer in adjustments.customers_of(doc)
	]
