from frappe import _


def get_data():
	"""Return what a Loyalty Point Adjustment's form lists as connected."""
	return {
		"fieldname": "loyalty_point_adjustment",
		"internal_links": {
			"Customer": "customer",
			"Loyalty Membership": "membership",
			"Loyalty Program": "loyalty_program",
		},
		"transactions": [
			{"label": _("Member"), "items": ["Customer", "Loyalty Membership", "Loyalty Program"]},
		],
	}
