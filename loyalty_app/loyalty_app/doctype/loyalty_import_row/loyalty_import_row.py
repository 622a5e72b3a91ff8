# Copyright (c) 2026, loyalty_app maintainers
# For license information, please see license.txt

from frappe.model.document import Document


class LoyaltyImportRow(Document):
	# begin: auto-generated types
	# This code is auto-generated. Do not modify anything in this block.

	from typing import TYPE_CHECKING

	if TYPE_CHECKING:
		from frappe.types import DF

		adjustment: DF.Link | None
		balance_after: DF.Int
		balance_before: DF.Int
		customer: DF.Link | None
		expiry_date: DF.Date | None
		loyalty_program: DF.Link | None
		message: DF.SmallText | None
		parsed: DF.LongText | None
		points: DF.Data | None
		posting_date: DF.Date | None
		reason: DF.Data | None
		row_no: DF.Int
		run: DF.Link | None
		status: DF.Literal["Waiting", "Ready", "Refused", "Imported", "Undone"]
		to_customer: DF.Link | None
	# end: auto-generated types

	pass
