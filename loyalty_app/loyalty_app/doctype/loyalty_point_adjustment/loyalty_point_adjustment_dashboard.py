def get_data():
	"""Return what a Loyalty Point Adjustment's form lists as connected. The desk translates
	labels: Frappe keeps this for users of all languages."""
	return {
		"fieldname": "loyalty_point_adjustment",
		"internal_links": {
			"Customer": "customer",
			"Loyalty Membership": "membership",
			"Loyalty Program": "loyalty_program",
		},
		"transactions": [
			{"label": "Member", "items": ["Customer", "Loyalty Membership", "Loyalty Program"]},
		],
	}
