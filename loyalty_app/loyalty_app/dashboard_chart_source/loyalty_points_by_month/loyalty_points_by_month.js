frappe.provide("frappe.dashboards.chart_sources");

frappe.dashboards.chart_sources["Loyalty Points by Month"] = {
	method: "loyalty_app.api.workspace.points_by_month",
	filters: loyalty_app.report.of_charts(),
};
