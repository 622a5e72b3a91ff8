# Copyright (c) 2026, loyalty_app maintainers
# For license information, please see license.txt

import frappe
from frappe import _
from frappe.model.document import Document

from loyalty_app.ledger import membership
from loyalty_app.portal import email_of
from loyalty_app.reporting.statement import statement


class LoyaltyMembership(Document):
	# begin: auto-generated types
	# This code is auto-generated. Do not modify anything in this block.

	from typing import TYPE_CHECKING

	if TYPE_CHECKING:
		from frappe.types import DF

		active: DF.Check
		all_spendable_from: DF.Date | None
		balance: DF.Int
		company: DF.Link | None
		contact_email: DF.Data | None
		customer: DF.Link
		customer_name: DF.Data | None
		log_count: DF.Int
		log_hash: DF.Data | None
		loyalty_program: DF.Link
		loyalty_program_tier: DF.Data | None
		next_expiry: DF.Date | None
		points_earned: DF.Int
		points_expired: DF.Int
		points_redeemed: DF.Int
		promotions_used: DF.LongText | None
		shortfall: DF.Int
		spend_by_month: DF.SmallText | None
		statement_sent_on: DF.Date | None
		tier_evaluated_on: DF.Date | None
		tier_kept: DF.Data | None
		total_spent: DF.Currency
	# end: auto-generated types

	# What a notice is about, while one is sent: see `ledger.notices`.
	notice = frappe._dict()

	@property
	def contact_email(self) -> str | None:
		return email_of(self.customer)

	def get(self, key, *args, **kwargs):
		"""As Frappe's, and what is virtual too: a Notification asks for its recipient by this."""
		return self.contact_email if key == "contact_email" else super().get(key, *args, **kwargs)

	def standing(self) -> frappe._dict:
		"""What print formats and e-mails show of today: see `ledger.membership.summary`."""
		return membership.summary(self.customer, self.loyalty_program)

	def statement(self, from_date=None, to_date=None) -> frappe._dict:
		"""What print formats show of a period: see `reporting.statement`."""
		return statement(self, from_date, to_date)

	def validate(self):
		frappe.throw(
			_(
				"Loyalty Membership {0} cannot be made or changed by hand: it follows the customer's invoices. To join a program, set Loyalty Program in the customer {1}."
			).format(frappe.bold(self.name or _("(new)")), frappe.bold(self.customer or "")),
			title=_("Memberships are not edited"),
		)

	def on_trash(self):
		frappe.throw(
			_(
				"Loyalty Membership {0} cannot be deleted by hand. To leave a program, empty Loyalty Program in the customer {1}; the points stay on record."
			).format(frappe.bold(self.name), frappe.bold(self.customer or "")),
			title=_("Memberships are not deleted"),
		)

	def before_rename(self, old, new, merge=False):
		frappe.throw(_("Loyalty Membership {0} cannot be renamed.").format(frappe.bold(old)))


def on_doctype_update():
	"""One membership per customer and program; members of a program, and whose points expire, are looked for."""
	frappe.db.add_unique(
		"Loyalty Membership",
		["customer", "loyalty_program"],
		constraint_name="loyalty_membership_customer_program",
	)
	frappe.db.add_index(
		"Loyalty Membership", ["loyalty_program", "active"], index_name="loyalty_membership_program_active"
	)
	frappe.db.add_index("Loyalty Membership", ["next_expiry"], index_name="loyalty_membership_next_expiry")
