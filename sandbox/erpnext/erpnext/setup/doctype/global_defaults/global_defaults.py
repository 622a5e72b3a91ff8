import frappe
from frappe.model.document import Document

# the defaults new documents take over by field name
DEFAULT_KEYS = {
	"company": "default_company",
	"currency": "default_currency",
	"country": "country",
	"disable_rounded_total": "disable_rounded_total",
}


class GlobalDefaults(Document):
	def on_update(self):
		for key, field in DEFAULT_KEYS.items():
			frappe.db.set_default(key, self.get(field) or "")
		if self.default_currency:
			frappe.db.set_value("Currency", self.default_currency, "enabled", 1)
		frappe.clear_cache()

	@frappe.whitelist()
	def get_defaults(self):
		return frappe.defaults.get_defaults()
