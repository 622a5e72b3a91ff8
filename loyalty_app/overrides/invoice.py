"""What loyalty does to Sales Invoice and POS Invoice."""

import frappe
from frappe import _
from frappe.model.document import Document
from frappe.utils import cint, flt

from loyalty_app.ledger import Event, membership, redemption, settle_invoice
from loyalty_app.ledger.invoices import FACTS


def before_validate(doc: Document, method: str | None = None) -> None:
	"""Set what the totals depend on: the value of the points, always computed here (rules 5)."""
	if doc.get("is_consolidated"):
		return  # a POS closing carries what its POS Invoices redeemed
	if cint(doc.is_return):
		# What a return takes back is computed by `validate`, once its totals are known.
		doc.flags.update_original = doc.return_against and not cint(doc.get("update_outstanding_for_self"))
		clear_redemption(doc)
		return
	if doc.customer:
		doc.loyalty_program = frappe.get_cached_value("Customer", doc.customer, "loyalty_program")
	if not cint(doc.redeem_loyalty_points):
		clear_redemption(doc)
		return
	if not doc.loyalty_program:
		redemption.refuse(
			_("Customer {0} isn't enrolled in any Loyalty Program: untick Redeem Loyalty Points").format(doc.customer)
		)
	program = frappe.get_cached_doc("Loyalty Program", doc.loyalty_program)
	if not doc.loyalty_points and doc.is_new():
		doc.loyalty_points = points_of_order(doc)
	points = redemption.whole_points(doc.loyalty_points)
	doc.loyalty_amount = flt(redemption.amount_of(max(points, 0), program))
	doc.loyalty_redemption_account = doc.loyalty_redemption_account or program.expense_account
	doc.loyalty_redemption_cost_center = doc.loyalty_redemption_cost_center or program.cost_center
	if not doc.loyalty_redemption_account:
		redemption.refuse(
			_("Set an Expense Account in Loyalty Program {0}, from which redeemed points are paid").format(program.name)
		)
	# ERPNext sums the customer's whole history where it finds points here. `validate` puts them back.
	doc.flags.loyalty_points = points
	doc.loyalty_points = 0


def validate(doc: Document, method: str | None = None) -> None:
	"""Check a redemption against the computed totals, or take back what a return takes back of one."""
	if doc.get("is_consolidated"):
		return
	if cint(doc.is_return):
		take_back(doc)
	elif cint(doc.redeem_loyalty_points):
		doc.loyalty_points = doc.flags.pop("loyalty_points", cint(doc.loyalty_points))
		redemption.check(doc, doc.loyalty_points)


def on_submit(doc: Document, method: str | None = None) -> None:
	settle_invoice(doc, Event.RETURN if cint(doc.is_return) else Event.SUBMIT)


def on_cancel(doc: Document, method: str | None = None) -> None:
	settle_invoice(doc, Event.RETURN_CANCELLED if cint(doc.is_return) else Event.CANCEL)


def points_of_order(doc: Document) -> int:
	"""Points that the customer chose to redeem on the shopping-cart order of the invoice `doc`.

	ERPNext ticks Redeem Loyalty Points on the invoice, but does not bring the points along. They are redeemed
	once, on the first invoice of the order.
	"""
	orders = {item.get("sales_order") for item in doc.items if item.get("sales_order")}
	if len(orders) != 1:
		return 0
	(order,) = orders
	kind, points = frappe.db.get_value("Sales Order", order, ["order_type", "loyalty_points"]) or (None, 0)
	if kind != "Shopping Cart":
		return 0
	invoice, item = frappe.qb.DocType(doc.doctype), frappe.qb.DocType(f"{doc.doctype} Item")
	redeemed = (
		frappe.qb.from_(invoice)
		.join(item)
		.on(item.parent == invoice.name)
		.select(invoice.name)
		.where((item.sales_order == order) & (invoice.docstatus < 2) & (invoice.redeem_loyalty_points == 1))
		.limit(1)
		.run()
	)
	return 0 if redeemed else cint(points)


def clear_redemption(doc: Document) -> None:
	doc.redeem_loyalty_points = 0
	doc.loyalty_points = 0
	doc.loyalty_amount = 0
	doc.loyalty_redemption_account = None
	doc.loyalty_redemption_cost_center = None


def take_back(doc: Document) -> None:
	"""On a return of an invoice partly paid with points, give back points instead of their money (rules 6)."""
	if not doc.return_against:
		return
	fields = [*FACTS, "loyalty_redemption_account", "loyalty_redemption_cost_center", "outstanding_amount"]
	invoice = frappe.db.get_value(doc.doctype, doc.return_against, fields, as_dict=True)
	if not invoice:
		return
	invoice.doctype = doc.doctype
	doc.loyalty_program = invoice.loyalty_program
	if not (invoice.loyalty_program and cint(invoice.redeem_loyalty_points) and cint(invoice.loyalty_points)):
		return
	if doc.docstatus == 1 and (name := membership.find(invoice.customer, invoice.loyalty_program)):
		# Two returns at once share what is left to give back, so the second waits for the first.
		membership.lock(name)
	back = redemption.taken_back(doc, invoice)
	if not back.points:
		return
	doc.redeem_loyalty_points = 1
	doc.loyalty_points = back.points
	doc.loyalty_amount = flt(back.amount)
	doc.loyalty_redemption_account = invoice.loyalty_redemption_account
	doc.loyalty_redemption_cost_center = invoice.loyalty_redemption_cost_center
	refund = abs(flt(doc.rounded_total) or flt(doc.grand_total)) + flt(back.amount) / flt(doc.conversion_rate)
	if doc.flags.update_original and refund <= flt(invoice.outstanding_amount):
		# ERPNext compared the whole total with what the customer still owes, and turned this on.
		doc.update_outstanding_for_self = 0
	if cint(doc.get("is_pos")):
		trim_payments(doc, refund)
	doc.calculate_taxes_and_totals()
	doc.set_status()


def trim_payments(doc: Document, refund: float) -> None:
	"""Pay back in money no more than `refund` (transaction currency): the rest goes back as points."""
	excess = -sum(flt(p.amount) for p in doc.payments) - refund
	for payment in reversed(doc.payments):
		part = min(max(excess, 0), -flt(payment.amount))
		if part > 0:
			payment.amount = flt(payment.amount) + part
			excess -= part


class LoyaltyInvoiceMixin:
	"""Stands between ERPNext's invoice classes and ours: the ledger writes points, from `on_submit` above.

	ERPNext's methods of these names write, delete or sum entries at submit, cancel and return.
	"""

	def make_loyalty_point_entry(self):
		"""Replaces SalesInvoice.make_loyalty_point_entry: nothing to do, the ledger earns."""

	def delete_loyalty_point_entry(self):
		"""Replaces SalesInvoice.delete_loyalty_point_entry: nothing to do, the ledger takes back."""

	def apply_loyalty_points(self):
		"""Replaces SalesInvoice.apply_loyalty_points: nothing to do, the ledger redeems."""

	def set_loyalty_program_tier(self):
		"""Replaces SalesInvoice.set_loyalty_program_tier: nothing to do, the tier follows the membership."""

	def make_loyalty_point_redemption_gle(self, gl_entries):
		"""Extends SalesInvoice.make_loyalty_point_redemption_gle: a credit note with its own outstanding
		keeps the points it gives back to itself, and does not reopen the invoice it returns."""
		first = len(gl_entries)
		super().make_loyalty_point_redemption_gle(gl_entries)
		if has_own_outstanding(self):
			for row in gl_entries[first:]:
				if row.get("party"):
					row["against_voucher"] = self.name

	def make_gl_entries(self, *args, **kwargs):
		"""Extends SalesInvoice.make_gl_entries, which refreshes only the returned invoice's outstanding."""
		super().make_gl_entries(*args, **kwargs)
		if has_own_outstanding(self) and self.docstatus == 1:
			from erpnext.accounts.utils import update_voucher_outstanding

			update_voucher_outstanding(self.doctype, self.name, self.debit_to, "Customer", self.customer)


def has_own_outstanding(doc: Document) -> bool:
	"""Whether `doc` is a return that redeems and is settled by itself, not against the invoice it returns."""
	return bool(
		cint(doc.is_return)
		and doc.return_against
		and cint(doc.redeem_loyalty_points)
		and cint(doc.get("update_outstanding_for_self"))
	)
