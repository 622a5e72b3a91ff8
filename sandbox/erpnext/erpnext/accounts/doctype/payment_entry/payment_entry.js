frappe.ui.form.on("Payment Entry", {
	setup(frm) {
		const of_company = (types) => () => ({
			filters: { company: frm.doc.company, is_group: 0, account_type: ["in", types] },
		});
		frm.set_query("party_type", () => ({ filters: { name: "Customer" } }));
		frm.set_query("paid_from", () =>
			of_company(frm.doc.payment_type === "Pay" ? ["Bank", "Cash"] : ["Receivable"])()
		);
		frm.set_query("paid_to", () =>
			of_company(frm.doc.payment_type === "Pay" ? ["Receivable"] : ["Bank", "Cash"])()
		);
		frm.set_query("reference_doctype", "references", () => ({ filters: { name: "Sales Invoice" } }));
		frm.set_query("reference_name", "references", () => ({
			filters: { docstatus: 1, customer: frm.doc.party, outstanding_amount: ["!=", 0] },
		}));
	},

	async party(frm) {
		if (!frm.doc.party || !frm.doc.company) return;
		const { message } = await frappe.call("erpnext.accounts.party.get_party_account", {
			party_type: "Customer",
			party: frm.doc.party,
			company: frm.doc.company,
		});
		frm.set_value(frm.doc.payment_type === "Pay" ? "paid_to" : "paid_from", message);
	},

	async mode_of_payment(frm) {
		if (!frm.doc.mode_of_payment || !frm.doc.company) return;
		const { message } = await frappe.call(
			"erpnext.accounts.doctype.sales_invoice.sales_invoice.get_bank_cash_account",
			{ mode_of_payment: frm.doc.mode_of_payment, company: frm.doc.company }
		);
		frm.set_value(frm.doc.payment_type === "Pay" ? "paid_from" : "paid_to", message.account);
	},

	async paid_from(frm) {
		await frm.events.set_account_currency(frm, "paid_from");
	},

	async paid_to(frm) {
		await frm.events.set_account_currency(frm, "paid_to");
	},

	async set_account_currency(frm, field) {
		if (!frm.doc[field]) return;
		const { message } = await frappe.db.get_value("Account", frm.doc[field], "account_currency");
		await frm.set_value(field + "_account_currency", message.account_currency);
		const company = frappe.get_doc(":Company", frm.doc.company) || {};
		const rate_field = field === "paid_from" ? "source_exchange_rate" : "target_exchange_rate";
		if (message.account_currency === company.default_currency) frm.set_value(rate_field, 1);
	},

	paid_amount(frm) {
		if (frm.doc.paid_from_account_currency === frm.doc.paid_to_account_currency) {
			frm.set_value("received_amount", frm.doc.paid_amount);
		}
	},
});
