// The form of a Loyalty Program: what it comes to in plain words, what its members have, help in the order in which one
// fills it in, and enrolling the customers that are there already.
import { el, say } from "./dom";
import { money, number, points } from "./format";
import { Preview } from "./preview";
import { progress_bar, show_progress } from "./progress";

const POLL = 1000;

// The help below the form.
export function show_program_help(frm) {
	const steps = [
		[
			__("Name and type"),
			__("Single Tier: everybody earns at one rate. Multiple Tier: the rate follows what a customer has spent in the tier period, e.g. Silver, then Gold."),
		],
		[
			__("From and To Date"),
			__("Points are earned and redeemed on posting dates from the first to the last of these days, both included. Leave To Date empty and the program has no end."),
		],
		[
			__("Customer Group and Territory"),
			__("Whom the program is for, the groups and territories below included. Empty means all."),
		],
		[
			__("Auto Opt In"),
			__("Customers it is for join when they are saved; those you have already are enrolled in the background. Where several programs fit, somebody chooses. Unticked, choose the program in the customer's form. A customer is in one program at a time."),
		],
		[
			__("Tier rows"),
			__("Minimum Total Spent: who has spent that much in the tier period, the present invoice included, has the tier. Collection Factor: how much is spent for one point. With a factor of 300, an invoice of 3,000 earns 10 points, one of 2,999 earns 9. What is paid with points, returned, or excluded below earns nothing."),
		],
		[
			__("Tier Period and Downgrade"),
			__("Which purchases count for tiers: all there ever were, those of so many months, or those of the company's fiscal year. Members rise at once. When a month, or the fiscal year, has ended, Downgrade says what becomes of a tier that was not earned again: it stays, falls by one, or becomes the one that was earned."),
		],
		[
			__("Conversion Factor"),
			__("What one point pays when it is redeemed. With a factor of 1, a hundred points pay 100."),
		],
		[
			__("Expense Account and Cost Center"),
			__("Redeemed points are booked here, so that you see what the program costs."),
		],
		[
			__("Minimum Points, Steps and Maximum Share"),
			__("Limits of one redemption: a minimum of 50 in steps of 10 lets 50, 60, 70 and so on be redeemed at a time; a share of 20 lets points pay 20 of an invoice of 100. Left at 0, there is no limit."),
		],
		[
			__("Maturity"),
			__("Points can be spent from so many days after the invoice's posting date on, e.g. once the goods may no longer be returned. Until then they are shown as pending. With 0 they can be spent at once."),
		],
		[
			__("Expiry Duration"),
			__("Points are good through that many days after the invoice's posting date. With 0 or nothing they never expire."),
		],
		[
			__("Expiry Notice"),
			__("So many days before points expire, the member gets an e-mail about them, once somebody has switched on the Notification Loyalty Points Expiring."),
		],
		[
			__("Adjustments by Hand"),
			__("Accounts Users submit adjustments of up to so many points, Accounts Managers any. You may ask that nobody submits what they wrote themselves. Where more may be taken than there is, the balance goes below zero, and the next points make up for it."),
		],
	];
	const place = frm.fields_dict.loyalty_program_help.$wrapper[0];
	place.classList.add("loyalty-help");
	place.replaceChildren(
		el(
			"dl",
			{},
			steps.map(([term, text]) => el("div", {}, el("dt", {}, term), el("dd", {}, text)))
		),
		el(
			"p",
			{},
			__("Changing a program never changes points that were earned already.")
		)
	);
}

// What the fields come to, below those that decide it: in words, and by the example of a customer whose spend and
// purchase one may change. Every word and number is the server's, by the rules that a submit follows.
export function show_program_terms(frm) {
	frm.loyalty_preview ||= new Terms(frm);
	frm.loyalty_preview.look();
}

class Terms extends Preview {
	constructor(frm) {
		super(frm, "loyalty_app.api.desk.program_preview");
		this.spent = this.input(__("Has spent before"));
		this.amount = this.input(__("Buys for"));
		this.example = el("p", { class: "loyalty-example", "aria-live": "polite" });
		this.refusal = el("p", { class: "loyalty-refusal", role: "status" });
		this.terms = el("ul", {});
		this.body = el(
			"div",
			{},
			this.terms,
			el("div", { class: "loyalty-inputs" }, this.spent.label, this.amount.label),
			this.example
		);
		this.place = el(
			"section",
			{ class: "loyalty-terms", "aria-label": __("In short") },
			el("h5", {}, __("In short")),
			this.refusal,
			this.body
		);
		$(this.place).insertAfter(frm.fields_dict.redemption.wrapper);
		this.show(null);
	}

	input(text) {
		const box = el("input", {
			type: "number",
			min: 0,
			step: "any",
			inputmode: "decimal",
			class: "form-control input-xs",
		});
		const input = { box, typed: false, label: el("label", {}, el("span", {}, text), box) };
		box.addEventListener("input", () => {
			input.typed = box.value !== "";
			this.look();
		});
		return input;
	}

	question() {
		const { doc } = this.frm;
		if (this.shown_name !== doc.name) {
			this.shown_name = doc.name;
			this.spent.typed = this.amount.typed = false;
		}
		if (!(doc.collection_rules || []).some((row) => row.tier_name || flt(row.collection_factor))) return null;
		const [spent, amount] = [this.spent, this.amount].map(({ typed, box }) => (typed ? box.value : ""));
		return { doc, spent, amount };
	}

	show(answer) {
		this.place.hidden = !answer;
		say(this.refusal, answer?.refusal || "");
		this.refusal.hidden = !answer?.refusal;
		this.body.hidden = !answer?.terms;
		if (!answer?.terms) return;
		this.terms.replaceChildren(...answer.terms.map((term) => el("li", {}, term)));
		say(this.example, answer.example);
		// what the server has chosen, until somebody types
		for (const [{ box, typed }, value] of [
			[this.spent, answer.spent],
			[this.amount, answer.amount],
		]) {
			if (!typed && document.activeElement !== box) box.value = value;
		}
	}
}

// What the members of a program have, above the form's fields.
export async function show_program_standing(frm) {
	if (frm.is_new()) return;
	const turn = (frm.loyalty_standing_turn = (frm.loyalty_standing_turn || 0) + 1);
	const standing = await frappe.xcall("loyalty_app.api.desk.program_standing", {
		loyalty_program: frm.doc.name,
	});
	// every refresh asks anew, and begins with an empty dashboard
	if (turn !== frm.loyalty_standing_turn || standing.members === undefined) return;
	for (const [text, color] of [
		[
			standing.members === 1 ? __("1 member") : __("{0} members", [number(standing.members)]),
			"blue",
		],
		[__("{0} outstanding", [points(standing.balance)]), "green"],
		[__("worth {0}", [money(standing.worth, standing.currency)]), "green"],
	]) {
		frm.dashboard.add_indicator(text, color);
	}
}

// Enrolling

export async function enrol(frm) {
	await frappe.xcall("loyalty_app.enrolment.start", { program: frm.doc.name });
	follow_enrolment(frm, true);
}

// Shows how far enrolling is, as long as it runs.
export async function follow_enrolment(frm, started = false) {
	const program = frm.doc.name;
	clearTimeout(frm.loyalty_enrolment);
	if (frm.is_new() || !frm.doc.auto_opt_in) {
		show_progress(frm, []);
		return;
	}
	const state = await frappe.xcall("loyalty_app.enrolment.progress", { program });
	if (frm.doc.name !== program) return;
	if (state.status === "Queued" || state.status === "Running") {
		show_progress(frm, state.status === "Queued" ? waiting() : under_way(state));
		frm.loyalty_enrolment = setTimeout(() => {
			if ($(frm.wrapper).is(":visible")) follow_enrolment(frm, true);
		}, POLL);
		return;
	}
	show_progress(frm, started ? [el("div", {}, result_of(state))] : []);
}

function waiting() {
	return [el("div", {}, __("Enrolling customers: waiting to start"))];
}

function under_way(state) {
	const text = __("Enrolling customers: {0} of {1}", [number(state.done), number(state.total)]);
	return progress_bar(__("Enrolling customers"), text, state.done, state.total);
}

function result_of(state) {
	if (state.status === "Failed") {
		return __("Enrolling stopped after {0} customers. Start it again to go on; the Error Log says why.", [
			number(state.done),
		]);
	}
	return enrolled(state.done, state.to_choose);
}

// What came of enrolling: so many `joined`, and for so many somebody has to choose.
export function enrolled(joined, to_choose) {
	const said = [
		cint(joined) === 1 ? __("Enrolled 1 customer.") : __("Enrolled {0} customers.", [number(joined)]),
	];
	if (to_choose) {
		said.push(__("{0} more fit several programs: choose one in the customer's form.", [number(to_choose)]));
	}
	return said.join(" ");
}
