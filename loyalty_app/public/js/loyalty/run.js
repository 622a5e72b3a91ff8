// The form of a Loyalty Ledger Run: how far it is, and what came of it.
import { el } from "./dom";
import { number } from "./format";
import { progress_bar, show_progress } from "./progress";

const POLL = 2000;
const FIELDS = ["status", "memberships", "done"];

export function follow_run(frm) {
	const { doc } = frm;
	clearTimeout(frm.loyalty_run_timer);
	if (doc.status === "Done") {
		show_progress(frm, []);
		frm.set_intro(outcome(doc), doc.faults && doc.kind !== "Rebuild" ? "red" : "green");
		return;
	}
	show_progress(frm, under_way(doc));
	frm.loyalty_run_timer = setTimeout(() => ask(frm, doc.name), POLL);
}

// Asks how far the run is; the whole form is loaded again once it is over.
async function ask(frm, name) {
	if (frm.doc.name !== name || !$(frm.wrapper).is(":visible")) return;
	const { message } = await frappe.db.get_value(frm.doctype, name, FIELDS);
	if (frm.doc.name !== name) return;
	if (message.status !== "Queued" && message.status !== "Running") {
		frm.reload_doc();
		return;
	}
	show_progress(frm, under_way(message));
	frm.loyalty_run_timer = setTimeout(() => ask(frm, name), POLL);
}

function under_way({ status, memberships, done }) {
	if (status === "Queued") return [el("div", {}, __("Waiting for a background worker"))];
	return progress_bar(
		__("Progress"),
		__("{0} of {1} memberships", [number(done), number(memberships)]),
		done,
		memberships
	);
}

function outcome({ kind, done, changed, faults }) {
	const members = number(done);
	if (faults && kind === "Verification") {
		return faults === 1
			? __("1 difference was found in {0} memberships: see Findings.", [members])
			: __("{0} differences were found in {1} memberships: see Findings.", [number(faults), members]);
	}
	const told = {
		Expiry: () =>
			changed
				? __("{0} lots were closed in {1} memberships.", [number(changed), members])
				: __("There was nothing to close: no points have expired."),
		Verification: () => __("Log, entries and balances of {0} memberships agree.", [members]),
		Rebuild: () =>
			changed
				? __("{0} of {1} memberships were mended: see Findings.", [number(changed), members])
				: __("There was nothing to mend in {0} memberships.", [members]),
		Tiers: () => __("{0} of {1} memberships have a new tier.", [number(changed), members]),
		"Expiry Notices": () => __("{0} members were told of points about to expire.", [number(changed)]),
		Statements: () => __("{0} members were sent their statement.", [number(changed)]),
	}[kind]();
	if (!faults || kind === "Rebuild") return told;
	return `${told} ${__("{0} memberships could not be worked on: see Findings.", [number(faults)])}`;
}
