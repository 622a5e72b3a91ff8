# Copyright (c) 2026, loyalty_app maintainers
# For license information, please see license.txt

from frappe.model.document import Document


class LoyaltyPromotionItem(Document):
	# begin: auto-generated types
	# This code is auto-generated. Do not modify anything in this block.

	from typing import TYPE_CHECKING

	if TYPE_CHECKING:
		from frappe.types import DF

		apply_to: DF.Literal["Item", "Item Group", "Brand"]
		apply_to_value: DF.DynamicLink
		parent: DF.Data
		parentfield: DF.Data
		parenttype: DF.Data
	# end: auto-generated types

	pass
