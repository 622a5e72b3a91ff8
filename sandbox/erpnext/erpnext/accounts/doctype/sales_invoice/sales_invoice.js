frappe.ui.form.on("Sales Invoice", {
	setup(frm) {
		frm.ignore_doctypes_on_cancel_all = ["POS Invoice", "POS Invoice Merge Log", "Payment Entry"];
		frm.set_query("return_against", () => ({
			filters: { docstatus: 1, is_return: 0, company: frm.doc.company, customer: frm.doc.customer },
		}));
		frm.set_query("pos_profile", () => ({ filters: { company: frm.doc.company, disabled: 0 } }));
	},

	refresh(frm) {
		frm.toggle_reqd("due_date", !frm.doc.is_return);
		frm.events.lock_posting_date(frm);
		frm.events.add_buttons(frm);
	},

	add_buttons(frm) {
		if (frm.doc.docstatus > 0) {
			frm.add_custom_button(
				__("Accounting Ledger"),
				() => {
					frappe.set_route("query-report", "General Ledger", {
						voucher_no: frm.doc.name,
						company: frm.doc.company,
						from_date: frm.doc.posting_date,
						to_date: moment(frm.doc.modified).format("YYYY-MM-DD"),
						show_cancelled_entries: frm.doc.docstatus === 2 ? 1 : 0,
					});
				},
				__("View")
			);
		}
		if (frm.doc.docstatus !== 1) return;
		if (frm.doc.outstanding_amount !== 0 && frappe.model.can_create("Payment Entry")) {
			frm.add_custom_button(__("Payment"), () => frm.events.make_payment_entry(frm), __("Create"));
		}
		if (!frm.doc.is_return && !frm.doc.is_consolidated) {
			frm.add_custom_button(
				__("Return / Credit Note"),
				() =>
					frappe.model.open_mapped_doc({
						method: "erpnext.accounts.doctype.sales_invoice.sales_invoice.make_sales_return",
						frm: frm,
					}),
				__("Create")
			);
		}
		frm.page.set_inner_btn_group_as_primary(__("Create"));
	},

	make_payment_entry(frm) {
		return frappe
			.call("erpnext.accounts.doctype.payment_entry.payment_entry.get_payment_entry", {
				dt: frm.doc.doctype,
				dn: frm.doc.name,
			})
			.then(({ message }) => {
				const [doc] = frappe.model.sync(message);
				frappe.set_route("Form", doc.doctype, doc.name);
			});
	},

	lock_posting_date(frm) {
		const free = cint(frm.doc.set_posting_time) && frm.doc.docstatus === 0;
		frm.set_df_property("posting_date", "read_only", free ? 0 : 1);
		frm.set_df_property("posting_time", "read_only", free ? 0 : 1);
	},

	set_posting_time(frm) {
		frm.events.lock_posting_date(frm);
		if (!cint(frm.doc.set_posting_time)) frm.set_value("posting_date", frappe.datetime.get_today());
	},

	posting_date(frm) {
		// a bill without payment terms is due on its own day
		if (frm.doc.posting_date && !(frm.doc.due_date >= frm.doc.posting_date)) {
			frm.set_value("due_date", frm.doc.posting_date);
		}
	},

	customer(frm) {
		frm.redemption_conversion_factor = null;
		if (!frm.doc.customer) return;
		frappe
			.call("erpnext.accounts.doctype.sales_invoice.sales_invoice.get_loyalty_programs", {
				customer: frm.doc.customer,
			})
			.then(({ message }) => {
				if (message && message.length > 1) frm.events.select_loyalty_program(frm, message);
			});
	},

	select_loyalty_program(frm, programs) {
		const dialog = new frappe.ui.Dialog({
			title: __("Select Loyalty Program"),
			fields: [
				{
					label: __("Loyalty Program"),
					fieldname: "loyalty_program",
					fieldtype: "Select",
					options: programs,
					default: programs[0],
				},
			],
			primary_action_label: __("Set Loyalty Program"),
			primary_action({ loyalty_program }) {
				dialog.hide();
				frappe.db.set_value("Customer", frm.doc.customer, "loyalty_program", loyalty_program);
			},
		});
		dialog.show();
	},

	async debit_to(frm) {
		if (!frm.doc.debit_to) return;
		const { message } = await frappe.db.get_value("Account", frm.doc.debit_to, "account_currency");
		await frm.set_value("party_account_currency", message.account_currency);
		erpnext.Totals.refresh(frm);
	},

	async is_pos(frm) {
		if (cint(frm.doc.is_pos) && !(frm.doc.payments || []).length) {
			frm.add_child("payments", { mode_of_payment: "Cash", type: "Cash", default: 1 }).amount =
				flt(frm.doc.rounded_total) || flt(frm.doc.grand_total);
		}
		erpnext.Totals.refresh(frm);
	},

	write_off_amount: (frm) => erpnext.Totals.refresh(frm),
	update_outstanding_for_self: (frm) => erpnext.Totals.refresh(frm),
	loyalty_amount: (frm) => erpnext.Totals.refresh(frm),

	redeem_loyalty_points(frm) {
		if (!cint(frm.doc.redeem_loyalty_points)) erpnext.Totals.refresh(frm);
		frm.events.get_loyalty_details(frm);
	},

	get_loyalty_details(frm) {
		if (!frm.doc.customer || !cint(frm.doc.redeem_loyalty_points)) return null;
		return frappe
			.call("erpnext.accounts.doctype.loyalty_program.loyalty_program.get_loyalty_program_details", {
				customer: frm.doc.customer,
				loyalty_program: frm.doc.loyalty_program,
				expiry_date: frm.doc.posting_date,
				company: frm.doc.company,
			})
			.then(({ message }) => {
				frm.set_value("loyalty_redemption_account", message.expense_account);
				frm.set_value("loyalty_redemption_cost_center", message.cost_center);
				frm.redemption_conversion_factor = message.conversion_factor;
			});
	},

	async loyalty_points(frm) {
		if (!frm.redemption_conversion_factor) {
			const { message } = await frappe.call(
				"erpnext.accounts.doctype.loyalty_program.loyalty_program.get_redeemption_factor",
				{ loyalty_program: frm.doc.loyalty_program }
			);
			frm.redemption_conversion_factor = message;
		}
		frm.events.set_loyalty_points(frm);
	},

	set_loyalty_points(frm) {
		const factor = frm.redemption_conversion_factor;
		if (!factor) return;
		const amount = flt(factor * flt(frm.doc.loyalty_points), precision("loyalty_amount"));
		const open = flt(frm.doc.grand_total) - flt(frm.doc.total_advance) - flt(frm.doc.write_off_amount);
		if (frm.doc.grand_total && open < amount) {
			frappe.throw(
				__("You can only redeem max {0} points in this order.", [Math.floor(open / factor)])
			);
		}
		frm.set_value("loyalty_amount", amount);
	},
});

frappe.ui.form.on("Sales Invoice Payment", {
	amount: (frm) => erpnext.Totals.refresh(frm),
	payments_remove: (frm) => erpnext.Totals.refresh(frm),
	async mode_of_payment(frm, cdt, cdn) {
		const payment = locals[cdt][cdn];
		if (!payment.mode_of_payment) return;
		const { message } = await frappe.call(
			"erpnext.accounts.doctype.sales_invoice.sales_invoice.get_bank_cash_account",
			{ mode_of_payment: payment.mode_of_payment, company: frm.doc.company }
		);
		frappe.model.set_value(cdt, cdn, "account", message.account);
	},
});
