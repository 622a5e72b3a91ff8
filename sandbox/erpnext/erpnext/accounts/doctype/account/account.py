import frappe
from frappe import _, throw
from frappe.utils import cint
from frappe.utils.nestedset import NestedSet

from erpnext.accounts.utils import get_account_currency, get_autoname_with_number  # noqa: F401  ERPNext's import path


class RootNotEditable(frappe.ValidationError):
	pass


class Account(NestedSet):
	nsm_parent_field = "parent_account"

	def autoname(self):
		self.name = get_autoname_with_number(self.account_number, self.account_name, self.company)

	def on_update(self):
		# a whole chart is numbered once, at its end
		if not frappe.local.flags.ignore_update_nsm:
			super().on_update()

	def validate(self):
		self.validate_parent()
		self.validate_root()
		self.validate_account_number()
		self.validate_group_or_ledger()
		self.set_root_and_report_type()
		self.validate_mandatory()
		self.validate_account_currency()

	def validate_parent(self):
		if not self.parent_account:
			return
		parent = frappe.db.get_value(
			"Account", self.parent_account, ["name", "is_group", "company"], as_dict=True
		)
		if not parent:
			throw(_("Account {0}: Parent account {1} does not exist").format(self.name, self.parent_account))
		if parent.name == self.name:
			throw(_("Account {0}: You can not assign itself as parent account").format(self.name))
		if not parent.is_group:
			throw(
				_("Account {0}: Parent account {1} can not be a ledger").format(
					self.name, self.parent_account
				)
			)
		if parent.company != self.company:
			throw(
				_("Account {0}: Parent account {1} does not belong to company: {2}").format(
					self.name, self.parent_account, self.company
				)
			)

	def validate_root(self):
		before = self.get_doc_before_save()
		if before and not before.parent_account:
			throw(_("Root cannot be edited."), RootNotEditable)
		if not self.parent_account and not self.is_group:
			throw(_("The root account {0} must be a group").format(frappe.bold(self.name)))

	def validate_account_number(self):
		if not self.account_number:
			return
		other = frappe.db.get_value(
			"Account",
			{"account_number": self.account_number, "company": self.company, "name": ("!=", self.name)},
		)
		if other:
			throw(_("Account Number {0} already used in account {1}").format(self.account_number, other))

	def validate_group_or_ledger(self):
		before = self.get_doc_before_save()
		if not before or cint(before.is_group) == cint(self.is_group):
			return
		if self.check_gle_exists():
			throw(_("Account with existing transaction cannot be converted to ledger"))
		elif self.is_group and self.account_type:
			throw(_("Cannot covert to Group because Account Type is selected."))
		elif not self.is_group and frappe.db.exists("Account", {"parent_account": self.name}):
			throw(_("Account with child nodes cannot be set as ledger"))

	def set_root_and_report_type(self):
		if self.parent_account:
			parent = frappe.db.get_value(
				"Account", self.parent_account, ["root_type", "report_type"], as_dict=True
			)
			self.root_type = parent.root_type or self.root_type
			self.report_type = parent.report_type or self.report_type
		if self.root_type and not self.report_type:
			on_balance_sheet = self.root_type in ("Asset", "Liability", "Equity")
			self.report_type = "Balance Sheet" if on_balance_sheet else "Profit and Loss"

	def validate_mandatory(self):
		if not self.root_type:
			throw(_("Root Type is mandatory"))
		if not self.report_type:
			throw(_("Report Type is mandatory"))

	def validate_account_currency(self):
		if not self.account_currency:
			self.account_currency = frappe.get_cached_value("Company", self.company, "default_currency")
		if self.is_new():
			return
		booked = frappe.db.get_value("GL Entry", {"account": self.name}, "account_currency")
		if booked and self.account_currency != booked:
			throw(_("Currency can not be changed after making entries using some other currency"))

	def check_gle_exists(self):
		return frappe.db.get_value("GL Entry", {"account": self.name})

	def on_trash(self):
		if self.check_gle_exists():
			throw(_("Account with existing transaction can not be deleted"))
		super().on_trash(True)


def on_doctype_update():
	frappe.db.add_index("Account", ["lft", "rgt"])
