frappe.listview_settings["POS Invoice"] = {
	add_fields: ["customer_name", "base_grand_total", "outstanding_amount", "due_date", "company", "currency", "is_return"],
	get_indicator(doc) {
		const colors = {
			Draft: "red",
			Unpaid: "orange",
			Paid: "green",
			Consolidated: "green",
			Return: "gray",
			"Credit Note Issued": "gray",
			Overdue: "red",
		};
		return [__(doc.status), colors[doc.status] || "gray", "status,=," + doc.status];
	},
	right_column: "grand_total",
};
