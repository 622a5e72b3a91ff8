from frappe.model.document import Document


class SalesInvoicePayment(Document):
	pass
