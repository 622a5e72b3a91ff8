"""Creates the site named by FRAPPE_SITE with Frappe alone and goes through its setup wizard.

usage: python -m sandbox.lanes.sqlite.create
"""

import frappe

from sandbox.inside import wizard


def main() -> None:
	from frappe.installer import _init_database

	frappe.init()
	_init_database(db_name=frappe.conf.db_name, admin_password="admin", db_type=frappe.conf.db_type)
	frappe.db.commit()
	wizard.complete()
	wizard.close()


if __name__ == "__main__":
	main()
