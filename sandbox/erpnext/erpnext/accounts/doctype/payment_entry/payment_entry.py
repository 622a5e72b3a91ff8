from frappe.model.document import Document


class PaymentEntry(Document):
	pass
