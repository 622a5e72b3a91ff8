import frappe
from frappe.utils import nowdate

from erpnext.accounts.doctype.loyalty_program.test_loyalty_program import CUSTOMER, make_program
from erpnext.accounts.doctype.sales_invoice.test_sales_invoice import create_sales_invoice
from erpnext.selling.doctype.sales_order.sales_order import make_sales_invoice
from erpnext.tests.utils import COMPANY, StandInTestCase, make


class TestSalesOrder(StandInTestCase):
	def make_order(self, **values):
		order = frappe.get_doc(
			{
				"doctype": "Sales Order",
				"company": COMPANY,
				"customer": "_Test Customer",
				"delivery_date": nowdate(),
				"items": [{"item_code": "_Test Item", "qty": 10, "rate": 100}],
				**values,
			}
		)
		return order.insert().submit()

	def test_billing(self):
		order = self.make_order()
		self.assertEqual((order.status, order.grand_total), ("To Deliver and Bill", 1000))
		si = make_sales_invoice(order.name)
		si.items[0].qty = 4
		si.insert().submit()
		order.reload()
		self.assertEqual((order.per_billed, order.billing_status), (40, "Partly Billed"))
		rest = make_sales_invoice(order.name).insert().submit()
		self.assertEqual(rest.items[0].qty, 6)
		order.reload()
		self.assertEqual((order.status, order.billing_status), ("Completed", "Fully Billed"))
		rest.cancel()
		order.reload()
		self.assertEqual((order.per_billed, order.status), (40, "To Deliver and Bill"))

	def test_points_of_a_shopping_cart_order(self):
		program = make_program("_Test Single Loyalty")
		make("Customer", CUSTOMER, customer_name=CUSTOMER, customer_group="Individual")
		frappe.db.set_value("Customer", CUSTOMER, "loyalty_program", program.name)
		create_sales_invoice(customer=CUSTOMER, rate=100000)

		order = self.make_order(
			customer=CUSTOMER, order_type="Shopping Cart", loyalty_points=50, loyalty_amount=50
		)
		si = make_sales_invoice(order.name)
		si.insert().submit()
		self.assertEqual((si.loyalty_program, si.loyalty_points, si.loyalty_amount), (program.name, 50, 50))
		self.assertLedger(si.name, {"Debtors - LD": 950, "Sales Expenses - LD": 50, "Sales - LD": -1000})
