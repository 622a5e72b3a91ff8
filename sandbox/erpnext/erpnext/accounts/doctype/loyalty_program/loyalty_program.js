frappe.ui.form.on("Loyalty Program", {
	onload(frm) {
		frm.set_query("expense_account", (doc) => ({
			filters: { root_type: "Expense", is_group: 0, company: doc.company },
		}));
		frm.set_query("cost_center", (doc) => ({ filters: { is_group: 0, company: doc.company } }));
		if (frm.is_new() && !frm.doc.company) {
			frm.set_value("company", frappe.defaults.get_user_default("Company"));
		}
	},
});
