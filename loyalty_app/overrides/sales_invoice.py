"""The class of Sales Invoice on Frappe 15, which has no `extend_doctype_class`."""

from erpnext.accounts.doctype.sales_invoice.sales_invoice import SalesInvoice

from loyalty_app.overrides.invoice import LoyaltyInvoiceMixin


class LoyaltySalesInvoice(LoyaltyInvoiceMixin, SalesInvoice):
	pass
