"""What a fresh site has after ERPNext's setup wizard, with one demo company."""

import frappe
from frappe.geo.country_info import get_country_info
from frappe.utils import getdate

COMPANY, ABBR = "Loyalty Demo", "LD"

TREES = {
	"Customer Group": ("All Customer Groups", ["Individual", "Commercial", "Non Profit", "Government"]),
	"Territory": (
		"All Territories",
		["Rest Of The World", "United States", "United Kingdom", "Germany", "India"],
	),
	"Item Group": (
		"All Item Groups",
		["Products", "Raw Material", "Services", "Sub Assemblies", "Consumable"],
	),
}
ROLES = (
	"Accounts User",
	"Accounts Manager",
	"Auditor",
	"Sales User",
	"Sales Manager",
	"Sales Master Manager",
	"Item Manager",
	"Customer",
)
UOMS = {
	"Nos": 1,
	"Unit": 1,
	"Box": 1,
	"Pair": 1,
	"Set": 1,
	"Kg": 0,
	"Gram": 0,
	"Litre": 0,
	"Meter": 0,
	"Hour": 0,
}


def after_install():
	"""Create masters, a company with accounts, fiscal years and defaults. Safe to run again."""
	create_roles()
	create_trees()
	create_records("UOM", "uom_name", UOMS, lambda name: {"must_be_whole_number": UOMS[name]})
	create_records(
		"Mode of Payment",
		"mode_of_payment",
		{
			"Cash": "Cash",
			"Credit Card": "Bank",
			"Wire Transfer": "Bank",
			"Bank Draft": "Bank",
			"Card": "Bank",
		},
		lambda name: {"type": "Cash" if name == "Cash" else "Bank"},
	)
	create_fiscal_years()
	country = frappe.db.get_single_value("System Settings", "country") or "United States"
	currency = get_country_info(country).get("currency") or "USD"
	create_company(currency, country)
	create_bank_account()
	create_price_list(currency)
	set_defaults(currency, country)


def create_roles():
	for role in ROLES:
		if not frappe.db.exists("Role", role):
			frappe.get_doc({"doctype": "Role", "role_name": role, "desk_access": 1}).insert(
				ignore_permissions=True
			)
	# the permissions of doctypes have made it, as a role of the desk
	frappe.db.set_value("Role", "Customer", "desk_access", 0)


def create_records(doctype, name_field, names, more):
	for name in names:
		if not frappe.db.exists(doctype, name):
			frappe.get_doc({"doctype": doctype, name_field: name, **more(name)}).insert(
				ignore_permissions=True
			)


def create_trees():
	for doctype, (root, leaves) in TREES.items():
		field = frappe.scrub(doctype)
		for name in (root, *leaves):
			if frappe.db.exists(doctype, name):
				continue
			frappe.get_doc(
				{
					"doctype": doctype,
					f"{field}_name": name,
					f"parent_{field}": None if name == root else root,
					"is_group": int(name == root),
				}
			).insert(ignore_permissions=True)


def create_fiscal_years():
	"""The calendar year, three before it and the next: room for a history and for dates to come."""
	this_year = getdate().year
	for year in range(this_year - 3, this_year + 2):
		if not frappe.db.exists("Fiscal Year", str(year)):
			frappe.get_doc(
				{
					"doctype": "Fiscal Year",
					"year": str(year),
					"year_start_date": f"{year}-01-01",
					"year_end_date": f"{year}-12-31",
				}
			).insert(ignore_permissions=True)


def create_company(currency, country):
	if not frappe.db.exists("Company", COMPANY):
		frappe.get_doc(
			{
				"doctype": "Company",
				"company_name": COMPANY,
				"abbr": ABBR,
				"default_currency": currency,
				"country": country,
			}
		).insert(ignore_permissions=True)


def create_bank_account():
	"""Cards are paid out to a bank account of the company."""
	name = f"Bank Account - {ABBR}"
	if not frappe.db.exists("Account", name):
		frappe.get_doc(
			{
				"doctype": "Account",
				"account_name": "Bank Account",
				"parent_account": f"Bank Accounts - {ABBR}",
				"company": COMPANY,
				"account_type": "Bank",
			}
		).insert(ignore_permissions=True)
	company = frappe.get_doc("Company", COMPANY)
	if not company.default_bank_account:
		company.db_set("default_bank_account", name)
	for mode in frappe.get_all("Mode of Payment", filters={"type": "Bank"}, pluck="name"):
		doc = frappe.get_doc("Mode of Payment", mode)
		if COMPANY not in [row.company for row in doc.accounts]:
			doc.append("accounts", {"company": COMPANY, "default_account": name})
			doc.save(ignore_permissions=True)


def create_price_list(currency):
	create_records(
		"Price List",
		"price_list_name",
		["Standard Selling"],
		lambda _name: {"currency": currency, "selling": 1, "enabled": 1},
	)


def set_defaults(currency, country):
	selling = frappe.get_single("Selling Settings")
	selling.cust_master_name = "Customer Name"
	# ERPNext gives new customers no group until somebody chooses one
	selling.territory = "Rest Of The World"
	selling.selling_price_list = "Standard Selling"
	selling.save(ignore_permissions=True)

	settings = frappe.get_single("Global Defaults")
	settings.update({"default_company": COMPANY, "default_currency": currency, "country": country})
	settings.save(ignore_permissions=True)

	accounts = frappe.get_single("Accounts Settings")
	for field in ("unlink_payment_on_cancellation_of_invoice", "post_change_gl_entries"):
		accounts.set(field, 1)
	accounts.save(ignore_permissions=True)
