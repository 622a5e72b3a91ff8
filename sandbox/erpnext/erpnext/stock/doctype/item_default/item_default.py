from frappe.model.document import Document


class ItemDefault(Document):
	pass
