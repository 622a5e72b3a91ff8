import frappe
from frappe import _
from frappe.utils.nestedset import NestedSet

from erpnext.accounts.utils import get_autoname_with_number


class CostCenter(NestedSet):
	nsm_parent_field = "parent_cost_center"

	def autoname(self):
		self.name = get_autoname_with_number(self.cost_center_number, self.cost_center_name, self.company)

	def validate(self):
		if self.cost_center_name != self.company and not self.parent_cost_center:
			frappe.throw(_("Please enter parent cost center"))
		elif self.cost_center_name == self.company and self.parent_cost_center:
			frappe.throw(_("Root cannot have a parent cost center"))

		if self.parent_cost_center and not frappe.db.get_value(
			"Cost Center", self.parent_cost_center, "is_group"
		):
			frappe.throw(
				_("{0} is not a group node. Please select a group node as parent cost center").format(
					frappe.bold(self.parent_cost_center)
				)
			)


def on_doctype_update():
	frappe.db.add_index("Cost Center", ["lft", "rgt"])
