def get_data():
	"""Return what a Loyalty Promotion's form leads to. The desk translates labels: Frappe keeps this for users of all
	languages."""
	return {
		"fieldname": "promotion",
		"transactions": [],
		"reports": [{"label": "Reports", "items": ["Loyalty Promotion Performance"]}],
	}
