import frappe
from frappe.utils import now_datetime

from erpnext.accounts.doctype.loyalty_program.test_loyalty_program import CUSTOMER, make_program
from erpnext.accounts.doctype.pos_invoice.pos_invoice import PartialPaymentValidationError, make_sales_return
from erpnext.accounts.doctype.pos_invoice_merge_log.pos_invoice_merge_log import consolidate_pos_invoices
from erpnext.tests.utils import COMPANY, StandInTestCase, get_ledger, make


class TestPOSInvoice(StandInTestCase):
	def setUp(self):
		make_pos_profile()
		open_counter()

	def test_posts_nothing_until_consolidated(self):
		first = create_pos_invoice(qty=2, rate=100)
		second = create_pos_invoice(rate=50)
		self.assertRegex(first.name, r"^ACC-PSINV-\d{4}-\d{5}$")
		self.assertEqual((first.status, first.paid_amount, get_ledger(first.name)), ("Paid", 200, []))

		ret = make_sales_return(first.name)
		ret.items[0].qty = -1
		ret.payments[0].amount = ret.paid_amount = -100
		ret.insert().submit()
		(log,) = consolidate_pos_invoices([{"pos_invoice": each.name} for each in (first, second, ret)])
		log = frappe.get_doc("POS Invoice Merge Log", log)
		invoice = frappe.get_doc("Sales Invoice", log.consolidated_invoice)
		note = frappe.get_doc("Sales Invoice", log.consolidated_credit_note)
		self.assertEqual(
			(invoice.is_consolidated, invoice.grand_total, invoice.status), (1, 250, "Credit Note Issued")
		)
		self.assertEqual((note.is_return, note.return_against, note.grand_total), (1, invoice.name, -100))
		self.assertLedger(invoice.name, {"Cash - LD": 250, "Sales - LD": -250})
		self.assertLedger(note.name, {"Cash - LD": -100, "Sales - LD": 100})
		first.reload()
		self.assertEqual((first.status, first.consolidated_invoice), ("Consolidated", invoice.name))
		self.assertRaisesRegex(frappe.ValidationError, "You need to cancel POS Closing Entry", first.cancel)
		self.assertRaisesRegex(frappe.ValidationError, "you need to cancel the POS Closing", invoice.cancel)

		log.cancel()
		first.reload(), invoice.reload()
		self.assertEqual((first.status, invoice.status), ("Credit Note Issued", "Cancelled"))

	def test_taxes_and_discounts_survive_consolidation(self):
		vat = {
			"charge_type": "On Net Total",
			"account_head": "_Test VAT - LD",
			"description": "v",
			"rate": 10,
		}
		first = create_pos_invoice(
			rate=99.99, paid=90, taxes=[{**vat, "included_in_print_rate": 1}], discount_amount=9.99
		)
		second = create_pos_invoice(rate=33.33, taxes=[vat], paid=36.66)
		self.assertEqual((first.grand_total, second.grand_total), (90, 36.66))
		(log,) = consolidate_pos_invoices([{"pos_invoice": first.name}, {"pos_invoice": second.name}])
		invoice = frappe.get_doc(
			"Sales Invoice", frappe.db.get_value("POS Invoice Merge Log", log, "consolidated_invoice")
		)
		self.assertEqual((invoice.grand_total, invoice.outstanding_amount), (126.66, 0))
		self.assertLedgerBalances(invoice.name)

	def test_points_earn_once(self):
		program = make_program("_Test Single Loyalty")
		make("Customer", CUSTOMER, customer_name=CUSTOMER, customer_group="Individual")
		frappe.db.set_value("Customer", CUSTOMER, "loyalty_program", program.name)
		psi = create_pos_invoice(customer=CUSTOMER, rate=5000)
		consolidate_pos_invoices([{"pos_invoice": psi.name}])
		entries = frappe.get_all(
			"Loyalty Point Entry",
			filters={"customer": CUSTOMER},
			fields=["invoice_type", "invoice", "loyalty_points"],
		)
		self.assertEqual(entries, [{"invoice_type": "POS Invoice", "invoice": psi.name, "loyalty_points": 5}])

	def test_has_to_be_paid_in_full(self):
		self.assertRaises(PartialPaymentValidationError, create_pos_invoice, rate=100, paid=60)

	def test_needs_an_open_counter(self):
		frappe.get_doc("POS Opening Entry", {"pos_profile": "_Test POS Profile", "status": "Open"}).cancel()
		self.assertRaisesRegex(frappe.ValidationError, "No open POS Opening Entry found", create_pos_invoice)


def make_pos_profile(name="_Test POS Profile"):
	if frappe.db.exists("POS Profile", name):
		return frappe.get_doc("POS Profile", name)
	profile = frappe.get_doc(
		{
			"doctype": "POS Profile",
			"company": COMPANY,
			"currency": "USD",
			"selling_price_list": "Standard Selling",
			"write_off_account": "Write Off - LD",
			"write_off_cost_center": "Main - LD",
			"cost_center": "Main - LD",
			"income_account": "Sales - LD",
			"payments": [{"mode_of_payment": "Cash", "default": 1}],
		}
	)
	profile.name = name
	return profile.insert()


def open_counter(pos_profile="_Test POS Profile"):
	if frappe.db.exists("POS Opening Entry", {"pos_profile": pos_profile, "status": "Open"}):
		return
	frappe.get_doc(
		{
			"doctype": "POS Opening Entry",
			"company": COMPANY,
			"pos_profile": pos_profile,
			"user": frappe.session.user,
			"period_start_date": now_datetime(),
			"balance_details": [{"mode_of_payment": "Cash", "opening_amount": 0}],
		}
	).insert().submit()


def create_pos_invoice(**args):
	"""Insert and submit an invoice at the counter, paid in cash (`paid`, by default quantity times rate)."""
	args = frappe._dict(args)
	qty, rate = args.pop("qty", 1), args.pop("rate", 100)
	paid = args.pop("paid", qty * rate)
	psi = frappe.new_doc("POS Invoice")
	psi.update(
		{
			"company": COMPANY,
			"customer": args.pop("customer", "_Test Customer"),
			"pos_profile": "_Test POS Profile",
			"is_pos": 1,
		}
	)
	psi.append("items", {"item_code": "_Test Item", "qty": qty, "rate": rate})
	psi.append("payments", {"mode_of_payment": "Cash", "amount": paid})
	for tax in args.pop("taxes", []):
		psi.append("taxes", tax)
	psi.update(args)
	return psi.insert().submit()
