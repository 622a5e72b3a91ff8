frappe.provide("frappe.dashboards.chart_sources");

frappe.dashboards.chart_sources["Loyalty Redemption Rate"] = {
	method: "loyalty_app.api.workspace.redemption_rate",
	filters: loyalty_app.report.of_charts(),
};
