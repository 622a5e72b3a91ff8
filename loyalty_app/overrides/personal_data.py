"""What loyalty does when Frappe hands out or deletes the personal data of a user.

Frappe's hook `user_data_fields` finds documents by a column that has the user's address, and replaces words in all their
text. Documents of ours have no such column, and the ledger's would not survive that: so the two requests are met here.
"""

import json

import frappe
from frappe.model.document import Document
from frappe.website.doctype.personal_data_download_request.personal_data_download_request import (
	PersonalDataDownloadRequest,
)

from loyalty_app import portal
from loyalty_app.ledger import privacy, unless_busy

# What a request to download gives of the customers that the user stands for.
TOLD = {
	"Loyalty Membership": (
		*("customer", "customer_name", "loyalty_program", "company", "loyalty_program_tier", "active"),
		*("balance", "total_spent", "points_earned", "points_redeemed", "points_expired", "next_expiry"),
	),
	"Loyalty Point Entry": (
		*("customer", "loyalty_program", "company", "posting_date", "entry_type", "loyalty_points"),
		*("purchase_amount", "loyalty_program_tier", "invoice_type", "invoice", "discretionary_reason"),
		*("spendable_from", "expiry_date", "remaining_points"),
	),
	"Loyalty Point Adjustment": (
		*("customer", "loyalty_program", "company", "posting_date", "points", "reason", "explanation"),
		*("expiry_date", "docstatus"),
	),
}


class LoyaltyDownloadMixin:
	def generate_file_and_send_mail(self, personal_data):
		"""Frappe's, with what loyalty has of the user; where others ask for it, only if they may see it all anyway."""
		if self.owner == self.user or "System Manager" in frappe.get_roles(self.owner):
			told = json.loads(personal_data) | data_of(self.user)
			personal_data = json.dumps(told, indent=2, default=str)
		return super().generate_file_and_send_mail(personal_data)


class LoyaltyPersonalDataDownloadRequest(LoyaltyDownloadMixin, PersonalDataDownloadRequest):
	"""The class on Frappe 15, which has no `extend_doctype_class`."""


def data_of(user: str) -> dict[str, list[dict]]:
	"""What the tables of loyalty have of `user`, by doctype."""
	customers = portal.customers_of(user)
	found = {}
	for doctype, fields in TOLD.items() if customers else ():
		filters = {"customer": ("in", customers)}
		found[doctype] = frappe.get_all(doctype, filters=filters, fields=list(fields), order_by="creation")
	return {doctype: rows for doctype, rows in found.items() if rows}


@unless_busy()
def on_update(doc: Document, method: str | None = None) -> None:
	"""Forget the user of a Personal Data Deletion Request at the moment when Frappe begins to: while the user still has
	a name, and contacts still say which customers they are of."""
	before = doc.get_doc_before_save()
	if doc.deletion_steps and before and not before.deletion_steps:
		privacy.forget(person_of(doc.email, doc.name))


def person_of(user: str, alias: str) -> privacy.Person:
	"""`user`, who is called `alias` from now on, with customers that are named by a number keeping that."""
	own = customers_that_are(user)
	titles = [frappe.db.get_value("User", user, "full_name"), *(customer.customer_name for customer in own)]
	words = [user, *filter(None, titles)]
	aliases = iter([alias, *(f"{alias}-{number}" for number in range(2, len(own) + 1))])
	person = privacy.Person(user, alias, tuple(words), {})
	for customer in own:
		speaks = person.taken_out_of(customer.name) != customer.name
		person.customers[customer.name] = next(aliases) if speaks else customer.name
	return person


def customers_that_are(user: str) -> list[frappe._dict]:
	"""The customers that are the person `user`: individuals for whom nobody else stands. Others, a company with several
	buyers, are not forgotten with one of these."""
	found = frappe.get_all(
		"Customer",
		filters={"name": ("in", portal.customers_of(user)), "customer_type": "Individual"},
		fields=["name", "customer_name"],
		order_by="name",
	)
	return [customer for customer in found if portal.users_of(customer.name) <= {user}]
