from frappe.model.document import Document


class LoyaltyPointEntryRedemption(Document):
	pass
