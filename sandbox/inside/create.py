"""Creates the site named by FRAPPE_SITE with Frappe alone, and goes through its setup wizard.

usage: python -m sandbox.inside.create
"""

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


def create() -> None:
	"""Create the site; raise when the wizard did not finish."""
	from frappe.installer import _init_database

	frappe.init()
	_init_database(db_name=frappe.conf.db_name, admin_password="admin", db_type=frappe.conf.db_type)
	frappe.db.commit()
	from frappe.desk.page.setup_wizard.setup_wizard import setup_complete

	setup_complete(dict(WIZARD))
	frappe.db.set_single_value("System Settings", "enable_scheduler", 1)
	frappe.db.commit()
	frappe.clear_cache()
	if not frappe.is_setup_complete():
		raise RuntimeError("the setup wizard did not finish")


def close() -> None:
	"""Commit, disconnect and leave nothing in side files, so that the site can be copied as files."""
	if getattr(frappe.local, "db", None):
		frappe.db.commit()
		if frappe.db.db_type == "sqlite":
			frappe.db._conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
	frappe.destroy()


if __name__ == "__main__":
	create()
	close()
