frappe.query_reports["Loyalty Point Ledger"] = {
	filters: [
		...loyalty_app.report.who(),
		...loyalty_app.report.period(
			frappe.datetime.add_months(frappe.datetime.month_start(), -1),
			frappe.datetime.get_today()
		),
		{ fieldname: "by_member", label: __("By Member"), fieldtype: "Check" },
		{ fieldname: "show_deleted", label: __("Show Deleted Entries"), fieldtype: "Check" },
		loyalty_app.report.rows(),
	],

	after_datatable_render: () => loyalty_app.report.name_some_bars(),

	formatter(value, row, column, data, default_formatter) {
		const shown = loyalty_app.report.cell(value, row, column, data, default_formatter);
		if (!data || data.bold) return shown;
		// in and out as in a bank statement: the other side is empty
		if (["points_in", "points_out"].includes(column.fieldname) && !value) return "";
		if (column.fieldname === "movement") return loyalty_app.report.pill(shown, data);
		return data.deleted && value ? `<span class="text-muted">${shown}</span>` : shown;
	},
};
