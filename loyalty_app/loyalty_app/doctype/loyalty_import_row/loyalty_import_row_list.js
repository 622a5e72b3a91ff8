// Copyright (c) 2026, loyalty_app maintainers
// For license information, please see license.txt

frappe.listview_settings["Loyalty Import Row"] = {
	add_fields: ["status"],
	hide_name_column: true,

	get_indicator(doc) {
		const colour = { Waiting: "gray", Ready: "blue", Refused: "red", Imported: "green", Undone: "orange" }[
			doc.status
		];
		return [__(doc.status), colour, `status,=,${doc.status}`];
	},
};
