"""The documents of trade, made through their life cycle as a user makes them, on the day the clock shows."""

import frappe
from erpnext.accounts.doctype.payment_entry.payment_entry import get_payment_entry
from erpnext.accounts.doctype.pos_invoice.pos_invoice import make_sales_return as make_pos_return
from erpnext.accounts.doctype.sales_invoice.sales_invoice import make_sales_return
from frappe.utils import add_days, flt, getdate, now_datetime, today

from sandbox.demo.shop import (
	ABBR,
	ACCOUNTANT,
	COMPANY,
	GEAR,
	ITEMS,
	MACHINES,
	MANAGER,
	POS_PROFILE,
	tax_row,
	tax_template,
)

# basket: (item code, quantity) pairs
Basket = list[tuple[str, float]]


def act_as(user: str) -> None:
	"""Be this user from now on; changing costs some caches, so not for nothing."""
	if frappe.session.user != user:
		frappe.set_user(user)


def new_invoice(
	customer: str,
	basket: Basket,
	*,
	days_late: int = 0,
	credit_days: int = 0,
	doctype="Sales Invoice",
	**values,
):
	"""Return an unsaved invoice with totals. `days_late`: it is entered that long after the sale."""
	act_as(ACCOUNTANT)
	posting_date = add_days(getdate(), -days_late)
	taxed = any(ITEMS[code][2] in (MACHINES, GEAR) for code, _qty in basket)
	doc = frappe.get_doc(
		{
			"doctype": doctype,
			"customer": customer,
			"company": COMPANY,
			"set_posting_time": 1,
			"posting_date": posting_date,
			"posting_time": now_datetime().strftime("%H:%M:%S"),
			"due_date": add_days(posting_date, credit_days),
			"items": [{"item_code": code, "qty": qty, "rate": ITEMS[code][1]} for code, qty in basket],
			**({"taxes_and_charges": tax_template(), "taxes": [tax_row()]} if taxed else {}),
			**values,
		}
	)
	doc.set_missing_values()
	doc.calculate_taxes_and_totals()
	return doc


def redeem(doc, points: int):
	"""Tick Redeem Loyalty Points on a draft, with that many points."""
	doc.redeem_loyalty_points = 1
	doc.loyalty_points = points
	return doc


def pay_at_counter(doc, mode: str = "Card", worth: float = 0):
	"""Let the customer pay on the spot; `worth` is what the points redeemed on the draft pay of it."""
	doc.is_pos = 1
	doc.pos_profile = POS_PROFILE
	amount = flt(flt(doc.rounded_total or doc.grand_total) - worth, 2)
	doc.set("payments", [{"mode_of_payment": mode, "amount": amount}])
	return doc


def submit(doc):
	"""Save and submit a document."""
	doc.insert()
	if doc.doctype == "POS Invoice" and doc.redeem_loyalty_points:
		# the form of the point of sale counts what points pay as paid, the server does not
		doc.paid_amount = flt(doc.paid_amount + doc.loyalty_amount, 2)
	doc.submit()
	return doc


def cancel(doctype: str, name: str):
	"""Cancel a document, as the manager does; return it."""
	act_as(MANAGER)
	doc = frappe.get_doc(doctype, name)
	doc.cancel()
	return doc


def amend(cancelled, qty: float):
	"""Submit the amended copy of a cancelled invoice with another quantity in its first row."""
	doc = frappe.copy_doc(cancelled)
	doc.amended_from = cancelled.name
	doc.due_date = cancelled.due_date
	doc.items[0].qty = qty
	for payment in doc.payments:
		doc.set_missing_values()
		doc.calculate_taxes_and_totals()
		payment.amount = flt(doc.rounded_total or doc.grand_total)
	return submit(doc)


def take_back(doctype: str, name: str, keep: Basket | None = None):
	"""Submit a return of everything that is left of an invoice, or of all but `keep` of some items.

	Where the customer still owes as much, it is taken off that; otherwise it stands for itself, to be refunded.
	"""
	act_as(ACCOUNTANT)
	doc = (make_pos_return if doctype == "POS Invoice" else make_sales_return)(name)
	doc.set_posting_time = 1
	doc.posting_date = today()
	doc.posting_time = now_datetime().strftime("%H:%M:%S")
	kept = dict(keep or [])
	for row in doc.items:
		row.qty = flt(row.qty) + kept.get(row.item_code, 0)
	doc.set("items", [row for row in doc.items if row.qty])
	doc.calculate_taxes_and_totals()
	if doctype == "Sales Invoice":
		doc.naming_series = "ACC-SINV-RET-.YYYY.-"
		owed = frappe.db.get_value(doctype, name, "outstanding_amount")
		doc.update_outstanding_for_self = int(owed < -flt(doc.rounded_total or doc.grand_total))
	if doc.payments:
		doc.set("payments", doc.payments[:1])
		doc.paid_amount = doc.payments[0].amount = flt(doc.rounded_total or doc.grand_total)
	return submit(doc)


def receive(names: list[str], part: float = 1):
	"""Submit one payment for invoices of one customer, of `part` of what is open of each; None when all are paid."""
	act_as(ACCOUNTANT)
	invoices = frappe.get_all(
		"Sales Invoice",
		filters={"name": ("in", names), "docstatus": 1, "outstanding_amount": (">", 0)},
		fields=["name", "outstanding_amount", "conversion_rate"],
		order_by="posting_date, name",
	)
	if not invoices:
		return None
	payment = None
	for invoice in invoices:
		amount = flt(invoice.outstanding_amount * part, 2)
		each = get_payment_entry(
			"Sales Invoice", invoice.name, party_amount=amount, bank_account=f"Bank Account - {ABBR}"
		)
		if payment is None:
			payment = each
			continue
		payment.paid_amount = flt(payment.paid_amount + each.paid_amount, 2)
		payment.received_amount = flt(payment.received_amount + each.received_amount, 2)
		payment.append("references", each.references[0].as_dict(no_default_fields=True))
	return bank_transfer(payment)


def refund(name: str):
	"""Submit the payment that pays a credit note out."""
	act_as(ACCOUNTANT)
	payment = get_payment_entry("Sales Invoice", name, bank_account=f"Bank Account - {ABBR}")
	return bank_transfer(payment)


def bank_transfer(payment):
	payment.mode_of_payment = "Wire Transfer"
	payment.reference_no = f"TRF-{payment.references[0].reference_name[-5:]}"
	payment.reference_date = today()
	return submit(payment)
