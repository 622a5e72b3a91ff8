// What an adjustment does to the balances of its customers, shown on its form while it is typed, and what came of it.
import { el, link } from "./dom";
import { day, number, points, signed } from "./format";
import { Preview } from "./preview";

// what the answer depends on
const FACTS = [
	"name",
	"docstatus",
	"modified",
	"customer",
	"to_customer",
	"loyalty_program",
	"reason",
	"points",
	"posting_date",
	"expiry_date",
];

// Called when the form is refreshed and when one of its fields has changed.
export function show_outcome(frm) {
	frm.loyalty_outcome ||= new Outcome(frm);
	frm.loyalty_outcome.look();
}

class Outcome extends Preview {
	constructor(frm) {
		super(frm, "loyalty_app.api.adjustments.preview", { state: "unknown" });
		this.place = frm.fields_dict.outcome.$wrapper[0];
		this.place.classList.add("loyalty-outcome");
		this.place.setAttribute("aria-live", "polite");
	}

	depends_on() {
		return JSON.stringify(FACTS.map((field) => this.frm.doc[field] ?? null));
	}

	question() {
		const { doc } = this.frm;
		// auditors read adjustments, but not customers, of whose balances this tells
		return doc.customer && doc.loyalty_program && frappe.model.can_read("Customer") ? { doc } : null;
	}

	asking() {
		this.may_submit = false;
	}

	unchanged() {
		this.offer_submit();
	}

	show(answer) {
		this.place.replaceChildren(...(this[`show_${answer?.state}`]?.(answer) || []));
		this.may_submit = Boolean(answer?.may_submit);
		this.offer_submit();
	}

	// Frappe knows the rights of roles; up to the program's limit an Accounts User has one more.
	offer_submit() {
		const { frm } = this;
		if (!this.may_submit || frm.perm[0].submit || frm.is_dirty()) return;
		frm.perm[0].submit = 1;
		frm.toolbar.refresh();
	}

	show_unknown() {
		return [note(__("Loyalty points could not be read just now."))];
	}

	show_draft(answer) {
		const known = answer.customers.some((row) => row.after !== undefined);
		const columns = known
			? [__("Customer"), __("Balance now"), __("Change"), __("Balance after")]
			: [__("Customer"), __("Balance now")];
		const rows = answer.customers.map((row) => {
			const now = [customer_of(row), number(row.balance)];
			return known ? [...now, change(row.after - row.balance), number(row.after)] : now;
		});
		const said = [];
		if (answer.good_through) {
			said.push(
				__("{0}, good through: {1}", [points(this.frm.doc.points), day(answer.good_through)])
			);
		}
		if (answer.needs_approver) said.push(__("Somebody else than its author submits it."));
		return [
			table(__("Balance before and after"), columns, rows),
			answer.refusal ? el("div", { class: "loyalty-refusal", role: "alert" }, answer.refusal) : null,
			...said.map(note),
		].filter(Boolean);
	}

	show_submitted(answer) {
		const moved = answer.entries.map((entry) => [
			entry.customer,
			link("Loyalty Point Entry", entry.name, change(entry.loyalty_points)),
			day(entry.expiry_date),
		]);
		return [
			this.show_balances(answer),
			moved.length
				? table(__("Entries"), [__("Customer"), __("Points"), __("Good through")], moved)
				: null,
		].filter(Boolean);
	}

	show_cancelled(answer) {
		return [this.show_balances(answer), note(__("Cancelled: no points stand from it."))];
	}

	show_balances(answer) {
		const rows = answer.customers.map((row) => [customer_of(row), number(row.balance)]);
		return table(__("Balance today"), [__("Customer"), __("Balance today")], rows);
	}
}

function customer_of(row) {
	return link("Customer", row.customer, row.customer_name);
}

// A sign stays before its number, whichever way one reads.
function change(value) {
	return el("bdi", { dir: "ltr" }, signed(value));
}

function note(text) {
	return el("p", { class: "loyalty-note" }, text);
}

// The first column has names, the others numbers or dates.
function table(caption, columns, rows) {
	return el(
		"div",
		{ class: "loyalty-scroll", tabindex: 0, role: "region", "aria-label": caption },
		el(
			"table",
			{},
			el(
				"thead",
				{},
				el(
					"tr",
					{},
					columns.map((title, i) => el("th", { scope: "col", class: i ? "loyalty-number" : null }, title))
				)
			),
			el(
				"tbody",
				{},
				rows.map((row) =>
					el("tr", {}, row.map((cell, i) => el("td", { class: i ? "loyalty-number" : null }, cell)))
				)
			)
		)
	);
}
