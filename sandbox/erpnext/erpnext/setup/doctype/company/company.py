import frappe
from frappe import _
from frappe.utils.nestedset import NestedSet

from erpnext.accounts.utils import get_account_currency

DEFAULT_ACCOUNT_LABELS = (
	("Default Bank Account", "default_bank_account"),
	("Default Cash Account", "default_cash_account"),
	("Default Receivable Account", "default_receivable_account"),
	("Default Payable Account", "default_payable_account"),
	("Default Expense Account", "default_expense_account"),
	("Default Income Account", "default_income_account"),
)
# company field: how its account is found in a fresh chart
DEFAULT_ACCOUNTS = {
	"default_receivable_account": {"account_type": "Receivable"},
	"default_payable_account": {"account_type": "Payable"},
	"default_cash_account": {"account_type": "Cash"},
	"default_bank_account": {"account_type": "Bank"},
	"default_income_account": {"account_name": "Sales"},
	"default_expense_account": {"account_type": "Cost of Goods Sold"},
	"round_off_account": {"account_type": "Round Off"},
	"write_off_account": {"account_name": "Write Off"},
	"exchange_gain_loss_account": {"account_name": "Exchange Gain/Loss"},
}


class Company(NestedSet):
	nsm_parent_field = "parent_company"

	def validate(self):
		self.validate_abbr()
		self.validate_default_accounts()
		self.validate_currency()
		self.validate_parent_company()
		if not self.chart_of_accounts:
			self.chart_of_accounts = "Standard"

	def validate_abbr(self):
		self.abbr = (self.abbr or "".join(word[0] for word in self.company_name.split()).upper()).strip()
		if not self.abbr:
			frappe.throw(_("Abbreviation is mandatory"))
		if frappe.db.exists("Company", {"name": ("!=", self.name), "abbr": self.abbr}):
			frappe.throw(_("Abbreviation already used for another company"))

	def validate_default_accounts(self):
		for label, field in DEFAULT_ACCOUNT_LABELS:
			account = self.get(field)
			if not account:
				continue
			if frappe.db.get_value("Account", account, "company") != self.name:
				frappe.throw(_("Account {0} does not belong to company: {1}").format(account, self.name))
			if get_account_currency(account) != self.default_currency:
				frappe.throw(
					_(
						"{0} currency must be same as company's default currency. Please select another account."
					).format(frappe.bold(label))
				)

	def validate_currency(self):
		before = self.get_doc_before_save()
		if (
			before
			and before.default_currency != self.default_currency
			and frappe.db.exists("Sales Invoice", {"company": self.name, "docstatus": 1})
		):
			frappe.throw(
				_(
					"Cannot change company's default currency, because there are existing transactions. Transactions must be cancelled to change the default currency."
				)
			)

	def validate_parent_company(self):
		if self.parent_company and not frappe.db.get_value("Company", self.parent_company, "is_group"):
			frappe.throw(_("Parent Company must be a group company"))

	def on_update(self):
		super().on_update()
		if not frappe.db.exists("Account", {"company": self.name}):
			self.create_default_accounts()
		if not frappe.db.exists("Cost Center", {"company": self.name, "is_group": 0}):
			self.create_default_cost_center()
		self.set_default_accounts()
		self.set_mode_of_payment_account()
		if self.default_currency:
			frappe.db.set_value("Currency", self.default_currency, "enabled", 1)
		frappe.clear_cache(doctype="Company")

	def create_default_accounts(self):
		from erpnext.accounts.chart_of_accounts import create_charts

		create_charts(self.name)

	def set_default_accounts(self):
		for field, found_by in DEFAULT_ACCOUNTS.items():
			if self.get(field):
				continue
			account = frappe.db.get_value("Account", {"company": self.name, "is_group": 0, **found_by})
			if account:
				self.db_set(field, account)

	def create_default_cost_center(self):
		root = f"{self.name} - {self.abbr}"
		for name, is_group, parent in ((self.name, 1, None), (_("Main"), 0, root)):
			cost_center = frappe.get_doc(
				{
					"doctype": "Cost Center",
					"cost_center_name": name,
					"company": self.name,
					"is_group": is_group,
					"parent_cost_center": parent,
				}
			)
			cost_center.flags.ignore_permissions = True
			cost_center.flags.ignore_mandatory = not parent
			cost_center.insert()
		for field in ("cost_center", "round_off_cost_center"):
			self.db_set(field, cost_center.name)

	def set_mode_of_payment_account(self):
		"""Cash is taken in every company, on its cash account."""
		mode = frappe.db.get_value("Mode of Payment", {"type": "Cash"})
		if (
			not mode
			or not self.default_cash_account
			or frappe.db.exists("Mode of Payment Account", {"company": self.name, "parent": mode})
		):
			return
		doc = frappe.get_doc("Mode of Payment", mode)
		doc.append("accounts", {"company": self.name, "default_account": self.default_cash_account})
		doc.save(ignore_permissions=True)

	def after_rename(self, olddn, newdn, merge=False):
		self.db_set("company_name", newdn)

	def on_trash(self):
		self.validate_if_child_exists()
		if frappe.db.exists("GL Entry", {"company": self.name}):
			return
		for doctype in ("Account", "Cost Center"):
			frappe.db.delete(doctype, {"company": self.name})
		frappe.db.delete("Mode of Payment Account", {"company": self.name})
		# a company stands at the root of its tree
		super().on_trash(True)
