# Copyright (c) 2026, loyalty_app maintainers
# For license information, please see license.txt

import frappe
from frappe import _
from frappe.model.document import Document

# Of several columns each: a migration drops an index of one whose field does not ask for it.
INDEXES = {
	"entry": ("entry", "membership"),
	"invoice": ("membership", "invoice"),
	# The few rows that tell of many entries.
	"action": ("membership", "action", "sequence"),
	# A customer that is renamed or merged is changed in all rows.
	"customer": ("customer", "membership"),
	# The audit trail reads from the newest on.
	"time": ("logged_at", "membership", "sequence", "action"),
}


class LoyaltyPointLog(Document):
	# begin: auto-generated types
	# This code is auto-generated. Do not modify anything in this block.

	from typing import TYPE_CHECKING

	if TYPE_CHECKING:
		from frappe.types import DF

		action: DF.Literal["Insert", "Update", "Delete", "Insert Many", "Mend"]
		after: DF.Code | None
		before: DF.Code | None
		company: DF.Link | None
		customer: DF.Link | None
		entry: DF.Data | None
		event: DF.Data | None
		hash: DF.Data | None
		invoice: DF.DynamicLink | None
		invoice_type: DF.Link | None
		logged_at: DF.Datetime | None
		loyalty_program: DF.Link | None
		membership: DF.Link
		points_after: DF.Int
		points_before: DF.Int
		previous_hash: DF.Data | None
		reference_doctype: DF.Link | None
		reference_name: DF.Data | None
		sequence: DF.Int
		user: DF.Data | None
	# end: auto-generated types

	def validate(self):
		if not self.is_new():
			self._refuse(_("Loyalty Point Log {0} cannot be changed: it only ever grows."))
		self._refuse(_("Loyalty Point Log rows are written by the ledger only, never by hand."))

	def on_trash(self):
		self._refuse(_("Loyalty Point Log {0} cannot be deleted: it only ever grows."))

	def before_rename(self, old, new, merge=False):
		self._refuse(_("Loyalty Point Log {0} cannot be renamed."))

	def _refuse(self, message: str):
		frappe.throw(message.format(frappe.bold(self.name or "")), title=_("The log is append-only"))


def on_doctype_update():
	"""One row per step of a membership's history; and the indexes."""
	frappe.db.add_unique(
		"Loyalty Point Log",
		["membership", "sequence"],
		constraint_name="loyalty_point_log_membership_sequence",
	)
	for name, fields in INDEXES.items():
		frappe.db.add_index("Loyalty Point Log", fields, index_name=f"loyalty_point_log_{name}")
