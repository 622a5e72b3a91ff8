import frappe
from frappe import _
from frappe.model.document import Document
from frappe.utils import cint


class POSProfile(Document):
	def validate(self):
		self.validate_links()
		self.validate_payment_methods()

	def validate_links(self):
		for doctype, fields in {
			"Account": (
				"write_off_account",
				"account_for_change_amount",
				"income_account",
				"expense_account",
			),
			"Cost Center": ("cost_center", "write_off_cost_center"),
		}.items():
			for field in fields:
				name = self.get(field)
				if name and frappe.get_cached_value(doctype, name, "company") != self.company:
					frappe.throw(_("{0} does not belong to Company {1}").format(name, self.company))

	def validate_payment_methods(self):
		defaults = sum(cint(row.default) for row in self.payments)
		if not defaults:
			frappe.throw(_("Please select a default mode of payment"))
		if defaults > 1:
			frappe.throw(_("You can only select one mode of payment as default"))

		for row in self.payments:
			if not frappe.db.exists(
				"Mode of Payment Account", {"parent": row.mode_of_payment, "company": self.company}
			):
				frappe.throw(
					_("Please set default Cash or Bank account in Mode of Payment {}").format(
						row.mode_of_payment
					),
					title=_("Missing Account"),
				)


def get_pos_profile(company: str, user: str | None = None) -> str | None:
	"""Return the user's default profile in a company, else any that is open to everybody."""
	user = user or frappe.session.user
	enabled = frappe.get_all("POS Profile", filters={"company": company, "disabled": 0}, pluck="name")
	assigned = frappe.get_all(
		"POS Profile User", filters={"parent": ("in", enabled or [""])}, fields=["parent", "user", "default"]
	)
	for row in assigned:
		if row.user == user and row.default:
			return row.parent
	restricted = {row.parent for row in assigned}
	return next((name for name in enabled if name not in restricted), enabled[0] if enabled else None)
