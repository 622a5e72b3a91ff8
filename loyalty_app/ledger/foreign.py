"""Entries of an invoice that something else wrote or deleted: ERPNext's own loyalty code, or another app.

ERPNext stands down where our class is in charge. Where another app's class is, ERPNext writes and deletes entries
before our handlers run. Theirs go, ours come back as the log knows them, and the invoice is settled as always.
"""

import frappe
from frappe.model.document import Document
from frappe.query_builder.functions import Sum
from frappe.utils import cint

from loyalty_app.ledger import entries, log, membership
from loyalty_app.ledger.log import Cause, Change
from loyalty_app.rules.amounts import exact
from loyalty_app.rules.lots import Entry, Voucher

# The event of log rows that tell of foreign entries.
WRITTEN_ELSEWHERE = "Written Elsewhere"

TITLE = "Loyalty entries were written past the ledger"


def in_hand() -> dict[tuple[str, str], tuple[str, int]]:
	"""Invoices being submitted or cancelled, which the ledger is about to settle, by doctype and name: each with the name
	of the document that is, the invoice or a return of it, and its docstatus then."""
	return frappe.flags.setdefault("loyalty_invoices_in_hand", {})


def take_in_hand(doc: Document) -> None:
	names = filter(None, (doc.name, doc.get("return_against")))
	in_hand().update({(doc.doctype, name): (doc.name, int(doc.docstatus)) for name in names})


def let_go(doc: Document) -> None:
	for name in (doc.name, doc.get("return_against")):
		in_hand().pop((doc.doctype, name), None)


def is_moving(doctype: str, name: str) -> bool:
	"""Whether the invoice in hand is indeed being submitted, cancelled or returned: where that has failed and was undone,
	the same request may go on."""
	moving, docstatus = in_hand()[doctype, name]
	return frappe.db.get_value(doctype, moving, "docstatus") == docstatus


def is_erpnexts(doc: Document) -> bool:
	"""Whether `doc`, a Loyalty Point Entry being inserted, is what ERPNext itself writes for an invoice in hand.

	A bonus that another app grants with an invoice has a reason or at least no purchase amount.
	"""
	return (
		(doc.invoice_type, doc.invoice) in in_hand()
		and not doc.get("discretionary_reason")
		and bool(exact(doc.purchase_amount) or not cint(doc.loyalty_points))
		and is_moving(doc.invoice_type, doc.invoice)
	)


def discard(voucher: Voucher, cause: Cause) -> None:
	"""Remove entries of `voucher`, in which the ledger moves nothing, that something else wrote."""
	table = frappe.qb.DocType(entries.DOCTYPE)
	query = entries.select(table.membership.isnull(), table.invoice_type == voucher.doctype)
	query = query.select(table.customer, table.loyalty_program)
	found = query.where(table.invoice.isin(sorted({voucher.name, cause.name}))).run(as_dict=True)
	if found:
		remove(found, voucher, cause)


def remove(found: list[dict], voucher: Voucher, cause: Cause, locked: dict | None = None) -> None:
	"""Delete the rows `found`, which belong to no membership; tell of it in the log and, once, as an error.

	What the ledger writes always belongs to a membership. The `locked` membership's log goes on with them; others
	are locked for it.
	"""
	table = frappe.qb.DocType(entries.DOCTYPE)
	frappe.qb.from_(table).delete().where(table.name.isin([row["name"] for row in found])).run()
	for customer, program in sorted({(row["customer"] or "", row["loyalty_program"] or "") for row in found}):
		if locked and (customer, program) == (locked.customer, locked.loyalty_program):
			member = locked
		else:
			member = membership.lock_for(customer, program)
		if not member:
			continue
		told = [
			(row["name"], entries.logged(row))
			for row in found
			if (row["customer"], row["loyalty_program"]) == (customer, program)
		]
		changes = [Change(entry, None, values) for entry, values in told]
		changes += [Change(entry, values, None) for entry, values in told]
		log.append(member, changes, Cause(WRITTEN_ELSEWHERE, cause.doctype, cause.name))
		membership.save(member)
		membership.show_tier([customer], program, member.loyalty_program_tier)
	report(voucher, len(found), "were written by other code before the ledger settled it, and removed")


def recorded(member: frappe._dict, voucher: Voucher) -> tuple[bool, list[Entry]]:
	"""Whether the log knows entries of `voucher`, and those that should stand and are not there.

	To be asked when the locked `member` has none of them: all may have been returned since, or deleted by other
	code. The latter are put back into the table as the log, which needs no new row for it, says they were.
	"""
	table = frappe.qb.DocType(log.DOCTYPE)
	query = frappe.qb.from_(table).select(table.entry, table.after).orderby(table.sequence)
	query = query.where((table.membership == member.name) & (table.invoice == voucher.name))
	# By a locking read: what another transaction took back since this one began must not come back.
	rows = query.where(table.invoice_type == voucher.doctype).for_update().run(as_dict=True)
	standing = {
		name: values
		for name, values in log.told_among_many(member.name, voucher.name).items()
		if (values.get("invoice_type"), values.get("invoice")) == voucher
	}
	standing |= {row.entry: row.after for row in rows}
	missing = {name: entries.told(after) for name, after in standing.items() if after}
	if not missing:
		return bool(standing), []
	table = frappe.qb.DocType(entries.DOCTYPE)
	drawn = dict(
		frappe.qb.from_(table)
		.select(table.redeem_against, Sum(table.loyalty_points))
		.where((table.membership == member.name) & table.redeem_against.isin(sorted(missing)))
		.groupby(table.redeem_against)
		.for_update()
		.run()
	)
	for values in missing.values():
		if values["redeem_against"] in missing:
			lot = values["redeem_against"]
			drawn[lot] = drawn.get(lot, 0) + values["loyalty_points"]
	back = []
	for name, values in missing.items():
		points = cint(values["loyalty_points"])
		short = points < 0 and not values["redeem_against"]
		remaining = points + cint(drawn.get(name)) if points > 0 else points if short else 0
		back.append(entries.from_row({"name": name, "remaining_points": remaining, **values}))
	entries.insert_rows(
		[{"name": e.name, "membership": member.name, **entries.to_row(e, member)} for e in back]
	)
	membership.show_tier([member.customer], member.loyalty_program, member.loyalty_program_tier)
	report(voucher, len(back), "were deleted by other code, and put back before it was settled")
	return True, back


def report(voucher: Voucher, number: int, happened: str) -> None:
	"""Write one plain entry to the Error Log, not one for every invoice, about `number` entries of `voucher`."""
	if frappe.db.exists("Error Log", {"method": TITLE}):
		return
	frappe.log_error(
		title=TITLE,
		message=f"{number} Loyalty Point Entries of {voucher.doctype} {voucher.name} {happened}. Points are right;"
		" but the code that does this should be found and switched off: a class that another app puts in the place"
		" of Sales Invoice or POS Invoice, a Server Script, or an ERPNext version newer than this app knows. This"
		" is reported once; the Loyalty Point Log has every case, as event Written Elsewhere.",
	)
