from frappe.model.document import Document


class POSPaymentMethod(Document):
	pass
