// Copyright (c) 2026, loyalty_app maintainers
// For license information, please see license.txt

frappe.listview_settings["Loyalty Point Adjustment"] = {
	add_fields: ["docstatus", "points", "reason"],
	hide_name_column: true,

	// drafts and what was cancelled, or is in a workflow, have Frappe's own
	get_indicator(doc) {
		if (doc.reason === "Transfer") {
			return [__("Moved"), "blue", "docstatus,=,1|reason,=,Transfer"];
		}
		return doc.points > 0
			? [__("Added"), "green", "docstatus,=,1|points,>,0|reason,!=,Transfer"]
			: [__("Taken"), "orange", "docstatus,=,1|points,<,0"];
	},

	// Frappe lets a sign wander behind its number in Arabic
	formatters: { points: (value) => loyalty_app.number(value) },

	onload(list) {
		const may = (permission) => frappe.perm.has_perm("Loyalty Point Adjustment", 0, permission);
		if (["create", "submit", "import"].every(may)) {
			list.page.add_menu_item(__("Import from File"), import_from_file);
		}
	},
};

const COLUMNS = ["customer", "points", "expiry_date", "reason", "explanation"];

function import_from_file() {
	const dialog = new frappe.ui.Dialog({
		title: __("Import Adjustments from a File"),
		fields: [
			{
				fieldname: "file",
				fieldtype: "Attach",
				label: __("File (CSV or XLSX)"),
				reqd: 1,
				options: { restrictions: { allowed_file_types: [".csv", ".xlsx", ".xls"] } },
			},
			{
				fieldname: "loyalty_program",
				fieldtype: "Link",
				options: "Loyalty Program",
				label: __("Loyalty Program"),
				description: __("Of rows that name none. Empty: each customer's own."),
			},
			{ fieldname: "help", fieldtype: "HTML" },
		],
		primary_action_label: __("Check"),
		async primary_action({ file, loyalty_program }) {
			const run = await frappe.xcall("loyalty_app.api.imports.check", { file_url: file, loyalty_program });
			dialog.hide();
			frappe.set_route("Form", "Loyalty Ledger Run", run);
		},
		secondary_action_label: __("Download Template"),
		secondary_action: download_template,
	});
	dialog.fields_dict.help.$wrapper.text(
		__(
			"Each row becomes an adjustment: Customer and Points are needed; without a Reason it is an Opening Balance. The file is checked first: you see what each row would do, and nothing is imported until you say so."
		)
	);
	dialog.show();
}

function download_template() {
	open_url_post("/api/method/frappe.core.doctype.data_import.data_import.download_template", {
		doctype: "Loyalty Point Adjustment",
		file_type: "CSV",
		export_records: "blank_template",
		export_fields: JSON.stringify({ "Loyalty Point Adjustment": COLUMNS }),
	});
}
