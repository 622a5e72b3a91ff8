frappe.provide("frappe.dashboards.chart_sources");

frappe.dashboards.chart_sources["Loyalty Redemption Rate"] = {
	method: "loyalty_app.api.workspace.redemption_rate",
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
