from frappe.model.document import Document


class POSSettings(Document):
	pass
