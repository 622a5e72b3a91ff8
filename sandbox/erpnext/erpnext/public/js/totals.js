// Totals of a selling document while it is typed: what controllers/taxes_and_totals.py computes on saving.
frappe.provide("erpnext");

erpnext.Totals = class Totals {
	constructor(doc) {
		this.doc = doc;
		this.taxes = doc.taxes || [];
		this.discount_applied = false;
	}

	static refresh(frm) {
		if (frm.doc.docstatus !== 0) return;
		new erpnext.Totals(frm.doc).calculate();
		frm.refresh_fields();
	}

	calculate() {
		const doc = this.doc;
		doc.conversion_rate = flt(doc.conversion_rate) || 1;
		this.items = (doc.items || []).filter((item) => item.item_code || item.item_name || item.rate);
		this.items.forEach((item) => this.price(item));
		this.compute();
		if (this.spread_discount()) {
			this.discount_applied = true;
			this.compute();
		}
		if (doc.doctype !== "Sales Order") this.set_payment();
	}

	round(value, field, row = this.doc) {
		return flt(value, precision(field, row));
	}

	set_base(row, fields) {
		fields.forEach((field) => {
			row["base_" + field] = this.round(flt(row[field]) * this.doc.conversion_rate, "base_" + field, row);
		});
	}

	price(item) {
		const list_rate = flt(item.price_list_rate);
		item.amount = this.round(flt(item.rate) * flt(item.qty), "amount", item);
		item.net_rate = flt(item.rate);
		item.net_amount = item.amount;
		item.stock_qty = flt(item.qty) * (flt(item.conversion_factor) || 1);
		if (list_rate) item.discount_amount = this.round(list_rate - item.rate, "discount_amount", item);
		this.set_base(item, ["price_list_rate", "rate", "net_rate", "amount", "net_amount"]);
	}

	compute() {
		this.take_inclusive_taxes_out();
		const doc = this.doc;
		const sum = (field) => this.items.reduce((total, item) => total + flt(item[field]), 0);
		doc.total_qty = sum("qty");
		doc.total = this.round(sum("amount"), "total");
		doc.base_total = this.round(sum("base_amount"), "base_total");
		doc.net_total = this.round(sum("net_amount"), "net_total");
		doc.base_net_total = this.round(sum("base_net_amount"), "base_net_total");
		this.compute_taxes();

		const last = this.taxes[this.taxes.length - 1];
		const loss = this.rounding_loss(last);
		doc.grand_total = this.round((last ? last.total : doc.net_total) + loss, "grand_total");
		doc.total_taxes_and_charges = this.round(doc.grand_total - doc.net_total - loss, "total_taxes_and_charges");
		this.set_base(doc, ["total_taxes_and_charges"]);
		doc.base_grand_total = doc.total_taxes_and_charges
			? this.round(doc.grand_total * doc.conversion_rate, "base_grand_total")
			: doc.base_net_total;
		if (cint(doc.disable_rounded_total)) {
			doc.rounded_total = doc.base_rounded_total = 0;
			doc.rounding_adjustment = doc.base_rounding_adjustment = 0;
		} else {
			doc.rounded_total = round_based_on_smallest_currency_fraction(
				doc.grand_total,
				doc.currency,
				precision("rounded_total", doc)
			);
			doc.rounding_adjustment = this.round(doc.rounded_total - doc.grand_total, "rounding_adjustment");
			this.set_base(doc, ["rounding_adjustment", "rounded_total"]);
		}
	}

	take_inclusive_taxes_out() {
		if (this.discount_applied || !this.taxes.some((tax) => cint(tax.included_in_print_rate))) return;
		this.items.forEach((item) => {
			const fractions = [];
			const running = [];
			let per_qty = 0;
			this.taxes.forEach((tax, i) => {
				const rate = flt(tax.rate) / 100;
				const before = cint(tax.row_id) - 1;
				let fraction = 0;
				if (cint(tax.included_in_print_rate)) {
					if (tax.charge_type === "On Net Total") fraction = rate;
					else if (tax.charge_type === "On Previous Row Amount") fraction = rate * flt(fractions[before]);
					else if (tax.charge_type === "On Previous Row Total") fraction = rate * flt(running[before]);
					else if (tax.charge_type === "On Item Quantity") per_qty += flt(tax.rate);
				}
				fractions.push(fraction);
				running.push((i ? running[i - 1] : 1) + fraction);
			});
			const fraction = fractions.reduce((a, b) => a + b, 0);
			if (!flt(item.qty) || !(fraction || per_qty)) return;
			item.net_amount = this.round((item.amount - per_qty * item.qty) / (1 + fraction), "net_amount", item);
			item.net_rate = this.round(item.net_amount / item.qty, "net_rate", item);
			this.set_base(item, ["net_rate", "net_amount"]);
		});
	}

	compute_taxes() {
		const keep = this.discount_applied && this.doc.apply_discount_on === "Grand Total";
		this.taxes.forEach((tax) => {
			tax.tax_amount_after_discount_amount = 0;
			if (tax.charge_type !== "Actual" && !keep) tax.tax_amount = 0;
		});
		const left = this.taxes.map((tax) => flt(tax.tax_amount));
		this.items.forEach((item, n) => {
			const amounts = [];
			const running = [];
			this.taxes.forEach((tax, i) => {
				let amount = this.tax_of_item(item, tax, amounts, running);
				if (tax.charge_type === "Actual") {
					left[i] -= amount;
					if (n === this.items.length - 1) amount += left[i];
				} else if (!keep) {
					tax.tax_amount += amount;
				}
				tax.tax_amount_after_discount_amount += amount;
				amounts.push(amount);
				running.push((i ? running[i - 1] : flt(item.net_amount)) + amount);
			});
		});
		let total = this.doc.net_total;
		this.taxes.forEach((tax) => {
			["tax_amount", "tax_amount_after_discount_amount"].forEach((field) => {
				tax[field] = this.round(tax[field], "tax_amount", tax);
			});
			total = this.round(total + tax.tax_amount_after_discount_amount, "total", tax);
			tax.total = total;
			this.set_base(tax, ["tax_amount", "tax_amount_after_discount_amount", "total"]);
		});
	}

	tax_of_item(item, tax, amounts, running) {
		const rate = flt(tax.rate) / 100;
		switch (tax.charge_type) {
			case "Actual":
				return this.doc.net_total ? (item.net_amount * flt(tax.tax_amount)) / this.doc.net_total : 0;
			case "On Net Total":
				return rate * item.net_amount;
			case "On Previous Row Amount":
				return rate * flt(amounts[cint(tax.row_id) - 1]);
			case "On Previous Row Total":
				return rate * flt(running[cint(tax.row_id) - 1]);
			case "On Item Quantity":
				return flt(tax.rate) * flt(item.qty);
		}
		return 0;
	}

	rounding_loss(last) {
		if (!last) return 0;
		const doc = this.doc;
		if (this.taxes.some((tax) => cint(tax.included_in_print_rate))) {
			const added = this.taxes
				.filter((tax) => !cint(tax.included_in_print_rate))
				.reduce((sum, tax) => sum + flt(tax.tax_amount_after_discount_amount), 0);
			const discount = this.discount_applied ? flt(doc.discount_amount) : 0;
			const loss = flt(doc.total + added - discount - last.total, 2);
			return Math.abs(loss) <= 5 / 10 ** precision("tax_amount", last) ? loss : 0;
		}
		if (this.discount_applied && doc.apply_discount_on === "Grand Total") {
			return this.round(this.before_discount - doc.discount_amount - last.total, "grand_total");
		}
		return 0;
	}

	spread_discount() {
		const doc = this.doc;
		const percent = flt(doc.additional_discount_percentage);
		if (percent) {
			const base = doc.apply_discount_on === "Net Total" ? doc.net_total : doc.grand_total;
			doc.discount_amount = this.round((base * percent) / 100, "discount_amount");
		}
		this.set_base(doc, ["discount_amount"]);
		if (!flt(doc.discount_amount)) return false;

		let total = doc.net_total;
		if (doc.apply_discount_on !== "Net Total" && this.taxes.length) {
			this.before_discount = this.taxes[this.taxes.length - 1].total;
			const fixed = this.taxes
				.filter((tax) => ["Actual", "On Item Quantity"].includes(tax.charge_type))
				.reduce((sum, tax) => sum + flt(tax.tax_amount), 0);
			total = this.before_discount - fixed;
		}
		if (!total) return false;
		let exact = 0;
		let given = 0;
		this.items.forEach((item) => {
			exact += item.net_amount - (flt(doc.discount_amount) * item.net_amount) / total;
			item.net_amount = this.round(exact - given, "net_amount", item);
			given += item.net_amount;
			item.net_rate = flt(item.qty) ? this.round(item.net_amount / item.qty, "net_rate", item) : 0;
			this.set_base(item, ["net_rate", "net_amount"]);
		});
		return true;
	}

	set_payment() {
		const doc = this.doc;
		let paid = 0;
		let base_paid = 0;
		(cint(doc.is_pos) ? doc.payments || [] : []).forEach((payment) => {
			payment.base_amount = this.round(flt(payment.amount) * doc.conversion_rate, "base_amount", payment);
			paid += flt(payment.amount);
			base_paid += payment.base_amount;
		});
		if (cint(doc.redeem_loyalty_points) && flt(doc.loyalty_amount)) {
			paid += doc.loyalty_amount / doc.conversion_rate;
			base_paid += doc.loyalty_amount;
		}
		doc.paid_amount = this.round(paid, "paid_amount");
		doc.base_paid_amount = this.round(base_paid, "base_paid_amount");

		const prefix =
			!doc.party_account_currency || doc.party_account_currency === doc.currency ? "" : "base_";
		this.set_base(doc, ["write_off_amount"]);
		const total = flt(doc[prefix + "rounded_total"]) || flt(doc[prefix + "grand_total"]);
		const to_pay = total - flt(doc[prefix + "write_off_amount"]);
		doc.change_amount = 0;
		if (!cint(doc.is_return) && paid > to_pay && (doc.payments || []).some((p) => p.type === "Cash")) {
			doc.change_amount = this.round(paid - to_pay, "change_amount");
		}
		this.set_base(doc, ["change_amount"]);
		if (cint(doc.is_return) && doc.return_against && !cint(doc.update_outstanding_for_self)) {
			doc.outstanding_amount = 0;
			return;
		}
		doc.outstanding_amount = this.round(
			to_pay - flt(doc[prefix + "paid_amount"]) + flt(doc[prefix + "change_amount"]),
			"outstanding_amount"
		);
	}
};
