from frappe.model.document import Document


class POSOpeningEntryDetail(Document):
	pass
