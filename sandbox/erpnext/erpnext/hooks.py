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

boot_session = "erpnext.startup.boot.boot_session"

after_install = "erpnext.setup.install.after_install"

_selling_scripts = ["public/js/totals.js", "public/js/selling.js"]
doctype_js = {
	"Sales Invoice": _selling_scripts,
	"POS Invoice": _selling_scripts,
	"Sales Order": _selling_scripts,
}

treeviews = ["Account", "Cost Center", "Item Group", "Customer Group", "Territory"]

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
