// Copyright (c) 2026, loyalty_app maintainers
// For license information, please see license.txt

frappe.listview_settings["Loyalty Membership"] = {
	add_fields: ["active", "balance"],
	hide_name_column: true,

	get_indicator(doc) {
		if (doc.balance < 0) {
			return [__("Negative Balance"), "red", "balance,<,0"];
		}
		return doc.active ? [__("Active"), "green", "active,=,1"] : [__("Left"), "grey", "active,=,0"];
	},
};
