// Copyright (c) 2026, loyalty_app maintainers
// For license information, please see license.txt

frappe.ui.form.on("Loyalty Point Log", {
	refresh(frm) {
		// the log is the ledger's: nobody edits it, so nothing is offered to save
		frm.disable_save();
	},
});
