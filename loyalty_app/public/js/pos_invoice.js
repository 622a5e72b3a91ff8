frappe.ui.form.on("POS Invoice", loyalty_app.invoice_events);
