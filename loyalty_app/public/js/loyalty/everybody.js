// Programs and promotions are for everybody unless somebody chooses a group or a territory. A new document gets the site's
// and the user's defaults, which are meant for new customers, and a program or promotion with them would silently be for few.

const FIELDS = ["customer_group", "customer_territory"];

// Called before a form is loaded: once it is drawn, Frappe is about to look up what its link fields have, and sets them anew.
export function begin_for_everybody(frm) {
	// of a copy, this is what was chosen for the original
	if (!frm.is_new() || !frm.doc.__run_link_triggers) return;
	for (const field of FIELDS) {
		const df = frappe.meta.get_docfield(frm.doctype, field);
		if (frm.doc[field] === frappe.model.get_default_value(df, frm.doc)) frm.doc[field] = null;
	}
}
