"""What the stand-in's tests share: a test case for both Frappe generations, masters, ledger sums."""

import frappe
from frappe.utils import flt

try:
	from frappe.tests import IntegrationTestCase
except ImportError:
	from frappe.tests.utils import FrappeTestCase as IntegrationTestCase

COMPANY = "Loyalty Demo"


class StandInTestCase(IntegrationTestCase):
	"""Every test starts from the masters alone and leaves nothing behind."""

	@classmethod
	def setUpClass(cls):
		super().setUpClass()
		make_masters()

	def tearDown(self):
		frappe.set_user("Administrator")
		frappe.db.rollback()

	def assertLedgerBalances(self, voucher_no, cancelled=0):
		rows = get_ledger(voucher_no, cancelled)
		self.assertEqual(flt(sum(row.debit - row.credit for row in rows), 2), 0, rows)
		for row in rows:
			for field in ("debit", "credit", "debit_in_account_currency", "credit_in_account_currency"):
				self.assertEqual(row[field], flt(row[field], 2))
				self.assertGreaterEqual(row[field], 0)

	def assertLedger(self, voucher_no, expected):
		"""Compare debit minus credit by account, in company currency."""
		self.assertLedgerBalances(voucher_no)
		got = {}
		for row in get_ledger(voucher_no):
			got[row.account] = flt(got.get(row.account, 0) + row.debit - row.credit, 2)
		self.assertEqual({k: v for k, v in got.items() if v}, expected)


def get_ledger(voucher_no, cancelled=0):
	return frappe.get_all(
		"GL Entry", filters={"voucher_no": voucher_no, "is_cancelled": cancelled}, fields=["*"]
	)


def make_masters():
	make(
		"Item", "_Test Item", item_code="_Test Item", item_group="Products", stock_uom="Nos", is_stock_item=0
	)
	make("Customer", "_Test Customer", customer_name="_Test Customer", customer_group="Individual")
	make(
		"Account",
		"_Test VAT - LD",
		account_name="_Test VAT",
		parent_account="Duties and Taxes - LD",
		company=COMPANY,
		account_type="Tax",
		tax_rate=10,
	)
	make(
		"Account",
		"_Test Receivable EUR - LD",
		account_name="_Test Receivable EUR",
		parent_account="Accounts Receivable - LD",
		company=COMPANY,
		account_type="Receivable",
		account_currency="EUR",
	)
	make(
		"Customer",
		"_Test Customer EUR",
		customer_name="_Test Customer EUR",
		customer_group="Individual",
		default_currency="EUR",
		accounts=[{"company": COMPANY, "account": "_Test Receivable EUR - LD"}],
	)
	frappe.db.commit()  # masters outlive the rollback between tests


def make(doctype, name, **values):
	if not frappe.db.exists(doctype, name):
		frappe.get_doc({"doctype": doctype, **values}).insert()
	return name
