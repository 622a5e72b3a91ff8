frappe.ui.form.on("Customer", {
	refresh(frm) {
		loyalty_app.show_summary(frm, { after: "basic_info", line: "customer_name", customer: frm.doc.name });
	},
});
