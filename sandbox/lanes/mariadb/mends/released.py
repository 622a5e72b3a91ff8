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
