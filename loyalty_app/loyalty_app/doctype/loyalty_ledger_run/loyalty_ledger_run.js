// Copyright (c) 2026, loyalty_app maintainers
// For license information, please see license.txt

frappe.ui.form.on("Loyalty Ledger Run", {
	refresh(frm) {
		frm.disable_save();
		if (!frm.is_new()) loyalty_app.follow_run(frm);
	},
});
