"""Fills the empty database of the site named by FRAPPE_SITE: Frappe alone, setup wizard done.

usage: python -m sandbox.lanes.mariadb.create
"""

import os

import frappe

from sandbox.inside import wizard


def main() -> None:
	from frappe.database.mariadb.setup_db import bootstrap_database
	from frappe.installer import install_app, make_site_dirs

	frappe.init(os.environ["FRAPPE_SITE"])
	make_site_dirs()
	frappe.flags.in_install_db = True
	bootstrap_database(frappe.conf.db_name, verbose=False)
	frappe.db.create_auth_table()
	frappe.db.create_global_search_table()
	frappe.db.create_user_settings_table()
	frappe.flags.in_install_db = False
	install_app("frappe")
	frappe.db.commit()
	wizard.complete()
	wizard.close()


if __name__ == "__main__":
	main()
