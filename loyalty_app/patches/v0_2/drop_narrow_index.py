"""The index of open lots has what is left of them and whose they are too, under another name."""

import frappe

TABLE, INDEX = "tabLoyalty Point Entry", "loyalty_point_entry_open_lots"


def execute():
	if not frappe.db.has_index(TABLE, INDEX):
		return
	if frappe.db.db_type == "mariadb":
		frappe.db.sql_ddl(f"alter table `{TABLE}` drop index `{INDEX}`")
	else:
		frappe.db.sql_ddl(f'drop index "{INDEX}"')
