// What loyalty does with an invoice, shown on its form while it is typed: a line under the customer, facts in the
// loyalty section, and what may be redeemed beside the points. Every number is the server's.
import { el, keep_what_is_typed, link, pill, say } from "./dom";
import {
	commas,
	day,
	entry_color,
	isolated,
	money,
	number,
	percent,
	points,
	quantity,
	signed,
} from "./format";
import { Preview } from "./preview";
import { standing } from "./summary";

const CODE = "loyalty_promotion_code";
// what the answer depends on; totals stand for everything that makes them
const FACTS = [
	"name",
	"docstatus",
	"modified",
	"customer",
	"company",
	"posting_date",
	"currency",
	"conversion_rate",
	"is_return",
	"return_against",
	"is_opening",
	"is_consolidated",
	"disable_rounded_total",
	"apply_discount_on",
	"additional_discount_percentage",
	"discount_amount",
	"base_net_total",
	"base_grand_total",
	"base_rounded_total",
	"redeem_loyalty_points",
	"loyalty_points",
	"loyalty_redemption_account",
	"dont_create_loyalty_points",
	"set_posting_time",
	"posting_time",
	CODE,
];
const ITEM_FACTS = ["item_code", "qty", "rate", "price_list_rate", "discount_percentage", "base_net_amount"];
const TAX_FACTS = ["charge_type", "account_head", "rate", "tax_amount", "row_id", "included_in_print_rate"];

const panels = new Map();

// The panel of a form; made when the form is first refreshed.
function invoice_panel(frm) {
	const panel = panels.get(frm.doctype);
	if (panel && panel.frm === frm) return panel;
	if (!panel) watch(frm.doctype);
	panels.set(frm.doctype, new InvoicePanel(frm));
	return panels.get(frm.doctype);
}

// Totals follow from many fields, and other scripts fetch and compute some of them late: after any change to the
// document or its rows, and after any answer of the server, the panel compares what it depends on.
function watch(doctype) {
	const look = () => panels.get(doctype).look();
	[doctype, `${doctype} Item`, "Sales Taxes and Charges"].forEach((dt) => frappe.model.on(dt, "*", look));
	frappe.ui.form.on(`${doctype} Item`, { items_remove: look });
	frappe.ui.form.on("Sales Taxes and Charges", { taxes_remove: look });
	$(document).on("ajaxComplete", look);
}

class InvoicePanel extends Preview {
	constructor(frm) {
		super(frm, "loyalty_app.api.desk.invoice_preview", { state: "unknown" });
		this.make();
	}

	make() {
		const field = (name) => this.frm.fields_dict[name];
		this.announcement = el("span", { class: "loyalty-announcement", "aria-live": "polite" });
		this.standing = el("span", { class: "loyalty-standing-line" });
		this.jump = el(
			"button",
			{ type: "button", class: "btn btn-link btn-xs loyalty-jump", onclick: () => this.go_to_redemption() },
			__("Redeem points")
		);
		this.line = el("div", { class: "loyalty-line" }, this.standing, this.announcement, this.jump);
		this.promotions = el("ul", { class: "loyalty-promotions", "aria-label": __("Promotions") });
		field("customer").$wrapper.append(this.line, this.promotions);

		this.facts = el("div", { class: "loyalty-facts", role: "group", "aria-label": __("Loyalty points") });
		// where the line is on another tab it is not heard, so this says the same
		this.spoken = el("span", { class: "sr-only", "aria-live": "polite" });
		const section = field("loyalty_points_redemption");
		section.body.prepend(this.facts, this.spoken);
		// every refresh closes a section that may be closed, unless it is told what keeps it open
		section.df.collapsible_depends_on ||= "redeem_loyalty_points";

		this.hint = el("div", { class: "loyalty-hint", id: `loyalty-hint-${frappe.dom.get_unique_id()}` });
		this.refusal = el("div", {
			class: "loyalty-refusal",
			role: "alert",
			id: `loyalty-refusal-${frappe.dom.get_unique_id()}`,
		});
		field("loyalty_points").$wrapper.append(this.refusal, this.hint);
		this.code_refusal = el("div", { class: "loyalty-refusal loyalty-code-refusal", role: "alert" });
		field(CODE)?.$wrapper.append(this.code_refusal);
		for (const name of ["loyalty_points", CODE]) if (field(name)) keep_what_is_typed(field(name));
		this.show(null);
	}

	// Called when the form shows a document, or the same one again after saving.
	refresh() {
		if (this.shown_name !== this.frm.docname) {
			this.shown_name = this.frm.docname;
			this.asked = null;
			this.show(null);
		}
		this.ask();
	}

	depends_on() {
		const { doc } = this.frm;
		const pick = (row, fields) => fields.map((field) => row[field] ?? null);
		return JSON.stringify([
			pick(doc, FACTS),
			(doc.items || []).map((row) => pick(row, ITEM_FACTS)),
			(doc.taxes || []).map((row) => pick(row, TAX_FACTS)),
		]);
	}

	question() {
		const { doc } = this.frm;
		return doc.customer && doc.company ? { doc } : null;
	}

	asking() {
		if (this.answer && this.answered_customer !== this.frm.doc.customer) this.show(null);
		this.facts.setAttribute("aria-busy", "true");
	}

	// Account, cost center and amount, as they are going to be saved.
	fill() {
		const { frm, answer } = this;
		if (answer?.state !== "draft") return;
		frm.redemption_conversion_factor = answer.conversion_factor;
		if (!cint(frm.doc.redeem_loyalty_points) || !(frm.is_new() || frm.is_dirty())) return;
		const values = {};
		if (!frm.doc.loyalty_redemption_account && answer.expense_account) {
			values.loyalty_redemption_account = answer.expense_account;
		}
		if (!frm.doc.loyalty_redemption_cost_center && answer.cost_center) {
			values.loyalty_redemption_cost_center = answer.cost_center;
		}
		// an amount that is not set yet would not show at all
		const amount = frm.doc.loyalty_amount ?? null;
		if (amount === null || flt(amount) !== flt(answer.amount)) values.loyalty_amount = answer.amount;
		if (Object.keys(values).length) frm.set_value(values);
	}

	// The amount follows the points at once; the server's answer confirms it.
	set_amount() {
		const { frm } = this;
		const factor = flt(this.answer?.conversion_factor ?? frm.redemption_conversion_factor);
		if (!factor && flt(frm.doc.loyalty_points)) return;
		const amount = Math.max(flt(factor * cint(frm.doc.loyalty_points), precision("loyalty_amount")), 0);
		if (flt(frm.doc.loyalty_amount) !== amount) frm.set_value("loyalty_amount", amount);
	}

	toggled() {
		const { frm } = this;
		if (cint(frm.doc.redeem_loyalty_points)) {
			this.fill();
			return;
		}
		frm.set_value({
			loyalty_points: 0,
			loyalty_amount: 0,
			loyalty_redemption_account: null,
			loyalty_redemption_cost_center: null,
		});
	}

	async use(number_of_points) {
		await this.frm.set_value("loyalty_points", number_of_points);
		this.frm.fields_dict.loyalty_points.$input?.trigger("focus");
	}

	async go_to_redemption() {
		const { frm } = this;
		if (!cint(frm.doc.redeem_loyalty_points)) await frm.set_value("redeem_loyalty_points", 1);
		frm.scroll_to_field("loyalty_points");
	}

	// Showing

	show(answer) {
		this.answer = answer;
		this.answered_customer = this.frm.doc.customer;
		this.facts.removeAttribute("aria-busy");
		const state = answer?.state || "none";
		const shown = this[`show_${state}`]?.(answer) || {};
		this.standing.replaceChildren(...(shown.standing || []));
		say(this.announcement, shown.announcement || "");
		say(this.spoken, this.line.offsetParent ? "" : this.announcement.textContent);
		this.facts.replaceChildren(...(shown.facts || []));
		this.line.hidden = !(shown.standing || shown.announcement);
		this.promotions.replaceChildren(...promotion_totals(shown.promotions));
		this.promotions.hidden = !shown.promotions?.length;
		this.facts.hidden = !shown.facts;
		this.jump.hidden = !(state === "draft" && answer.most > 0 && !cint(this.frm.doc.redeem_loyalty_points));
		say(this.code_refusal, answer?.code_refusal || "");
		this.code_refusal.hidden = !answer?.code_refusal;
		// a field for codes, where there are any
		this.frm.toggle_display(CODE, Boolean(answer?.takes_code || this.frm.doc[CODE]));
		this.show_limits(state === "draft" ? answer : null);
		this.fill();
	}

	show_unknown() {
		return { announcement: __("Loyalty points could not be read just now.") };
	}

	show_draft(answer) {
		const earning = answer.earning;
		const today = frappe.datetime.get_today();
		const facts = [
			fact(__("Tier"), answer.tier || __("None yet")),
			fact(
				this.frm.doc.posting_date && this.frm.doc.posting_date !== today
					? __("Spendable on {0}", [day(this.frm.doc.posting_date)])
					: __("Spendable points"),
				number(answer.balance)
			),
			fact(__("Worth"), money(answer.worth, answer.currency)),
			fact(__("Will earn"), earning ? points(earning.points) : answer.earns_nothing ? points(0) : "–"),
			fact(__("May redeem here"), answer.incomplete ? "–" : points(answer.most)),
		];
		return {
			standing: standing(answer),
			announcement: earning
				? __("Will earn {0}", [points(earning.points)])
				: answer.earns_nothing
				? __("Earns no points")
				: "",
			promotions: earning?.promotions,
			facts: [
				el("dl", {}, facts),
				...promotion_lines(earning?.promotions),
				...notes(draft_notes(answer)),
			],
		};
	}

	show_return(answer) {
		return {
			announcement: __("Submitting this return adjusts the points of {0}.", [
				this.frm.doc.return_against,
			]),
		};
	}

	show_submitted(answer) {
		if (answer.is_return) return this.show_taken_back(answer);
		const announcement = answer.redeemed
			? __("Earned {0}, redeemed {1}", [points(answer.earned), number(answer.redeemed)])
			: __("Earned {0}", [points(answer.earned)]);
		return {
			standing: standing(answer),
			announcement,
			promotions: answer.promotions,
			facts: [
				el(
					"dl",
					{},
					fact(__("Earned"), points(answer.earned)),
					fact(__("Redeemed"), points(answer.redeemed)),
					fact(__("Tier"), answer.tier || __("None yet")),
					fact(__("Spendable points"), number(answer.balance)),
					fact(__("Worth"), money(answer.worth, answer.currency))
				),
				...promotion_lines(answer.promotions),
				...entry_links(answer.entries),
			],
		};
	}

	show_taken_back(answer) {
		const said = [];
		if (answer.earned) said.push(__("Took back {0} earned", [points(-answer.earned)]));
		if (answer.redeemed) said.push(__("gave back {0} redeemed", [points(-answer.redeemed)]));
		return {
			announcement: commas(said) || __("Took back no points"),
			facts: [
				el(
					"dl",
					{},
					fact(__("Taken back"), points(-answer.earned)),
					fact(__("Given back"), points(-answer.redeemed)),
					fact(__("Spendable points"), number(answer.balance))
				),
				...entry_links(answer.entries),
			],
		};
	}

	show_cancelled() {
		return { announcement: __("Cancelled: no points stand from it.") };
	}

	show_limits(answer) {
		const input = this.frm.fields_dict.loyalty_points.$input?.[0];
		const refusal = answer?.refusal || "";
		say(this.refusal, refusal);
		this.refusal.hidden = !refusal;
		this.hint.hidden = !answer;
		if (input) {
			input.setAttribute("aria-describedby", `${this.refusal.id} ${this.hint.id}`);
			input.setAttribute("aria-invalid", refusal ? "true" : "false");
		}
		if (!answer) return;

		const children = [];
		const can_edit = this.frm.get_field("loyalty_points").disp_status === "Write" || !input;
		if (answer.most > 0) {
			if (can_edit && cint(this.frm.doc.loyalty_points) !== answer.most) {
				children.push(
					el(
						"button",
						{ type: "button", class: "btn btn-default btn-xs", onclick: () => this.use(answer.most) },
						__("Use all {0}", [number(answer.most)])
					)
				);
			}
			children.push(el("span", {}, limits_text(answer)));
		} else if (!answer.incomplete) {
			children.push(el("span", {}, why_none(answer)));
		}
		this.hint.replaceChildren(...children);
	}
}

function fact(label, value) {
	return el("div", {}, el("dt", {}, label), el("dd", {}, value));
}

function notes(texts) {
	return texts.map((text) => el("p", { class: "loyalty-note" }, text));
}

// What promotions give, in all and line by line.
function promotion_totals(given = []) {
	const totals = new Map();
	for (const { promotion, points } of given) totals.set(promotion, (totals.get(promotion) || 0) + points);
	return [...totals].map(([promotion, points]) =>
		el("li", {}, pill(promotion, "purple"), points_signed(points))
	);
}

function promotion_lines(given = []) {
	if (!given.length) return [];
	return [
		el(
			"ul",
			{ class: "loyalty-promotion-lines", "aria-label": __("Promotions by line") },
			given.map(({ promotion, points, qty, item }) =>
				el(
					"li",
					{},
					__("{0} × {1}: {2}, {3}", [
						quantity(qty),
						isolated(item),
						points_signed(points),
						isolated(promotion),
					])
				)
			)
		),
	];
}

function draft_notes(answer) {
	const { earning } = answer;
	const texts = [];
	if (answer.earns_nothing) texts.push(answer.earns_nothing);
	if (earning && !earning.tier && answer.next_tier) {
		texts.push(
			__("Its spend counts towards tier {0}, from {1} on.", [
				answer.next_tier,
				money(answer.next_tier_minimum, answer.currency),
			])
		);
	} else if (earning && earning.tier !== answer.tier) {
		texts.push(__("With this invoice the customer reaches tier {0}.", [earning.tier]));
	} else if (answer.next_tier && earning) {
		const missing = answer.missing_to_next_tier - earning.purchase_amount;
		texts.push(
			__("After it, {0} more to tier {1}.", [money(missing, answer.currency), answer.next_tier])
		);
	}
	if (earning?.excluded_items.length) {
		texts.push(__("Earning nothing: {0}", [commas(earning.excluded_items.map(isolated))]));
	}
	if (earning?.points && earning.spendable_from) {
		texts.push(__("What it earns can be spent from {0} on.", [day(earning.spendable_from)]));
	}
	if (answer.pending) {
		texts.push(__("{0} more from {1} on", [points(answer.pending), day(answer.pending_from)]));
	}
	if (answer.balance < 0) {
		texts.push(__("Points already spent were taken back; the next points earned make up for them."));
	}
	if (answer.next_expiry) {
		texts.push(
			__("{0} can be spent through {1}, then expire.", [
				points(answer.next_expiry_points),
				day(answer.next_expiry),
			])
		);
	}
	return texts;
}

export function limits_text(answer) {
	const most = __("Up to {0} on this invoice", [points(answer.most)]);
	const more = [];
	if (answer.least > 1) more.push(__("at least {0}", [number(answer.least)]));
	if (answer.step > 1) more.push(__("in steps of {0}", [number(answer.step)]));
	if (answer.share) more.push(__("at most {0}% of its total", [percent(answer.share)]));
	return commas([most, ...more]);
}

export function why_none(answer) {
	if (answer.balance <= 0) return __("There are no points to spend on this date.");
	if (answer.balance < answer.least) {
		return __("{0} or more are redeemed at a time; there are {1}.", [
			points(answer.least),
			number(answer.balance),
		]);
	}
	return answer.redeems_nothing || __("No points can be redeemed on this invoice.");
}

function to_come(date) {
	return date && date > frappe.datetime.get_today();
}

function entry_links(entries) {
	if (!entries.length) return [];
	return [
		el(
			"ul",
			{ class: "loyalty-entries", "aria-label": __("Loyalty Point Entries") },
			entries.map((entry) =>
				el(
					"li",
					{},
					pill(__(entry.entry_type), entry_color(entry.entry_type)),
					link("Loyalty Point Entry", entry.name, points_signed(entry.loyalty_points)),
					entry.loyalty_points > 0 && to_come(entry.spendable_from)
						? el("span", { class: "loyalty-small" }, __("to be spent from {0} on", [day(entry.spendable_from)]))
						: null,
					entry.loyalty_points > 0
						? el("span", { class: "loyalty-small" }, __("good through: {0}", [day(entry.expiry_date)]))
						: null
				)
			)
		),
	];
}

function points_signed(value) {
	return Math.abs(value) === 1 ? __("{0} point", [signed(value)]) : __("{0} points", [signed(value)]);
}

// Form events of Sales Invoice and POS Invoice; they run after ERPNext's own.
export const invoice_events = {
	refresh(frm) {
		invoice_panel(frm).refresh();
	},

	redeem_loyalty_points(frm) {
		invoice_panel(frm).toggled();
	},

	loyalty_points(frm) {
		invoice_panel(frm).set_amount();
	},

	// Replaces ERPNext's event of this name, which opens a dialog over what is being typed and leaves the amount
	// as it was: what may not be redeemed is said beside the field.
	set_loyalty_points(frm) {
		invoice_panel(frm).set_amount();
	},
};
