"""What loyalty does to Sales Invoice and POS Invoice."""

from contextlib import contextmanager

import frappe
from frappe import _
from frappe.model.document import Document
from frappe.utils import cint, cstr, flt

from loyalty_app.ledger import (
	Event,
	busy,
	foreign,
	membership,
	promotions,
	redemption,
	settle_invoice,
	unless_busy,
)
from loyalty_app.ledger.invoices import DECIDING, put_back, stored_facts
from loyalty_app.overrides.consolidation import is_consolidation
from loyalty_app.setup import doctypes


def before_validate(doc: Document, method: str | None = None) -> None:
	"""Set what the totals depend on: the value of the points, always computed here (rules 5)."""
	if is_consolidation(doc):
		return  # a POS closing carries what its POS Invoices redeemed
	if doc.get("is_consolidated"):
		doc.is_consolidated = 0
	if cint(doc.is_return):
		# What a return takes back is computed by `validate`, once its totals are known.
		doc.flags.update_original = doc.return_against and not cint(doc.get("update_outstanding_for_self"))
		clear_redemption(doc)
		pay_back_less(doc)
		return
	if doc.customer:
		doc.loyalty_program = program_of(doc)
	if not cint(doc.redeem_loyalty_points):
		clear_redemption(doc)
		return
	if not doc.loyalty_program:
		redemption.refuse(
			_("Customer {0} isn't enrolled in any Loyalty Program: untick Redeem Loyalty Points").format(
				doc.customer
			)
		)
	program = frappe.get_cached_doc("Loyalty Program", doc.loyalty_program)
	if not doc.loyalty_points and doc.is_new():
		doc.loyalty_points = points_of_order(doc)
	points = redemption.whole_points(doc.loyalty_points)
	doc.loyalty_amount = flt(redemption.amount_of(max(points, 0), program))
	# Never what was there: it may be another program's, from before the customer was changed.
	doc.loyalty_redemption_account = program.expense_account
	doc.loyalty_redemption_cost_center = program.cost_center
	if not doc.loyalty_redemption_account:
		redemption.refuse(
			_("Set an Expense Account in Loyalty Program {0}, from which redeemed points are paid").format(
				program.name
			)
		)
	# ERPNext sums the customer's whole history where it finds points here. `validate` puts them back.
	doc.flags.loyalty_points = points
	doc.loyalty_points = 0
	if doc.doctype == "POS Invoice":
		count_points_as_paid(doc)


def validate(doc: Document, method: str | None = None) -> None:
	"""Check a redemption against the computed totals, or take back what a return takes back of one."""
	if doc.get("is_consolidated"):
		return
	if cint(doc.is_return):
		take_back(doc)
		return
	check_code(doc)
	if cint(doc.redeem_loyalty_points):
		doc.loyalty_points = doc.flags.pop("loyalty_points", cint(doc.loyalty_points))
		redemption.check(doc, doc.loyalty_points)


def check_code(doc: Document) -> None:
	"""Refuse a promotion code that is nobody's, before the customer misses the points it was to bring."""
	code, program = cstr(doc.get(promotions.CODE)).strip(), doc.loyalty_program
	if not code or (program and promotions.has_code(program, code)):
		return
	field, code = frappe.bold(_("Promotion Code")), frappe.bold(frappe.utils.escape_html(code))
	frappe.throw(
		_(
			"{0}: no promotion of Loyalty Program {1} has the code {2}. Correct it, or empty the field."
		).format(field, frappe.bold(program), code)
		if program
		else _(
			"{0}: the customer is in no Loyalty Program, so that {1} brings nothing. Empty the field."
		).format(field, code),
		title=_("Loyalty Points"),
	)


def before_submit(doc: Document, method: str | None = None) -> None:
	"""Take the locks of the ledger before ERPNext takes its own, and refuse what cannot be redeemed before ERPNext,
	and other apps, have done anything."""
	expect_entries_of_others(doc)
	if not is_member_s(doc):
		return
	with unless_busy():
		hold(doc)
		if cint(doc.redeem_loyalty_points) and not cint(doc.is_return):
			member = membership.lock_for(doc.customer, doc.loyalty_program)
			redemption.refuse_if_short(doc, cint(doc.loyalty_points), member)


def on_submit(doc: Document, method: str | None = None) -> None:
	with unless_busy():
		settle_invoice(doc, Event.RETURN if cint(doc.is_return) else Event.SUBMIT)
	foreign.let_go(doc)


def before_cancel(doc: Document, method: str | None = None) -> None:
	"""Take the locks of the ledger before ERPNext takes its own, for the invoice as it was submitted."""
	put_back(doc, DECIDING)
	expect_entries_of_others(doc)
	if is_member_s(doc):
		with unless_busy():
			hold(doc)


def on_cancel(doc: Document, method: str | None = None) -> None:
	with unless_busy():
		settle_invoice(doc, Event.RETURN_CANCELLED if cint(doc.is_return) else Event.CANCEL)
	foreign.let_go(doc)


def is_member_s(doc: Document) -> bool:
	"""Whether points may move with `doc`."""
	return bool(doc.customer and doc.loyalty_program and not doc.get("is_consolidated"))


def hold_first(doc: Document) -> None:
	"""Hold the customer of `doc`, about to be submitted or cancelled, before Frappe locks the document itself.

	Points move under locks of other invoices, too: of a return, of those against the same invoice. Were the document
	locked before the customer, two of these at once would wait for each other.
	Raises LedgerBusy where the customer is not there any more: renamed, or merged into another, since `doc` was read.
	Whoever sends another customer along with a cancel gets that one held, and their own only by `before_cancel`.
	"""
	doc.flags.loyalty_held = None
	if doc.docstatus == 0 or not doc.customer or doc.get("is_consolidated"):
		return
	cached = frappe.get_cached_value("Customer", doc.customer, "loyalty_program")
	known = cached or doc.loyalty_program
	# Who is in none by the cache may have joined since. Asked without a lock, which most would take for nothing.
	if not (known or frappe.db.get_value("Customer", doc.customer, "loyalty_program")):
		return
	hold(doc)
	held = doc.flags.loyalty_held
	if held and (held.loyalty_program or None) != (cached or None):
		# Read by a request that began before the customer was saved, and put back into the cache after that.
		frappe.clear_document_cache("Customer", doc.customer)
	if not held and not doc.is_new():
		now_of = frappe.db.get_value(doc.doctype, doc.name, "customer", for_update=True)
		if now_of != doc.customer:
			busy.refuse()


def hold(doc: Document) -> None:
	"""Hold the customer of `doc`, unless `hold_first` has."""
	if not (doc.flags.loyalty_held and doc.flags.loyalty_held.name == doc.customer):
		# The only one, whichever case the name was sent in: it is Frappe that corrects that, later.
		doc.flags.loyalty_held = next(iter(membership.hold(doc.customer).values()), None)


def program_of(doc: Document) -> str | None:
	"""The program that the customer of `doc` is in: as it is now, where the customer is held."""
	held = doc.flags.loyalty_held
	if held and held.name == doc.customer:
		return held.loyalty_program
	return frappe.get_cached_value("Customer", doc.customer, "loyalty_program")


def expect_entries_of_others(doc: Document) -> None:
	"""Let the ledger know that ERPNext may write entries of `doc` now, and report it if nothing keeps it from that."""
	foreign.take_in_hand(doc)
	if not isinstance(doc, LoyaltyInvoiceMixin):
		doctypes.report_foreign_controllers()


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


def count_points_as_paid(doc: Document) -> None:
	"""Set what is paid on the POS Invoice `doc`: its payments and the value of its points.

	ERPNext's page sends that sum along, but its server does not compute it: an invoice made by other code would
	be refused as paid in part, or give too little change.
	"""
	paid = sum(flt(payment.amount) for payment in doc.payments)
	rate = flt(doc.conversion_rate) or 1
	doc.paid_amount = flt(paid + flt(doc.loyalty_amount) / rate, doc.precision("paid_amount"))
	doc.base_paid_amount = flt(paid * rate + flt(doc.loyalty_amount), doc.precision("base_paid_amount"))


def original_of(doc: Document) -> frappe._dict | None:
	"""What matters here of the invoice that the return `doc` is against."""
	if not doc.return_against:
		return None
	more = ("loyalty_redemption_account", "loyalty_redemption_cost_center", "outstanding_amount")
	invoice = stored_facts(doc.doctype, doc.return_against, *more)
	if invoice:
		invoice.doctype = doc.doctype
		invoice.redeemed = bool(
			invoice.loyalty_program and cint(invoice.redeem_loyalty_points) and cint(invoice.loyalty_points)
		)
	return invoice


def pay_back_less(doc: Document) -> None:
	"""Take what goes back as points out of the payments of a POS return, before ERPNext looks at them.

	A return made from the invoice brings all its payments along, more than a part of the goods is worth, and
	ERPNext would turn the difference into a payment by the customer; in the draft of a second return it has.
	"""
	if not (cint(doc.get("is_pos")) and flt(doc.conversion_rate) and doc.get("payments")):
		return
	invoice = original_of(doc)
	if not (invoice and invoice.redeemed):
		return
	payments, doc.payments = doc.payments, []
	doc.calculate_taxes_and_totals()
	doc.payments = payments
	if flt(doc.grand_total):
		refund = refund_of(doc, redemption.taken_back(doc, invoice))
		if any(flt(payment.amount) > 0 for payment in doc.payments):
			for payment in doc.payments:
				payment.amount = 0
			doc.payments[0].amount = -refund
		trim_payments(doc, refund)
	if doc.doctype == "POS Invoice":
		count_points_as_paid(doc)


def take_back(doc: Document) -> None:
	"""On a return of an invoice partly paid with points, give back points instead of their money (rules 6)."""
	invoice = original_of(doc)
	if not invoice:
		return
	doc.loyalty_program = invoice.loyalty_program
	if not invoice.redeemed:
		return
	if doc.docstatus == 1:
		# Two returns at once share what is left to give back, so the second waits for the first.
		with unless_busy():
			hold(doc)
	back = redemption.taken_back(doc, invoice)
	if not back.points:
		return
	doc.redeem_loyalty_points = 1
	doc.loyalty_points = back.points
	doc.loyalty_amount = flt(back.amount)
	doc.loyalty_redemption_account = invoice.loyalty_redemption_account
	doc.loyalty_redemption_cost_center = invoice.loyalty_redemption_cost_center
	refund = refund_of(doc, back)
	owed_in_transaction_currency = doc.party_account_currency == doc.currency
	in_party_currency = refund if owed_in_transaction_currency else refund * flt(doc.conversion_rate)
	if doc.flags.update_original and flt(in_party_currency - flt(invoice.outstanding_amount), 2) <= 0:
		# ERPNext compared the whole total with what the customer still owes, and turned this on.
		doc.update_outstanding_for_self = 0
	if cint(doc.get("is_pos")):
		trim_payments(doc, refund)
	doc.calculate_taxes_and_totals()
	if doc.doctype == "POS Invoice":
		count_points_as_paid(doc)
	doc.set_status()


def refund_of(doc: Document, back: redemption.Redemption) -> float:
	"""Money that the return `doc` pays back, in transaction currency, where `back` goes back as points."""
	total = abs(flt(doc.rounded_total) or flt(doc.grand_total))
	return flt(total + flt(back.amount) / (flt(doc.conversion_rate) or 1), doc.precision("grand_total"))


def trim_payments(doc: Document, refund: float) -> None:
	"""Pay back in money no more than `refund` (transaction currency): the rest goes back as points."""
	excess = -sum(flt(p.amount) for p in doc.payments) - refund
	for payment in reversed(doc.payments):
		part = min(max(excess, 0), -flt(payment.amount))
		if part > 0:
			payment.amount = flt(flt(payment.amount) + part, payment.precision("amount"))
			excess -= part


def leave_to_points(doc: Document) -> None:
	"""Take what points pay out of the advances allotted to the invoice `doc`, from the last."""
	in_own_currency = doc.party_account_currency == doc.currency
	total = (
		(doc.rounded_total or doc.grand_total)
		if in_own_currency
		else (doc.base_rounded_total or doc.base_grand_total)
	)
	points = flt(doc.loyalty_amount) / ((flt(doc.conversion_rate) or 1) if in_own_currency else 1)
	excess = sum(flt(row.allocated_amount) for row in doc.advances) + points - flt(total)
	for row in reversed(doc.advances):
		part = min(max(excess, 0), flt(row.allocated_amount))
		row.allocated_amount = flt(flt(row.allocated_amount) - part, row.precision("allocated_amount"))
		excess -= part


@contextmanager
def unseen_by_erpnext(doc: Document):
	"""Hide the loyalty program while ERPNext's own code runs: an invoice without one moves no points."""
	program, doc.loyalty_program = doc.loyalty_program, None
	try:
		yield
	finally:
		doc.loyalty_program = program


class LoyaltyInvoiceMixin:
	"""Stands between ERPNext's invoice classes and ours: the ledger writes points, from `on_submit` above.

	ERPNext's methods write, delete and sum entries at submit, cancel and return: its older versions in the four
	methods below, newer ones in a service class of its own, which only the hidden program keeps quiet.
	"""

	def insert(self, *args, **kwargs):
		"""Extends Document.insert: a deadlock over ERPNext's own rows is to be tried again like one over points."""
		with unless_busy():
			hold_first(self)
			return super().insert(*args, **kwargs)

	def save(self, *args, **kwargs):
		"""Extends Document.save, by which documents are also submitted and cancelled, as `insert`."""
		with unless_busy():
			hold_first(self)
			return super().save(*args, **kwargs)

	def on_submit(self):
		"""Extends on_submit of SalesInvoice and POSInvoice."""
		with unseen_by_erpnext(self):
			super().on_submit()

	def on_cancel(self):
		"""Extends on_cancel of SalesInvoice and POSInvoice."""
		with unseen_by_erpnext(self):
			super().on_cancel()

	def make_loyalty_point_entry(self):
		"""Replaces SalesInvoice.make_loyalty_point_entry: nothing to do, the ledger earns."""

	def delete_loyalty_point_entry(self):
		"""Replaces SalesInvoice.delete_loyalty_point_entry: nothing to do, the ledger takes back."""

	def apply_loyalty_points(self):
		"""Replaces SalesInvoice.apply_loyalty_points: nothing to do, the ledger redeems."""

	def set_loyalty_program_tier(self):
		"""Replaces SalesInvoice.set_loyalty_program_tier: nothing to do, the tier follows the membership."""

	@frappe.whitelist()
	def set_advances(self):
		"""Extends AccountsController.set_advances, which allots advances up to the whole total."""
		super().set_advances()
		if cint(self.redeem_loyalty_points) and not cint(self.is_return):
			leave_to_points(self)

	def validate_full_payment(self):
		"""Extends POSInvoice.validate_full_payment, which does not count what a return gives back as points."""
		if self.docstatus == 1 and cint(self.is_return):
			take_back(self)
		super().validate_full_payment()

	def make_loyalty_point_redemption_gle(self, gl_entries):
		"""Replaces SalesInvoice.make_loyalty_point_redemption_gle: debit redemption account, credit receivable.

		Beyond ERPNext's: a consolidated invoice posts what its POS Invoices redeemed, each to its own account
		(newer versions post none); a credit note with its own outstanding keeps the points it gives back to
		itself, and does not reopen the invoice it returns; amounts in transaction currency are converted.
		"""
		against_voucher = self.name
		if cint(self.is_return) and self.return_against and not cint(self.get("update_outstanding_for_self")):
			against_voucher = self.return_against
		for account, cost_center, amount in redemption.paid_with_points(self):
			in_transaction_currency = flt(
				amount / (flt(self.conversion_rate) or 1), self.precision("grand_total")
			)
			gl_entries.append(
				self.get_gl_dict(
					{
						"account": self.debit_to,
						"party_type": "Customer",
						"party": self.customer,
						"against": f"Expense account - {account} for the Loyalty Program",
						"credit": amount,
						"credit_in_transaction_currency": in_transaction_currency,
						"against_voucher": against_voucher,
						"against_voucher_type": self.doctype,
						"cost_center": self.cost_center,
					},
					item=self,
				)
			)
			gl_entries.append(
				self.get_gl_dict(
					{
						"account": account,
						"cost_center": self.cost_center or cost_center,
						"against": self.customer,
						"debit": amount,
						"debit_in_transaction_currency": in_transaction_currency,
						"remark": "Loyalty Points redeemed by the customer",
					},
					item=self,
				)
			)

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
