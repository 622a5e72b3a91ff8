"""Installing and migrating; `uninstall` is the mirror image."""

import frappe
from frappe.custom.doctype.custom_field.custom_field import create_custom_fields

from loyalty_app.ledger.takeover import build_memberships, find_members, release_entries
from loyalty_app.loyalty_app.doctype.loyalty_point_entry.loyalty_point_entry import add_indexes
from loyalty_app.setup import doctypes
from loyalty_app.setup.custom_fields import get_custom_fields
from loyalty_app.setup.pos_settings import ask_for_code
from loyalty_app.setup.versions import refuse_unsupported
from loyalty_app.setup.workflow import make_workflow


def before_install():
	"""Refuse a Frappe or ERPNext this app was not made for, before anything is changed."""
	refuse_unsupported()


def after_install():
	"""Complete the doctypes, then build memberships and lots from the entries ERPNext has written so far."""
	complete_doctypes()
	make_workflow()
	ask_for_code()
	release_entries()
	take_over_entries()
	doctypes.report_foreign_controllers()


def take_over_entries() -> int:
	"""Build memberships and lots from all entries there are; return how many memberships. Commits."""
	# SQLite has one writer at a time
	connections = 2 if frappe.db.db_type == "mariadb" else 1
	find_members(connections)
	# Every entry is written until here: to build the indexes now takes a third of what keeping them up would.
	add_indexes()
	# The database would plan what follows by what it knew before, and read the whole table for each set.
	analyze = "analyze table" if frappe.db.db_type == "mariadb" else "analyze"
	frappe.db.sql_ddl(f"{analyze} `tabLoyalty Point Entry`")
	return build_memberships(connections)


def before_migrate():
	"""Refuse an unsupported Frappe or ERPNext, and keep ERPNext's copies of our doctypes out of the migration."""
	refuse_unsupported()
	doctypes.skip_erpnext_files()


def after_migrate():
	"""Make certain the doctypes are ours, whatever the migration loaded."""
	complete_doctypes()
	# Without them, after an installation that was broken off, no lot could be closed.
	add_indexes()
	doctypes.report_foreign_controllers()


def complete_doctypes():
	"""Take the doctypes over and add the fields the installed ERPNext has beyond our files."""
	doctypes.take_over()
	create_custom_fields(get_custom_fields())
