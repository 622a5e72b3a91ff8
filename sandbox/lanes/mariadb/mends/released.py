"""What the released version 15 can and its development version could not yet; apps for 15 count on it."""


def mend(tree):
	tree.sub(
		"utils/nestedset.py",
		"def rebuild_tree(doctype, parent_field):\n",
		"def rebuild_tree(doctype, parent_field=None):\n",
		"rebuild_tree(doctype)",
	)
	tree.sub(
		"utils/nestedset.py",
		"\t# get all roots\n\tright = 1\n",
		'\tparent_field = meta.nsm_parent_field or f"parent_{frappe.scrub(doctype)}"\n\n'
		"\t# get all roots\n\tright = 1\n",
		"rebuild_tree(doctype) finds the field itself",
	)
	tree.sub(
		"model/document.py",
		"\t\tnew_doc = frappe.new_doc(self.doctype, as_dict=True)\n\t\tself.update_if_missing(new_doc)\n",
		"\t\tif self.is_new():\n\t\t\tself.update_if_missing(frappe.new_doc(self.doctype, as_dict=True))\n",
		"what a user emptied was filled with its default again",
	)
	tree.sub(
		"model/document.py",
		"\t\t\tnew_doc = frappe.new_doc(df.options, as_dict=True)\n",
		"\t\t\tnew_doc = frappe.new_doc(df.options, parent_doc=self, parentfield=df.fieldname, as_dict=True)\n",
		"rows got defaults of the default company, not of the document's",
	)
	tree.sub(
		"model/document.py",
		"\t\t\t\tfor d in value:\n\t\t\t\t\td.update_if_missing(new_doc)\n",
		"\t\t\t\tfor d in value:\n\t\t\t\t\tif d.is_new():\n\t\t\t\t\t\td.update_if_missing(new_doc)\n",
		"what a user emptied was filled with its default again",
	)
	tree.sub(
		"__init__.py",
		"""		# mimics frappe.throw
		document_label = f"{_(doc.doctype)} {doc.name}" if doc else _(doctype)
		msgprint(
			_("No permission for {0}").format(document_label),
			raise_exception=ValidationError,
			title=None,
			indicator="red",
			is_minimizable=None,
			wide=None,
			as_list=False,
		)
""",
		"""		document_label = f"{_(doctype)} {doc if isinstance(doc, str) else doc.name}" if doc else _(doctype)
		frappe.flags.error_message = _("No permission for {0}").format(document_label)
		raise frappe.PermissionError
""",
		"has_permission(…, throw=True) of a document's name failed, and of a document was no PermissionError",
	)
	tree.sub(
		"utils/data.py",
		'"Asia/Kolkata"  # Default to India ?!',
		'"Etc/UTC"',
		"what is made before the wizard knows the time zone would be hours in the future, and scheduled jobs not due",
	)
	tree.sub(
		"model/base_document.py",
		'if d[fieldname] is None and (options := getattr(df, "options", None)):',
		"if d[fieldname] is None and not isinstance(getattr(type(self), fieldname, None), property) and (\n"
		'\t\t\t\t\t\toptions := getattr(df, "options", None)\n\t\t\t\t\t):',
		"a virtual field that is a property was computed from its options, too, where it was empty",
	)
	tree.sub(
		"model/db_query.py",
		"\t\t\tpermission_type=self.permission_map.get(self.doctype),\n\t\t)\n\n\t\tfor i, field",
		"\t\t\tpermission_type=self.permission_map.get(self.doctype),\n\t\t)\n"
		'\t\tvirtual = {df.fieldname for df in self.doctype_meta.get("fields", {"is_virtual": 1})}\n'
		"\t\tpermitted_fields = [field for field in permitted_fields if field not in virtual]\n\n"
		"\t\tfor i, field",
		"a list of all fields asked the database for virtual ones",
	)
