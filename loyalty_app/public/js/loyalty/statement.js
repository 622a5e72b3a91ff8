// Asks for a period and opens a member's statement of it, a PDF in the customer's language.

function periods() {
	const { add_days, add_months, get_today, month_start, year_start } = frappe.datetime;
	const this_month = month_start();
	const this_year = year_start();
	return [
		[__("Since last month"), add_months(this_month, -1), get_today()],
		[__("Last month"), add_months(this_month, -1), add_days(this_month, -1)],
		[__("This month"), this_month, get_today()],
		[__("Last three months"), add_months(this_month, -2), get_today()],
		[__("This year"), this_year, get_today()],
		[__("Last year"), add_months(this_year, -12), add_days(this_year, -1)],
	];
}

export async function show_statement({ membership, customer }) {
	const choices = periods();
	const other = __("Other days");
	const date = (fieldname, label, value) => ({ fieldname, label, fieldtype: "Date", reqd: 1, default: value });
	const dialog = new frappe.ui.Dialog({
		title: __("Loyalty Statement"),
		fields: [
			{
				fieldname: "period",
				label: __("Period"),
				fieldtype: "Select",
				options: [...choices.map(([name]) => name), other],
				default: choices[0][0],
			},
			date("from_date", __("From Date"), choices[0][1]),
			date("to_date", __("To Date"), choices[0][2]),
			{
				fieldname: "language",
				label: __("Language"),
				fieldtype: "Link",
				options: "Language",
				default: frappe.boot.lang,
			},
		],
		primary_action_label: __("Open PDF"),
		primary_action: ({ from_date, to_date, language }) => {
			if (from_date > to_date) {
				frappe.msgprint(__("From Date must not be after To Date"));
				return;
			}
			const query = new URLSearchParams({ membership, from_date, to_date, language: language || "" });
			window.open(`/api/method/loyalty_app.api.statement.pdf?${query}`);
			dialog.hide();
		},
	});
	dialog.show();
	const { period, from_date, to_date } = dialog.fields_dict;
	period.$input.on("change", () => {
		const [, first, last] = choices.find(([name]) => name === period.$input.val()) || [];
		if (first) dialog.set_values({ from_date: first, to_date: last });
	});
	for (const { $input } of [from_date, to_date]) $input.on("change", () => dialog.set_value("period", other));
	const found = await frappe.db.get_value("Customer", customer, "language");
	if (found.message?.language) dialog.set_value("language", found.message.language);
}
