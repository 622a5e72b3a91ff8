import frappe


def boot_session(bootinfo):
	"""Send what forms need to know of every company the user may read."""
	if frappe.session.user == "Guest" or not frappe.has_permission("Company", "read"):
		return
	companies = frappe.get_list(
		"Company", fields=["name", "abbr", "default_currency", "cost_center", "country"], limit_page_length=0
	)
	bootinfo.docs += [frappe._dict(company, doctype=":Company") for company in companies]
