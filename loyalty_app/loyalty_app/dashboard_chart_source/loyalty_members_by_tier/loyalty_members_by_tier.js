frappe.provide("frappe.dashboards.chart_sources");

frappe.dashboards.chart_sources["Loyalty Members by Tier"] = {
	method: "loyalty_app.api.workspace.members_by_tier",
	filters: loyalty_app.report.of_charts(),
};
