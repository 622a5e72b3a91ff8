def get_data():
	"""Return what a Loyalty Program's form lists as connected. The desk translates
	labels: Frappe keeps this for users of all languages."""
	return {
		"fieldname": "loyalty_program",
		"transactions": [
			{"label": "Promotions", "items": ["Loyalty Promotion"]},
			{"label": "Members", "items": ["Customer", "Loyalty Membership"]},
			{
				"label": "Points",
				"items": ["Loyalty Point Entry", "Loyalty Point Adjustment", "Loyalty Point Log"],
			},
			{"label": "Invoices", "items": ["Sales Invoice", "POS Invoice"]},
		],
	}
