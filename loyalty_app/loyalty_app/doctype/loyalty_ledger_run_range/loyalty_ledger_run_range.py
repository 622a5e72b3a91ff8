# Copyright (c) 2026, loyalty_app maintainers
# For license information, please see license.txt

from frappe.model.document import Document


class LoyaltyLedgerRunRange(Document):
	# begin: auto-generated types
	# This code is auto-generated. Do not modify anything in this block.

	from typing import TYPE_CHECKING

	if TYPE_CHECKING:
		from frappe.types import DF

		attempts: DF.Int
		is_done: DF.Check
		is_given_up: DF.Check
		last_membership: DF.Data | None
		parent: DF.Data
		parentfield: DF.Data
		parenttype: DF.Data
		reached: DF.Data | None
		touched_at: DF.Datetime | None
		worker: DF.Data | None
	# end: auto-generated types

	pass
