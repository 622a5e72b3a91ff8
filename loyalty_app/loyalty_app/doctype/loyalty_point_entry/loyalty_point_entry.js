// Copyright (c) 2026, loyalty_app maintainers
// For license information, please see license.txt

frappe.ui.form.on("Loyalty Point Entry", {
	refresh(frm) {
		// entries are the ledger's: nobody edits them, so nothing is offered to save
		frm.disable_save();
		// the date that stands for points that never expire
		frm.set_df_property("expiry_date", "formatter", (value) => loyalty_app.day(value));
		loyalty_app.show_promotions_given(frm);
		const { remaining_points } = frm.doc;
		frm.toggle_display("remaining_points", remaining_points !== 0);
		if (remaining_points < 0) {
			frm.set_intro(
				__("These points were spent, and then the invoice they came from was taken back. The next points earned make up for them."),
				"orange"
			);
		}
	},
});
