frappe.ui.form.on("Sales Order", {
	refresh(frm) {
		if (frm.doc.docstatus === 1 && flt(frm.doc.per_billed) < 100) {
			frm.add_custom_button(
				__("Sales Invoice"),
				() =>
					frappe.model.open_mapped_doc({
						method: "erpnext.selling.doctype.sales_order.sales_order.make_sales_invoice",
						frm: frm,
					}),
				__("Create")
			);
			frm.page.set_inner_btn_group_as_primary(__("Create"));
		}
	},

	delivery_date(frm) {
		(frm.doc.items || []).forEach((item) => {
			if (!item.delivery_date) item.delivery_date = frm.doc.delivery_date;
		});
		frm.refresh_field("items");
	},
});
