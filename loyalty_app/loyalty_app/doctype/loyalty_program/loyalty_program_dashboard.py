from frappe import _


def get_data():
	"""Return what a Loyalty Program's form lists as connected."""
	return {
		"fieldname": "loyalty_program",
		"transactions": [
			{"label": _("Members"), "items": ["Customer", "Loyalty Membership"]},
			{
				"label": _("Points"),
				"items": ["Loyalty Point Entry", "Loyalty Point Adjustment", "Loyalty Point Log"],
			},
			{"label": _("Invoices"), "items": ["Sales Invoice", "POS Invoice"]},
		],
	}
