frappe.provide("frappe.dashboards.chart_sources");

frappe.dashboards.chart_sources["Loyalty Members by Tier"] = {
	method: "loyalty_app.api.workspace.members_by_tier",
	filters: [
		{ fieldname: "company", label: __("Company"), fieldtype: "Link", options: "Company" },
		{
			fieldname: "loyalty_program",
			label: __("Loyalty Program"),
			fieldtype: "Link",
			options: "Loyalty Program",
		},
	],
};
