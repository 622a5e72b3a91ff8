loyalty_app.follow_ledger_at_counter(frappe.pages["point-of-sale"]);
