"""The setup wizard's answers, and leaving a site so that it can be copied."""

import frappe

WIZARD = {
	"language": "English",
	"country": "United States",
	"timezone": "Etc/UTC",
	"currency": "USD",
	"full_name": "Demo User",
	"email": "demo@example.com",
	"password": "demo",
	"enable_telemetry": 0,
}


def complete() -> None:
	"""Go through the setup wizard of the connected site; raise when it did not finish."""
	from frappe.desk.page.setup_wizard.setup_wizard import setup_complete

	setup_complete(dict(WIZARD))
	frappe.db.set_single_value("System Settings", "enable_scheduler", 1)
	frappe.db.commit()
	frappe.clear_cache()
	done = (
		frappe.is_setup_complete()
		if hasattr(frappe, "is_setup_complete")
		# Frappe 15
		else frappe.db.get_single_value("System Settings", "setup_complete")
	)
	if not done:
		raise RuntimeError("the setup wizard did not finish")


def close() -> None:
	"""Commit, disconnect and leave nothing in side files, so that the site can be copied as files."""
	if getattr(frappe.local, "db", None):
		frappe.db.commit()
		if frappe.db.db_type == "sqlite":
			frappe.db._conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
	frappe.destroy()
