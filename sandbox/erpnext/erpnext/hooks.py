app_name = "erpnext"
app_title = "ERPNext"
app_publisher = "loyalty_app contributors"
app_description = "Stand-in for ERPNext: the documents a loyalty program touches"
app_email = "loyalty_app@example.com"
app_license = "GPL-3.0-or-later"
app_logo_url = "/assets/erpnext/images/erpnext-logo.svg"
app_home = "/app/accounting"

add_to_apps_screen = [
	{
		"name": "erpnext",
		"logo": "/assets/erpnext/images/erpnext-logo.svg",
		"title": "ERPNext",
		"route": "/app/accounting",
	}
]

after_install = "erpnext.setup.install.after_install"

treeviews = ["Account", "Cost Center", "Item Group", "Customer Group", "Territory"]

# what of the global defaults a document inherits by field name
global_search_doctypes = {
	"Default": [
		{"doctype": "Customer", "index": 0},
		{"doctype": "Item", "index": 1},
		{"doctype": "Sales Invoice", "index": 2},
	]
}

scheduler_events = {
	"daily": ["erpnext.controllers.accounts_controller.update_invoice_status"],
}
