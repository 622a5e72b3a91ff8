# Copyright (c) 2026, loyalty_app maintainers
# For license information, please see license.txt

import frappe
from frappe import _
from frappe.model.document import Document
from frappe.query_builder import Interval
from frappe.query_builder.functions import Now


class LoyaltyLedgerRun(Document):
	# begin: auto-generated types
	# This code is auto-generated. Do not modify anything in this block.

	from typing import TYPE_CHECKING

	if TYPE_CHECKING:
		from frappe.types import DF

		from loyalty_app.loyalty_app.doctype.loyalty_ledger_run_finding.loyalty_ledger_run_finding import (
			LoyaltyLedgerRunFinding,
		)
		from loyalty_app.loyalty_app.doctype.loyalty_ledger_run_range.loyalty_ledger_run_range import (
			LoyaltyLedgerRunRange,
		)

		attempts: DF.Int
		changed: DF.Int
		done: DF.Int
		ended_at: DF.Datetime | None
		faults: DF.Int
		findings: DF.Table[LoyaltyLedgerRunFinding]
		import_check: DF.Link | None
		import_file: DF.Attach | None
		kind: DF.Literal[
			"Expiry",
			"Verification",
			"Rebuild",
			"Tiers",
			"Enrolment",
			"Expiry Notices",
			"Statements",
			"Import Check",
			"Import",
			"Import Undo",
		]
		loyalty_program: DF.Link | None
		memberships: DF.Int
		notes: DF.SmallText | None
		ranges: DF.Table[LoyaltyLedgerRunRange]
		sample: DF.Int
		started_at: DF.Datetime | None
		status: DF.Literal["Queued", "Running", "Done", "Failed"]
		to_choose: DF.Int
	# end: auto-generated types

	def validate(self):
		if not self.is_new():
			self._refuse(_("Loyalty Ledger Run {0} cannot be changed by hand: its jobs write what they did."))

	def on_trash(self):
		self._refuse(_("Loyalty Ledger Run {0} cannot be deleted by hand: Log Settings clear old ones away."))

	def _refuse(self, message: str):
		frappe.throw(message.format(frappe.bold(self.name)), title=_("Runs are not edited"))

	@staticmethod
	def clear_old_logs(days: int = 90):
		"""Delete runs that are older than `days` (Log Settings), but not imports: adjustments name them."""
		table, later = frappe.qb.DocType("Loyalty Ledger Run"), frappe.qb.DocType("Loyalty Ledger Run")
		imported = frappe.qb.from_(later).select(later.import_check).where(later.import_check.isnotnull())
		query = frappe.qb.from_(table).select(table.name)
		query = query.where(table.import_check.isnull() & table.name.notin(imported))
		old = query.where(table.creation < (Now() - Interval(days=days))).run(pluck=True)
		for doctype, of in (
			("Loyalty Ledger Run Range", "parent"),
			("Loyalty Ledger Run Finding", "parent"),
			("Loyalty Import Row", "run"),
			("Loyalty Ledger Run", "name"),
		):
			rows = frappe.qb.DocType(doctype)
			for run in old:
				frappe.qb.from_(rows).delete().where(rows[of] == run).run()
