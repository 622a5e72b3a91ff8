frappe.ui.form.on("Sales Invoice", loyalty_app.invoice_events);
