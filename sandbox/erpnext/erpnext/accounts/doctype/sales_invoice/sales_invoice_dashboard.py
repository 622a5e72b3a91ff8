from frappe import _


def get_data():
	return {
		"fieldname": "sales_invoice",
		"non_standard_fieldnames": {
			"Payment Entry": "reference_name",
			"Sales Invoice": "return_against",
		},
		"internal_links": {"Sales Order": ["items", "sales_order"]},
		"transactions": [
			{"label": _("Payment"), "items": ["Payment Entry"]},
			{"label": _("Reference"), "items": ["Sales Order"]},
			{"label": _("Returns"), "items": ["Sales Invoice"]},
		],
	}
