import frappe
from frappe import _
from frappe.model.document import Document


class ItemPrice(Document):
	def validate(self):
		price_list = frappe.db.get_value(
			"Price List", self.price_list, ["buying", "selling", "currency", "enabled"], as_dict=True
		)
		if not price_list or not price_list.enabled:
			frappe.throw(_("The price list {0} does not exist or is disabled").format(self.price_list))
		self.buying, self.selling, self.currency = price_list.buying, price_list.selling, price_list.currency

		item = frappe.db.get_value(
			"Item", self.item_code, ["item_name", "description", "stock_uom"], as_dict=True
		)
		if not item:
			frappe.throw(_("Item {0} not found.").format(self.item_code))
		self.item_name, self.item_description = item.item_name, item.description
		self.uom = self.uom or item.stock_uom
