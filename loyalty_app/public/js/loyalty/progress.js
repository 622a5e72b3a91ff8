// How far work in the background is, in one place above a form's first fields: filled again and again, so that what
// changes in it is read out. Pages ask, as realtime messages may not arrive.
import { el } from "./dom";

export function show_progress(frm, children) {
	if (!frm.loyalty_progress) {
		frm.loyalty_progress = el("div", { class: "loyalty-place", role: "status" });
		$(frm.loyalty_progress).insertBefore(frm.layout.sections[0].wrapper);
	}
	frm.loyalty_progress.replaceChildren(...children);
}

// A bar for `done` of `total`, with what it says below its `label`.
export function progress_bar(label, text, done, total) {
	return [el("div", {}, text), bar(label, done, total)];
}

// The bar alone; `text` is what is read out in place of a percentage.
export function bar(label, done, total, text = null) {
	const share = total ? Math.min(100, (done / total) * 100) : 0;
	const node = el(
		"div",
		{
			class: "loyalty-progress",
			role: "progressbar",
			"aria-label": label,
			"aria-valuemin": 0,
			"aria-valuemax": 100,
			"aria-valuenow": Math.floor(share),
			"aria-valuetext": text,
		},
		el("span", {})
	);
	node.firstChild.style.inlineSize = `${share}%`;
	return node;
}
