"""What the tests of this app share: the test case class and factories of valid records.

The factories go through the ORM and use nothing of ERPNext's test modules, so that the same tests run on any site
with ERPNext. Each call makes a new record with a name of its own; the company is made once.
"""

import sys
from contextlib import ExitStack, contextmanager
from unittest.mock import patch

import frappe
from frappe.model.base_document import BaseDocument, get_controller
from frappe.utils import flt, getdate, today

from loyalty_app.ledger import bulk, membership
from loyalty_app.loyalty_app.doctype.loyalty_point_adjustment.loyalty_point_adjustment import (
	LoyaltyPointAdjustment,
)
from loyalty_app.overrides.invoice import LoyaltyInvoiceMixin

try:
	from frappe.tests import IntegrationTestCase
except ImportError:  # Frappe 15
	from frappe.tests.utils import FrappeTestCase as IntegrationTestCase

__all__ = [
	"COMPANY",
	"IntegrationTestCase",
	"account",
	"as_user",
	"company",
	"cost_center",
	"count_own_queries",
	"count_queries",
	"ensure_fiscal_year",
	"expense_account",
	"income_account",
	"is_asked_by_this_app",
	"keeping_caches",
	"leaf",
	"make_adjustment",
	"make_customer",
	"make_invoice",
	"make_item",
	"make_outgoing_mail_possible",
	"make_pos_profile",
	"make_program",
	"make_promotion",
	"make_return",
	"make_user",
	"make_website_user",
	"on_day",
	"root",
	"store",
	"tax_account",
	"tree_node",
	"unique",
]

# Methods of Frappe that this app puts its own around, and calls with all that they ask the database for.
EXTENDED = [
	getattr(extended, method).__code__
	for extended in (LoyaltyInvoiceMixin, LoyaltyPointAdjustment)
	for method in ("insert", "save")
]

COMPANY = "Loyalty Test Co"
ABBR = "LTC"
CURRENCY = "USD"
PRICE_LIST = "Standard Selling"


def unique(prefix: str) -> str:
	"""Return the prefix with something after it that no other record has."""
	return f"{prefix} {frappe.generate_hash(length=8)}"


@contextmanager
def names_with_letters():
	"""Let names that the ledger makes by chance be others in capitals."""
	new_name = bulk.new_name
	with patch.object(bulk, "new_name", lambda: f"n{new_name()[1:]}"):
		yield


@contextmanager
def as_user(user: str):
	"""Be that user for a while."""
	before = frappe.session.user
	frappe.set_user(user)
	try:
		yield
	finally:
		frappe.set_user(before)


@contextmanager
def on_day(day):
	"""Let this app, but not its tests, think for a while that today is `day`."""
	for name in frappe.get_all("DocType", filters={"module": "Loyalty App"}, pluck="name"):
		get_controller(name)  # what Frappe imports later would know the real day
	with ExitStack() as stack:
		for name, module in list(sys.modules.items()):
			is_test = ".test" in name
			if name.startswith("loyalty_app.") and not is_test and vars(module).get("today") is today:
				stack.enter_context(patch.object(module, "today", lambda: str(getdate(day))))
		yield


@contextmanager
def count_queries(counts=lambda: True):
	"""Collect the statements that go to the database meanwhile, as a list; those for which `counts` says so."""
	statements, original = [], frappe.db.sql

	def noted(query, *args, **kwargs):
		if counts():
			statements.append(str(query))
		return original(query, *args, **kwargs)

	frappe.db.sql = noted
	try:
		yield statements
	finally:
		frappe.db.sql = original


def count_own_queries():
	"""Collect the statements that this app's own code asks for meanwhile, as a list; not those of ERPNext's hooks."""
	return count_queries(is_asked_by_this_app)


def is_asked_by_this_app() -> bool:
	"""Whether this app's code is innermost in what runs now, but for Frappe, which runs the statements, and tests."""
	frame = sys._getframe(2)
	while frame:
		module = frame.f_globals.get("__name__", "")
		if frame.f_code in EXTENDED:
			return False  # what Frappe does for any document
		if module.split(".")[0] not in ("frappe", "pypika"):
			return module.split(".")[0] == "loyalty_app" and not module.startswith("loyalty_app.tests")
		frame = frame.f_back
	return False


def make_user(*roles: str) -> str:
	"""Insert a desk user with these roles and return the name."""
	user = frappe.get_doc(
		{
			"doctype": "User",
			"email": f"{frappe.generate_hash(length=8)}@loyalty.example",
			"first_name": "Loyalty Test",
			"send_welcome_email": 0,
			"roles": [{"role": role} for role in roles],
		}
	)
	# Frappe lets 60 be made within an hour.
	with patch.dict(frappe.local.conf, {"throttle_user_limit": 100_000}), keeping_caches():
		return user.insert(ignore_permissions=True).name


def keeping_caches():
	"""Let Frappe 15 save users without noting whose mailbox has no password yet, for which it empties all its caches."""
	return patch("frappe.core.doctype.user.user.ask_pass_update")


def make_website_user(*customers) -> str:
	"""Insert a user of the website, named by `customers` as their portal user; return the name."""
	user = make_user("Customer")
	for customer in customers:
		doc = frappe.get_doc("Customer", getattr(customer, "name", customer))
		doc.append("portal_users", {"user": user})
		doc.save(ignore_permissions=True)
	return user


def make_outgoing_mail_possible() -> None:
	"""Make an outgoing Email Account, where the site has none, for Frappe to put mails into its queue."""
	if not frappe.db.exists("Email Account", {"enable_outgoing": 1, "default_outgoing": 1}):
		address = "shop@loyalty.example"
		store(
			"Email Account",
			email_account_name=address,
			email_id=address,
			enable_outgoing=1,
			default_outgoing=1,
		)


def company(name: str = COMPANY, abbr: str = ABBR, currency: str = CURRENCY) -> str:
	"""Return the company's name, after making it with its chart of accounts if it is not there."""
	if not frappe.db.exists("Company", name):
		_ensure("Currency", currency, {"currency_name": currency})
		frappe.db.set_value("Currency", currency, "enabled", 1)
		country = frappe.db.get_default("country") or "United States"
		_ensure("Country", country, {"country_name": country})
		if frappe.db.exists("DocType", "Warehouse Type"):
			_ensure("Warehouse Type", "Transit", {"name": "Transit"})
		frappe.get_doc(
			{
				"doctype": "Company",
				"company_name": name,
				"abbr": abbr,
				"default_currency": currency,
				"country": country,
				"chart_of_accounts": "Standard",
				"create_chart_of_accounts_based_on": "Standard Template",
			}
		).insert(ignore_permissions=True)
	return name


def account(company_name: str | None = None, currency: str | None = None, **filters) -> str:
	"""Return a posting account of the company: the first that fits the filters, e.g. root_type="Expense"; with a
	currency other than the company's, one made for it."""
	company_name = company_name or company()
	if currency:
		return _account_in_currency(company_name, currency, filters)
	found = frappe.get_all(
		"Account",
		filters={"company": company_name, "is_group": 0, "disabled": 0, **filters},
		order_by="lft",
		limit=1,
		pluck="name",
	)
	assert found, f"{company_name} has no account with {filters}"
	return found[0]


def expense_account(company_name: str | None = None) -> str:
	"""Return the account loyalty redemptions are charged to in tests."""
	return _made_account(company_name or company(), "Loyalty Test Expense", "Expense")


def tax_account(company_name: str | None = None) -> str:
	"""Return the account that taxes are booked to in tests."""
	return _made_account(company_name or company(), "Loyalty Test Tax", "Liability", account_type="Tax")


def _made_account(company_name: str, title: str, root_type: str, **values) -> str:
	filters = {"company": company_name, "account_name": title}
	if name := frappe.db.exists("Account", filters):
		return name
	parent = frappe.get_all(
		"Account",
		filters={
			"company": company_name,
			"is_group": 1,
			"root_type": root_type,
			"parent_account": ["is", "set"],
		},
		order_by="lft desc",
		limit=1,
		pluck="name",
	)[0]
	values |= {"is_group": 0, "root_type": root_type, "parent_account": parent}
	return frappe.get_doc({"doctype": "Account", **filters, **values}).insert(ignore_permissions=True).name


def cost_center(company_name: str | None = None) -> str:
	"""Return the company's default cost center."""
	return frappe.db.get_value("Company", company_name or company(), "cost_center")


def _account_in_currency(company_name: str, currency: str, filters: dict) -> str:
	model = frappe.get_doc("Account", account(company_name, **filters))
	name = f"{model.account_name} {currency}"
	if existing := frappe.db.exists("Account", {"company": company_name, "account_name": name}):
		return existing
	frappe.db.set_value("Currency", currency, "enabled", 1)
	return (
		frappe.get_doc(
			{
				"doctype": "Account",
				"account_name": name,
				"account_currency": currency,
				"account_type": model.account_type,
				"company": company_name,
				"parent_account": model.parent_account,
				"root_type": model.root_type,
			}
		)
		.insert(ignore_permissions=True)
		.name
	)


def store(doctype: str, **values):
	"""Put a row into a doctype's table past its controller, as somebody with a database client could, and return
	its document."""
	doc = frappe.get_doc({"doctype": doctype, **values})
	doc.set_new_name()
	BaseDocument.db_insert(doc)
	return frappe.get_doc(doctype, doc.name)


def tree_node(doctype: str, parent: str | None = None, is_group: int = 0, title: str | None = None) -> str:
	"""Make a Customer Group, Territory or Item Group below the parent (the root, if none is given)."""
	title_field = {
		"Customer Group": "customer_group_name",
		"Territory": "territory_name",
		"Item Group": "item_group_name",
	}[doctype]
	return (
		frappe.get_doc(
			{
				"doctype": doctype,
				title_field: title or unique("Loyalty Test"),
				f"parent_{frappe.scrub(doctype)}": parent or root(doctype),
				"is_group": is_group,
			}
		)
		.insert(ignore_permissions=True)
		.name
	)


def root(doctype: str) -> str:
	"""Return the root of a tree of groups."""
	parent = f"parent_{frappe.scrub(doctype)}"
	found = frappe.get_all(
		doctype, filters={"is_group": 1, parent: ["is", "not set"]}, order_by="lft", limit=1, pluck="name"
	)
	assert found, f"{doctype} has no root; finish the setup wizard of this site"
	return found[0]


def leaf(doctype: str) -> str:
	"""Return the Customer Group, Territory or Item Group used where the test does not care."""
	title = {"Customer Group": "Loyalty Test Customers", "Territory": "Loyalty Test Land"}.get(
		doctype, "Loyalty Test Items"
	)
	return title if frappe.db.exists(doctype, title) else tree_node(doctype, title=title)


def make_program(**kwargs):
	"""Insert a Loyalty Program: a single tier, 1 point per 10 spent, worth 1, for a year, in the test company.

	`tiers` is a list of (tier name, minimum total spent, spend per point); anything else is a field.
	"""
	tiers = kwargs.pop("tiers", [("Silver", 0, 10)])
	company_name = kwargs.setdefault("company", company())
	values = {
		"doctype": "Loyalty Program",
		"loyalty_program_name": unique("Loyalty Test Program"),
		"loyalty_program_type": "Single Tier Program" if len(tiers) == 1 else "Multiple Tier Program",
		"from_date": "2020-01-01",
		"conversion_factor": 1,
		"expiry_duration": 365,
		"expense_account": expense_account(company_name),
		"cost_center": cost_center(company_name),
		"collection_rules": [
			{"tier_name": name, "min_spent": minimum, "collection_factor": factor}
			for name, minimum, factor in tiers
		],
	}
	return frappe.get_doc(values | kwargs).insert(ignore_permissions=True)


def make_promotion(program, **kwargs):
	"""Insert a Loyalty Promotion of a program: all lines earn twice, from 2020 on. `items` and `exclusions` are lists of
	(type, value), `days` of names of weekdays; anything else is a field."""
	tables = {
		"items": ("apply_to", "apply_to_value"),
		"exclusions": ("exclude_type", "exclude_value"),
	}
	rows = {
		table: [dict(zip(fields, row)) for row in kwargs.pop(table, ())] for table, fields in tables.items()
	}
	days = {day: 1 for day in kwargs.pop("days", ())}
	values = {
		"doctype": "Loyalty Promotion",
		"promotion_name": unique("Loyalty Test Promotion"),
		"loyalty_program": getattr(program, "name", program),
		"from_date": "2020-01-01",
		"effect": "Multiply Points",
		"multiplier": 2,
	}
	return frappe.get_doc(values | rows | days | kwargs).insert(ignore_permissions=True)


def make_customer(auto_opt_in: bool = False, **kwargs):
	"""Insert a Customer, a member of `loyalty_program` if that is given.

	Programs of the site that enrol everybody do not get it, unless `auto_opt_in`.
	"""
	doc = frappe.get_doc(
		{
			"doctype": "Customer",
			"customer_name": unique("Loyalty Test Customer"),
			"customer_type": "Individual",
			"customer_group": kwargs.pop("customer_group", None) or leaf("Customer Group"),
			"territory": kwargs.pop("territory", None) or leaf("Territory"),
			**kwargs,
		}
	).insert(ignore_permissions=True)
	if doc.loyalty_program and not auto_opt_in and not kwargs.get("loyalty_program"):
		doc.db_set("loyalty_program", None)
		membership.mark_active([doc.name], None)
		doc.reload()
	return doc


def make_item(**kwargs):
	"""Insert an Item that is not kept in stock."""
	_ensure("UOM", "Nos", {"uom_name": "Nos"})
	return frappe.get_doc(
		{
			"doctype": "Item",
			"item_code": unique("Loyalty Test Item"),
			"item_group": kwargs.pop("item_group", None) or leaf("Item Group"),
			"stock_uom": "Nos",
			"is_stock_item": 0,
			**kwargs,
		}
	).insert(ignore_permissions=True)


def make_invoice(
	customer,
	amount: float = 100,
	items: list[dict] | None = None,
	submit: bool = True,
	redeem: int = 0,
	paid: bool = False,
	**kwargs,
):
	"""Insert (and submit) a Sales Invoice, or a POS Invoice with `doctype`.

	`amount` is the price of one item, unless `items` lists them ({"rate", "qty", "item_code", …}); `redeem` is the
	number of points to pay with; `paid` makes it a point-of-sale invoice paid in cash in full.
	"""
	company_name = kwargs.pop("company", None) or company()
	posting_date = getdate(kwargs.pop("posting_date", None) or today())
	currency = kwargs.pop("currency", None) or frappe.db.get_value(
		"Company", company_name, "default_currency"
	)
	ensure_fiscal_year(posting_date)
	_ensure_price_list()
	doctype = kwargs.pop("doctype", "Sales Invoice")
	doc = frappe.get_doc(
		{
			"doctype": doctype,
			"customer": getattr(customer, "name", customer),
			"company": company_name,
			"posting_date": posting_date,
			"set_posting_time": 1,
			"due_date": posting_date,
			"currency": currency,
			"conversion_rate": 1,
			"selling_price_list": PRICE_LIST,
			"price_list_currency": currency,
			"plc_conversion_rate": kwargs.get("conversion_rate", 1),
			"ignore_pricing_rule": 1,
			"items": [_invoice_row(company_name, row) for row in items or [{"rate": amount}]],
			**kwargs,
		}
	)
	if redeem:
		doc.redeem_loyalty_points = 1
		doc.loyalty_points = redeem
	if paid or doctype == "POS Invoice":
		doc.is_pos = 1
		doc.pos_profile = kwargs.get("pos_profile") or make_pos_profile(company_name)
		if not doc.payments:
			doc.set_missing_values()
			doc.calculate_taxes_and_totals()
			doc.set("payments", [])
			doc.append(
				"payments",
				{
					"mode_of_payment": "Cash",
					"amount": (doc.rounded_total or doc.grand_total) - _points_value(doc, redeem),
				},
			)
	doc.insert(ignore_permissions=True)
	if submit:
		doc.submit()
	return doc


def make_return(invoice, qty: float | None = None, submit: bool = True, item: str | None = None, **kwargs):
	"""Insert (and submit) the return of a submitted invoice: all of it, or `qty` of its first line, or of that of `item`."""
	if invoice.doctype == "POS Invoice":
		from erpnext.accounts.doctype.pos_invoice.pos_invoice import make_sales_return
	else:
		from erpnext.accounts.doctype.sales_invoice.sales_invoice import make_sales_return

	doc = make_sales_return(invoice.name)
	if qty is not None:
		doc.items = [row for row in doc.items if item in (None, row.item_code)][:1]
		doc.items[0].qty = -flt(qty)
		doc.items[0].stock_qty = -flt(qty)
	doc.update(kwargs)
	doc.insert(ignore_permissions=True)
	if submit:
		doc.submit()
	return doc


def make_adjustment(customer, points: int, submit: bool = True, ignore_permissions: bool = True, **kwargs):
	"""Insert (and submit) a Loyalty Point Adjustment of a customer, in their program: a correction of today."""
	doc = frappe.get_doc(
		{
			"doctype": "Loyalty Point Adjustment",
			"customer": getattr(customer, "name", customer),
			"points": points,
			"reason": "Correction",
			"explanation": "Made by a test",
			**kwargs,
		}
	).insert(ignore_permissions=ignore_permissions)
	if submit:
		doc.submit()
	return doc


def make_pos_profile(company_name: str | None = None) -> str:
	"""Return the POS profile of the company, made if it is not there, with an open till where ERPNext wants one."""
	company_name = company_name or company()
	name = f"{company_name} POS"
	cash = frappe.db.get_value("Company", company_name, "default_cash_account") or account(
		company_name, account_type="Cash"
	)
	if not frappe.db.exists("POS Profile", name):
		mode = frappe.get_doc(
			"Mode of Payment", _ensure("Mode of Payment", "Cash", {"mode_of_payment": "Cash"})
		)
		if not any(row.company == company_name for row in mode.accounts):
			mode.append("accounts", {"company": company_name, "default_account": cash})
			mode.save(ignore_permissions=True)
		_ensure_price_list()
		frappe.get_doc(
			{
				"doctype": "POS Profile",
				"name": name,
				"__newname": name,
				"company": company_name,
				"currency": frappe.db.get_value("Company", company_name, "default_currency"),
				"selling_price_list": PRICE_LIST,
				"write_off_account": account(company_name, root_type="Expense"),
				"write_off_cost_center": cost_center(company_name),
				"write_off_limit": 0,
				"cost_center": cost_center(company_name),
				"expense_account": account(company_name, root_type="Expense"),
				"income_account": income_account(company_name),
				"warehouse": _warehouse(company_name),
				"payments": [{"mode_of_payment": "Cash", "default": 1}],
			}
		).insert(ignore_permissions=True)
	if frappe.db.exists("DocType", "POS Opening Entry") and not frappe.db.exists(
		"POS Opening Entry", {"pos_profile": name, "status": "Open", "docstatus": 1}
	):
		frappe.get_doc(
			{
				"doctype": "POS Opening Entry",
				"period_start_date": frappe.utils.now_datetime(),
				"posting_date": today(),
				"company": company_name,
				"pos_profile": name,
				"user": frappe.session.user,
				"balance_details": [{"mode_of_payment": "Cash", "opening_amount": 0}],
			}
		).insert(ignore_permissions=True).submit()
	return name


def income_account(company_name: str | None = None) -> str:
	"""Return the company's account for sales."""
	company_name = company_name or company()
	return frappe.db.get_value("Company", company_name, "default_income_account") or account(
		company_name, root_type="Income"
	)


def _invoice_row(company_name: str, row: dict) -> dict:
	return {
		"qty": 1,
		"income_account": income_account(company_name),
		"cost_center": cost_center(company_name),
		**row,
		"item_code": row.get("item_code") or _item(),
	}


def _item() -> str:
	filters = {"item_name": "Loyalty Test Item"}
	return frappe.db.exists("Item", filters) or make_item(item_code="Loyalty Test Item", **filters).name


def _points_value(doc, points: int) -> float:
	if not points:
		return 0
	program = doc.loyalty_program or frappe.db.get_value("Customer", doc.customer, "loyalty_program")
	return points * (frappe.db.get_value("Loyalty Program", program, "conversion_factor") or 0)


def _warehouse(company_name: str) -> str | None:
	if not frappe.db.exists("DocType", "Warehouse"):
		return None
	return frappe.db.get_value("Warehouse", {"company": company_name, "is_group": 0, "disabled": 0})


def _ensure(doctype: str, name: str, values: dict) -> str:
	if not frappe.db.exists(doctype, name):
		frappe.get_doc({"doctype": doctype, **values}).insert(ignore_permissions=True)
	return name


def _ensure_price_list():
	_ensure(
		"Price List",
		PRICE_LIST,
		{"price_list_name": PRICE_LIST, "selling": 1, "enabled": 1, "currency": CURRENCY},
	)


def ensure_fiscal_year(date) -> None:
	"""Make a calendar year the Fiscal Year of a day that is in none."""
	if not frappe.db.exists("Fiscal Year", {"year_start_date": ["<=", date], "year_end_date": [">=", date]}):
		frappe.get_doc(
			{
				"doctype": "Fiscal Year",
				"year": str(date.year),
				"year_start_date": f"{date.year}-01-01",
				"year_end_date": f"{date.year}-12-31",
			}
		).insert(ignore_permissions=True)
