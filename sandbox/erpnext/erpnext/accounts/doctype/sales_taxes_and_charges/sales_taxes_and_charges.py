from frappe.model.document import Document


class SalesTaxesandCharges(Document):
	pass
