// Copyright (c) 2026, loyalty_app maintainers
// For license information, please see license.txt

frappe.ui.form.on("Loyalty Promotion", {
	onload(frm) {
		if (frm.is_new() && !frm.doc.promotion_name) frm.events.offer_to_all(frm);
	},

	// A new document gets the site's defaults for new customers; a promotion's empty group and territory mean all.
	offer_to_all(frm) {
		for (const [field, doctype] of [
			["customer_group", "Customer Group"],
			["customer_territory", "Territory"],
		]) {
			const defaults = [field, doctype].map((key) => frappe.defaults.get_user_default(key));
			if (defaults.includes(frm.doc[field])) frm.doc[field] = null;
		}
	},

	refresh(frm) {
		frm.events.offer_tiers(frm);
	},

	loyalty_program(frm) {
		frm.set_value("tier", null);
		frm.events.offer_tiers(frm);
	},

	async offer_tiers(frm) {
		const program = frm.doc.loyalty_program;
		const rules = program
			? (await frappe.model.with_doc("Loyalty Program", program))?.collection_rules || []
			: [];
		if (program === frm.doc.loyalty_program) {
			frm.set_df_property(
				"tier",
				"options",
				rules.map((row) => row.tier_name)
			);
		}
	},
});

frappe.ui.form.on("Loyalty Promotion Item", {
	apply_to(frm, cdt, cdn) {
		frappe.model.set_value(cdt, cdn, "apply_to_value", null);
	},
});

frappe.ui.form.on("Loyalty Program Exclusion", {
	exclude_type(frm, cdt, cdn) {
		if (frm.doctype === "Loyalty Promotion") frappe.model.set_value(cdt, cdn, "exclude_value", null);
	},
});
