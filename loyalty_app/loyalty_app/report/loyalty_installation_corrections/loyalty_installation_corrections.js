frappe.query_reports["Loyalty Installation Corrections"] = {
	filters: [
		{ fieldname: "company", label: __("Company"), fieldtype: "Link", options: "Company" },
		{ fieldname: "loyalty_program", label: __("Loyalty Program"), fieldtype: "Link", options: "Loyalty Program" },
		{ fieldname: "customer", label: __("Customer"), fieldtype: "Link", options: "Customer" },
	],
};
