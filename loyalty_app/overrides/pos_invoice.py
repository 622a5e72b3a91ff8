"""The class of POS Invoice on Frappe 15, which has no `extend_doctype_class`."""

from erpnext.accounts.doctype.pos_invoice.pos_invoice import POSInvoice

from loyalty_app.overrides.invoice import LoyaltyInvoiceMixin


class LoyaltyPOSInvoice(LoyaltyInvoiceMixin, POSInvoice):
	pass
