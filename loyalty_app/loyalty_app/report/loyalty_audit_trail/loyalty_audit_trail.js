frappe.query_reports["Loyalty Audit Trail"] = {
	filters: [
		...loyalty_app.report.who(),
		...loyalty_app.report.period(
			frappe.datetime.add_days(frappe.datetime.get_today(), -30),
			frappe.datetime.get_today()
		),
		{
			fieldname: "action",
			label: __("Entry Was"),
			fieldtype: "Select",
			options: [
				"",
				{ value: "Insert", label: __("Written") },
				{ value: "Update", label: __("Changed") },
				{ value: "Delete", label: __("Deleted") },
				{ value: "Mend", label: __("Counted Again") },
			],
		},
		{ fieldname: "event", label: __("Event"), fieldtype: "Data" },
		{ fieldname: "user", label: __("Who"), fieldtype: "Data" },
		{ fieldname: "invoice", label: __("Invoice"), fieldtype: "Data" },
		loyalty_app.report.rows(),
	],

	after_datatable_render: () => loyalty_app.report.name_some_bars(),

	formatter(value, row, column, data, default_formatter) {
		const shown = loyalty_app.report.cell(value, row, column, data, default_formatter);
		if (!data || column.fieldname !== "action") return shown;
		const color = { Insert: "green", Update: "purple", Delete: "red", Mend: "orange" }[data.kind];
		return `<span class="indicator-pill ${color}">${shown}</span>`;
	},
};
