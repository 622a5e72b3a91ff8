from frappe import _


def get_data():
	"""Return what a Loyalty Membership's form lists as connected."""
	return {
		"fieldname": "membership",
		"internal_links": {"Customer": "customer", "Loyalty Program": "loyalty_program"},
		"transactions": [
			{
				"label": _("Points"),
				"items": ["Loyalty Point Entry", "Loyalty Point Adjustment", "Loyalty Point Log"],
			},
			{"label": _("Member"), "items": ["Customer", "Loyalty Program"]},
		],
	}
