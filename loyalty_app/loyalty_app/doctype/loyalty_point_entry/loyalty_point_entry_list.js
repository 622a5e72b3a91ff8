// Copyright (c) 2026, loyalty_app maintainers
// For license information, please see license.txt

frappe.listview_settings["Loyalty Point Entry"] = {
	add_fields: [
		"entry_type",
		"loyalty_points",
		"remaining_points",
		"expiry_date",
		"posting_date",
		"spendable_from",
	],
	hide_name_column: true,

	get_indicator(doc) {
		if (doc.remaining_points < 0) {
			return [__("Shortfall"), "red", "remaining_points,<,0"];
		}
		if (doc.entry_type === "Redeemed") {
			return [__("Redeemed"), "blue", "entry_type,=,Redeemed"];
		}
		if (doc.entry_type === "Expired") {
			return [__("Expired"), "grey", "entry_type,=,Expired"];
		}
		// good through its date: expired from the day after, whether or not the nightly job has closed it
		if (doc.loyalty_points > 0 && doc.expiry_date < frappe.datetime.get_today()) {
			return [__("Expired"), "grey", "loyalty_points,>,0|expiry_date,<,Today"];
		}
		if (doc.remaining_points > 0 && doc.spendable_from > frappe.datetime.get_today()) {
			return [__("Pending"), "yellow", "remaining_points,>,0|spendable_from,>,Today"];
		}
		if (doc.entry_type === "Adjusted") {
			return [__("Adjusted"), "purple", "entry_type,=,Adjusted"];
		}
		return [__("Earned"), "green", "entry_type,=,Earned"];
	},

	formatters: {
		// Frappe lets a sign wander behind its number in Arabic
		loyalty_points: (value) => loyalty_app.number(value),
		expiry_date(value) {
			// the date that stands for points that never expire
			return value && value.startsWith("9999-12-31") ? __("Never") : frappe.datetime.str_to_user(value);
		},
	},
};
