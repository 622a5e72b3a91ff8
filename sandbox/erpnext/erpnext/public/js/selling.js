// What the forms of selling documents share: company, customer, currency, items, taxes.
frappe.provide("erpnext.selling");

if (!erpnext.selling.forms) {
	erpnext.selling.forms = ["Sales Invoice", "POS Invoice", "Sales Order"];
	const recalculate = (frm) => erpnext.Totals.refresh(frm);
	const company_doc = (frm) => frappe.get_doc(":Company", frm.doc.company) || {};
	const is_ours = (frm) => erpnext.selling.forms.includes(frm.doctype);

	const get_exchange_rate = async (frm, currency) => {
		const company_currency = company_doc(frm).default_currency;
		if (!company_currency || currency === company_currency) return 1;
		const { message } = await frappe.call("erpnext.setup.utils.get_exchange_rate", {
			from_currency: currency,
			to_currency: company_currency,
			transaction_date: frm.doc.posting_date || frm.doc.transaction_date,
			args: "for_selling",
		});
		return message;
	};

	const events = {
		onload(frm) {
			if (frm.is_new() && !frm.doc.company) {
				frm.set_value("company", frappe.defaults.get_user_default("Company"));
			}
			if (frm.doc.docstatus === 0 && !frm.doc.plc_conversion_rate) frm.events.selling_price_list(frm);
		},

		async selling_price_list(frm) {
			if (!frm.doc.selling_price_list || !frm.doc.company) return;
			const { message } = await frappe.call("erpnext.stock.get_item_details.apply_price_list", {
				args: {
					price_list: frm.doc.selling_price_list,
					company: frm.doc.company,
					transaction_date: frm.doc.posting_date || frm.doc.transaction_date,
				},
			});
			frm.doc.price_list_currency = message.parent.price_list_currency;
			frm.doc.plc_conversion_rate = message.parent.plc_conversion_rate;
		},

		setup(frm) {
			const leaf_of_company = (more) => () => ({
				filters: { company: frm.doc.company, is_group: 0, ...more },
			});
			frm.set_query("item_code", "items", () => ({ filters: { is_sales_item: 1, disabled: 0 } }));
			frm.set_query("income_account", "items", leaf_of_company({ root_type: "Income" }));
			frm.set_query("cost_center", "items", leaf_of_company());
			frm.set_query("account_head", "taxes", leaf_of_company());
			if (frm.fields_dict.debit_to) {
				frm.set_query("debit_to", leaf_of_company({ account_type: "Receivable" }));
				frm.set_query("loyalty_redemption_account", leaf_of_company());
				frm.set_query("loyalty_redemption_cost_center", leaf_of_company());
				frm.set_query("write_off_account", leaf_of_company());
			}
		},

		refresh(frm) {
			frm.events.show_currency_fields(frm);
		},

		show_currency_fields(frm) {
			const foreign = frm.doc.currency && frm.doc.currency !== company_doc(frm).default_currency;
			frm.toggle_display(
				[
					"conversion_rate",
					"base_total",
					"base_net_total",
					"base_total_taxes_and_charges",
					"base_grand_total",
					"base_rounding_adjustment",
					"base_rounded_total",
					"base_discount_amount",
					"base_paid_amount",
					"base_change_amount",
					"base_write_off_amount",
				],
				!!foreign
			);
			frm.toggle_display(["plc_conversion_rate", "price_list_currency"], false);
			frm.set_currency_labels(
				["base_total", "base_net_total", "base_grand_total", "base_rounded_total"],
				company_doc(frm).default_currency
			);
			frm.set_currency_labels(["total", "net_total", "grand_total", "rounded_total"], frm.doc.currency);
		},

		async company(frm) {
			if (!frm.doc.company) return;
			if (frm.doc.docstatus === 0 && !frm.doc.plc_conversion_rate) frm.events.selling_price_list(frm);
			const { message } = await frappe.db.get_value("Company", frm.doc.company, [
				"default_currency",
				"cost_center",
			]);
			if (!frm.doc.customer || !frm.doc.currency) await frm.set_value("currency", message.default_currency);
			await frm.events.selling_price_list(frm);
			if (frm.doc.customer) await frm.events.customer(frm);
		},

		async customer(frm) {
			if (!frm.doc.customer || !frm.doc.company) return;
			const { message } = await frappe.call("erpnext.accounts.party.get_party_details", {
				party: frm.doc.customer,
				party_type: "Customer",
				company: frm.doc.company,
				posting_date: frm.doc.posting_date || frm.doc.transaction_date,
				price_list: frm.doc.selling_price_list,
				currency: frm.doc.currency,
				doctype: frm.doctype,
			});
			const values = {};
			Object.entries(message || {}).forEach(([field, value]) => {
				if (field !== "customer" && value && frm.fields_dict[field]) values[field] = value;
			});
			await frm.set_value(values);
			recalculate(frm);
		},

		async currency(frm) {
			if (!frm.doc.currency || !frm.doc.company) return;
			const rate = await get_exchange_rate(frm, frm.doc.currency);
			// without a known rate the user's own stays
			if (rate) await frm.set_value("conversion_rate", rate);
			frm.events.show_currency_fields(frm);
			recalculate(frm);
		},

		conversion_rate: recalculate,
		discount_amount: recalculate,
		apply_discount_on: recalculate,
		disable_rounded_total: recalculate,

		additional_discount_percentage(frm) {
			if (!flt(frm.doc.additional_discount_percentage)) frm.doc.discount_amount = 0;
			recalculate(frm);
		},

		async taxes_and_charges(frm) {
			if (!frm.doc.taxes_and_charges) return;
			const { message } = await frappe.call(
				"erpnext.controllers.accounts_controller.get_taxes_and_charges",
				{
					master_doctype: "Sales Taxes and Charges Template",
					master_name: frm.doc.taxes_and_charges,
				}
			);
			frm.clear_table("taxes");
			(message || []).forEach((row) => frm.add_child("taxes", row));
			recalculate(frm);
		},
	};

	const item_events = {
		async item_code(frm, cdt, cdn) {
			const item = locals[cdt][cdn];
			if (!is_ours(frm) || !item.item_code) return;
			const { message } = await frappe.call("erpnext.stock.get_item_details.get_item_details", {
				args: {
					item_code: item.item_code,
					qty: item.qty || 1,
					doctype: frm.doctype,
					company: frm.doc.company,
					customer: frm.doc.customer,
					currency: frm.doc.currency,
					conversion_rate: frm.doc.conversion_rate,
					selling_price_list: frm.doc.selling_price_list,
					price_list_currency: frm.doc.price_list_currency,
					plc_conversion_rate: frm.doc.plc_conversion_rate,
					cost_center: frm.doc.cost_center,
				},
			});
			Object.assign(item, message || {});
			recalculate(frm);
		},

		qty: recalculate,
		rate: recalculate,

		price_list_rate(frm, cdt, cdn) {
			item_events.discount_percentage(frm, cdt, cdn);
		},

		discount_percentage(frm, cdt, cdn) {
			const item = locals[cdt][cdn];
			if (flt(item.price_list_rate)) {
				const left = 1 - flt(item.discount_percentage) / 100;
				item.rate = flt(item.price_list_rate * left, precision("rate", item));
			}
			recalculate(frm);
		},

		async uom(frm, cdt, cdn) {
			const item = locals[cdt][cdn];
			if (!item.item_code || !item.uom) return;
			const { message } = await frappe.call("erpnext.stock.get_item_details.get_conversion_factor", {
				item_code: item.item_code,
				uom: item.uom,
			});
			item.conversion_factor = message.conversion_factor;
			recalculate(frm);
		},

		items_remove: recalculate,
	};

	erpnext.selling.forms.forEach((doctype) => {
		frappe.ui.form.on(doctype, events);
		frappe.ui.form.on(doctype + " Item", item_events);
	});

	const tax_events = { taxes_remove: recalculate };
	["charge_type", "row_id", "rate", "tax_amount", "included_in_print_rate"].forEach((field) => {
		tax_events[field] = (frm) => is_ours(frm) && recalculate(frm);
	});
	tax_events.account_head = async (frm, cdt, cdn) => {
		const tax = locals[cdt][cdn];
		if (!is_ours(frm) || !tax.account_head) return;
		const { message } = await frappe.db.get_value("Account", tax.account_head, ["account_name", "tax_rate"]);
		tax.charge_type = tax.charge_type || "On Net Total";
		tax.description = tax.description || message.account_name;
		tax.rate = flt(tax.rate) || flt(message.tax_rate);
		recalculate(frm);
	};
	frappe.ui.form.on("Sales Taxes and Charges", tax_events);
}
