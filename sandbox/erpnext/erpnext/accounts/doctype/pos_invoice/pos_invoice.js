frappe.ui.form.on("POS Invoice", {
	setup(frm) {
		frm.set_query("pos_profile", () => ({ filters: { company: frm.doc.company, disabled: 0 } }));
	},

	refresh(frm) {
		if (frm.doc.docstatus === 1 && !frm.doc.is_return) {
			frm.add_custom_button(
				__("Return"),
				() =>
					frappe.model.open_mapped_doc({
						method: "erpnext.accounts.doctype.pos_invoice.pos_invoice.make_sales_return",
						frm: frm,
					}),
				__("Create")
			);
		}
	},

	async pos_profile(frm) {
		if (!frm.doc.pos_profile || (frm.doc.payments || []).length) return;
		const profile = await frappe.db.get_doc("POS Profile", frm.doc.pos_profile);
		profile.payments.forEach((row) =>
			frm.add_child("payments", { mode_of_payment: row.mode_of_payment, default: row.default })
		);
		frm.refresh_field("payments");
	},

	loyalty_amount: (frm) => erpnext.Totals.refresh(frm),

	async redeem_loyalty_points(frm) {
		if (!frm.doc.customer || !cint(frm.doc.redeem_loyalty_points)) return;
		const { message } = await frappe.call(
			"erpnext.accounts.doctype.loyalty_program.loyalty_program.get_loyalty_program_details",
			{ customer: frm.doc.customer, loyalty_program: frm.doc.loyalty_program, company: frm.doc.company }
		);
		frm.set_value("loyalty_redemption_account", message.expense_account);
		frm.set_value("loyalty_redemption_cost_center", message.cost_center);
		frm.redemption_conversion_factor = message.conversion_factor;
	},

	loyalty_points(frm) {
		const factor = frm.redemption_conversion_factor;
		if (factor) frm.set_value("loyalty_amount", flt(factor * frm.doc.loyalty_points, precision("loyalty_amount")));
	},
});
