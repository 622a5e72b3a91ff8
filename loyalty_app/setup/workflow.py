"""The workflow for approving adjustments that the app brings along, switched off."""

import frappe

DOCTYPE = "Loyalty Point Adjustment"
NAME = "Loyalty Point Adjustment Approval"
ACTIONS = ("Request Approval", "Approve", "Reject")
# State, its style, docstatus, and who edits in it. What is cancelled shows so: Frappe looks for a state of that docstatus.
STATES = (
	("Draft", "", 0, "Accounts User"),
	("Pending Approval", "Warning", 0, "Accounts Manager"),
	("Approved", "Success", 1, "Accounts Manager"),
	("Rejected", "Danger", 0, "Accounts User"),
	("Cancelled", "Danger", 2, "Accounts Manager"),
)
TRANSITIONS = (
	("Draft", "Request Approval", "Pending Approval", "Accounts User"),
	("Pending Approval", "Approve", "Approved", "Accounts Manager"),
	("Pending Approval", "Reject", "Rejected", "Accounts Manager"),
	("Rejected", "Request Approval", "Pending Approval", "Accounts User"),
)


def make_workflow() -> None:
	"""Make the workflow if it is not there. One that is stays as it is: it may have been changed, or switched on."""
	if frappe.db.exists("Workflow", NAME):
		return
	for state, style, _docstatus, _role in STATES:
		if not frappe.db.exists("Workflow State", state):
			frappe.get_doc(
				{"doctype": "Workflow State", "workflow_state_name": state, "style": style}
			).insert(ignore_permissions=True)
	for action in ACTIONS:
		if not frappe.db.exists("Workflow Action Master", action):
			frappe.get_doc({"doctype": "Workflow Action Master", "workflow_action_name": action}).insert(
				ignore_permissions=True
			)
	frappe.get_doc(
		{
			"doctype": "Workflow",
			"workflow_name": NAME,
			"document_type": DOCTYPE,
			"workflow_state_field": "workflow_state",
			"is_active": 0,
			"states": [
				{"state": state, "doc_status": str(docstatus), "allow_edit": role}
				for state, _style, docstatus, role in STATES
			],
			"transitions": [
				{
					"state": state,
					"action": action,
					"next_state": next_state,
					"allowed": role,
					# who asks for an approval does not give it
					"allow_self_approval": int(action != "Approve"),
				}
				for state, action, next_state, role in TRANSITIONS
			],
		}
	).insert(ignore_permissions=True)


def delete_workflow() -> None:
	"""Delete the workflow, whose doctype is gone; its states and actions may be used by others."""
	for df in frappe.get_meta("Workflow").get_table_fields():
		frappe.db.delete(df.options, {"parenttype": "Workflow", "parent": NAME})
	frappe.db.delete("Workflow", {"name": NAME})
