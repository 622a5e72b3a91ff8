// Copyright (c) 2026, loyalty_app maintainers
// For license information, please see license.txt

frappe.listview_settings["Loyalty Program"] = {
	add_fields: ["from_date", "to_date"],
	hide_name_column: true,

	get_indicator(doc) {
		const today = frappe.datetime.get_today();
		if (doc.from_date > today) {
			return [__("Not Started"), "orange", "from_date,>,Today"];
		}
		if (doc.to_date && doc.to_date < today) {
			return [__("Ended"), "grey", "to_date,<,Today"];
		}
		return [__("Active"), "green", "from_date,<=,Today"];
	},
};
