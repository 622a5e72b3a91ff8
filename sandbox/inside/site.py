"""Creates, fills and migrates the site named by FRAPPE_SITE, by Frappe's own installer.

usage: python -m sandbox.inside.site create | install APP | migrate | demo
"""

import importlib.util
import os
import sys
import time

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
	"""Create the site with Frappe alone and go through the setup wizard."""
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


def install(app: str) -> None:
	"""Install an app."""
	from frappe.installer import install_app

	frappe.init()
	frappe.connect()
	install_app(app)
	frappe.db.commit()
	if app not in frappe.get_installed_apps():
		raise RuntimeError(f"{app} did not get installed: its before_install refused")


def migrate() -> None:
	"""Bring the site to what the apps say now."""
	from frappe.migrate import SiteMigration

	SiteMigration(skip_search_index=True).run(site=os.environ["FRAPPE_SITE"])


def demo() -> None:
	"""Make the demo data."""
	frappe.init()
	frappe.connect()
	if not importlib.util.find_spec("sandbox.demo"):
		print("no demo data module (sandbox/demo): the site is empty")
		return
	started = time.monotonic()
	from sandbox.demo.make import run

	run()
	frappe.db.commit()
	print(f"Demo data made in {time.monotonic() - started:.0f} s")


def _close() -> None:
	"""Leave nothing in side files, so that the site can be copied as files."""
	if getattr(frappe.local, "db", None):
		frappe.db.commit()
		if frappe.db.db_type == "sqlite":
			connection = frappe.db._conn
			connection.commit()
			connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
	frappe.destroy()


if __name__ == "__main__":
	command, *arguments = sys.argv[1:]
	{"create": create, "install": install, "migrate": migrate, "demo": demo}[command](*arguments)
	_close()
