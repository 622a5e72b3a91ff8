const REFRESH_AFTER_MS = 2000;

frappe.ui.form.on("Loyalty Ledger Run", {
	refresh(frm) {
		const { status, memberships, done, changed, faults, kind } = frm.doc;
		if (status === "Done") {
			const good = faults && kind !== "Rebuild" ? "red" : "green";
			frm.set_intro(outcome(kind, done, changed, faults), good);
		}
		if (status !== "Running" && status !== "Queued") return;
		frm.dashboard.add_progress(
			__("Progress"),
			memberships ? (done * 100) / memberships : 0,
			status === "Queued"
				? __("Waiting for a background worker")
				: __("{0} of {1} memberships", [format_number(done, null, 0), format_number(memberships, null, 0)])
		);
		// Workers are on other machines: the page asks how far they are.
		clearTimeout(frm.refresh_timer);
		frm.refresh_timer = setTimeout(() => {
			if (cur_frm === frm && frappe.get_route()[2] === frm.doc.name) frm.reload_doc();
		}, REFRESH_AFTER_MS);
	},
});

function outcome(kind, done, changed, faults) {
	const members = format_number(done, null, 0);
	if (kind === "Expiry") return __("{0} lots were closed in {1} memberships.", [changed, members]);
	if (kind === "Tiers") return __("{0} of {1} memberships have a new tier.", [changed, members]);
	if (kind === "Expiry Notices" || kind === "Statements") {
		return __("{0} of {1} members were told.", [changed, members]);
	}
	if (kind === "Rebuild") return __("{0} of {1} memberships were mended.", [changed, members]);
	if (faults) return __("{0} differences were found in {1} memberships: see Findings.", [faults, members]);
	return __("Log, entries and balances of {0} memberships agree.", [members]);
}
