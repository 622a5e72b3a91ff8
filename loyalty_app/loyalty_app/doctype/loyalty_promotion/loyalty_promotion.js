// Copyright (c) 2026, loyalty_app maintainers
// For license information, please see license.txt

frappe.ui.form.on("Loyalty Promotion", {
	before_load: (frm) => loyalty_app.begin_for_everybody(frm),

	refresh(frm) {
		frm.events.offer_tiers(frm);
		loyalty_app.show_promotion_terms(frm);
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
		if (program !== frm.doc.loyalty_program) return;
		const tiers = rules.map((row) => row.tier_name);
		frm.fields_dict.tier.df.options = tiers;
		frm.fields_dict.tier.set_data(tiers);
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
