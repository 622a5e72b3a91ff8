// Copyright (c) 2026, loyalty_app maintainers
// For license information, please see license.txt

const INVOICES = ["Sales Invoice", "POS Invoice"];

frappe.ui.form.on("Loyalty Point Adjustment", {
	setup(frm) {
		frm.set_query("to_customer", () => ({
			filters: { loyalty_program: frm.doc.loyalty_program, name: ["!=", frm.doc.customer] },
		}));
		frm.set_query("reference_doctype", () => ({ filters: { issingle: 0, istable: 0 } }));
		frm.set_query("reference_name", () => ({
			filters: INVOICES.includes(frm.doc.reference_doctype) ? { customer: frm.doc.customer } : {},
		}));
	},

	refresh(frm) {
		// the date that stands for points that never expire
		frm.set_df_property("expiry_date", "formatter", (value) => loyalty_app.day(value));
		loyalty_app.show_outcome(frm);
	},

	async customer(frm) {
		const { customer } = frm.doc;
		if (!customer) return;
		const { message } = await frappe.db.get_value("Customer", customer, "loyalty_program");
		if (frm.doc.customer === customer) await frm.set_value("loyalty_program", message.loyalty_program);
		loyalty_app.show_outcome(frm);
	},

	reason(frm) {
		if (frm.doc.reason !== "Transfer" && frm.doc.to_customer) frm.set_value("to_customer", null);
		loyalty_app.show_outcome(frm);
	},

	reference_doctype: (frm) => frm.set_value("reference_name", null),
	to_customer: (frm) => loyalty_app.show_outcome(frm),
	loyalty_program: (frm) => loyalty_app.show_outcome(frm),
	points: (frm) => loyalty_app.show_outcome(frm),
	posting_date: (frm) => loyalty_app.show_outcome(frm),
	expiry_date: (frm) => loyalty_app.show_outcome(frm),
});
