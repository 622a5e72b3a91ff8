// Shows the summary panel on a form, after a section or before a field's section; one place per form, filled again
// with every refresh. `line` is a field at the form's top: what it comes to stands below it, and leads to the panel,
// which a small screen does not reach.
import { el } from "./dom";
import { customer_summary, standing, summary_panel } from "./summary";

export async function show_summary(frm, { after, before, line, customer, loyalty_program }) {
	const place = place_of(frm, after, before);
	// who may read a membership, as auditors do, may still not read its customer
	if (frm.is_new() || !customer || !frappe.model.can_read("Customer")) {
		clear(frm, place);
		return;
	}
	const shown = `${customer} ${loyalty_program || ""}`;
	if (place.dataset.shows !== shown) clear(frm, place);
	place.dataset.shows = shown;
	const turn = (frm.loyalty_summary_turn = (frm.loyalty_summary_turn || 0) + 1);
	const summary = await customer_summary(customer, loyalty_program);
	if (turn !== frm.loyalty_summary_turn) return;
	const panel = summary_panel(summary, customer);
	clear(frm, place);
	if (!panel) return;
	place.append(panel);
	align(place);
	if (line) {
		frm.loyalty_line = summary_line(summary, () => place.scrollIntoView({ block: "center" }));
		frm.fields_dict[line].$wrapper.append(frm.loyalty_line);
	}
}

function clear(frm, place) {
	place.replaceChildren();
	frm.loyalty_line?.remove();
}

function summary_line(summary, onclick) {
	return el(
		"div",
		{ class: "loyalty-line" },
		el("span", { class: "loyalty-standing-line" }, standing(summary)),
		el("button", { type: "button", class: "btn btn-link btn-xs loyalty-jump", onclick }, __("Details"))
	);
}

// Begins where the fields of the section above or below begin: how far that is in differs between Frappe's versions.
function align(place) {
	const column = [place.previousElementSibling, place.nextElementSibling]
		.map((section) => section?.querySelector(".form-column"))
		.find((found) => found?.offsetParent);
	if (!column || !place.offsetParent) return;
	const style = getComputedStyle(column);
	const [outer, inner] = [place.getBoundingClientRect(), column.getBoundingClientRect()];
	const inset =
		style.direction === "rtl"
			? outer.right - inner.right + parseFloat(style.paddingRight)
			: inner.left - outer.left + parseFloat(style.paddingLeft);
	if (inset >= 0) place.style.paddingInline = `${inset}px`;
}

function place_of(frm, after, before) {
	if (!frm.loyalty_summary_place) {
		const place = (frm.loyalty_summary_place = document.createElement("div"));
		place.className = "loyalty-place";
		if (after) $(place).insertAfter(frm.fields_dict[after].wrapper);
		else $(place).insertBefore(frm.fields_dict[before].section.wrapper);
	}
	return frm.loyalty_summary_place;
}
