# Copyright (c) 2026, loyalty_app maintainers
# For license information, please see license.txt

from datetime import date
from typing import NoReturn

import frappe
from frappe import _
from frappe.model.document import Document
from frappe.model.workflow import set_workflow_state_on_action
from frappe.utils import cint, cstr, flt, getdate, today

from loyalty_app.ledger import adjustments, membership, redemption, unless_busy
from loyalty_app.ledger.adjustments import TRANSFER
from loyalty_app.ledger.invoices import Event, put_back

# What an approver approves: who changes it is an author.
MOVED = ("customer", "to_customer", "loyalty_program", "points", "reason", "posting_date", "expiry_date")
# Not for anybody to say or to change.
REQUEST = ("idempotency_key", "request_digest")


class LoyaltyPointAdjustment(Document):
	# begin: auto-generated types
	# This code is auto-generated. Do not modify anything in this block.

	from typing import TYPE_CHECKING

	if TYPE_CHECKING:
		from frappe.types import DF

		amended_from: DF.Link | None
		company: DF.Link | None
		customer: DF.Link
		customer_name: DF.Data | None
		expiry_date: DF.Date | None
		explanation: DF.SmallText | None
		idempotency_key: DF.Data | None
		loyalty_program: DF.Link
		membership: DF.Link | None
		naming_series: DF.Literal["LPA-.YYYY.-"]
		points: DF.Int
		posting_date: DF.Date
		reason: DF.Literal[
			"", "Correction", "Goodwill", "Dispute", "Promotion", "Opening Balance", "Transfer"
		]
		reference_doctype: DF.Link | None
		reference_name: DF.DynamicLink | None
		request_digest: DF.Data | None
		to_customer: DF.Link | None
		to_customer_name: DF.Data | None
		workflow_state: DF.Link | None
	# end: auto-generated types

	def insert(self, *args, **kwargs):
		"""Extends Document.insert: a deadlock over Frappe's own rows, as those of naming series, is to be tried again like
		one over points."""
		with unless_busy():
			return super().insert(*args, **kwargs)

	def save(self, *args, **kwargs):
		"""Extends Document.save, by which documents are also submitted and cancelled, as `insert`."""
		with unless_busy():
			return super().save(*args, **kwargs)

	def has_permission(self, permtype="read", *args, **kwargs):
		"""Extends Document.has_permission: up to the program's limit, who may write an adjustment may submit it."""
		if permtype == "submit" and self.is_within_limit():
			permtype = "write"
		return super().has_permission(permtype, *args, **kwargs)

	def validate_share(self, share: Document):
		"""Let nobody share what they may not do: Frappe 15 asks for the right to share alone, also of who shares with
		themselves. Up to the program's limit does not count, as the points may be changed after that."""
		for right in ("write", "submit"):
			if share.get(right) and not super().has_permission(right):
				frappe.throw(
					_(
						"You cannot share {0} so that others may submit or change it, which you may not yourself."
					).format(frappe.bold(self.name)),
					frappe.PermissionError,
				)

	def is_within_limit(self) -> bool:
		"""Whether so few points are moved that the program lets Accounts Users submit it."""
		limit = self.loyalty_program and frappe.get_cached_value(
			"Loyalty Program", self.loyalty_program, "adjustment_limit"
		)
		return 0 < abs(flt(self.points)) <= cint(limit)

	def before_validate(self):
		known = self.get_doc_before_save() or self.flags.request or {}
		for field in REQUEST:
			self.set(field, known.get(field))
		if self.customer and not self.loyalty_program:
			self.loyalty_program = frappe.get_cached_value("Customer", self.customer, "loyalty_program")
		if self.loyalty_program:
			self.company = frappe.get_cached_value("Loyalty Program", self.loyalty_program, "company")
		if self.reason != TRANSFER:
			self.to_customer = self.to_customer_name = None

	def validate(self):
		if self.is_new():
			# once more, as the company is known now
			self.check_permission("create")
		# mandatory fields are asked for by Frappe, but after this
		if not self.customer:
			self.refuse("customer", _("choose a customer"))
		if not self.loyalty_program:
			self.refuse("loyalty_program", _("{0} is in none; choose one").format(frappe.bold(self.customer)))
		self.points = redemption.whole_points(self.points)
		on = getdate(today())
		self.validate_posting_date(on)
		self.validate_points()
		self.validate_expiry_date(on)
		self.validate_customers()
		if not cstr(self.explanation).strip() and self.reason != "Opening Balance":
			self.refuse("explanation", _("say what this adjustment is for"))
		if self.docstatus == 0:
			adjustments.check_balance(self, self.member(self.customer))

	def date_in(self, field: str) -> date | None:
		"""The day in a field. Raises ValidationError where there is something else."""
		try:
			return getdate(self.get(field)) if self.get(field) else None
		except (frappe.ValidationError, ValueError, TypeError, AttributeError, OverflowError):
			self.refuse(field, _("{0} is not a date").format(cstr(self.get(field))))

	def validate_posting_date(self, on: date):
		self.posting_date = self.date_in("posting_date") or on
		if self.posting_date > on:
			self.refuse(
				"posting_date",
				_("{0} is still to come; choose today or an earlier day").format(
					frappe.format(self.posting_date, "Date")
				),
			)

	def validate_points(self):
		if not self.points:
			self.refuse("points", _("enter how many points to add (more than 0) or to take (less than 0)"))
		if self.reason == TRANSFER and self.points < 0:
			self.refuse(
				"points",
				_("a transfer moves more than 0 points, from {0} to {1}").format(
					self._label("customer"), self._label("to_customer")
				),
			)

	def validate_expiry_date(self, on: date):
		if not adjustments.adds(self):
			self.expiry_date = None
			return
		self.expiry_date = self.date_in("expiry_date")
		last = adjustments.good_through(self)
		if last < self.posting_date:
			self.refuse(
				"expiry_date",
				_("{0} is before {1}").format(frappe.format(last, "Date"), self._label("posting_date")),
			)
		if last < on:
			self.refuse(
				"expiry_date",
				_("points that were good through {0} have expired; choose today or a later day").format(
					frappe.format(last, "Date")
				),
			)

	def validate_customers(self):
		if self.reason == TRANSFER:
			if not self.to_customer:
				self.refuse("to_customer", _("choose who gets the points"))
			if self.to_customer == self.customer:
				self.refuse("to_customer", _("choose another customer than the one who gives the points"))
		for field in ("customer", "to_customer"):
			customer = self.get(field)
			if customer and not self.is_member(customer):
				self.refuse(
					field,
					_("{0} is not in Loyalty Program {1}; choose the program in the customer first").format(
						frappe.bold(customer), frappe.bold(self.loyalty_program)
					),
				)

	def is_member(self, customer: str) -> bool:
		"""Whether `customer` is in the program, or was and has a membership still."""
		if self.flags.loyalty_members is None:
			if frappe.get_cached_value("Customer", customer, "loyalty_program") == self.loyalty_program:
				return True
		return bool(self.member(customer))

	def member(self, customer: str) -> frappe._dict | None:
		"""The membership of `customer`: as who submits many at once has locked it, or as it is, without a lock."""
		known = self.flags.loyalty_members
		if known is not None:
			return known.get((customer, self.loyalty_program))
		return membership.look(customer, self.loyalty_program)

	def before_submit(self):
		"""Take the locks of the ledger, and refuse what cannot be taken before anybody has done anything."""
		with unless_busy():
			giver = adjustments.hold(self)[0]
		# once more, as the points are whole and the program is what was last saved now
		self.check_permission("submit")
		self.refuse_approval_by(self.authors())
		self.settle_terms()
		adjustments.refuse_if_short(self, giver)
		self.membership = giver.name

	def on_submit(self):
		with unless_busy():
			adjustments.settle_adjustment(self, Event.SUBMIT)

	def before_cancel(self):
		put_back(self, ("name", *MOVED, *REQUEST))
		if workflow := self.meta.get_workflow():
			# Frappe does this at submit only
			set_workflow_state_on_action(self, workflow, "cancel")
		with unless_busy():
			membership.hold_all(*adjustments.customers_of(self))

	def on_cancel(self):
		with unless_busy():
			adjustments.settle_adjustment(self, Event.CANCEL)

	def settle_terms(self):
		"""Fix what a draft leaves to the program."""
		if adjustments.adds(self):
			self.expiry_date = adjustments.good_through(self)

	def authors(self) -> set[str]:
		"""Who made it, who changed it last, and this user where what is moved is not as it was saved."""
		user, before = frappe.session.user, self.get_doc_before_save()
		if not before:
			return {user}
		changed = any(cstr(before.get(field)) != cstr(self.get(field)) for field in MOVED)
		return {self.owner, before.modified_by} | ({user} if changed else set())

	def refuse_approval_by(self, authors: set[str]):
		"""Refuse to submit it where this user is one of its `authors` and the program asks for somebody else."""
		program = frappe.get_cached_doc("Loyalty Program", self.loyalty_program)
		if program.adjustment_needs_approver and frappe.session.user in authors:
			frappe.throw(
				_(
					"Loyalty Program {0} lets nobody approve what they wrote themselves: somebody else has to submit this adjustment."
				).format(frappe.bold(program.name)),
				title=_("Approver must not be the author"),
			)

	def refuse(self, field: str, reason: str) -> NoReturn:
		"""Throw with the name of the field in front of the reason."""
		frappe.throw(_("{0}: {1}.").format(self._label(field), reason))

	def _label(self, field: str) -> str:
		return frappe.bold(_(self.meta.get_label(field)))
