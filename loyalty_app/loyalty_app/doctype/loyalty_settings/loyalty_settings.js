// Copyright (c) 2026, loyalty_app maintainers
// For license information, please see license.txt

frappe.ui.form.on("Loyalty Settings", {
	// only date fields can have a date of birth
	onload(frm) {
		frappe.model.with_doctype("Customer", () => {
			const dates = frappe.get_meta("Customer").fields.filter((df) => df.fieldtype === "Date");
			frm.set_df_property("birthday_field", "options", [
				"",
				...dates.map((df) => ({ value: df.fieldname, label: __(df.label, null, "Customer") })),
			]);
		});
	},
});
