frappe.listview_settings["Loyalty Ledger Run"] = {
	add_fields: ["status", "kind", "memberships", "done", "faults"],
	hide_name_column: true,
	// a title is shown as it is stored
	formatters: { kind: (kind) => __(kind) },

	get_indicator(doc) {
		if (doc.status === "Done" && doc.faults) {
			return [__("Faults Found"), "red", "faults,>,0"];
		}
		const colour = { Queued: "gray", Running: "blue", Done: "green", Failed: "red" }[doc.status];
		return [__(doc.status), colour, `status,=,${doc.status}`];
	},

	onload(list) {
		if (!frappe.user.has_role(["Accounts Manager", "System Manager"])) return;
		for (const [kind, label] of [
			["Verification", __("Verify")],
			["Expiry", __("Close Expired Points")],
			["Rebuild", __("Rebuild")],
		]) {
			list.page.add_inner_button(label, () => start(kind));
		}
	},
};

function start(kind) {
	const go = () =>
		frappe
			.xcall("loyalty_app.api.runs.start", { kind })
			.then((name) => frappe.set_route("Form", "Loyalty Ledger Run", name));
	if (kind !== "Rebuild") return go();
	frappe.confirm(
		__(
			"Count lots and balances of all members again from their entries? What differs is mended, and the Loyalty Point Log tells of it."
		),
		go
	);
}
