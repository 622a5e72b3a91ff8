frappe.ui.form.on("Customer", {
	setup(frm) {
		frm.set_query("customer_group", () => ({ filters: { is_group: 0 } }));
		frm.set_query("account", "accounts", (doc, cdt, cdn) => ({
			filters: { account_type: "Receivable", company: locals[cdt][cdn].company, is_group: 0 },
		}));
	},

	refresh(frm) {
		const all = (frm.doc.__onload && frm.doc.__onload.dashboard_info) || [];
		const company = frappe.defaults.get_user_default("Company");
		const info = all.find((row) => row.company === company) || all[0];
		if (frm.is_new() || !info) return;
		frm.dashboard.add_indicator(
			__("Annual Billing: {0}", [format_currency(info.billing_this_year, info.currency)]),
			"blue"
		);
		frm.dashboard.add_indicator(
			__("Total Unpaid: {0}", [format_currency(info.total_unpaid, info.currency)]),
			info.total_unpaid ? "orange" : "green"
		);
		if (info.loyalty_points) {
			frm.dashboard.add_indicator(__("Loyalty Points: {0}", [info.loyalty_points]), "green");
		}
	},

	loyalty_program(frm) {
		if (frm.doc.loyalty_program) frm.set_value("loyalty_program_tier", null);
	},
});
