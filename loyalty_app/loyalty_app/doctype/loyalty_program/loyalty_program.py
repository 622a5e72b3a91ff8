# Copyright (c) 2026, loyalty_app maintainers
# For license information, please see license.txt

from frappe.model.document import Document


class LoyaltyProgram(Document):
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
		from_date: DF.Date
		if_points_already_spent: DF.Literal["Allow Negative Balance", "Block"]
		loyalty_program_name: DF.Data
		loyalty_program_type: DF.Literal["Single Tier Program", "Multiple Tier Program"]
		maximum_redemption_share: DF.Percent
		minimum_redemption_points: DF.Int
		redemption_step: DF.Int
		to_date: DF.Date | None
	# end: auto-generated types

	pass
