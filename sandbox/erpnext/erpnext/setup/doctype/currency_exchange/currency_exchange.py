from frappe import _, throw
from frappe.model.document import Document
from frappe.utils import cint, flt


class CurrencyExchange(Document):
	def autoname(self):
		purpose = ""
		if cint(self.for_buying) != cint(self.for_selling):
			purpose = "-Buying" if cint(self.for_buying) else "-Selling"
		self.name = f"{self.date}-{self.from_currency}-{self.to_currency}{purpose}"

	def validate(self):
		if flt(self.exchange_rate) <= 0:
			throw(_("{0} must be greater than 0").format(_(self.meta.get_label("exchange_rate"))))
		if self.from_currency == self.to_currency:
			throw(_("From Currency and To Currency cannot be same"))
		if not cint(self.for_buying) and not cint(self.for_selling):
			throw(_("Currency Exchange must be applicable for Buying or for Selling."))
