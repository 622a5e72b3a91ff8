from frappe import _


def get_data():
	return {
		"heatmap": False,
		"fieldname": "customer",
		"non_standard_fieldnames": {"Payment Entry": "party"},
		"transactions": [
			{"label": _("Orders"), "items": ["Sales Order", "Sales Invoice"]},
			{"label": _("Payments"), "items": ["Payment Entry"]},
		],
	}
