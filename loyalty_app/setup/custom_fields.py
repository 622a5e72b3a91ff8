"""Fields this app adds to a site's doctypes beyond its own files."""

import frappe
from frappe.model import display_fieldtypes

from loyalty_app.setup import doctypes

COPIED = (
	"fieldname",
	"label",
	"fieldtype",
	"options",
	"default",
	"description",
	"depends_on",
	"reqd",
	"read_only",
	"hidden",
	"length",
	"precision",
	"no_copy",
	"in_list_view",
	"in_standard_filter",
	"fetch_from",
)

PROMOTION_CODE = {
	"fieldname": "loyalty_promotion_code",
	"label": "Promotion Code",
	"fieldtype": "Data",
	"length": 60,
	"insert_after": "due_date",
	"depends_on": "eval:!doc.is_return",
	"description": "Of a Loyalty Promotion that asks for one.",
	"no_copy": 1,
	"print_hide": 1,
	"module": doctypes.OUR_MODULE,
}

OURS = {
	"Sales Invoice": [PROMOTION_CODE],
	"POS Invoice": [PROMOTION_CODE],
	"Customer": [
		{
			"fieldname": "loyalty_statement_by_email",
			"label": "Monthly Loyalty Statement by E-mail",
			"fieldtype": "Check",
			"insert_after": "loyalty_program_tier",
			"depends_on": "loyalty_program",
			"description": "Last month's statement, to the customer's e-mail, once the Notification Loyalty Statement is switched on.",
			"module": doctypes.OUR_MODULE,
		}
	],
}


def get_custom_fields() -> dict[str, list[dict]]:
	"""Return the custom fields by doctype: those of ours, and those fields of ERPNext's loyalty doctypes that the
	installed ERPNext has and our files lack. ERPNext's own code reads them, and its versions differ."""
	fields = {doctype: list(ours) for doctype, ours in OURS.items()}
	for doctype in doctypes.DOCTYPES:
		if doctypes.definition_file(doctype, doctypes.ERPNEXT_MODULE).exists():
			if missing := _missing_fields(doctype):
				fields[doctype] = missing
	return fields


def _missing_fields(doctype: str) -> list[dict]:
	ours = {df["fieldname"] for df in doctypes.definition(doctype, doctypes.OUR_MODULE)["fields"]}
	taken = set(
		frappe.get_all(
			"Custom Field",
			filters={"dt": doctype, "module": ["!=", doctypes.OUR_MODULE]},
			pluck="fieldname",
		)
	)
	definition = doctypes.definition(doctype, doctypes.ERPNEXT_MODULE)
	by_name = {df["fieldname"]: df for df in definition["fields"]}
	missing, previous = [], None
	for fieldname in definition["field_order"]:
		df = by_name[fieldname]
		if fieldname not in ours and fieldname not in taken and df["fieldtype"] not in display_fieldtypes:
			missing.append(
				{key: df[key] for key in COPIED if key in df}
				| {"insert_after": previous, "module": doctypes.OUR_MODULE}
			)
		previous = fieldname
	return missing
