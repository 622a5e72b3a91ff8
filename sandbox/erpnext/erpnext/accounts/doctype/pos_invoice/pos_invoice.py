from frappe.model.document import Document


class POSInvoice(Document):
	pass
