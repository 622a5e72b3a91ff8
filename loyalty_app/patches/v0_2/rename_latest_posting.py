"""Points may be spendable later than they are posted: what was a membership's Latest Posting is All Spendable From."""

import frappe

DOCTYPE, OLD = "Loyalty Membership", "latest_posting"


def execute():
	if OLD not in frappe.db.get_table_columns(DOCTYPE):
		return
	table = frappe.qb.DocType(DOCTYPE)
	query = frappe.qb.update(table).set(table.all_spendable_from, table[OLD])
	query.where(table.all_spendable_from.isnull()).run()
