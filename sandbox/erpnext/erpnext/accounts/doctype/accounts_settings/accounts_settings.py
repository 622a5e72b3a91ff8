from frappe.model.document import Document


class AccountsSettings(Document):
	pass
