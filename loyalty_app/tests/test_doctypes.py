from unittest.mock import patch

import frappe
from frappe.model.base_document import get_controller
from frappe.modules.import_file import import_file_by_path
from frappe.utils import today

from loyalty_app.loyalty_app.doctype.loyalty_point_entry.loyalty_point_entry import INDEXES
from loyalty_app.overrides.invoice import LoyaltyInvoiceMixin
from loyalty_app.setup import custom_fields, doctypes, install, uninstall, versions
from loyalty_app.tests.utils import IntegrationTestCase, store

# of a field, what decides about its column
COLUMN = ("fieldtype", "length", "unique", "search_index", "default")


class TestTakeover(IntegrationTestCase):
	def setUp(self):
		frappe.set_user("Administrator")
		self.addCleanup(doctypes.take_over)

	def assertOurs(self):
		for doctype in doctypes.DOCTYPES:
			self.assertTrue(doctypes.is_ours(doctype), doctype)
			self.assertTrue(get_controller(doctype).__module__.startswith("loyalty_app."), doctype)

	def entry(self) -> str:
		"""A row in the table that outlives the statements which define it."""
		name = store(
			"Loyalty Point Entry",
			loyalty_points=7,
			purchase_amount=70.25,
			posting_date=today(),
			expiry_date=today(),
			remaining_points=3,
			collection_factor=10.5,
		).name
		self.addCleanup(self.remove, name)
		return name

	def remove(self, name: str):
		frappe.db.delete("Loyalty Point Entry", {"name": name})
		# changing the table's definition has committed the row
		frappe.db.commit()

	def values(self, name: str):
		row = frappe.qb.DocType("Loyalty Point Entry")
		return (
			frappe.qb.from_(row)
			.select(row.loyalty_points, row.purchase_amount, row.remaining_points, row.collection_factor)
			.where(row.name == name)
			.run()[0]
		)

	def test_doctypes_are_ours(self):
		self.assertOurs()

	def test_superset_of_the_installed_erpnext(self):
		for doctype in doctypes.DOCTYPES:
			meta = frappe.get_meta(doctype)
			for df in doctypes.definition(doctype, doctypes.ERPNEXT_MODULE)["fields"]:
				ours = meta.get_field(df["fieldname"])
				self.assertTrue(ours, f"{doctype}.{df['fieldname']}")
				for key in COLUMN:
					self.assertEqual(
						ours.get(key) or None,
						df.get(key) or None,
						f"{doctype}.{df['fieldname']}: {key}",
					)
				if df["fieldtype"] in ("Link", "Dynamic Link", "Table", "Select"):
					self.assertEqual(ours.options, df["options"], f"{doctype}.{df['fieldname']}")

	def test_no_index_is_of_one_of_erpnext_s_columns_alone(self):
		"""It would be dropped whenever ERPNext's definition is loaded."""
		shared = {
			df["fieldname"]
			for df in doctypes.definition("Loyalty Point Entry", doctypes.ERPNEXT_MODULE)["fields"]
		}
		alone = {fields[0] for fields in INDEXES.values() if len(fields) == 1}
		self.assertFalse(alone & shared)

	def has_indexes(self) -> dict[str, bool]:
		names = (f"loyalty_point_entry_{name}" for name in INDEXES)
		return {name: bool(frappe.db.has_index("tabLoyalty Point Entry", name)) for name in names}

	def test_migration_skips_erpnext_s_files(self):
		doctypes.skip_erpnext_files()
		for doctype in doctypes.DOCTYPES:
			path = doctypes.definition_file(doctype, doctypes.ERPNEXT_MODULE)
			import_file_by_path(str(path), ignore_version=True)
		self.assertOurs()

	def test_a_late_reload_by_erpnext_is_undone(self):
		name = self.entry()
		frappe.reload_doc("accounts", "doctype", "loyalty_point_entry", force=True)
		self.assertFalse(doctypes.is_ours("Loyalty Point Entry"))
		self.assertEqual(set(self.has_indexes().values()), {True}, "ERPNext's definition drops indexes")
		install.after_migrate()
		self.assertOurs()
		self.assertEqual(tuple(map(float, self.values(name))), (7, 70.25, 3, 10.5))

	def test_handing_back_keeps_the_rows(self):
		name = self.entry()
		uninstall.before_uninstall()
		for doctype in doctypes.DOCTYPES:
			self.assertEqual(frappe.db.get_value("DocType", doctype, "module"), doctypes.ERPNEXT_MODULE)
			self.assertTrue(get_controller(doctype).__module__.startswith("erpnext."), doctype)
		self.assertEqual(
			[
				field
				for field in frappe.get_meta("Loyalty Point Entry").get_valid_columns()
				if field == "is_open"
			],
			[],
		)
		self.assertEqual(tuple(map(float, self.values(name))), (7, 70.25, 3, 10.5))

		# what a dry run does next
		uninstall.after_uninstall()
		self.assertOurs()
		self.assertEqual(tuple(map(float, self.values(name))), (7, 70.25, 3, 10.5))

	def test_uninstalling_stops_if_handing_back_fails(self):
		with patch.object(doctypes, "_load"), self.assertRaises(frappe.ValidationError):
			doctypes.hand_back()

	def test_fields_of_a_newer_erpnext_are_added(self):
		original = doctypes.definition

		def newer(doctype: str, module: str) -> dict:
			found = original(doctype, module)
			if (doctype, module) == ("Loyalty Program", doctypes.ERPNEXT_MODULE):
				found["field_order"].insert(1, "loyalty_test_field")
				found["fields"].append(
					{"fieldname": "loyalty_test_field", "fieldtype": "Data", "label": "Test", "reqd": 1}
				)
			return found

		with patch.object(doctypes, "definition", newer):
			added = custom_fields.get_custom_fields()["Loyalty Program"]
		field = next(df for df in added if df["fieldname"] == "loyalty_test_field")
		self.assertEqual(
			field,
			{
				"fieldname": "loyalty_test_field",
				"fieldtype": "Data",
				"label": "Test",
				"reqd": 1,
				"insert_after": "loyalty_program_name",
				"module": "Loyalty App",
			},
		)

	def test_custom_fields_are_deleted_when_uninstalling(self):
		from frappe.custom.doctype.custom_field.custom_field import create_custom_fields

		df = {
			"fieldname": "loyalty_test_field",
			"fieldtype": "Data",
			"label": "Test",
			"module": "Loyalty App",
		}
		create_custom_fields({"Loyalty Program": [df]})
		uninstall.delete_custom_fields()
		self.assertFalse(frappe.db.exists("Custom Field", {"fieldname": "loyalty_test_field"}))


class TestVersions(IntegrationTestCase):
	def test_major(self):
		for version, major in (("15.44.2", 15), ("16.x.x-develop", 16), ("16", 16), ("develop", 0), ("", 0)):
			self.assertEqual(versions.major(version), major)

	def test_installed_version_is_supported(self):
		install.before_install()

	def test_other_versions_are_refused(self):
		import erpnext

		for module, name in ((frappe, "Frappe"), (erpnext, "ERPNext")):
			for version in ("14.70.0", "17.0.0-dev"):
				with (
					patch.object(module, "__version__", version),
					self.assertRaises(frappe.ValidationError) as e,
				):
					versions.refuse_unsupported()
				self.assertIn(
					f"Loyalty App needs {name} version 15 or 16, but version {version} is installed.",
					str(e.exception),
				)


class TestStandDown(IntegrationTestCase):
	def test_our_mixin_is_in_charge(self):
		for doctype in ("Sales Invoice", "POS Invoice"):
			self.assertTrue(issubclass(get_controller(doctype), LoyaltyInvoiceMixin), doctype)

	def test_another_app_s_class_is_reported_once(self):
		class Foreign:
			pass

		title = "Loyalty App is bypassed by another app"
		frappe.db.delete("Error Log", {"method": title})
		self.addCleanup(frappe.db.delete, "Error Log", {"method": title})
		with patch.object(doctypes, "get_controller", lambda doctype: Foreign):
			doctypes.report_foreign_controllers()
			doctypes.report_foreign_controllers()
		logged = frappe.get_all("Error Log", filters={"method": title}, fields=["error"])
		self.assertEqual(len(logged), 1)
		self.assertIn("Sales Invoice runs on", logged[0].error)
		self.assertIn("Foreign", logged[0].error)
