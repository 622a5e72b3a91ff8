// Copyright (c) 2026, loyalty_app maintainers
// For license information, please see license.txt

frappe.provide("erpnext.accounts.dimensions");

const ONE_TIER = "Single Tier Program";

// what the program comes to is said again
function on_change(fields) {
	return Object.fromEntries(fields.map((field) => [field, (frm) => loyalty_app.show_program_terms(frm)]));
}

frappe.ui.form.on("Loyalty Program", {
	setup(frm) {
		const leaf_of_company = (filters) => () => ({
			filters: { company: frm.doc.company, is_group: 0, disabled: 0, ...filters },
		});
		frm.set_query("expense_account", leaf_of_company({ root_type: "Expense" }));
		frm.set_query("cost_center", leaf_of_company());
		loyalty_app.show_program_help(frm);
	},

	before_load: (frm) => loyalty_app.begin_for_everybody(frm),

	onload(frm) {
		erpnext.accounts.dimensions.setup_dimension_filters?.(frm, frm.doctype);
	},

	refresh(frm) {
		frm.events.limit_rows(frm);
		loyalty_app.show_program_terms(frm);
		loyalty_app.show_program_standing(frm);
		if (!frm.is_new() && frm.doc.auto_opt_in && frm.perm[0].write) {
			frm.add_custom_button(__("Enrol existing customers"), () => loyalty_app.enrol(frm));
		}
		loyalty_app.follow_enrolment(frm);
	},

	company(frm) {
		frm.set_value({ expense_account: null, cost_center: null });
		erpnext.accounts.dimensions.update_dimension?.(frm, frm.doctype);
		loyalty_app.show_program_terms(frm);
	},

	loyalty_program_type(frm) {
		const rows = frm.doc.collection_rules || [];
		if (frm.doc.loyalty_program_type !== ONE_TIER || rows.length < 2) {
			frm.events.limit_rows(frm);
			return;
		}
		frappe.confirm(
			__("A Single Tier Program has one row. Keep the first, {0}, and delete the others?", [
				frappe.utils.escape_html(rows[0].tier_name || __("Row {0}", [1])).bold(),
			]),
			() => {
				frm.doc.collection_rules = [rows[0]];
				frm.refresh_field("collection_rules");
				frm.events.limit_rows(frm);
				loyalty_app.show_program_terms(frm);
			},
			() => frm.set_value("loyalty_program_type", "Multiple Tier Program")
		);
	},

	// one row is all a program with a single tier has
	limit_rows(frm) {
		const full = frm.doc.loyalty_program_type === ONE_TIER && (frm.doc.collection_rules || []).length > 0;
		frm.set_df_property("collection_rules", "cannot_add_rows", full);
	},

	...on_change([
		"to_date",
		"earn_on",
		"tier_period",
		"tier_period_months",
		"tier_downgrade",
		"conversion_factor",
		"maturity_days",
		"expiry_duration",
		"minimum_redemption_points",
		"redemption_step",
		"maximum_redemption_share",
	]),
});

frappe.ui.form.on("Loyalty Program Collection", {
	collection_rules_add: (frm) => frm.events.limit_rows(frm),
	collection_rules_remove(frm) {
		frm.events.limit_rows(frm);
		loyalty_app.show_program_terms(frm);
	},
	...on_change(["tier_name", "min_spent", "collection_factor"]),
});

frappe.ui.form.on("Loyalty Program Exclusion", {
	exclude_type(frm, cdt, cdn) {
		frappe.model.set_value(cdt, cdn, "exclude_value", null);
	},
	...on_change(["exclude_value", "exclusions_remove"]),
});
