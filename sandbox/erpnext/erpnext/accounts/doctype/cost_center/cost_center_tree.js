frappe.treeview_settings["Cost Center"] = {
	title: __("Cost Center"),
	get_tree_root: false,
	root_label: "Cost Centers",
	ignore_fields: ["parent_cost_center"],
	get_tree_nodes: "erpnext.accounts.utils.get_children",
	filters: [
		{
			fieldname: "company",
			fieldtype: "Link",
			options: "Company",
			label: __("Company"),
			default: frappe.defaults.get_user_default("Company"),
		},
	],
};
