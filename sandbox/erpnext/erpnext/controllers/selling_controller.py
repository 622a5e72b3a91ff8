import frappe
from frappe import _, throw
from frappe.utils import flt

import erpnext
from erpnext.accounts.party import get_party_details
from erpnext.controllers.accounts_controller import AccountsController
from erpnext.setup.utils import get_exchange_rate
from erpnext.stock.get_item_details import get_item_details


class SellingController(AccountsController):
	def set_missing_values(self, for_validate=False):
		super().set_missing_values(for_validate)
		self.set_missing_lead_customer_details(for_validate)
		self.set_price_list_and_item_details(for_validate)

	def set_missing_lead_customer_details(self, for_validate=False):
		if not self.get("customer"):
			return
		details = get_party_details(
			self.customer,
			company=self.company,
			posting_date=self.get("posting_date") or self.get("transaction_date"),
			price_list=self.get("selling_price_list"),
			doctype=self.doctype,
			ignore_permissions=True,
		)
		for field, value in details.items():
			if value and self.meta.has_field(field) and not self.get(field):
				self.set(field, value)

	def set_price_list_and_item_details(self, for_validate=False):
		self.set_price_list_currency("Selling")
		self.set_missing_item_details(for_validate)

	def set_price_list_currency(self, buying_or_selling):
		date = self.get("posting_date") or self.get("transaction_date")
		company_currency = self.company_currency
		if not self.get("selling_price_list"):
			self.selling_price_list = frappe.db.get_single_value("Selling Settings", "selling_price_list")
		if self.selling_price_list:
			self.price_list_currency = frappe.get_cached_value(
				"Price List", self.selling_price_list, "currency"
			)
		if self.price_list_currency == company_currency:
			self.plc_conversion_rate = 1.0
		elif not self.plc_conversion_rate:
			self.plc_conversion_rate = get_exchange_rate(
				self.price_list_currency, company_currency, date, "for_selling"
			)

		if not self.currency:
			self.currency = self.price_list_currency
			self.conversion_rate = self.plc_conversion_rate
		elif self.currency == company_currency:
			self.conversion_rate = 1.0
		elif not self.conversion_rate:
			self.conversion_rate = get_exchange_rate(self.currency, company_currency, date, "for_selling")

	def set_missing_item_details(self, for_validate=False):
		"""Fill in what the item knows and the row does not say."""
		shared = {
			field: self.get(field)
			for field in (
				"doctype",
				"name",
				"company",
				"customer",
				"currency",
				"conversion_rate",
				"selling_price_list",
				"price_list_currency",
				"plc_conversion_rate",
				"is_return",
				"pos_profile",
			)
		}
		for item in self.get("items"):
			if item.get("item_code"):
				given = {key: value for key, value in item.as_dict().items() if value is not None}
				for field, value in get_item_details({**given, **shared}, for_validate=for_validate).items():
					if value is not None and item.meta.has_field(field) and item.get(field) in (None, ""):
						item.set(field, value)
			elif not item.get("income_account"):
				item.income_account = frappe.get_cached_value(
					"Company", self.company, "default_income_account"
				)
			if not item.get("cost_center") and item.meta.has_field("cost_center"):
				item.cost_center = self.get("cost_center") or erpnext.get_default_cost_center(self.company)
			if not flt(item.get("conversion_factor")):
				item.conversion_factor = 1.0

	def validate_selling_items(self):
		for item in self.items:
			if not item.get("item_code"):
				continue
			details = frappe.get_cached_value(
				"Item", item.item_code, ["disabled", "has_variants", "is_sales_item"], as_dict=True
			)
			if details.has_variants:
				throw(_("Item {0} is a template, please select one of its variants").format(item.item_code))
			if details.disabled:
				throw(_("Item {0} is disabled").format(frappe.bold(item.item_code)))
