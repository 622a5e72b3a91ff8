# Copyright (c) 2026, loyalty_app maintainers
# For license information, please see license.txt

from frappe.model.document import Document


class LoyaltyLedgerRunFinding(Document):
	# begin: auto-generated types
	# This code is auto-generated. Do not modify anything in this block.

	from typing import TYPE_CHECKING

	if TYPE_CHECKING:
		from frappe.types import DF

		entry: DF.Data | None
		fault: DF.SmallText | None
		membership: DF.Link | None
		parent: DF.Data
		parentfield: DF.Data
		parenttype: DF.Data
		row_no: DF.Int
	# end: auto-generated types

	pass
