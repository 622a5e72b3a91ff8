import frappe
from frappe import _, msgprint
from frappe.model.document import Document
from frappe.model.naming import set_name_by_naming_series
from frappe.utils import cint, getdate, today

from erpnext.accounts.party import get_dashboard_info, validate_party_accounts


class Customer(Document):
	def onload(self):
		self.set_onload("dashboard_info", get_dashboard_info(self.doctype, self.name, self.loyalty_program))

	def autoname(self):
		if frappe.defaults.get_global_default("cust_master_name") == "Naming Series":
			set_name_by_naming_series(self)
		else:
			self.name = self.get_customer_name()

	def get_customer_name(self):
		"""Return the customer's name, numbered when another customer has it already."""
		if not frappe.db.exists("Customer", self.customer_name):
			return self.customer_name

		prefix = f"{self.customer_name} - "
		numbers = [
			cint(name[len(prefix) :])
			for name in frappe.get_all("Customer", filters={"name": ("like", f"{prefix}%")}, pluck="name")
		]
		name = f"{prefix}{max(numbers, default=0) + 1}"
		msgprint(
			_("Changed customer name to '{}' as '{}' already exists.").format(name, self.customer_name),
			title=_("Note"),
			indicator="yellow",
		)
		return name

	def validate(self):
		validate_party_accounts(self)
		self.set_loyalty_program()
		self.add_role_for_user()
		before = self.get_doc_before_save()
		if before and before.loyalty_program == self.loyalty_program and not self.loyalty_program_tier:
			self.loyalty_program_tier = before.loyalty_program_tier

	def on_update(self):
		if frappe.db.exists("Customer Group", self.name):
			frappe.throw(
				_(
					"A Customer Group exists with same name please change the Customer name or rename the Customer Group"
				),
				frappe.NameError,
			)

	def add_role_for_user(self):
		"""Give new portal users the role they need, where the user of this session may give roles."""
		if "System Manager" not in frappe.get_roles():
			return
		for row in self.portal_users:
			user = frappe.get_doc("User", row.user)
			if row.is_new() and "Customer" not in [has.role for has in user.roles]:
				user.add_roles("Customer")

	def after_rename(self, olddn, newdn, merge=False):
		if frappe.defaults.get_global_default("cust_master_name") == "Customer Name":
			self.db_set("customer_name", newdn)

	def set_loyalty_program(self):
		"""Enrol the customer where exactly one program opts everybody in."""
		if self.loyalty_program:
			return
		programs = get_loyalty_programs(self)
		if len(programs) == 1:
			self.loyalty_program = programs[0]
		elif programs:
			frappe.msgprint(
				_("Multiple Loyalty Programs found for Customer {}. Please select manually.").format(
					frappe.bold(self.customer_name)
				)
			)


def get_loyalty_programs(doc):
	"""Return the names of the programs that enrol this customer (Document) by themselves today."""
	programs = frappe.get_all(
		"Loyalty Program",
		filters={"auto_opt_in": 1, "from_date": ("<=", today())},
		fields=["name", "customer_group", "customer_territory", "to_date"],
	)
	return [
		program.name
		for program in programs
		if (not program.to_date or getdate(program.to_date) >= getdate())
		and _is_below("Customer Group", program.customer_group, doc.customer_group)
		and _is_below("Territory", program.customer_territory, doc.territory)
	]


def _is_below(doctype, node, name):
	"""As ERPNext has it: the node itself or one of its direct children, no deeper."""
	if not node or node == name:
		return True
	return bool(name) and frappe.db.get_value(doctype, name, f"parent_{frappe.scrub(doctype)}") == node
