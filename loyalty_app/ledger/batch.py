"""Many adjustments submitted, or cancelled, in one transaction: what each by itself would write, in few statements.

Points that are added to a member who owes none need nothing but what is known already; they are written together. Any
other adjustment takes the way of a single one, after what comes before it has been written.
"""

import html
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import NamedTuple

import frappe
from frappe import _
from frappe.model.document import Document
from frappe.model.naming import parse_naming_series
from frappe.model.workflow import set_workflow_state_on_action

from loyalty_app.ledger import adjustments, bulk, busy, entries, expiry, log, membership
from loyalty_app.ledger.invoices import Event
from loyalty_app.ledger.log import Cause
from loyalty_app.rules import lots
from loyalty_app.rules.lots import Entry, Kind


class Told(NamedTuple):
	"""What became of an adjustment: its customer's balance before and after, or why it was refused."""

	before: int | None = None
	after: int | None = None
	refusal: str | None = None


class Batch:
	"""Adjustments whose customers are held and whose memberships are locked, and what is to be written of them."""

	def __init__(self, docs: list[Document], open_missing: bool = False):
		self.docs = docs
		self.held = membership.hold(*{customer for doc in docs for customer in adjustments.customers_of(doc)})
		for doc in docs:
			doc.loyalty_program = doc.loyalty_program or self._of(doc.customer, "loyalty_program")
			doc.customer_name = self._of(doc.customer, "customer_name")
			doc.to_customer_name = self._of(doc.to_customer, "customer_name")
		self.members = self._lock_members(open_missing)
		due = expiry.those_due(self.members.values())
		expiry.close_of(due)
		self.changed = {member.name: member for member in due}
		self.rows, self.deleted, self.pages, self.shrunk = [], [], [], set()
		self.references = None
		# Members of whom something has taken the way of a single one: their lots may have been drawn on since.
		self.alone = set()

	def _of(self, customer: str | None, field: str) -> str | None:
		found = self.held.get(customer)
		return found and found[field]

	def _lock_members(self, open_missing: bool) -> dict[tuple[str, str], frappe._dict]:
		table = frappe.qb.DocType(membership.DOCTYPE)
		query = frappe.qb.from_(table).select(table.name, table.customer, table.loyalty_program)
		programs = sorted({doc.loyalty_program for doc in self.docs if doc.loyalty_program})
		query = query.where(table.customer.isin(sorted(self.held)) & table.loyalty_program.isin(programs))
		found = query.run(as_dict=True) if self.held and programs else []
		names = {(row.customer, row.loyalty_program): row.name for row in found}
		if missing := self._missing(names) if open_missing else None:
			new = [
				membership.new_row(
					customer,
					self._of(customer, "customer_name"),
					program,
					frappe.get_cached_value("Loyalty Program", program, "company"),
					True,
				)
				for customer, program in sorted(missing)
			]
			try:
				bulk.insert(membership.DOCTYPE, new)
			except Exception as e:
				if frappe.db.is_unique_key_violation(e):
					busy.refuse()  # opened by somebody else, since this transaction first read
				raise
			names.update({(row["customer"], row["loyalty_program"]): row["name"] for row in new})
		members = membership.lock_all(sorted(names.values())) if names else []
		return {(member.customer, member.loyalty_program): member for member in members}

	def _missing(self, names: dict[tuple[str, str], str]) -> set[tuple[str, str]]:
		"""Customers with their program, to whom nothing has happened in it yet."""
		wanted = {
			(customer, doc.loyalty_program)
			for doc in self.docs
			for customer in adjustments.customers_of(doc)
			if doc.loyalty_program
		}
		return {
			(customer, program)
			for customer, program in wanted - names.keys()
			if self._of(customer, "loyalty_program") == program
		}

	def members_of(self, doc: Document) -> list[frappe._dict]:
		found = (
			self.members.get((customer, doc.loyalty_program)) for customer in adjustments.customers_of(doc)
		)
		return [member for member in found if member]

	# --- submitting

	def submit_all(self, author: str | None) -> list[Told]:
		"""Submit new adjustments as their `author` made them; what became of each. They are not written by this.

		Without an author, nobody is kept from approving them: it is only to see what would become of them.
		"""
		return [self._attempt(lambda doc=doc: self._submit(doc, author)) for doc in self.docs]

	def _attempt(self, act: Callable[[], Told]) -> Told:
		try:
			return act()
		except (frappe.ValidationError, frappe.PermissionError) as e:
			if busy.is_busy(e):
				raise
			frappe.clear_messages()
			said = str(e) or frappe.flags.pop("error_message", None) or _("Not permitted")
			return Told(refusal=html.unescape(frappe.utils.strip_html(said)))

	def _submit(self, doc: Document, author: str | None) -> Told:
		doc.flags.loyalty_members = self.members
		doc.docstatus, doc._action = 1, "submit"
		doc.set("__islocal", True)
		doc.run_method("before_validate")
		doc.run_method("validate")
		doc._validate()
		self._refuse_missing_reference(doc)
		doc.check_permission("submit")
		doc.refuse_approval_by({author})
		doc.settle_terms()
		members = self.members_of(doc)
		doc.membership, before = members[0].name, members[0].balance
		if adjustments.adds(doc) and not members[0].shortfall:
			self._add(doc, members[0])
		else:
			adjustments.refuse_if_short(doc, members[0])
			self._settle_alone(doc, members, Event.SUBMIT)
		doc.set_user_and_timestamp()
		doc.owner = author or doc.owner
		return Told(before, members[0].balance)

	def _refuse_missing_reference(self, doc: Document) -> None:
		"""What Frappe asks the database of each document: here, once for all of them."""
		if self.references is None:
			self.references = _references_of(self.docs)
		if doc.reference_name and (doc.reference_doctype, doc.reference_name) not in self.references:
			doc.refuse(
				"reference_name",
				_("there is no {0} {1}").format(
					_(doc.reference_doctype or "Document"), frappe.bold(doc.reference_name)
				),
			)

	def _add(self, doc: Document, member: frappe._dict) -> None:
		wanted = adjustments.wanted_of(doc, member, [], ())
		after = lots.settle((), wanted, bulk.new_name)
		entries.refuse_too_many(member, doc.points)
		rows = {e.name: entries.to_row(e, member) for e in after.values()}
		self.rows += [{"name": name, "membership": member.name, **row} for name, row in rows.items()]
		changes = [entries.change_of(name, None, row) for name, row in rows.items()]
		self._log(member, changes, doc, Event.SUBMIT)
		membership.count(member, {}, after)

	def _settle_alone(self, doc: Document, members: list[frappe._dict], event: Event) -> None:
		self.write()
		self.alone.update(member.name for member in members)
		frappe.db.savepoint("loyalty_alone")
		try:
			adjustments.settle_in(members, doc, event)
		except Exception as e:
			if busy.is_busy(e):
				raise
			frappe.db.rollback(save_point="loyalty_alone")
			for member in members:
				member.update(membership.lock(member.name))
			raise

	# --- cancelling

	def cancel_all(self) -> list[Told]:
		"""Cancel submitted adjustments, whose documents are not written by this; what became of each.

		Raises LedgerBusy where a customer is not there any more: renamed, or merged into another, since they were read.
		"""
		if any(customer not in self.held for doc in self.docs for customer in adjustments.customers_of(doc)):
			busy.refuse()
		own = self._entries_of_all()
		drawn_on = self._drawn_on([e.name for found in own.values() for e in found if e.is_lot])
		return [
			self._attempt(lambda doc=doc: self._cancel(doc, own[doc.name], drawn_on)) for doc in self.docs
		]

	def _cancel(self, doc: Document, own: list[Entry], drawn_on: set[str]) -> Told:
		doc.check_permission("cancel")
		members = self.members_of(doc)
		before = members[0].balance if members else None
		doc.docstatus = 2
		try:
			untouched = own and all(e.is_lot and e.name not in drawn_on for e in own)
			if untouched and adjustments.adds(doc) and members[0].name not in self.alone:
				self._take_back(doc, members[0], own)
			else:
				self._settle_alone(doc, members, Event.CANCEL)
		except Exception:
			doc.docstatus = 1
			raise
		if workflow := doc.meta.get_workflow():
			set_workflow_state_on_action(doc, workflow, "cancel")
		return Told(before, members[0].balance if members else None)

	def _take_back(self, doc: Document, member: frappe._dict, own: list[Entry]) -> None:
		"""Take back lots that nothing was drawn from."""
		rows = {e.name: entries.to_row(e, member) for e in own}
		self.deleted += [{"name": name, "membership": member.name, **row} for name, row in rows.items()]
		changes = [entries.change_of(name, row, None) for name, row in rows.items()]
		self._log(member, changes, doc, Event.CANCEL)
		# the next expiry of all members is read at once, when the lots are gone
		membership.count(member, {e.name: e for e in own}, {}, horizon=lots.NEVER)
		self.shrunk.add(member.name)

	def _entries_of_all(self) -> dict[str, list[Entry]]:
		table = frappe.qb.DocType(entries.DOCTYPE)
		own = {doc.name: [] for doc in self.docs}
		names = [member.name for member in self.members.values()]
		query = entries.select(
			table.membership.isin(names),
			table.invoice.isin(sorted(own)),
			table.invoice_type == adjustments.DOCTYPE,
		)
		for row in query.for_update().run(as_dict=True) if names else ():
			if row.entry_type == Kind.ADJUSTED:
				own[row.invoice].append(entries.from_row(row))
		return own

	def _drawn_on(self, names: list[str]) -> set[str]:
		"""Those of the lots from which something was drawn, or which have expired."""
		table = frappe.qb.DocType(entries.DOCTYPE)
		members = [member.name for member in self.members.values()]
		query = frappe.qb.from_(table).select(table.redeem_against).distinct()
		query = query.where(table.membership.isin(members) & table.redeem_against.isin(names))
		return set(query.for_update().run(pluck=True)) if names else set()

	# --- writing

	def _log(self, member: frappe._dict, changes: list, doc: Document, event: Event) -> None:
		page = log.Page(Cause(event.value, doc.doctype, doc.name))
		page.add(member, changes)
		self.pages.append(page)
		self.changed[member.name] = member

	def write(self) -> None:
		"""Write what has been gathered so far."""
		table = frappe.qb.DocType(entries.DOCTYPE)
		if self.deleted:
			names = [row["name"] for row in self.deleted]
			frappe.qb.from_(table).delete().where(table.name.isin(names)).run()
		entries.insert_rows(self.rows)
		log.write_all(self.pages)
		for name, day in membership.first_expiries(sorted(self.shrunk)).items() if self.shrunk else ():
			self.changed[name].next_expiry = day
		if self.changed:
			membership.save_all(list(self.changed.values()))
		if self.rows and entries.is_heard("after_insert"):
			entries.announce("after_insert", self.rows)
		if self.deleted and entries.is_heard("after_delete"):
			entries.announce("after_delete", self.deleted)
		self.rows, self.deleted, self.pages, self.shrunk, self.changed = [], [], [], set(), {}


def _references_of(docs: list[Document]) -> set[tuple[str, str]]:
	"""Doctype and name of the documents that `docs` are about, as far as they are there."""
	wanted, found = defaultdict(set), set()
	for doc in docs:
		if doc.reference_doctype and doc.reference_name:
			wanted[doc.reference_doctype].add(doc.reference_name)
	for doctype, names in wanted.items():
		there = frappe.get_all(doctype, filters={"name": ("in", sorted(names))}, pluck="name", limit=0)
		found.update((doctype, name) for name in there)
	return found


def name_all(docs: list[Document]) -> None:
	"""Give new documents of one doctype their names; a naming series is counted on once for all of them."""
	meta = frappe.get_meta(docs[0].doctype)
	has_rule = frappe.db.exists("Document Naming Rule", {"document_type": meta.name, "disabled": 0})
	if has_rule or not (meta.autoname or "").startswith("naming_series:"):
		for doc in docs:
			doc.set_new_name()
		return
	places = defaultdict(list)
	for doc in docs:
		made = {}

		def number(prefix: str, digits: int, made=made) -> str:
			made.update(prefix=prefix, digits=digits)
			return "{number}"

		pattern = parse_naming_series(f"{doc.naming_series}.#####", doc=doc, number_generator=number)
		places[made["prefix"]].append((doc, pattern, made["digits"]))
	for prefix, found in sorted(places.items()):
		for at, (doc, pattern, digits) in enumerate(found, _reserve(prefix, len(found))):
			doc.name = pattern.replace("{number}", f"{at:0{digits}}")


def _reserve(prefix: str, count: int) -> int:
	"""Count on the series `prefix` by `count`; return the first of the numbers."""
	series = frappe.qb.DocType("Series")
	found = frappe.qb.from_(series).select(series.current).where(series.name == prefix).for_update().run()
	if found:
		frappe.qb.update(series).set(series.current, series.current + count).where(
			series.name == prefix
		).run()
		return (found[0][0] or 0) + 1
	frappe.qb.into(series).columns("name", "current").insert(prefix, count).run()
	return 1


def insert_all(docs: Iterable[Document]) -> None:
	"""Insert the rows of documents that are named."""
	rows = [dict(doc.get_valid_dict(convert_dates_to_str=True)) for doc in docs]
	if rows:
		bulk.insert(adjustments.DOCTYPE, rows)
