// Copyright (c) 2026, loyalty_app maintainers
// For license information, please see license.txt

frappe.listview_settings["Loyalty Promotion"] = {
	add_fields: ["enabled", "from_date", "to_date"],
	hide_name_column: true,

	get_indicator(doc) {
		const today = frappe.datetime.get_today();
		if (!doc.enabled) {
			return [__("Disabled"), "grey", "enabled,=,0"];
		}
		if (doc.from_date > today) {
			return [__("Not Started"), "orange", "enabled,=,1|from_date,>,Today"];
		}
		if (doc.to_date && doc.to_date < today) {
			return [__("Ended"), "grey", "enabled,=,1|to_date,<,Today"];
		}
		return [__("Active"), "green", "enabled,=,1|from_date,<=,Today"];
	},
};
