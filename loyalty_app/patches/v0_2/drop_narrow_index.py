"""The indexes of open lots and of a member's entries have more columns, under other names."""

import frappe

TABLE = "tabLoyalty Point Entry"


def execute():
	for index in ("loyalty_point_entry_open_lots", "loyalty_point_entry_member"):
		if not frappe.db.has_index(TABLE, index):
			continue
		if frappe.db.db_type == "mariadb":
			frappe.db.sql_ddl(f"alter table `{TABLE}` drop index `{index}`")
		else:
			frappe.db.sql_ddl(f'drop index "{index}"')
