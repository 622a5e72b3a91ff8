// A customer's points in a program: the panel on the forms of Customer and Loyalty Membership.
import { el, link, pill } from "./dom";
import { show_statement } from "./statement";
import { day, entry_color, money, number, points, signed } from "./format";
import { bar } from "./progress";

export async function customer_summary(customer, loyalty_program) {
	return frappe.xcall("loyalty_app.api.desk.customer_summary", { customer, loyalty_program });
}

// The panel for what `customer_summary` answered; null for a customer in no program.
export function summary_panel(summary, customer) {
	if (!summary || !summary.loyalty_program) return null;
	return el(
		"section",
		{ class: "loyalty-summary", "aria-label": __("Loyalty points") },
		el("div", { class: "loyalty-summary-top" }, balance(summary), progress(summary), lifetime(summary)),
		pending(summary),
		expiring(summary),
		movements(summary),
		actions(summary, customer)
	);
}

// Tier, points and their worth in one line.
export function standing(answer) {
	return [
		answer.tier ? pill(answer.tier, "blue") : null,
		el(
			"span",
			{},
			answer.balance > 0
				? __("{0}, worth {1}", [points(answer.balance), money(answer.worth, answer.currency)])
				: points(answer.balance)
		),
	].filter(Boolean);
}

function balance(summary) {
	return el(
		"div",
		{ class: "loyalty-balance" },
		el("div", { class: "loyalty-label" }, link("Loyalty Program", summary.loyalty_program)),
		el("div", { class: "loyalty-figure" }, points(summary.balance)),
		el(
			"div",
			{ class: "loyalty-small" },
			summary.balance < 0
				? __("Points already spent were taken back; the next points earned make up for them.")
				: __("worth {0}", [money(summary.worth, summary.currency)])
		)
	);
}

function progress(summary) {
	const spent = money(summary.tier_spend, summary.currency);
	const body = [
		el(
			"div",
			{ class: "loyalty-tier" },
			summary.tier ? pill(summary.tier, "blue") : pill(__("No tier yet"), "gray"),
			el("span", { class: "loyalty-small" },
				summary.tier_window ? __("{0} spent {1}", [spent, summary.tier_window]) : __("{0} spent", [spent])
			)
		),
	];
	if (summary.next_tier) {
		const missing = money(summary.missing_to_next_tier, summary.currency);
		const text = __("{0} more to {1}", [missing, summary.next_tier]);
		const label = __("Progress to tier {0}", [summary.next_tier]);
		body.push(
			bar(label, summary.tier_spend, summary.next_tier_minimum, text),
			el("div", { class: "loyalty-small" }, text)
		);
	} else if (summary.tier) {
		body.push(el("div", { class: "loyalty-small" }, __("The highest tier of the program")));
	}
	return el("div", { class: "loyalty-standing" }, body);
}

function lifetime(summary) {
	const figures = [
		[__("Earned"), summary.points_earned],
		[__("Redeemed"), summary.points_redeemed],
		[__("Expired"), summary.points_expired],
	];
	return el(
		"dl",
		{ class: "loyalty-lifetime" },
		figures.map(([label, value]) => el("div", {}, el("dt", {}, label), el("dd", {}, number(value))))
	);
}

function pending(summary) {
	if (!summary.pending) return null;
	return el(
		"p",
		{ class: "loyalty-note" },
		__("{0} more from {1} on", [points(summary.pending), day(summary.pending_from)])
	);
}

function expiring(summary) {
	if (!summary.next_expiry) return null;
	return el(
		"p",
		{ class: "loyalty-note" },
		__("{0} can be spent through {1}, then expire.", [
			points(summary.next_expiry_points),
			day(summary.next_expiry),
		])
	);
}

function movements(summary) {
	if (!summary.sees_entries) return null;
	if (!summary.movements.length) {
		return el("p", { class: "loyalty-note" }, __("No points earned or spent yet."));
	}
	const headings = [__("Date"), __("What"), __("Points"), __("Document"), __("Good through")];
	const rows = summary.movements.map((entry) =>
		el(
			"tr",
			{},
			el("td", {}, day(entry.posting_date)),
			el("td", {}, pill(__(entry.entry_type), entry_color(entry.entry_type))),
			el("td", { class: "loyalty-number" }, link("Loyalty Point Entry", entry.name, signed(entry.loyalty_points))),
			el(
				"td",
				{},
				entry.invoice ? link(entry.invoice_type, entry.invoice) : entry.discretionary_reason || "–"
			),
			el("td", {}, entry.loyalty_points > 0 ? day(entry.expiry_date) : "–")
		)
	);
	return el(
		"div",
		{ class: "loyalty-movements" },
		el(
			"div",
			{ class: "loyalty-scroll", tabindex: 0, role: "region", "aria-label": __("Last movements") },
			el(
				"table",
				{},
				el("caption", {}, __("Last movements")),
				el("thead", {}, el("tr", {}, headings.map((heading) => el("th", { scope: "col" }, heading)))),
				el("tbody", {}, rows)
			)
		)
	);
}

function actions(summary, customer) {
	const { loyalty_program } = summary;
	const buttons = [];
	if (summary.sees_entries) {
		buttons.push(
			button(__("Statement"), () => show_statement({ membership: summary.membership, customer }))
		);
	}
	if (summary.movements?.length) {
		buttons.push(
			button(__("All entries"), () =>
				frappe.set_route("List", "Loyalty Point Entry", "List", { customer, loyalty_program })
			)
		);
	}
	if (frappe.model.can_create("Loyalty Point Adjustment")) {
		buttons.push(
			button(__("Adjust points"), () =>
				frappe.new_doc("Loyalty Point Adjustment", { customer, loyalty_program })
			)
		);
	}
	return buttons.length ? el("div", { class: "loyalty-actions" }, buttons) : null;
}

function button(title, onclick) {
	return el("button", { type: "button", class: "btn btn-default btn-xs", onclick }, title);
}
