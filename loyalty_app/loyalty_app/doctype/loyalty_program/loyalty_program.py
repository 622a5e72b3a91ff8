# Copyright (c) 2026, loyalty_app maintainers
# For license information, please see license.txt

from decimal import Decimal

import frappe
from frappe import _
from frappe.model.document import Document
from frappe.utils import cint, cstr, flt

from loyalty_app import enrolment
from loyalty_app.checks import LARGEST_AMOUNT, LARGEST_POINTS, SMALLEST_STEP, CheckedDocument
from loyalty_app.ledger import membership, runs, terms, tiering, unless_busy

# an expiry further away than this is a typing error, and a date beyond year 9999 cannot be stored
LARGEST_EXPIRY_DURATION = 36500
# months
LONGEST_TIER_PERIOD = 120
# members who see the tiers of a changed program at once
SHOWN_AT_ONCE = 500


class LoyaltyProgram(CheckedDocument):
	# begin: auto-generated types
	# This code is auto-generated. Do not modify anything in this block.

	from typing import TYPE_CHECKING

	if TYPE_CHECKING:
		from frappe.types import DF

		from loyalty_app.loyalty_app.doctype.loyalty_program_collection.loyalty_program_collection import (
			LoyaltyProgramCollection,
		)
		from loyalty_app.loyalty_app.doctype.loyalty_program_exclusion.loyalty_program_exclusion import (
			LoyaltyProgramExclusion,
		)

		adjustment_limit: DF.Int
		adjustment_needs_approver: DF.Check
		allow_negative_adjustment: DF.Check
		auto_opt_in: DF.Check
		collection_rules: DF.Table[LoyaltyProgramCollection]
		company: DF.Link
		conversion_factor: DF.Float
		cost_center: DF.Link | None
		customer_group: DF.Link | None
		customer_territory: DF.Link | None
		earn_on: DF.Literal["Grand Total", "Net Total"]
		exclusions: DF.Table[LoyaltyProgramExclusion]
		expense_account: DF.Link | None
		expiry_duration: DF.Int
		expiry_notice_days: DF.Int
		from_date: DF.Date
		if_points_already_spent: DF.Literal["Allow Negative Balance", "Block"]
		loyalty_program_name: DF.Data
		loyalty_program_type: DF.Literal["Single Tier Program", "Multiple Tier Program"]
		maturity_days: DF.Int
		maximum_redemption_share: DF.Percent
		minimum_redemption_points: DF.Int
		redemption_step: DF.Int
		tier_downgrade: DF.Literal["Never", "One Tier", "To the Tier Earned"]
		tier_period: DF.Literal["Lifetime", "Last N Months", "Fiscal Year"]
		tier_period_months: DF.Int
		to_date: DF.Date | None
	# end: auto-generated types

	def _set_defaults(self):
		# Frappe would fill what is empty from the site's defaults for new customers, but empty means all
		given = self.customer_group, self.customer_territory
		super()._set_defaults()
		self.customer_group, self.customer_territory = given

	def validate(self):
		self.validate_type()
		self.validate_dates()
		self.validate_collection_rules()
		self.validate_tier_period()
		self.validate_redemption()
		self._checked_number(self, "adjustment_limit", least=Decimal(0), largest=LARGEST_POINTS)
		self.validate_exclusions()
		self.validate_expense_account()
		self.validate_cost_center()
		self.validate_company_unchanged()

	def on_update(self):
		terms.tell_of(self)
		before = self.get_doc_before_save()
		if not before:
			return
		# an invoice may hold a member, and wait for this program to be saved
		with unless_busy():
			self.change_members(before)
		if self.auto_opt_in and not before.auto_opt_in:
			enrolment.enqueue(self.name)
			frappe.msgprint(
				_("Existing customers are being enrolled in the background."), alert=True, indicator="blue"
			)

	def change_members(self, before: Document):
		"""Let the memberships follow what is not as `before`."""
		if before.company != self.company:
			membership.follow_company(self.name, self.company)
		if (_tiers(before), _window(before)) == (_tiers(self), _window(self)):
			return
		few = self.hold_members()
		if _period(before) != _period(self):
			membership.begin_period(self.name)
		self.show_new_tiers(few)

	def hold_members(self) -> list[str] | None:
		"""Lock the memberships, and before them their customers, if they are so few that customers are shown their new
		tiers in this transaction; return their names, None if they are many."""
		names = membership.of_program(self.name).limit(SHOWN_AT_ONCE + 1).run(pluck=True)
		if len(names) > SHOWN_AT_ONCE:
			return None
		if names:
			membership.lock_with_customers(names)
		return names

	def show_new_tiers(self, few: list[str] | None):
		"""Show members the tiers that the new rules give them: a `few` now, many in the background."""
		if few is not None:
			membership.follow_tiers(few, self)
			return
		runs.start_tiers_of(self.name)
		frappe.msgprint(
			_("Members are shown their new tiers in the background."), alert=True, indicator="blue"
		)

	@unless_busy()
	def on_trash(self):
		if frappe.db.exists("Loyalty Point Entry", {"loyalty_program": self.name}):
			frappe.throw(
				_(
					"Loyalty Program {0} has Loyalty Point Entries and cannot be deleted: points earned must stay on record. To end the program, set its To Date."
				).format(frappe.bold(self.name)),
				title=_("Program has entries"),
			)
		# what was moved since this transaction first read is seen by who locks the memberships
		has_history = membership.are_used(self.name)
		if has_history or frappe.db.exists("Loyalty Point Log", {"loyalty_program": self.name}):
			frappe.throw(
				_(
					"Loyalty Program {0} has a history in the Loyalty Point Log and cannot be deleted. To end the program, set its To Date."
				).format(frappe.bold(self.name)),
				title=_("Program has a history"),
			)
		# memberships in which nothing ever moved say nothing; left behind they would block the deletion
		for name in membership.of_program(self.name).for_update().run(pluck=True):
			membership.delete(name)

	def validate_type(self):
		allowed = self.meta.get_field("loyalty_program_type").options.split("\n")
		if self.loyalty_program_type not in allowed:
			frappe.throw(
				_("{0} must be one of: {1}. It is {2}.").format(
					self._label("loyalty_program_type"),
					", ".join(_(option) for option in allowed),
					frappe.bold(cstr(self.loyalty_program_type) or _("empty")),
				)
			)

	def validate_collection_rules(self):
		if not self.collection_rules:
			frappe.throw(
				_("{0}: add at least one row with a tier name and a collection factor.").format(
					self._label("collection_rules")
				)
			)
		if self.loyalty_program_type == "Single Tier Program" and len(self.collection_rules) > 1:
			frappe.throw(
				_(
					"Row {0} of {1}: a Single Tier Program has exactly one row. Delete the other rows, or choose Multiple Tier Program."
				).format(self.collection_rules[1].idx, self._label("collection_rules"))
			)

		tier_rows, minimum_rows = {}, {}
		for row in self.collection_rules:
			row.tier_name = " ".join(cstr(row.tier_name).split())
			if not row.tier_name:
				self._refuse_row(row, "tier_name", _("enter a name for the tier"))
			first = tier_rows.setdefault(row.tier_name.casefold(), row.idx)
			if first != row.idx:
				self._refuse_row(
					row,
					"tier_name",
					_("{0} is already the name of row {1}; choose another name").format(
						frappe.bold(row.tier_name), first
					),
				)

			minimum = self._checked_number(row, "min_spent", least=Decimal(0), largest=LARGEST_AMOUNT)
			first = minimum_rows.setdefault(minimum, row.idx)
			if first != row.idx:
				self._refuse_row(
					row,
					"min_spent",
					_("row {0} has the same minimum ({1}); each tier needs its own").format(
						first, flt(minimum)
					),
				)

			self._checked_number(row, "collection_factor", least=SMALLEST_STEP, largest=LARGEST_AMOUNT)

	def validate_tier_period(self):
		self.tier_period = self.tier_period or "Lifetime"
		self.tier_downgrade = self.tier_downgrade or "Never"
		for fieldname in ("tier_period", "tier_downgrade"):
			allowed = self.meta.get_field(fieldname).options.split("\n")
			if self.get(fieldname) not in allowed:
				self._refuse_row(self, fieldname, _("choose one of: {0}").format(", ".join(map(_, allowed))))
		self._checked_number(self, "tier_period_months", least=Decimal(0), largest=LONGEST_TIER_PERIOD)
		if self.tier_period == tiering.LAST_MONTHS and not self.tier_period_months:
			self._refuse_row(
				self, "tier_period_months", _("enter the number of months whose purchases count")
			)

	def validate_redemption(self):
		self._checked_number(self, "conversion_factor", least=Decimal(0), largest=LARGEST_AMOUNT)
		self._checked_number(self, "expiry_duration", least=Decimal(0), largest=LARGEST_EXPIRY_DURATION)
		self._checked_number(self, "maturity_days", least=Decimal(0), largest=LARGEST_EXPIRY_DURATION)
		if 0 < self.expiry_duration < self.maturity_days:
			self._refuse_row(
				self,
				"maturity_days",
				_("{0} days are more than the {1} days through which points are good").format(
					self.maturity_days, self.expiry_duration
				),
			)
		self._checked_number(self, "expiry_notice_days", least=Decimal(0), largest=LARGEST_EXPIRY_DURATION)
		self._checked_number(self, "minimum_redemption_points", least=Decimal(0), largest=LARGEST_POINTS)
		self._checked_number(self, "redemption_step", least=Decimal(0), largest=LARGEST_POINTS)
		self._checked_number(self, "maximum_redemption_share", least=Decimal(0), largest=100)

	def validate_exclusions(self):
		self.validate_items("exclusions", "exclude_type", "exclude_value")

	def validate_expense_account(self):
		account = self._checked_leaf("expense_account", ["root_type"])
		if account and account.root_type != "Expense":
			frappe.throw(
				_("{0}: {1} is an account of type {2}. Choose an Expense account.").format(
					self._label("expense_account"),
					frappe.bold(self.expense_account),
					frappe.bold(_(account.root_type) if account.root_type else _("none")),
				)
			)

	def validate_cost_center(self):
		self._checked_leaf("cost_center")

	def validate_company_unchanged(self):
		if self.is_new():
			return
		company = frappe.db.get_value("Loyalty Program", self.name, "company")
		if company and company != self.company and self.is_used():
			frappe.throw(
				_(
					"{0} cannot be changed from {1} to {2}: Loyalty Program {3} has entries in {1}. Make a new program for {2}."
				).format(
					self._label("company"),
					frappe.bold(company),
					frappe.bold(self.company),
					frappe.bold(self.name),
				)
			)

	@unless_busy()
	def is_used(self) -> bool:
		"""Whether points were ever moved in the program. If not, none are before this transaction ends."""
		self.hold_members()
		return bool(
			membership.are_used(self.name)
			or frappe.db.exists("Loyalty Point Entry", {"loyalty_program": self.name})
			or frappe.db.exists("Loyalty Point Log", {"loyalty_program": self.name})
		)

	def _checked_leaf(self, fieldname: str, extra_fields: list[str] | None = None) -> "frappe._dict | None":
		"""Return the account or cost center in the field after checking that the program can post to it."""
		name = self.get(fieldname)
		if not name:
			return None
		doctype = self.meta.get_field(fieldname).options
		label, bold_name = self._label(fieldname), frappe.bold(name)
		found = frappe.db.get_value(
			doctype, name, ["company", "is_group", "disabled", *(extra_fields or [])], as_dict=True
		)
		if not found:
			frappe.throw(_("{0}: {1} {2} does not exist.").format(label, _(doctype), bold_name))
		if found.company != self.company:
			frappe.throw(
				_("{0}: {1} belongs to company {2}. Choose one of {3}, the company of this program.").format(
					label, bold_name, frappe.bold(found.company), frappe.bold(self.company)
				)
			)
		if found.is_group:
			frappe.throw(_("{0}: {1} is a group. Choose one that is not a group.").format(label, bold_name))
		if found.disabled:
			frappe.throw(_("{0}: {1} is disabled. Enable it or choose another.").format(label, bold_name))
		return found


def _period(program: LoyaltyProgram) -> str | None:
	return program.tier_period if tiering.has_period(program) else None


def _window(program: LoyaltyProgram) -> tuple:
	"""What decides which spend counts for tiers."""
	period = _period(program)
	return period, cint(program.tier_period_months) if period == tiering.LAST_MONTHS else 0


def _tiers(program: LoyaltyProgram) -> dict:
	return {row.tier_name: flt(row.min_spent) for row in program.collection_rules}
