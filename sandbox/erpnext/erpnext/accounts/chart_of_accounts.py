"""The chart of accounts a new company starts with: the part of ERPNext's standard chart that selling needs."""

import frappe
from frappe.utils.nestedset import rebuild_tree

# name: children, or the account type of a ledger; "*" holds a group's own account type
STANDARD = {
	"Asset": {
		"Application of Funds (Assets)": {
			"Current Assets": {
				"Accounts Receivable": {"Debtors": "Receivable"},
				"Bank Accounts": {"*": "Bank"},
				"Cash In Hand": {"*": "Cash", "Cash": "Cash"},
				"Tax Assets": {},
			},
			"Temporary Accounts": {"Temporary Opening": "Temporary"},
		}
	},
	"Expense": {
		"Expenses": {
			"Direct Expenses": {"Stock Expenses": {"Cost of Goods Sold": "Cost of Goods Sold"}},
			"Indirect Expenses": {
				"Administrative Expenses": "",
				"Commission on Sales": "",
				"Exchange Gain/Loss": "",
				"Marketing Expenses": "Chargeable",
				"Miscellaneous Expenses": "Chargeable",
				"Round Off": "Round Off",
				"Sales Expenses": "",
				"Write Off": "",
			},
		}
	},
	"Income": {
		"Income": {
			"Direct Income": {"Sales": "", "Service": ""},
			"Indirect Income": {},
		}
	},
	"Liability": {
		"Source of Funds (Liabilities)": {
			"Current Liabilities": {
				"Accounts Payable": {"Creditors": "Payable"},
				"Duties and Taxes": {"*": "Tax"},
			},
		}
	},
	"Equity": {
		"Equity": {
			"Capital Stock": "Equity",
			"Opening Balance Equity": "Equity",
			"Retained Earnings": "Equity",
		}
	},
}


def create_charts(company: str):
	"""Create the standard chart for a company that has no accounts."""
	frappe.local.flags.ignore_update_nsm = True
	try:
		for root_type, tree in STANDARD.items():
			_create_nodes(company, root_type, tree, parent=None)
	finally:
		frappe.local.flags.ignore_update_nsm = False
	rebuild_tree("Account")


def _create_nodes(company, root_type, tree, parent):
	for name, below in tree.items():
		if name == "*":
			continue
		is_group = isinstance(below, dict)
		account = frappe.get_doc(
			{
				"doctype": "Account",
				"account_name": name,
				"company": company,
				"parent_account": parent,
				"is_group": int(is_group),
				"root_type": root_type,
				"account_type": below.get("*") if is_group else below,
			}
		)
		account.flags.ignore_permissions = True
		# the field is required of everybody else: roots come with the chart
		account.flags.ignore_mandatory = parent is None
		account.insert()
		if is_group:
			_create_nodes(company, root_type, below, account.name)
