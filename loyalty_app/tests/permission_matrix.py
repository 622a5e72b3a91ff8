"""Who may do what, by door: what test_permission_matrix.py tries and docs/permissions.md prints.

What is written here is what should be. A doctype, report or whitelisted method of the app that is missing is a failing
test.
"""

from typing import NamedTuple

USER, MANAGER, AUDITOR, SALES, SYSTEM = (
	"Accounts User",
	"Accounts Manager",
	"Auditor",
	"Sales User",
	"System Manager",
)
# A user of the website who stands for a customer, and who is not signed in.
WEBSITE, GUEST = "Website user", "Guest"
ROLES = (USER, MANAGER, AUDITOR, SALES, SYSTEM, WEBSITE, GUEST)

# The doors.
DOCUMENT, REPORT, DESK, API = "REST resource", "Report", "Desk method", "Public API"

NOBODY = ()
LEDGER = (USER, MANAGER, AUDITOR)
PROGRAMS = (USER, MANAGER, AUDITOR, SALES, SYSTEM)
# ERPNext lets these read customers.
CUSTOMERS = (USER, MANAGER, SALES)
READING = ("read", "list")
WRITING = ("create", "write", "delete")


class Row(NamedTuple):
	door: str
	thing: str
	action: str
	roles: tuple[str, ...]


def _document(doctype: str, readers: tuple, **actions: tuple) -> list[Row]:
	"""The rows of a doctype; who may do what is not among `actions` is nobody."""
	actions = dict.fromkeys(READING, readers) | dict.fromkeys(WRITING, NOBODY) | actions
	return [Row(DOCUMENT, doctype, action, roles) for action, roles in actions.items()]


def _methods(door: str, module: str, **methods: tuple) -> list[Row]:
	return [Row(door, f"{module}.{name}", "call", roles) for name, roles in methods.items()]


MATRIX: list[Row] = [
	*_document(
		"Loyalty Program",
		PROGRAMS,
		create=(MANAGER, SYSTEM),
		write=(MANAGER, SYSTEM),
		delete=(MANAGER, SYSTEM),
	),
	*_document(
		"Loyalty Promotion",
		PROGRAMS,
		create=(MANAGER, SYSTEM),
		write=(MANAGER, SYSTEM),
		delete=(MANAGER, SYSTEM),
	),
	*(Row(DOCUMENT, "Loyalty Settings", action, (MANAGER, SYSTEM)) for action in ("read", "write")),
	*_document("Loyalty Membership", (*LEDGER, SALES)),
	*_document("Loyalty Point Entry", LEDGER),
	*_document("Loyalty Point Log", LEDGER),
	*_document(
		"Loyalty Point Adjustment",
		LEDGER,
		create=(USER, MANAGER),
		write=(USER, MANAGER),
		# Accounts User too, up to the limit that a program sets
		submit=(MANAGER,),
		cancel=(MANAGER,),
		delete=(MANAGER,),
	),
	*_document("Loyalty Ledger Run", (MANAGER, AUDITOR, SYSTEM)),
	*_document("Loyalty Import Row", (MANAGER, AUDITOR)),
	*(
		Row(REPORT, report, "run", LEDGER)
		for report in (
			"Loyalty Audit Trail",
			"Loyalty Balances",
			"Loyalty Installation Corrections",
			"Loyalty Point Ledger",
			"Loyalty Program Performance",
			"Loyalty Promotion Performance",
			"Points Expiring",
		)
	),
	*_methods(
		API,
		"loyalty_app.api.v1",
		membership=(*CUSTOMERS, WEBSITE),
		quote=(*CUSTOMERS, WEBSITE),
		redeem_quote=(*CUSTOMERS, WEBSITE),
		statement=(USER, MANAGER, WEBSITE),
		enrol=(SALES,),
		adjust=(USER, MANAGER),
		programs=PROGRAMS,
		openapi=(*PROGRAMS, WEBSITE),
	),
	*_methods(
		DESK,
		"loyalty_app.api.desk",
		customer_summary=CUSTOMERS,
		invoice_preview=(USER, MANAGER),
		program_preview=PROGRAMS,
		program_standing=PROGRAMS,
		promotion_preview=PROGRAMS,
	),
	*_methods(DESK, "loyalty_app.api.adjustments", preview=(USER, MANAGER)),
	*_methods(DESK, "loyalty_app.api.statement", pdf=(*LEDGER, SALES, WEBSITE)),
	*_methods(
		DESK,
		"loyalty_app.api.workspace",
		points_outstanding=LEDGER,
		worth_outstanding=LEDGER,
		points_expiring=LEDGER,
		points_redeemed_this_month=LEDGER,
		points_by_month=LEDGER,
		redemption_rate=LEDGER,
		members_by_tier=(*LEDGER, SALES),
	),
	*_methods(DESK, "loyalty_app.api.runs", start=(MANAGER, SYSTEM)),
	*_methods(
		DESK,
		"loyalty_app.api.imports",
		check=(MANAGER,),
		start=(MANAGER,),
		undo=(MANAGER,),
		next_steps=(MANAGER, AUDITOR, SYSTEM),
	),
	*_methods(DESK, "loyalty_app.enrolment", start=(MANAGER, SYSTEM), progress=PROGRAMS),
	*_methods(
		DESK,
		"loyalty_app.api.erpnext",
		get_loyalty_program_details_with_points=CUSTOMERS,
		get_loyalty_program_details=CUSTOMERS,
		get_redeemption_factor=PROGRAMS,
		get_loyalty_programs=CUSTOMERS,
		set_customer_info=(SALES,),
	),
]

INTRODUCTION = """# Who may do what

Made from `loyalty_app/tests/permission_matrix.py`, which the tests try row by row, door by door, as each role. Roles add
up: who has several may do what any of them may. A site may change its roles' permissions, as everywhere in Frappe.

What a role may see is narrowed by the user:

- **User Permissions** on Company and Customer apply to documents, reports, desk methods and the API alike.
- Every method that tells of a customer asks whether the user may read that customer. *Sales User* reads customers and their
  balances, but not entries; *Auditor* reads entries, but, as ERPNext has it, not customers.
- A **website user** gets the memberships of the customers they stand for, and what belongs to these: on the page `/loyalty`, as
  PDF, and by the methods below. Of others they learn nothing, not even whether they are there.
- *Accounts User* may also submit an adjustment of at most so many points as its program's *Accounts Users May Submit Up
  To* says.
- Nobody writes entries, memberships, the log and runs: the ledger does. Administrator, too, edits and deletes none.
"""

TITLES = {
	DOCUMENT: "Documents, by `/api/resource` and in the desk",
	REPORT: "Reports",
	API: "The public API, see [api.md](api.md)",
	DESK: "Methods behind the desk's forms, cards and charts",
}


def as_markdown() -> str:
	"""The page docs/permissions.md."""
	parts = [INTRODUCTION]
	for door, title in TITLES.items():
		parts.append(f"\n## {title}\n\n| | | {' | '.join(ROLES)} |\n| --- | --- |{' --- |' * len(ROLES)}\n")
		for row in MATRIX:
			if row.door == door:
				thing = row.thing if door in (DOCUMENT, REPORT) else f"`{row.thing}`"
				marks = " | ".join("yes" if role in row.roles else "" for role in ROLES)
				parts.append(f"| {thing} | {row.action} | {marks} |\n")
	return "".join(parts)
