import frappe
from frappe.utils import today

from erpnext.accounts.doctype.sales_invoice.sales_invoice import make_sales_return
from erpnext.accounts.doctype.sales_invoice.test_sales_invoice import create_sales_invoice
from erpnext.accounts.party import get_dashboard_info
from erpnext.tests.utils import COMPANY, StandInTestCase, get_ledger

CUSTOMER = "_Test Loyal Customer"


class TestLoyaltyProgram(StandInTestCase):
	def setUp(self):
		self.program = make_program("_Test Single Loyalty", auto_opt_in=1)
		if not frappe.db.exists("Customer", CUSTOMER):
			frappe.get_doc(
				{"doctype": "Customer", "customer_name": CUSTOMER, "customer_group": "Individual"}
			).insert()
		frappe.db.set_value("Customer", CUSTOMER, "loyalty_program", self.program.name)

	def entries(self, si):
		return frappe.get_all(
			"Loyalty Point Entry",
			filters={"invoice": si.name},
			fields=["name", "loyalty_points", "redeem_against", "purchase_amount", "loyalty_program_tier"],
			order_by="loyalty_points desc",
		)

	def test_auto_opt_in(self):
		customer = frappe.get_doc(
			{"doctype": "Customer", "customer_name": "_Test New", "customer_group": "Individual"}
		).insert()
		self.assertEqual(customer.loyalty_program, self.program.name)
		make_program("_Test Second Loyalty", auto_opt_in=1)
		customer = frappe.get_doc(
			{"doctype": "Customer", "customer_name": "_Test Newer", "customer_group": "Individual"}
		).insert()
		self.assertFalse(customer.loyalty_program)

	def test_earn_redeem_and_cancel(self):
		first = create_sales_invoice(customer=CUSTOMER, rate=10000)
		self.assertEqual(first.loyalty_program, self.program.name)
		(lot,) = self.entries(first)
		self.assertEqual((lot.loyalty_points, lot.loyalty_program_tier), (10, "Silver"))
		self.assertEqual(frappe.db.get_value("Customer", CUSTOMER, "loyalty_program_tier"), "Silver")

		second = create_sales_invoice(
			customer=CUSTOMER, rate=10000, redeem_loyalty_points=1, loyalty_points=10
		)
		self.assertEqual(
			(second.loyalty_amount, second.loyalty_redemption_account), (10, "Sales Expenses - LD")
		)
		earned, redeemed = self.entries(second)
		self.assertEqual((earned.loyalty_points, redeemed.loyalty_points), (9, -10))
		self.assertEqual(redeemed.redeem_against, lot.name)
		self.assertLedger(
			second.name, {"Debtors - LD": 9990, "Sales Expenses - LD": 10, "Sales - LD": -10000}
		)
		self.assertEqual({row.against_voucher for row in get_ledger(second.name) if row.party}, {second.name})
		second.reload()
		self.assertEqual((second.outstanding_amount, second.status), (9990, "Partly Paid"))

		second.cancel()
		first.cancel()
		self.assertEqual(self.entries(first) + self.entries(second), [])
		self.assertLedgerBalances(second.name, cancelled=1)

	def test_more_points_than_there_are(self):
		self.assertRaises(
			frappe.ValidationError,
			create_sales_invoice,
			customer=CUSTOMER,
			rate=10000,
			redeem_loyalty_points=1,
			loyalty_points=10,
		)

	def test_return_earns_less(self):
		si = create_sales_invoice(customer=CUSTOMER, qty=2, rate=10000)
		self.assertEqual([row.loyalty_points for row in self.entries(si)], [20])
		ret = make_sales_return(si.name)
		ret.items[0].qty = -1
		ret.insert().submit()
		self.assertEqual([row.loyalty_points for row in self.entries(si)], [10])
		ret.cancel()
		self.assertEqual([row.loyalty_points for row in self.entries(si)], [20])

	def test_dashboard(self):
		create_sales_invoice(customer=CUSTOMER, rate=10000)
		(info,) = get_dashboard_info("Customer", CUSTOMER)
		self.assertEqual(
			(info["company"], info["loyalty_points"], info["billing_this_year"], info["total_unpaid"]),
			(COMPANY, 10, 10000, 10000),
		)


def make_program(name, **values):
	if frappe.db.exists("Loyalty Program", name):
		return frappe.get_doc("Loyalty Program", name)
	return frappe.get_doc(
		{
			"doctype": "Loyalty Program",
			"loyalty_program_name": name,
			"loyalty_program_type": "Single Tier Program",
			"from_date": today(),
			"conversion_factor": 1,
			"expiry_duration": 10,
			"company": COMPANY,
			"cost_center": "Main - LD",
			"expense_account": "Sales Expenses - LD",
			"collection_rules": [{"tier_name": "Silver", "collection_factor": 1000, "min_spent": 0}],
			**values,
		}
	).insert()
