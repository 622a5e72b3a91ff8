from frappe.model.document import Document


class POSInvoiceReference(Document):
	pass
