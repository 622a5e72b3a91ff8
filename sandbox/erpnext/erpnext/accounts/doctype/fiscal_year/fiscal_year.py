import frappe
from frappe import _
from frappe.model.document import Document
from frappe.utils import getdate


class FiscalYear(Document):
	def validate(self):
		if getdate(self.year_start_date) > getdate(self.year_end_date):
			frappe.throw(
				_("Fiscal Year Start Date should be one year earlier than Fiscal Year End Date"),
				frappe.exceptions.InvalidDates,
			)
		self.validate_overlap()

	def validate_overlap(self):
		"""A date belongs to one year of a company: only years of different companies may overlap."""
		companies = {row.company for row in self.companies}
		for name in frappe.get_all(
			"Fiscal Year",
			filters={
				"name": ("!=", self.name),
				"year_start_date": ("<=", self.year_end_date),
				"year_end_date": (">=", self.year_start_date),
			},
			pluck="name",
		):
			others = set(frappe.get_all("Fiscal Year Company", filters={"parent": name}, pluck="company"))
			if not companies or not others or companies & others:
				frappe.throw(
					_(
						"Year start date or end date is overlapping with {0}. To avoid please set company"
					).format(frappe.get_desk_link("Fiscal Year", name)),
					frappe.NameError,
				)

	def on_update(self):
		frappe.cache().delete_value("fiscal_years")

	def on_trash(self):
		frappe.cache().delete_value("fiscal_years")
