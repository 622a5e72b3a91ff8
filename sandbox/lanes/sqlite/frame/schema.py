"""Changing tables."""

import frappe


def alter(self) -> None:
	"""Add the columns and indexes that the doctype has gained, and leave the columns that are there as they are.

	A column takes values of every type on SQLite, so a new type, default or nullability needs no new table.
	"""
	for column in self.columns.values():
		column.build_for_alter_table(self.current_columns.get(column.fieldname.lower()))
	for column in self.add_column:
		# SQLite adds no column that is unique by its definition; an index does the same
		definition = column.get_definition(for_modification=True)
		frappe.db.sql_ddl(f"ALTER TABLE `{self.table_name}` ADD COLUMN `{column.fieldname}` {definition}")
	for column in {*self.add_unique, *(column for column in self.add_column if column.unique)}:
		_create("UNIQUE INDEX", self.table_name, column.fieldname)
	for column in self.add_index:
		_create("INDEX", self.table_name, column.fieldname)


def _create(kind: str, table_name: str, fieldname: str) -> None:
	name = f"{table_name}_{fieldname}_{kind.split()[0].lower()}"
	frappe.db.sql_ddl(f"CREATE {kind} IF NOT EXISTS `{name}` ON `{table_name}` (`{fieldname}`)")
