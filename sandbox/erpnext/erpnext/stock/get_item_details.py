import json

import frappe
from frappe import _, throw
from frappe.utils import cint, flt

import erpnext
from erpnext.setup.utils import get_exchange_rate


@frappe.whitelist()
def get_item_details(args, doc=None, for_validate=False, overwrite_warehouse=True):
	"""Return what a row of a selling document takes over from its item.

	`args` names item_code, company and currency; the price is that of the document's price list, in the
	document's currency.
	"""
	args = frappe._dict(json.loads(args) if isinstance(args, str) else args)
	if not args.item_code:
		throw(_("Please specify") + " " + _("Item Code"))
	if not args.company:
		throw(_("Please specify Company"))
	item = frappe.get_cached_doc("Item", args.item_code)
	validate_item_details(item)

	defaults = next((row for row in item.item_defaults if row.company == args.company), frappe._dict())
	uom = args.uom or item.sales_uom or item.stock_uom
	qty = flt(args.qty) or 1.0
	factor = get_conversion_factor(item.name, uom)["conversion_factor"] or 1.0
	price_list_rate = get_price_list_rate(args, item, uom)
	return frappe._dict(
		{
			"item_code": item.name,
			"item_name": item.item_name,
			"description": item.description or item.item_name,
			"item_group": item.item_group,
			"brand": item.brand,
			"stock_uom": item.stock_uom,
			"uom": uom,
			"conversion_factor": factor,
			"qty": qty,
			"stock_qty": qty * factor,
			"price_list_rate": price_list_rate,
			"rate": 0.0 if for_validate else price_list_rate,
			"income_account": get_default_income_account(args, item, defaults),
			"expense_account": defaults.get("expense_account")
			or frappe.get_cached_value("Company", args.company, "default_expense_account"),
			"cost_center": args.cost_center
			or defaults.get("selling_cost_center")
			or erpnext.get_default_cost_center(args.company),
		}
	)


def validate_item_details(item):
	"""Refuse items that cannot be sold."""
	if cint(item.has_variants):
		throw(_("Item {0} is a template, please select one of its variants").format(item.name))
	if cint(item.disabled):
		throw(_("Item {0} is disabled").format(frappe.bold(item.name)))


def get_default_income_account(args, item, defaults):
	"""Return the income account: the item's, its group's, the company's."""
	if defaults.get("income_account"):
		return defaults.get("income_account")
	group_account = frappe.db.get_value(
		"Item Default",
		{"parenttype": "Item Group", "parent": item.item_group, "company": args.company},
		"income_account",
	)
	return group_account or frappe.get_cached_value("Company", args.company, "default_income_account")


def get_price_list_rate(args, item, uom=None):
	"""Return the item's price in document currency, 0 when its price list has none."""
	price_list = args.selling_price_list or args.price_list
	rate = price_list and frappe.db.get_value(
		"Item Price",
		{"item_code": item.name, "price_list": price_list, "uom": ("in", [uom or item.stock_uom, ""])},
		"price_list_rate",
	)
	rate = flt(rate)
	if args.price_list_currency and args.currency and args.price_list_currency != args.currency:
		rate = rate * flt(args.plc_conversion_rate or 1) / (flt(args.conversion_rate) or 1)
	return flt(rate, 6)


@frappe.whitelist()
def apply_price_list(args, as_doc=False, doc=None):
	"""Return a price list's currency and its rate to company currency, for a form's header.

	No permission on Price List is asked for: whoever makes an invoice sees both on it.
	"""
	args = frappe._dict(frappe.parse_json(args))
	currency = frappe.get_cached_value("Price List", args.price_list, "currency")
	rate = get_exchange_rate(
		currency, erpnext.get_company_currency(args.company), args.transaction_date, "for_selling"
	)
	return {
		"parent": {
			"price_list": args.price_list,
			"price_list_currency": currency,
			"plc_conversion_rate": rate,
		},
		"children": [],
	}


@frappe.whitelist()
def get_conversion_factor(item_code, uom):
	"""Return how many stock units one `uom` of an item is."""
	factor = frappe.db.get_value(
		"UOM Conversion Detail", {"parent": item_code, "uom": uom}, "conversion_factor"
	)
	return {"conversion_factor": flt(factor) or 1.0}
