from frappe.model.document import Document


class POSInvoiceMergeLog(Document):
	pass
