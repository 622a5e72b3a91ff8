from loyalty_app.setup.versions import extends_doctype_classes as _extends_doctype_classes

app_name = "loyalty_app"
app_title = "Loyalty App"
app_publisher = "loyalty_app maintainers"
app_description = "Loyalty programs for ERPNext"
app_license = "GPL-3.0-or-later"
app_logo_url = "/assets/loyalty_app/images/loyalty-logo.svg"
app_home = "/app/loyalty"
required_apps = ["frappe/erpnext"]

add_to_apps_screen = [
	{
		"name": app_name,
		"logo": app_logo_url,
		"title": app_title,
		"route": app_home,
		"has_permission": "loyalty_app.setup.permissions.may_see_app",
	}
]

# Installing
before_install = "loyalty_app.setup.install.before_install"
after_install = "loyalty_app.setup.install.after_install"
before_migrate = "loyalty_app.setup.install.before_migrate"
after_migrate = "loyalty_app.setup.install.after_migrate"
before_uninstall = "loyalty_app.setup.uninstall.before_uninstall"
after_uninstall = "loyalty_app.setup.uninstall.after_uninstall"

# The desk
app_include_js = "loyalty.bundle.js"
app_include_css = "loyalty.bundle.css"
doctype_js = {
	"Sales Invoice": "public/js/sales_invoice.js",
	"POS Invoice": "public/js/pos_invoice.js",
	"Customer": "public/js/customer.js",
}
page_js = {"point-of-sale": "public/js/point_of_sale.js"}
override_doctype_dashboards = {"Customer": "loyalty_app.overrides.customer.connections"}

# Documents of ERPNext
doc_events = {
	("Sales Invoice", "POS Invoice"): {
		"before_validate": "loyalty_app.overrides.invoice.before_validate",
		"validate": "loyalty_app.overrides.invoice.validate",
		"before_submit": "loyalty_app.overrides.invoice.before_submit",
		"on_submit": "loyalty_app.overrides.invoice.on_submit",
		"before_cancel": "loyalty_app.overrides.invoice.before_cancel",
		"on_cancel": "loyalty_app.overrides.invoice.on_cancel",
	},
	"Customer": {
		"before_validate": "loyalty_app.overrides.customer.before_validate",
		"validate": "loyalty_app.overrides.customer.validate",
		"on_update": "loyalty_app.overrides.customer.on_update",
		"before_rename": "loyalty_app.overrides.customer.before_rename",
		"after_rename": "loyalty_app.overrides.customer.after_rename",
		"on_trash": "loyalty_app.overrides.customer.on_trash",
	},
	# Who listens to what the ledger writes
	("Webhook", "Server Script", "Notification"): {
		"on_update": "loyalty_app.ledger.listeners.forget",
		"on_trash": "loyalty_app.ledger.listeners.forget",
	},
	"Personal Data Deletion Request": {"on_update": "loyalty_app.overrides.personal_data.on_update"},
	"Transaction Deletion Record": {
		"on_change": "loyalty_app.overrides.transaction_deletion_record.on_change",
	},
}

# Programs and promotions are no transactions: ERPNext keeps them when it deletes all transactions of a company
company_data_to_be_ignored = ["Loyalty Program", "Loyalty Promotion"]

# ERPNext's own writing of entries stands down; a person's data has their points. One of the two, never both: together their classes clash.
if _extends_doctype_classes():
	extend_doctype_class = {
		"Sales Invoice": "loyalty_app.overrides.invoice.LoyaltyInvoiceMixin",
		"POS Invoice": "loyalty_app.overrides.invoice.LoyaltyInvoiceMixin",
		"Personal Data Download Request": "loyalty_app.overrides.personal_data.LoyaltyDownloadMixin",
	}
else:
	override_doctype_class = {
		"Sales Invoice": "loyalty_app.overrides.sales_invoice.LoyaltySalesInvoice",
		"POS Invoice": "loyalty_app.overrides.pos_invoice.LoyaltyPOSInvoice",
		"Personal Data Download Request": "loyalty_app.overrides.personal_data.LoyaltyPersonalDataDownloadRequest",
	}

# ERPNext's unguarded loyalty methods, replaced where they are called over HTTP
override_whitelisted_methods = {
	"erpnext.accounts.doctype.loyalty_program.loyalty_program.get_loyalty_program_details_with_points": "loyalty_app.api.erpnext.get_loyalty_program_details_with_points",
	"erpnext.accounts.doctype.loyalty_program.loyalty_program.get_loyalty_program_details": "loyalty_app.api.erpnext.get_loyalty_program_details",
	"erpnext.accounts.doctype.loyalty_program.loyalty_program.get_redeemption_factor": "loyalty_app.api.erpnext.get_redeemption_factor",
	"erpnext.accounts.doctype.sales_invoice.sales_invoice.get_loyalty_programs": "loyalty_app.api.erpnext.get_loyalty_programs",
	"erpnext.selling.page.point_of_sale.point_of_sale.set_customer_info": "loyalty_app.api.erpnext.set_customer_info",
}

# Errors of the public API have a code, whoever answers them
after_request = ["loyalty_app.api.endpoint.complete"]

standard_portal_menu_items = [
	{
		"title": "Loyalty Points",
		"route": "/loyalty",
		"reference_doctype": "Loyalty Membership",
		"role": "Customer",
	}
]

# Website users see and print the memberships of the customers they stand for
has_website_permission = {"Loyalty Membership": "loyalty_app.portal.has_website_permission"}

# The log and runs outlive the documents they tell of
ignore_links_on_delete = ["Loyalty Point Log", "Loyalty Ledger Run"]

scheduler_events = {
	"daily_long": [
		"loyalty_app.ledger.runs.start_expiry",
		"loyalty_app.ledger.runs.start_tiers",
		"loyalty_app.ledger.runs.start_verification",
		"loyalty_app.ledger.runs.start_notices",
		"loyalty_app.enrolment.start_begun",
	],
	"hourly": ["loyalty_app.ledger.runs.resume_stalled"],
}

default_log_clearing_doctypes = {"Loyalty Ledger Run": 90}
