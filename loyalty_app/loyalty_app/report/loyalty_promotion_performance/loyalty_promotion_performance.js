frappe.query_reports["Loyalty Promotion Performance"] = {
	filters: [
		...loyalty_app.report.who(),
		...loyalty_app.report.period(
			frappe.datetime.add_days(frappe.datetime.add_months(frappe.datetime.month_end(), -12), 1),
			frappe.datetime.month_end()
		),
		{
			fieldname: "promotion",
			label: __("Promotion"),
			fieldtype: "Link",
			options: "Loyalty Promotion",
			get_query: () => ({ filters: loyalty_app.report.filters("company", "loyalty_program") }),
		},
		{
			fieldname: "show_by",
			label: __("By"),
			fieldtype: "Select",
			options: [
				{ value: "Promotion", label: __("Promotion") },
				{ value: "Invoice", label: __("Invoice") },
			],
			default: "Promotion",
		},
		{ ...loyalty_app.report.rows(), depends_on: "eval:doc.show_by === 'Invoice'" },
	],

	formatter(value, row, column, data, default_formatter) {
		const shown = loyalty_app.report.cell(value, row, column, data, default_formatter);
		if (!data || data.is_total || !data.invoices || column.fieldname !== "invoices") return shown;
		return loyalty_app.report.link(shown, "Loyalty Promotion Performance", {
			...loyalty_app.report.filters("customer", "from_date", "to_date"),
			promotion: data.promotion,
			show_by: "Invoice",
		});
	},
};
