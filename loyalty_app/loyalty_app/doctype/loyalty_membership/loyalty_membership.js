// Copyright (c) 2026, loyalty_app maintainers
// For license information, please see license.txt

frappe.ui.form.on("Loyalty Membership", {
	refresh(frm) {
		frm.disable_save();
		loyalty_app.show_summary(frm, {
			before: "customer",
			customer: frm.doc.customer,
			loyalty_program: frm.doc.loyalty_program,
		});
	},
});
