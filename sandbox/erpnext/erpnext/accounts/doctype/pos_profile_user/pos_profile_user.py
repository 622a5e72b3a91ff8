from frappe.model.document import Document


class POSProfileUser(Document):
	pass
