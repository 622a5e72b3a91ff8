import frappe
from frappe import _
from frappe.model.document import Document


class POSOpeningEntry(Document):
	def validate(self):
		if self.company != frappe.db.get_value("POS Profile", self.pos_profile, "company"):
			frappe.throw(
				_("POS Profile {} does not belongs to company {}").format(self.pos_profile, self.company)
			)
		if not frappe.db.get_value("User", self.user, "enabled"):
			frappe.throw(_("User {} is disabled. Please select valid user/cashier").format(self.user))
		self.set_status()

	def on_submit(self):
		self.set_status(update=True)

	def on_cancel(self):
		self.set_status(update=True)

	def set_status(self, update=False):
		"""Open from submit on; closing is the end of the shift, which is not part of this stage."""
		self.status = {0: "Draft", 1: "Open", 2: "Cancelled"}[int(self.docstatus)]
		if update:
			self.db_set("status", self.status)
