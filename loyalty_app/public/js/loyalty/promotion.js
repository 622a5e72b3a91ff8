// Promotions in words: what one comes to, on its form, and what some have given, on the form of an entry.
import { el, link, say } from "./dom";
import { isolated, number, points, quantity, signed } from "./format";
import { Preview } from "./preview";

const TABLES = ["Loyalty Promotion Item", "Loyalty Program Exclusion"];

// What the fields of a promotion come to, above them, while they are typed.
export function show_promotion_terms(frm) {
	frm.loyalty_preview ||= new Terms(frm);
	frm.loyalty_preview.look();
}

class Terms extends Preview {
	constructor(frm) {
		super(frm, "loyalty_app.api.desk.promotion_preview");
		this.terms = el("p", { class: "loyalty-example", "aria-live": "polite" });
		this.notes = el("p", { class: "loyalty-small" });
		this.refusal = el("p", { class: "loyalty-refusal", role: "status" });
		this.place = el(
			"section",
			{ class: "loyalty-terms", "aria-label": __("In short") },
			el("h5", {}, __("In short")),
			this.refusal,
			this.terms,
			this.notes
		);
		frm.fields_dict.in_short.$wrapper[0].append(this.place);
		// whatever is changed, the sentence may be another
		for (const doctype of [frm.doctype, ...TABLES]) frappe.model.on(doctype, "*", () => this.look());
		this.show(null);
	}

	show(answer) {
		const [terms, ...notes] = answer?.terms || [];
		this.frm.toggle_display("in_short", Boolean(terms || answer?.refusal));
		say(this.refusal, answer?.refusal || "");
		say(this.terms, terms || "");
		say(this.notes, notes.join(" "));
		for (const part of [this.refusal, this.terms, this.notes]) part.hidden = !part.textContent;
	}
}

// What promotions gave for the invoice of an entry.
export function show_promotions_given(frm) {
	const given = frm.doc.__onload?.promotions || [];
	const place = frm.fields_dict.promotions_given.$wrapper[0];
	place.classList.add("loyalty-given");
	if (!given.length) {
		place.replaceChildren();
		return;
	}
	const returned = given.some((row) => row.kept !== null && row.kept !== row.points);
	const figures = (row) => [row.points, ...(returned ? [row.kept] : [])];
	const cells = (values) => values.map((value) => el("td", { class: "loyalty-number" }, signed(value)));
	const sum = (key) => given.reduce((total, row) => total + row[key], 0);
	place.replaceChildren(
		el(
			"div",
			{ class: "loyalty-scroll", tabindex: 0, role: "region", "aria-label": __("Promotions") },
			el(
				"table",
				{},
				el(
					"thead",
					{},
					el(
						"tr",
						{},
						el("th", { scope: "col" }, __("Promotion")),
						el("th", { scope: "col" }, __("Line")),
						el("th", { scope: "col", class: "loyalty-number" }, __("Points Given")),
						returned
							? el("th", { scope: "col", class: "loyalty-number" }, __("Kept after Returns"))
							: null
					)
				),
				el(
					"tbody",
					{},
					given.map((row) =>
						el(
							"tr",
							{},
							el("td", {}, link("Loyalty Promotion", row.promotion)),
							el("td", {}, line(row)),
							cells(figures(row))
						)
					),
					given.length > 1
						? el(
								"tr",
								{ class: "loyalty-total" },
								el("td", { colspan: 2 }, __("Total")),
								cells(figures({ points: sum("points"), kept: sum("kept") }))
						  )
						: null
				)
			)
		),
		el("p", { class: "loyalty-note" }, base_points(frm.doc.loyalty_points, given))
	);
}

function line(row) {
	return row.item === null
		? "–"
		: __("Row {0}: {1} × {2}", [number(row.row), quantity(row.qty), isolated(row.item)]);
}

// What the entry has beside what promotions gave, by the factor of its tier.
function base_points(all, given) {
	if (given.some((row) => row.kept === null)) return "";
	const kept = given.reduce((total, row) => total + row.kept, 0);
	return __("{0} in all, of which {1} by the program and {2} by promotions.", [
		points(all),
		number(all - kept),
		number(kept),
	]);
}
