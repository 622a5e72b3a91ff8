frappe.query_reports["Points Expiring"] = {
	filters: [
		...loyalty_app.report.who(),
		...loyalty_app.report.period(
			frappe.datetime.get_today(),
			frappe.datetime.add_days(frappe.datetime.add_months(frappe.datetime.get_today(), 12), -1)
		),
		{
			fieldname: "show",
			label: __("Show"),
			fieldtype: "Select",
			options: [
				{ value: "Months", label: __("Months") },
				{ value: "Customers", label: __("Customers") },
			],
			default: "Months",
		},
		loyalty_app.report.rows(),
	],

	after_datatable_render: () => loyalty_app.report.name_some_bars(),

	formatter(value, row, column, data, default_formatter) {
		const shown = loyalty_app.report.cell(value, row, column, data, default_formatter);
		if (!data || data.is_total || column.fieldname !== "points") return shown;
		if (data.customer) {
			return loyalty_app.report.link(shown, "Loyalty Point Ledger", {
				customer: data.customer,
				loyalty_program: data.loyalty_program,
				by_member: 1,
			});
		}
		return loyalty_app.report.link(shown, "Points Expiring", {
			from_date: data.from_date,
			to_date: data.to_date,
			loyalty_program: data.loyalty_program,
			show: "Customers",
		});
	},
};
