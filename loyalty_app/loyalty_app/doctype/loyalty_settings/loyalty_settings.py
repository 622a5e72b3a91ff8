# Copyright (c) 2026, loyalty_app maintainers
# For license information, please see license.txt

import frappe
from frappe import _
from frappe.model.document import Document


class LoyaltySettings(Document):
	# begin: auto-generated types
	# This code is auto-generated. Do not modify anything in this block.

	from typing import TYPE_CHECKING

	if TYPE_CHECKING:
		from frappe.types import DF

		birthday_field: DF.Literal[None]
	# end: auto-generated types

	def validate(self):
		if not self.birthday_field:
			self.refuse_while_needed()
			return
		df = frappe.get_meta("Customer").get_field(self.birthday_field)
		if not df or df.fieldtype != "Date":
			frappe.throw(
				_("{0}: {1} is not a date field of Customer. Choose one from the list.").format(
					frappe.bold(_(self.meta.get_label("birthday_field"))), frappe.bold(self.birthday_field)
				)
			)

	def refuse_while_needed(self):
		filters = {"birthday_month": 1, "enabled": 1}
		if needed := frappe.get_all("Loyalty Promotion", filters=filters, pluck="name", limit=1):
			frappe.throw(
				_("{0} is needed by Loyalty Promotion {1}: disable that first.").format(
					frappe.bold(_(self.meta.get_label("birthday_field"))), frappe.bold(needed[0])
				)
			)
