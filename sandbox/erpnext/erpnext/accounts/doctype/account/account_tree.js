frappe.treeview_settings["Account"] = {
	title: __("Account"),
	get_tree_root: false,
	root_label: "Accounts",
	ignore_fields: ["parent_account"],
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
