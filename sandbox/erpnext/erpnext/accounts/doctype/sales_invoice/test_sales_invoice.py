import frappe
from frappe.utils import add_days, flt, nowdate

from erpnext.accounts.doctype.sales_invoice.sales_invoice import make_sales_return
from erpnext.controllers.sales_and_purchase_return import StockOverReturnError
from erpnext.tests.utils import COMPANY, StandInTestCase, get_ledger, make

VAT = {"charge_type": "On Net Total", "account_head": "_Test VAT - LD", "description": "VAT", "rate": 10}


class TestSalesInvoice(StandInTestCase):
	def test_naming_defaults_and_status(self):
		si = create_sales_invoice(qty=2, rate=50, do_not_submit=True)
		self.assertEqual(si.status, "Draft")
		self.assertRegex(si.name, r"^ACC-SINV-\d{4}-\d{5}$")
		self.assertEqual((si.currency, si.conversion_rate, si.debit_to), ("USD", 1, "Debtors - LD"))
		self.assertEqual(si.items[0].income_account, "Sales - LD")
		si.submit()
		si.reload()
		self.assertEqual((si.status, si.outstanding_amount, si.grand_total), ("Unpaid", 100, 100))

	def test_plain_ledger(self):
		si = create_sales_invoice(qty=3, rate=33.33)
		self.assertEqual((si.grand_total, si.rounded_total, si.rounding_adjustment), (99.99, 99.99, 0))
		self.assertLedger(si.name, {"Debtors - LD": 99.99, "Sales - LD": -99.99})
		row = next(row for row in get_ledger(si.name) if row.account == "Debtors - LD")
		self.assertEqual(
			(row.party, row.against_voucher, row.against), ("_Test Customer", si.name, "Sales - LD")
		)

	def test_rounding_adjustment(self):
		self.round_to_units("USD")
		si = create_sales_invoice(qty=3, rate=33.33)
		self.assertEqual((si.grand_total, si.rounded_total, si.rounding_adjustment), (99.99, 100, 0.01))
		self.assertLedger(si.name, {"Debtors - LD": 100, "Sales - LD": -99.99, "Round Off - LD": -0.01})
		si.reload()
		self.assertEqual(si.outstanding_amount, 100)

	def round_to_units(self, currency):
		"""Until the end of the test no coin of this currency is smaller than 1."""
		frappe.db.set_value("Currency", currency, "smallest_currency_fraction_value", 1)
		# Frappe 15 goes on answering what it has read before
		frappe.db.value_cache.clear()
		self.addCleanup(frappe.db.value_cache.clear)
		self.addCleanup(frappe.clear_document_cache, "Currency", currency)

	def test_rounding_can_be_switched_off(self):
		self.round_to_units("USD")
		si = create_sales_invoice(rate=99.99, disable_rounded_total=1)
		self.assertEqual((si.rounded_total, si.outstanding_amount), (0, 99.99))
		self.assertLedger(si.name, {"Debtors - LD": 99.99, "Sales - LD": -99.99})

	def test_exclusive_tax(self):
		si = create_sales_invoice(rate=100, taxes=[VAT])
		self.assertEqual((si.net_total, si.total_taxes_and_charges, si.grand_total), (100, 10, 110))
		self.assertLedger(si.name, {"Debtors - LD": 110, "Sales - LD": -100, "_Test VAT - LD": -10})

	def test_inclusive_tax(self):
		si = create_sales_invoice(rate=100, taxes=[{**VAT, "included_in_print_rate": 1}])
		self.assertEqual((si.net_total, si.total_taxes_and_charges, si.grand_total), (90.91, 9.09, 100))
		self.assertLedger(si.name, {"Debtors - LD": 100, "Sales - LD": -90.91, "_Test VAT - LD": -9.09})

	def test_actual_charge_and_tax_on_it(self):
		si = create_sales_invoice(
			items=[{"qty": 1, "rate": 70}, {"qty": 3, "rate": 10}],
			taxes=[
				{
					"charge_type": "Actual",
					"account_head": "_Test VAT - LD",
					"description": "s",
					"tax_amount": 10,
				},
				{**VAT, "charge_type": "On Previous Row Total", "row_id": 1},
			],
		)
		self.assertEqual([tax.tax_amount for tax in si.taxes], [10, 11])
		self.assertLedger(si.name, {"Debtors - LD": 121, "Sales - LD": -100, "_Test VAT - LD": -21})

	def test_discount_on_grand_total_is_exact(self):
		si = create_sales_invoice(
			rate=99.99, taxes=[VAT], apply_discount_on="Grand Total", discount_amount=9.99
		)
		self.assertEqual(si.grand_total, 100)
		self.assertLedger(si.name, {"Debtors - LD": 100, "Sales - LD": -90.91, "_Test VAT - LD": -9.09})

	def test_discount_on_net_total(self):
		si = create_sales_invoice(
			rate=200, taxes=[VAT], apply_discount_on="Net Total", additional_discount_percentage=50
		)
		self.assertEqual((si.net_total, si.discount_amount, si.grand_total), (100, 100, 110))
		self.assertLedger(si.name, {"Debtors - LD": 110, "Sales - LD": -100, "_Test VAT - LD": -10})

	def test_foreign_currency_on_company_account_is_refused_at_first(self):
		make("Customer", "_Test New Customer", customer_name="_Test New Customer")
		self.assertRaisesRegex(
			frappe.ValidationError,
			"currency .* and document currency .* should be same",
			create_sales_invoice,
			customer="_Test New Customer",
			currency="EUR",
			conversion_rate=1.25,
		)

	def test_foreign_currency(self):
		self.round_to_units("EUR")
		si = create_sales_invoice(
			customer="_Test Customer EUR", currency="EUR", conversion_rate=1.23, rate=33.35, taxes=[VAT]
		)
		self.assertEqual((si.grand_total, si.rounded_total, si.base_grand_total), (36.69, 37, 45.13))
		self.assertEqual((si.party_account_currency, si.outstanding_amount), ("EUR", 37))
		self.assertLedgerBalances(si.name)
		row = next(row for row in get_ledger(si.name) if row.party)
		self.assertEqual(
			(row.account, row.account_currency, row.debit, row.debit_in_account_currency),
			("_Test Receivable EUR - LD", "EUR", 45.51, 37),
		)
		si.reload()
		self.assertEqual((si.status, si.outstanding_amount), ("Unpaid", 37))

	def test_conversion_rate_is_mandatory(self):
		self.assertRaisesRegex(
			frappe.ValidationError,
			"Exchange Rate is mandatory. Maybe Currency Exchange record is not created for EUR to USD",
			create_sales_invoice,
			customer="_Test Customer EUR",
			currency="EUR",
		)

	def test_pos_payment(self):
		si = create_sales_invoice(rate=100, is_pos=1, payments=[{"mode_of_payment": "Cash", "amount": 120}])
		self.assertEqual((si.paid_amount, si.change_amount), (120, 20))
		self.assertLedger(si.name, {"Cash - LD": 100, "Sales - LD": -100})
		si.reload()
		self.assertEqual((si.status, si.outstanding_amount), ("Paid", 0))

	def test_pos_payment_with_write_off(self):
		si = create_sales_invoice(
			rate=100,
			is_pos=1,
			payments=[{"mode_of_payment": "Cash", "amount": 97}],
			write_off_outstanding_amount_automatically=1,
			write_off_account="Write Off - LD",
			write_off_cost_center="Main - LD",
		)
		self.assertLedger(si.name, {"Cash - LD": 97, "Write Off - LD": 3, "Sales - LD": -100})
		si.reload()
		self.assertEqual((si.status, si.outstanding_amount), ("Paid", 0))

	def test_cancel_mirrors_the_ledger(self):
		si = create_sales_invoice(rate=100, taxes=[VAT])
		si.cancel()
		si.reload()
		self.assertEqual((si.docstatus, si.status, si.outstanding_amount), (2, "Cancelled", 0))
		self.assertEqual(get_ledger(si.name), [])
		self.assertEqual(len(get_ledger(si.name, cancelled=1)), 6)
		self.assertLedgerBalances(si.name, cancelled=1)

	def test_amend(self):
		si = create_sales_invoice(posting_date=add_days(nowdate(), -3))
		si.cancel()
		amended = frappe.copy_doc(si)
		amended.amended_from = si.name
		amended.docstatus = 0
		amended.insert().submit()
		self.assertEqual(amended.name, f"{si.name}-1")
		self.assertEqual(str(amended.posting_date), str(si.posting_date))

	def test_return_is_open_itself_by_default(self):
		si = create_sales_invoice(qty=4, rate=25)
		ret = make_sales_return(si.name)
		ret.items[0].qty = -1
		ret.insert().submit()
		self.assertLedger(ret.name, {"Debtors - LD": -25, "Sales - LD": 25})
		si.reload(), ret.reload()
		self.assertEqual((si.status, si.outstanding_amount), ("Unpaid", 100))
		self.assertEqual((ret.status, ret.outstanding_amount), ("Return", -25))
		self.assertRaises(frappe.LinkExistsError, si.cancel)

	def test_return_settles_the_original_if_asked(self):
		si = create_sales_invoice(qty=4, rate=25)
		ret = make_sales_return(si.name)
		ret.update_outstanding_for_self = 0
		ret.insert().submit()
		si.reload(), ret.reload()
		self.assertEqual((si.status, si.outstanding_amount), ("Credit Note Issued", 0))
		self.assertEqual((ret.status, ret.outstanding_amount), ("Return", 0))
		ret.cancel()
		si.reload()
		self.assertEqual((si.status, si.outstanding_amount), ("Unpaid", 100))

	def test_return_limits(self):
		si = create_sales_invoice(qty=4, rate=25)
		ret = make_sales_return(si.name)
		ret.items[0].qty = -3
		ret.insert().submit()
		again = make_sales_return(si.name)
		self.assertEqual(again.items[0].qty, -1)
		again.items[0].qty = -2
		self.assertRaisesRegex(
			StockOverReturnError, "Cannot return more than 1.0 for Item _Test Item", again.insert
		)
		again.items[0].update({"qty": -1, "rate": 26})
		self.assertRaisesRegex(frappe.ValidationError, "Rate cannot be greater", again.insert)
		again.items[0].update({"qty": -1, "rate": 25})
		again.posting_date, again.set_posting_time = add_days(nowdate(), -1), 1
		self.assertRaisesRegex(frappe.ValidationError, "Posting timestamp must be after", again.insert)

	def test_pos_return_gives_the_cash_back(self):
		si = create_sales_invoice(rate=100, is_pos=1, payments=[{"mode_of_payment": "Cash", "amount": 100}])
		ret = make_sales_return(si.name)
		ret.insert().submit()
		self.assertLedger(ret.name, {"Cash - LD": -100, "Sales - LD": 100})
		partial = make_sales_return(
			create_sales_invoice(
				qty=2, rate=50, is_pos=1, payments=[{"mode_of_payment": "Cash", "amount": 100}]
			).name
		)
		partial.items[0].qty = -1
		self.assertRaisesRegex(
			frappe.ValidationError, "Total payments amount can't be greater than 50", partial.insert
		)

	def test_accounts_are_checked(self):
		other = make_other_company()
		with self.assertRaisesRegex(frappe.ValidationError, "does not belong to Company"):
			create_sales_invoice(items=[{"income_account": f"Sales - {other.abbr}"}])
		with self.assertRaisesRegex(frappe.ValidationError, "is a Group Account"):
			create_sales_invoice(items=[{"income_account": "Direct Income - LD"}])
		with self.assertRaisesRegex(frappe.ValidationError, "is a Receivable account"):
			create_sales_invoice(debit_to="Cash - LD")
		with self.assertRaisesRegex(frappe.ValidationError, "is a Balance Sheet account"):
			create_sales_invoice(debit_to="Service - LD")
		with self.assertRaisesRegex(frappe.ValidationError, "Cost Center .* does not belong to company"):
			create_sales_invoice(items=[{"cost_center": f"Main - {other.abbr}"}])

	def test_date_outside_fiscal_years(self):
		from erpnext.accounts.utils import FiscalYearError

		self.assertRaises(FiscalYearError, create_sales_invoice, posting_date="2001-01-01")

	def test_second_company(self):
		other = make_other_company()
		si = create_sales_invoice(
			company=other.name, customer="_Test Customer", currency="EUR", conversion_rate=1, rate=10
		)
		self.assertEqual((si.debit_to, si.base_grand_total), (f"Debtors - {other.abbr}", 10))
		self.assertLedger(si.name, {f"Debtors - {other.abbr}": 10, f"Sales - {other.abbr}": -10})

	def test_overdue(self):
		date = add_days(nowdate(), -10)
		si = create_sales_invoice(posting_date=date, due_date=date)
		si.reload()
		self.assertEqual(si.status, "Overdue")


def make_other_company(name="_Test Other Company", abbr="_TOC", currency="EUR"):
	if frappe.db.exists("Company", name):
		return frappe.get_doc("Company", name)
	return frappe.get_doc(
		{
			"doctype": "Company",
			"company_name": name,
			"abbr": abbr,
			"default_currency": currency,
			"country": "Germany",
		}
	).insert()


def create_sales_invoice(**args):
	"""Insert and submit an invoice; `do_not_save` and `do_not_submit` stop earlier.

	`items` and `taxes` are lists of dicts; without `items` one row is made of item, qty and rate.
	"""
	args = frappe._dict(args)
	si = frappe.new_doc("Sales Invoice")
	si.company = args.pop("company", None) or COMPANY
	si.customer = args.pop("customer", None) or "_Test Customer"
	if args.posting_date:
		si.set_posting_time = 1
	flags = {key: args.pop(key, None) for key in ("do_not_save", "do_not_submit")}
	row = {
		"item_code": args.pop("item", None) or args.pop("item_code", None) or "_Test Item",
		"qty": flt(args.pop("qty", 1)),
		"rate": flt(args.pop("rate", 100)),
	}
	for field in ("income_account", "expense_account", "cost_center"):
		if args.get(field):
			row[field] = args.pop(field)
	for item in args.pop("items", None) or [{}]:
		si.append("items", {**row, **item})
	for table in ("taxes", "payments"):
		for each in args.pop(table, None) or []:
			si.append(table, each)
	si.update(args)
	if not flags["do_not_save"]:
		si.insert()
		if not flags["do_not_submit"]:
			si.submit()
	return si
