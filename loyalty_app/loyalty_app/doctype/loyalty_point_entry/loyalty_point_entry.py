# Copyright (c) 2026, loyalty_app maintainers
# For license information, please see license.txt

import frappe
from frappe import _
from frappe.model.document import Document

from loyalty_app.ledger import direct, foreign, unless_busy
from loyalty_app.reporting.given import by_line

_WHOSE, _POINTS = ("loyalty_program", "company"), ("loyalty_points", "purchase_amount")
# What the ledger reads by, and indexes that hold all that reports sum: a table of a million entries is not read for a total.
# Each has a column of this app first, or several columns: a migration that loads ERPNext's definition drops what indexes one
# of ERPNext's own columns alone.
INDEXES = {
	# Lots are read in the order of drawing, which ends with the name: what is left of them comes after it.
	"lots": (
		*("membership", "is_open", "expiry_date", "posting_date", "name", "remaining_points"),
		*("spendable_from", *_WHOSE),
	),
	"invoice": ("membership", "invoice"),
	"redeemed": ("membership", "redeem_against"),
	"pending": ("membership", "spendable_from"),
	# In the order of statements: the newest entries are read alone.
	"history": (
		*("membership", "posting_date", "creation", "name", "expiry_date", "entry_type"),
		*_POINTS,
		"spendable_from",
		*_WHOSE,
	),
	"day": ("entry_type", "posting_date", *_WHOSE, "loyalty_program_tier", *_POINTS),
	# What ERPNext reads whenever a Customer's form opens; and a customer that is renamed or merged is changed in all entries.
	"customer": ("customer", "expiry_date", "company", "loyalty_points"),
}

# entries follow their invoice: they must not keep it from being cancelled, nor be listed as to be cancelled first
exclude_from_linked_with = True


class LoyaltyPointEntry(Document):
	# begin: auto-generated types
	# This code is auto-generated. Do not modify anything in this block.

	from typing import TYPE_CHECKING

	if TYPE_CHECKING:
		from frappe.types import DF

		collection_factor: DF.Float
		company: DF.Link | None
		customer: DF.Link | None
		discretionary_reason: DF.Data | None
		earn_on: DF.Data | None
		entry_type: DF.Literal["", "Earned", "Redeemed", "Expired", "Adjusted"]
		excluded_items: DF.SmallText | None
		expiry_date: DF.Date | None
		expiry_notice_on: DF.Date | None
		invoice: DF.DynamicLink | None
		invoice_type: DF.Link | None
		is_open: DF.Check
		loyalty_points: DF.Int
		loyalty_program: DF.Link | None
		loyalty_program_tier: DF.Data | None
		membership: DF.Link | None
		posting_date: DF.Date | None
		promotions: DF.LongText | None
		purchase_amount: DF.Currency
		redeem_against: DF.Link | None
		remaining_points: DF.Int
		spendable_from: DF.Date | None
	# end: auto-generated types

	def _set_defaults(self):
		"""Leave the company open for the program to decide: the user's default company may be another."""
		company = self.company
		super()._set_defaults()
		self.company = company

	def onload(self):
		# the form shows this instead of the record in `promotions`
		self.set_onload("promotions", by_line(self))

	def before_insert(self):
		if not foreign.is_erpnexts(self):
			direct.set_defaults(self)

	def validate(self):
		if not self.is_new():
			refuse_change(self.name)

	def db_insert(self, *args, **kwargs):
		"""Lead an entry that other code inserts through the ledger, which writes it with all that follows.

		What ERPNext itself writes for an invoice that the ledger is about to settle stands until then, uncounted.
		"""
		if foreign.is_erpnexts(self):
			super().db_insert(*args, **kwargs)
			return
		with unless_busy():
			direct.insert(self)

	def db_update(self):
		refuse_change(self.name)

	def on_trash(self):
		frappe.throw(
			_(
				"Loyalty Point Entry {0} cannot be deleted: points follow their invoice. Cancel or return the invoice instead."
			).format(frappe.bold(self.name)),
			title=_("Entries are not deleted"),
		)

	def before_rename(self, old, new, merge=False):
		frappe.throw(_("Loyalty Point Entry {0} cannot be renamed.").format(frappe.bold(old)))


def refuse_change(name: str):
	frappe.throw(
		_(
			"Loyalty Point Entry {0} cannot be changed: points follow their invoice. Cancel or return the invoice instead."
		).format(frappe.bold(name)),
		title=_("Entries are not edited"),
	)


def on_doctype_update():
	"""Add the indexes, unless the app is being installed: what follows then changes every entry there is, and adds
	them when it has."""
	if frappe.flags.in_install != "loyalty_app":
		add_indexes()


def add_indexes():
	"""Add the indexes where they are not there."""
	doctype, names = (
		"Loyalty Point Entry",
		{f"loyalty_point_entry_{name}": fields for name, fields in INDEXES.items()},
	)
	if frappe.db.db_type == "mariadb":
		# The table is read once for all of them.
		added = ", ".join(f"add index if not exists {n} ({', '.join(fields)})" for n, fields in names.items())
		frappe.db.sql_ddl(f"alter table `tab{doctype}` {added}")
		return
	for name, fields in names.items():
		frappe.db.add_index(doctype, fields, index_name=name)
