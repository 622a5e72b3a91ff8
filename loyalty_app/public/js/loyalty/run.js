// The form of a Loyalty Ledger Run: how far it is, and what came of it.
import { el } from "./dom";
import { number } from "./format";
import { enrolled } from "./program";
import { progress_bar, show_progress } from "./progress";

const POLL = 2000;
const FIELDS = ["kind", "status", "memberships", "done"];
const OF_FILES = ["Import Check", "Import", "Import Undo"];

export function follow_run(frm) {
	const { doc } = frm;
	clearTimeout(frm.loyalty_run_timer);
	show_columns(frm);
	if (doc.status === "Done" || doc.status === "Failed") {
		show_progress(frm, []);
		const is_bad = doc.status === "Failed" || doc.faults;
		frm.set_intro(doc.status === "Failed" ? doc.findings?.[0]?.fault : outcome(doc), is_bad ? "red" : "green");
		if (OF_FILES.includes(doc.kind)) offer_next(frm);
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

function under_way({ kind, status, memberships, done }) {
	if (status === "Queued") {
		const waiting =
			kind === "Import Check"
				? __("Waiting for a background worker to read the file")
				: __("Waiting for a background worker");
		return [el("div", {}, waiting)];
	}
	const so_far = [number(done), number(memberships)];
	const text = OF_FILES.includes(kind)
		? __("{0} of {1} rows", so_far)
		: kind === "Enrolment"
			? __("{0} of {1} customers", so_far)
			: __("{0} of {1} memberships", so_far);
	return progress_bar(__("Progress"), text, done, memberships);
}

function outcome({ kind, done, changed, to_choose, faults }) {
	const members = number(done);
	const [good, bad] = [number(changed), number(faults)];
	if (faults && kind === "Verification") {
		return faults === 1
			? __("1 difference was found in {0} memberships: see Findings.", [members])
			: __("{0} differences were found in {1} memberships: see Findings.", [bad, members]);
	}
	const told = {
		Expiry: () =>
			changed
				? __("{0} lots were closed in {1} memberships.", [good, members])
				: __("There was nothing to close: no points have expired."),
		Verification: () => __("Log, entries and balances of {0} memberships agree.", [members]),
		Rebuild: () =>
			changed
				? __("{0} of {1} memberships were mended: see Findings.", [good, members])
				: __("There was nothing to mend in {0} memberships.", [members]),
		Tiers: () => __("{0} of {1} memberships have a new tier.", [good, members]),
		Enrolment: () => enrolled(changed, to_choose),
		"Expiry Notices": () => __("{0} members were told of points about to expire.", [good]),
		Statements: () => __("{0} members were sent their statement.", [good]),
		"Import Check": () =>
			faults
				? __("Ready to be imported: {0}. Not ready: {1}, see Findings. Nothing is imported yet.", [good, bad])
				: __("Ready to be imported: {0}. Nothing is imported yet.", [good]),
		Import: () =>
			faults ? __("Imported: {0}. Not imported: {1}, see Findings.", [good, bad]) : __("Imported: {0}.", [good]),
		"Import Undo": () =>
			faults ? __("Undone: {0}. Not undone: {1}, see Findings.", [good, bad]) : __("Undone: {0}.", [good]),
	}[kind]();
	if (!faults || OF_FILES.includes(kind)) return told;
	const left_out =
		{
			Enrolment: __("{0} customers could not be enrolled: see Findings.", [bad]),
			Rebuild: __("{0} differences could not be mended: see Findings.", [bad]),
		}[kind] || __("{0} memberships could not be worked on: see Findings.", [bad]);
	return `${told} ${left_out}`;
}

// Of the columns of findings, those that this kind of run fills.
function show_columns(frm) {
	const { grid } = frm.fields_dict.findings;
	const { kind } = frm.doc;
	// a fault in enrolling names the customer
	const filled = OF_FILES.includes(kind) ? ["row_no"] : kind === "Enrolment" ? [] : ["membership", "entry"];
	for (const column of ["row_no", "membership", "entry"]) {
		grid.update_docfield_property(column, "hidden", filled.includes(column) ? 0 : 1);
	}
	grid.reset_grid();
}

// What can be done with the rows of a file now.
async function offer_next(frm) {
	const { name, kind, import_check, status } = frm.doc;
	const check = import_check || name;
	if (status === "Failed" && kind === "Import Check") return;
	frm.add_custom_button(__("Show Rows"), () =>
		frappe.set_route("List", "Loyalty Import Row", "List", { run: check })
	);
	const steps = await frappe.xcall("loyalty_app.api.imports.next_steps", { check });
	if (frm.doc.name !== name) return;
	const offer = (method, label, question) =>
		frm.add_custom_button(label, () => frappe.confirm(question, () => go_on(method, check)));
	if (kind === "Import Check" && steps.import) {
		offer(
			"start",
			__("Import {0} Rows", [number(steps.import)]),
			__("Submit {0} adjustments? Each gives or takes the points that its row says.", [number(steps.import)])
		).addClass("btn-primary");
	}
	if (steps.undo) {
		offer(
			"undo",
			__("Undo Import"),
			__("Cancel the {0} adjustments that were imported from this file?", [number(steps.undo)])
		);
	}
}

async function go_on(method, check) {
	const run = await frappe.xcall(`loyalty_app.api.imports.${method}`, { check });
	frappe.set_route("Form", "Loyalty Ledger Run", run);
}
