from frappe.utils.nestedset import NestedSet, get_root_of

from erpnext.accounts.party import validate_party_accounts


class CustomerGroup(NestedSet):
	nsm_parent_field = "parent_customer_group"

	def validate(self):
		if not self.parent_customer_group:
			self.parent_customer_group = get_root_of("Customer Group")
		validate_party_accounts(self)

	def on_update(self):
		super().on_update()
		self.validate_one_root()
