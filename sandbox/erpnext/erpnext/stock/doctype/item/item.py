import frappe
from frappe import _
from frappe.model.document import Document
from frappe.utils import cstr, flt, strip


class Item(Document):
	def autoname(self):
		self.item_code = strip(cstr(self.item_code))
		self.name = self.item_code

	def validate(self):
		self.item_name = self.item_name or self.item_code
		self.description = self.description or self.item_name
		self.validate_uoms()
		self.validate_item_defaults()

	def validate_uoms(self):
		"""The stock unit heads the conversion table, with itself as 1."""
		if self.stock_uom not in [row.uom for row in self.uoms]:
			self.append("uoms", {"uom": self.stock_uom, "conversion_factor": 1})
		for row in self.uoms:
			if row.uom == self.stock_uom and flt(row.conversion_factor) != 1:
				frappe.throw(
					_("Conversion factor for default Unit of Measure must be 1 in row {0}").format(row.idx)
				)

	def validate_item_defaults(self):
		companies = [row.company for row in self.item_defaults]
		if len(companies) != len(set(companies)):
			frappe.throw(_("Cannot set multiple Item Defaults for a company."))
		for row in self.item_defaults:
			for field in ("income_account", "expense_account"):
				account = row.get(field)
				if account and frappe.get_cached_value("Account", account, "company") != row.company:
					frappe.throw(
						_("Row #{0}: {1} {2} doesn't belong to Company {3}. Please select valid {4}.").format(
							row.idx, "Account", frappe.bold(account), frappe.bold(row.company), _("Account")
						)
					)

	def after_insert(self):
		"""The standard rate becomes the price on the default selling price list."""
		price_list = frappe.db.get_single_value("Selling Settings", "selling_price_list")
		if not flt(self.standard_rate) or not price_list:
			return
		frappe.get_doc(
			{
				"doctype": "Item Price",
				"price_list": price_list,
				"item_code": self.name,
				"uom": self.stock_uom,
				"price_list_rate": self.standard_rate,
			}
		).insert(ignore_permissions=True)

	def on_trash(self):
		for name in frappe.get_all("Item Price", filters={"item_code": self.name}, pluck="name"):
			frappe.delete_doc("Item Price", name, ignore_permissions=True)
