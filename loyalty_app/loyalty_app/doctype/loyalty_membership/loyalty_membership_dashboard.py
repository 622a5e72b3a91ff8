def get_data():
	"""Return what a Loyalty Membership's form lists as connected. The desk translates
	labels: Frappe keeps this for users of all languages."""
	return {
		"fieldname": "membership",
		"internal_links": {"Customer": "customer", "Loyalty Program": "loyalty_program"},
		"transactions": [
			{
				"label": "Points",
				"items": ["Loyalty Point Entry", "Loyalty Point Adjustment", "Loyalty Point Log"],
			},
			{"label": "Member", "items": ["Customer", "Loyalty Program"]},
		],
	}
