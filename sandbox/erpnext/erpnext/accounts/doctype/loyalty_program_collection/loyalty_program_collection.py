from frappe.model.document import Document


class LoyaltyProgramCollection(Document):
	pass
