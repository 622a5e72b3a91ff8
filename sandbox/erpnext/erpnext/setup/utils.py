import frappe
from frappe import _
from frappe.utils import flt, nowdate


@frappe.whitelist()
def get_exchange_rate(from_currency, to_currency, transaction_date=None, args=None):
	"""Return the latest Currency Exchange rate up to a date, 0 with a message when there is none.

	Unlike ERPNext, no rate is fetched from the internet.
	"""
	if not (from_currency and to_currency):
		return None
	if from_currency == to_currency:
		return 1

	transaction_date = transaction_date or nowdate()
	filters = {"date": ("<=", transaction_date), "from_currency": from_currency, "to_currency": to_currency}
	if args in ("for_buying", "for_selling"):
		filters[args] = 1
	rates = frappe.get_all(
		"Currency Exchange", filters=filters, pluck="exchange_rate", order_by="date desc", limit=1
	)
	if rates:
		return flt(rates[0])

	frappe.msgprint(
		_(
			"Unable to find exchange rate for {0} to {1} for key date {2}. Please create a Currency Exchange record manually"
		).format(from_currency, to_currency, transaction_date)
	)
	return 0.0
