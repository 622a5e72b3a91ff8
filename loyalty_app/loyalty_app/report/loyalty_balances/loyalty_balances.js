frappe.query_reports["Loyalty Balances"] = {
	filters: [
		...loyalty_app.report.who(),
		{
			fieldname: "on_date",
			label: __("On"),
			fieldtype: "Date",
			default: frappe.datetime.get_today(),
		},
		{
			fieldname: "show",
			label: __("Show"),
			fieldtype: "Select",
			options: [
				{ value: "Members", label: __("Members") },
				{ value: "Programs", label: __("Programs") },
			],
			default: "Members",
		},
		{ fieldname: "tier", label: __("Tier"), fieldtype: "Data" },
		{ fieldname: "active_only", label: __("Without Those Who Left"), fieldtype: "Check" },
		{ fieldname: "hide_zero", label: __("Hide Zero Balances"), fieldtype: "Check" },
		loyalty_app.report.rows(),
	],

	formatter(value, row, column, data, default_formatter) {
		const shown = loyalty_app.report.cell(value, row, column, data, default_formatter);
		if (!data || data.is_total || column.fieldname !== "balance") return shown;
		if (data.customer) {
			return loyalty_app.report.link(shown, "Loyalty Point Ledger", {
				customer: data.customer,
				loyalty_program: data.loyalty_program,
				by_member: 1,
			});
		}
		return loyalty_app.report.link(shown, "Loyalty Balances", {
			...loyalty_app.report.filters("on_date", "company"),
			loyalty_program: data.loyalty_program,
			show: "Members",
		});
	},
};
