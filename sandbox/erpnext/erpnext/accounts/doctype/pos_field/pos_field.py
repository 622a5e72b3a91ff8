from frappe.model.document import Document


class POSField(Document):
	pass
