"""Indexes that have other columns, under other names: of open lots and of a member's entries more, of maturing lots fewer."""

import frappe

TABLE = "tabLoyalty Point Entry"


def execute():
	for index in (f"loyalty_point_entry_{name}" for name in ("open_lots", "member", "maturing")):
		if not frappe.db.has_index(TABLE, index):
			continue
		if frappe.db.db_type == "mariadb":
			frappe.db.sql_ddl(f"alter table `{TABLE}` drop index `{index}`")
		else:
			frappe.db.sql_ddl(f'drop index "{index}"')
