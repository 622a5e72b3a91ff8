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
		if (frappe.model.can_read("Loyalty Point Entry")) {
			frm.add_custom_button(__("Statement"), () => 
				loyalty_app.show_statement({ membership: frm.doc.name, customer: frm.doc.customer })
			);
		}
	},
});
