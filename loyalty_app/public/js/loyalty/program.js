// The form of a Loyalty Program: its terms in plain words, help in the order in which one fills it in, and enrolling
// the customers that are there already.
import { el } from "./dom";
import { money, number, percent } from "./format";

const POLL = 1000;

// The help below the form; the terms above it are filled by `show_program_terms`.
export function show_program_help(frm) {
	const steps = [
		[
			__("Name and type"),
			__("Single Tier: everybody earns at one rate. Multiple Tier: the rate follows what a customer has spent in all, e.g. Silver, then Gold."),
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
			__("Minimum Total Spent: who has spent that much in all, the present invoice included, has the tier. Collection Factor: how much is spent for one point. With a factor of 300, an invoice of 3,000 earns 10 points, one of 2,999 earns 9. What is paid with points, returned, or excluded below earns nothing."),
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
			__("Expiry Duration"),
			__("Points are good through that many days after the invoice's posting date. With 0 or nothing they never expire."),
		],
	];
	const place = frm.fields_dict.loyalty_program_help.$wrapper[0];
	frm.loyalty_terms = el("div", { class: "loyalty-terms", "aria-live": "polite" });
	place.classList.add("loyalty-help");
	place.replaceChildren(
		frm.loyalty_terms,
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

// What the fields come to, in words.
export function show_program_terms(frm) {
	const { doc } = frm;
	const currency = frappe.get_doc(":Company", doc.company)?.default_currency;
	const amount = (value) => money(value, currency);
	const rules = (doc.collection_rules || [])
		.filter((row) => row.tier_name && flt(row.collection_factor) > 0)
		.sort((a, b) => flt(a.min_spent) - flt(b.min_spent));
	const lines = rules.map((row) =>
		flt(row.min_spent) > 0
			? __("{0}, from {1} spent in all: 1 point for every {2}", [
					row.tier_name,
					amount(row.min_spent),
					amount(row.collection_factor),
			  ])
			: __("{0}: 1 point for every {1}", [row.tier_name, amount(row.collection_factor)])
	);
	if (rules.length && flt(rules[0].min_spent) > 0) {
		lines.unshift(__("Below {0} spent in all, no points yet", [amount(rules[0].min_spent)]));
	}
	if (flt(doc.conversion_factor) > 0) {
		lines.push(__("100 points pay {0}", [amount(100 * flt(doc.conversion_factor))]));
	} else {
		lines.push(__("Points pay nothing: the Conversion Factor is 0"));
	}
	const least = cint(doc.minimum_redemption_points);
	const step = cint(doc.redemption_step);
	const share = flt(doc.maximum_redemption_share);
	if (least > 1) lines.push(__("{0} points or more are redeemed at a time", [number(least)]));
	if (step > 1) lines.push(__("Points are redeemed in multiples of {0}", [number(step)]));
	if (share) lines.push(__("Points pay {0}% of an invoice at the most", [percent(share)]));
	lines.push(
		cint(doc.expiry_duration)
			? __("Points are good for {0} days", [number(doc.expiry_duration)])
			: __("Points never expire")
	);
	frm.loyalty_terms?.replaceChildren(
		el("h5", {}, __("In short")),
		el(
			"ul",
			{},
			lines.map((line) => el("li", {}, line))
		)
	);
}

// Enrolling

export async function enrol(frm) {
	await frappe.xcall("loyalty_app.enrolment.start", { program: frm.doc.name });
	follow_enrolment(frm, true);
}

// Shows how far enrolling is, as long as it runs. Asked for again and again: realtime messages may not arrive.
export async function follow_enrolment(frm, started = false) {
	const program = frm.doc.name;
	clearTimeout(frm.loyalty_enrolment);
	if (frm.is_new() || !frm.doc.auto_opt_in) {
		show_enrolment(frm, []);
		return;
	}
	const state = await frappe.xcall("loyalty_app.enrolment.progress", { program });
	if (frm.doc.name !== program) return;
	if (state.status === "Queued" || state.status === "Running") {
		show_enrolment(frm, state.status === "Queued" ? waiting() : under_way(state));
		frm.loyalty_enrolment = setTimeout(() => {
			if ($(frm.wrapper).is(":visible")) follow_enrolment(frm, true);
		}, POLL);
		return;
	}
	show_enrolment(frm, started ? [el("div", {}, result_of(state))] : []);
}

// One place over the form's first fields, filled again and again, so that what changes in it is read out.
function show_enrolment(frm, children) {
	if (!frm.loyalty_enrolment_place) {
		frm.loyalty_enrolment_place = el("div", { class: "loyalty-place", role: "status" });
		$(frm.loyalty_enrolment_place).insertBefore(frm.fields_dict.loyalty_program_name.section.wrapper);
	}
	frm.loyalty_enrolment_place.replaceChildren(...children);
}

function waiting() {
	return [el("div", {}, __("Enrolling customers: waiting to start"))];
}

function under_way(state) {
	const share = state.total ? Math.min(100, (state.done / state.total) * 100) : 0;
	const bar = el(
		"div",
		{
			class: "loyalty-progress",
			role: "progressbar",
			"aria-label": __("Enrolling customers"),
			"aria-valuemin": 0,
			"aria-valuemax": 100,
			"aria-valuenow": Math.floor(share),
		},
		el("span", {})
	);
	bar.firstChild.style.inlineSize = `${share}%`;
	return [
		el("div", {}, __("Enrolling customers: {0} of {1}", [number(state.done), number(state.total)])),
		bar,
	];
}

function result_of(state) {
	if (state.status === "Failed") {
		return __("Enrolling stopped after {0} customers. Start it again to go on; the Error Log says why.", [
			number(state.done),
		]);
	}
	const said = [
		cint(state.done) === 1
			? __("Enrolled 1 customer.")
			: __("Enrolled {0} customers.", [number(state.done)]),
	];
	if (state.to_choose) {
		said.push(
			__("{0} more fit several programs: choose one in the customer's form.", [number(state.to_choose)])
		);
	}
	return said.join(" ");
}
