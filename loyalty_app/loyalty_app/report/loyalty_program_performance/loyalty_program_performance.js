frappe.query_reports["Loyalty Program Performance"] = {
	filters: [
		...loyalty_app.report.who(),
		...loyalty_app.report.period(
			frappe.datetime.add_days(frappe.datetime.add_months(frappe.datetime.month_end(), -12), 1),
			frappe.datetime.month_end()
		),
		{
			fieldname: "show_by",
			label: __("By"),
			fieldtype: "Select",
			options: [
				{ value: "Month", label: __("Month") },
				{ value: "Quarter", label: __("Quarter") },
				{ value: "Tier", label: __("Tier") },
			],
			default: "Month",
		},
	],

	after_datatable_render: () => loyalty_app.report.name_some_bars(),

	formatter(value, row, column, data, default_formatter) {
		const shown = loyalty_app.report.cell(value, row, column, data, default_formatter);
		if (!data || data.is_total || !data.from_date || column.fieldname !== "period") return shown;
		return loyalty_app.report.link(shown, "Loyalty Point Ledger", {
			from_date: data.from_date,
			to_date: data.to_date,
			loyalty_program: data.loyalty_program,
		});
	},
};
