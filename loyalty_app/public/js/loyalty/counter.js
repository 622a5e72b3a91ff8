// ERPNext's counter, the page Point of Sale: its box for redeeming points.
//
// ERPNext divides the amount that is typed by the worth of a point and cuts off what is behind the point, in binary: 0.70 at
// 0.10 a point are 6 points to it. And it offers the whole balance, whatever is sold. So once it has drawn its box, the box
// goes by the ledger's answer.
import { isolated, money } from "./format";
import { limits_text, why_none } from "./invoice";
import { request } from "./request";

const BOX = `[data-mode="loyalty-amount"]`;

export function follow_ledger_at_counter(page) {
	const load = page.on_page_load;
	page.on_page_load = (wrapper) =>
		frappe.require("point-of-sale.bundle.js", () => {
			follow_ledger_in(erpnext.PointOfSale.Payment.prototype);
			load(wrapper);
		});
}

function follow_ledger_in(payment) {
	const draw = payment.render_loyalty_points_payment_mode;
	if (!draw) return;
	payment.render_loyalty_points_payment_mode = function (...args) {
		draw.apply(this, args);
		const is_offered = this.$payment_modes.find(BOX).length && !this["loyalty-amount_control"].df.read_only;
		if (is_offered) new Redemption(this.events.get_frm(), this["loyalty-amount_control"]).offer();
	};
}

class Redemption {
	constructor(frm, control) {
		Object.assign(this, { frm, control, doc: frm.doc });
	}

	async offer() {
		const { control, doc } = this;
		let answer;
		try {
			answer = await request("loyalty_app.api.desk.invoice_preview", { doc });
		} catch {
			control.set_description(__("Loyalty points could not be read just now."));
			return;
		}
		if (answer?.state !== "draft" || answer.incomplete) return;
		this.answer = answer;
		// the form's script reckons the amount of the points by it
		this.frm.redemption_conversion_factor = answer.conversion_factor;
		control.df.onchange = () => this.redeem(flt(control.get_value()));
		control.df.read_only = answer.most ? 0 : 1;
		control.refresh();
		control.set_description(
			answer.most ? `${limits_text(answer)}: ${isolated(this.worth(answer.most))}` : why_none(answer)
		);
	}

	worth(number_of_points) {
		return money(this.amount(number_of_points), this.answer.currency);
	}

	amount(number_of_points) {
		return flt(number_of_points * this.answer.conversion_factor, precision("loyalty_amount", this.doc));
	}

	async redeem(amount) {
		const { answer, control, doc } = this;
		const asked = Math.max(Math.floor(flt(amount / answer.conversion_factor, 6)), 0);
		const number_of_points = Math.min(asked, answer.most);
		if (asked > number_of_points) {
			frappe.show_alert({ message: frappe.utils.escape_html(limits_text(answer)), indicator: "orange" });
		}
		if (number_of_points !== cint(doc.loyalty_points)) {
			const set = (field, value) => frappe.model.set_value(doc.doctype, doc.name, field, value);
			await set("redeem_loyalty_points", number_of_points ? 1 : 0);
			await set("loyalty_points", number_of_points);
		}
		// what is not worth a point stays to be paid
		if (amount !== this.amount(number_of_points)) control.set_value(this.amount(number_of_points));
	}
}
