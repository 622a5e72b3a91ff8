"""Adjustments from a file: checked, imported and undone by runs, in sets of rows.

A check reads the file, keeps its rows as Loyalty Import Rows, and does with them all that importing would, but for writing
it. An import submits an adjustment for each row that is ready; undoing it cancels them. Rows of one customer are in one
set, in the file's order, so that a row is checked with what those above it do.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

import frappe
from frappe import _
from frappe.core.doctype.data_import.importer import Header, ImportFile, Row
from frappe.query_builder.functions import Count
from frappe.utils import cstr, getdate, strip_html, today

from loyalty_app.ledger import adjustments, batch, bulk, entries
from loyalty_app.ledger.audit import Difference
from loyalty_app.ledger.batch import Batch, Told

DOCTYPE = "Loyalty Import Row"
CHECK, IMPORT, UNDO = "Import Check", "Import", "Import Undo"
KINDS = (CHECK, IMPORT, UNDO)
WAITING, READY, REFUSED, IMPORTED, UNDONE = "Waiting", "Ready", "Refused", "Imported", "Undone"
# The rows that each kind of run is about.
ABOUT = {CHECK: WAITING, IMPORT: READY, UNDO: IMPORTED}

# Rows that Frappe looks at to guess how dates are written.
SAMPLE = 1_000
NAMES_AT_ONCE = 10_000
# What a file may not say: it is the ledger's, or another document's.
NOT_FROM_FILE = {"amended_from", "company", "imported_by", "membership", "workflow_state"}
DATES = ("posting_date", "expiry_date")
SHOWN = ("customer", "to_customer", "loyalty_program", "reason", "points", *DATES)


# --- reading the file


class AdjustmentFile(ImportFile):
	"""Frappe's reading of a file for import, with links looked up for all rows at once and numbers left as they are."""

	def parse_data_from_template(self):
		"""Replaces ImportFile.parse_data_from_template."""
		filled = [(i, row) for i, row in enumerate(self.raw_data) if any(v not in ("", None) for v in row)]
		if len(filled) < 2:
			frappe.throw(_("The file needs a heading and at least one row"), title=_("Import"))
		(at, heading), *rows = filled
		sample = [row for _i, row in rows[:SAMPLE]]
		self.header = Header(at, heading, self.doctype, sample, self.column_to_field_map)
		self.columns = self.header.columns
		for column in self.columns:
			if column.df and (column.df.fieldname in NOT_FROM_FILE or column.df.parent != self.doctype):
				column.skip_import = True
		links = KnownLinks()
		self.data = [AdjustmentRow(i, row, self.doctype, self.header, links) for i, row in rows]
		for column in self.columns:
			if column.df and column.df.fieldtype == "Link" and not column.skip_import:
				links.look_up(column.df.options, {cstr(row.value_in(column)) for row in self.data})

	def fields(self) -> set[str]:
		return {column.df.fieldname for column in self.columns if column.df and not column.skip_import}

	def notes(self) -> str:
		"""What Frappe says of the columns."""
		skipped = [
			_("Column {0} is not imported").format(column.header_title)
			for column in self.columns
			if column.skip_import and column.header_title
		]
		said = [w["message"] for column in self.columns for w in column.warnings if w.get("type") == "info"]
		return "\n".join(dict.fromkeys(strip_html(cstr(text)) for text in [*skipped, *said]))


class AdjustmentRow(Row):
	def __init__(self, index, row, doctype, header, links: "KnownLinks"):
		super().__init__(index, row, doctype, header, None)
		self.links = links

	def value_in(self, column):
		return self.data[column.index] if column.index < len(self.data) else None

	def get_values(self, indexes):
		"""Extends Row.get_values: a row may be shorter than the heading."""
		return [self.data[i] if i < len(self.data) else None for i in indexes]

	def link_exists(self, value, df):
		"""Replaces Row.link_exists, which asks the database about each value."""
		return self.links.name_of(df.options, value) is not None

	def parse_value(self, value, col):
		"""Extends Row.parse_value, which makes 1 of "1.5" and 0 of "many"."""
		if col.df.fieldtype == "Int":
			return value if isinstance(value, int | float) else cstr(value).strip()
		if col.df.fieldtype == "Link":
			return self.links.name_of(col.df.options, value)
		return super().parse_value(value, col)


class KnownLinks:
	"""Names of documents that are there, as the database would compare them."""

	def __init__(self):
		self.names = {}

	def look_up(self, doctype: str, values: set[str]) -> None:
		found, asked = self.names.setdefault(doctype, {}), sorted(values)
		table = frappe.qb.DocType(doctype)
		for start in range(0, len(asked), NAMES_AT_ONCE):
			part = asked[start : start + NAMES_AT_ONCE]
			for name in (
				frappe.qb.from_(table).select(table.name).where(table.name.isin(part)).run(pluck=True)
			):
				found[self._key(name)] = name

	def name_of(self, doctype: str, value) -> str | None:
		return self.names.get(doctype, {}).get(self._key(cstr(value)))

	def _key(self, name: str) -> str:
		return name.casefold() if frappe.db.db_type == "mariadb" else name


def read(run) -> None:
	"""Keep the rows of the file of the check `run`. Raises ValidationError where it cannot be read."""
	try:
		file = AdjustmentFile(adjustments.DOCTYPE, run.import_file)
	except frappe.ValidationError:
		raise
	except Exception as e:
		# what a file may be broken by is without end; Frappe's readers let it through
		frappe.log_error(title="A file of loyalty points could not be read")
		frappe.throw(_("The file could not be read: {0}").format(e), title=_("Import"))
	given = file.fields()
	for field in ("customer", "points"):
		if field not in given:
			frappe.throw(
				_("The file has no column {0}").format(
					frappe.bold(_(frappe.get_meta(adjustments.DOCTYPE).get_label(field)))
				),
				title=_("Import"),
			)
	rows = sorted(map(_as_read, file.data), key=lambda row: (row["customer"] or "", row["row_no"]))
	for at, row in enumerate(rows, 1):
		row["name"] = f"{run.name}-{at:07}"
	bulk.insert(DOCTYPE, rows, bulk.made() | {"run": run.name})
	run.db_set("notes", file.notes())


def _as_read(row: AdjustmentRow) -> dict:
	parsed = row.parse_doc(adjustments.DOCTYPE) or {}
	raw = {
		column.df.fieldname: cstr(row.value_in(column))[:140]
		for column in row.header.columns
		if column.df and not column.skip_import
	}
	said = "; ".join(_in_words(warning) for warning in row.warnings)
	for field in DATES:
		# a workbook has moments
		parsed[field] = getdate(parsed[field]).isoformat() if parsed.get(field) else None
	shown = {field: parsed.get(field, raw.get(field)) or None for field in SHOWN}
	return {
		"row_no": row.row_number,
		**shown,
		"points": cstr(shown["points"])[:140],
		"status": WAITING,
		"message": said or None,
		"parsed": json.dumps(parsed, default=str),
	}


def _in_words(warning: dict) -> str:
	field = json.loads(warning["field"]) if isinstance(warning.get("field"), str) else warning.get("field")
	text = strip_html(cstr(warning["message"]))
	return f"{_(field['label'])}: {text}" if field and field.get("label") else text


# --- the rows of a run


def check_of(run) -> str:
	return run.import_check or run.name


def counts(check: str) -> dict[str, int]:
	"""How many rows that `check` has read are in each status."""
	table = frappe.qb.DocType(DOCTYPE)
	query = frappe.qb.from_(table).where(table.run == check).groupby(table.status)
	return dict(query.select(table.status, Count("*")).run())


def next_names(run, after: str, until: str | None, limit: int) -> list[str]:
	"""Names, in their order, of rows that `run` is about; rows of one customer are not parted."""
	table = frappe.qb.DocType(DOCTYPE)
	query = frappe.qb.from_(table).where((table.run == check_of(run)) & (table.name > after))
	query = query.where(table.status == ABOUT[run.kind]).orderby(table.name)
	if until:
		query = query.where(table.name <= until)
	found = query.select(table.name, table.customer).limit(limit).run()
	if len(found) < limit:
		return [name for name, _customer in found]
	last, customer = found[-1]
	rest = query.select(table.name).where((table.name > last) & (table.customer == customer)).run(pluck=True)
	return [name for name, _customer in found] + rest


def rows_of(names: list[str], status: str) -> list[frappe._dict]:
	"""The rows `names` that are still in `status`, as they are now and in their order."""
	table = frappe.qb.DocType(DOCTYPE)
	query = frappe.qb.from_(table).select("*").where(table.name.isin(names) & (table.status == status))
	return query.orderby(table.name).for_update().run(as_dict=True)


def difference(name: str, fault: str, is_locked: bool) -> Difference:
	"""What a run tells of the row `name` that could not be worked on; the row tells it too.

	One that is ready and was only kept locked stays ready, and one that is imported stays imported: another run may do
	what this one could not.
	"""
	row = frappe.db.get_value(DOCTYPE, name, ["row_no", "status"], as_dict=True)
	stays = row.status == IMPORTED or (row.status == READY and is_locked)
	update({name: {"message": fault} | ({} if stays else {"status": REFUSED})})
	return Difference(None, fault, row=row.row_no)


def update(rows: dict[str, dict]) -> None:
	bulk.update(DOCTYPE, rows)


# --- what runs do


def act(names: list[str], run) -> tuple[int, tuple[Difference, ...]]:
	"""Do what the `run` does with the rows `names`; how many were done, and what was refused."""
	rows = rows_of(names, ABOUT[run.kind])
	if not rows:
		return 0, ()
	with acting_for(run.owner):
		told = {CHECK: check, IMPORT: import_rows, UNDO: undo}[run.kind](rows, run)
	done = {
		CHECK: {"status": READY},
		IMPORT: {"status": IMPORTED},
		UNDO: {"status": UNDONE},
	}[run.kind]
	changes, refused = {}, []
	for row, said in zip(rows, told):
		if said.refusal:
			# what is not undone stays imported
			changes[row.name] = {"message": said.refusal} | ({} if run.kind == UNDO else {"status": REFUSED})
			refused.append(Difference(None, said.refusal, row=row.row_no))
		else:
			changes[row.name] = done | {"message": None, "adjustment": row.adjustment}
			if said.before is not None:
				changes[row.name] |= {"balance_before": said.before, "balance_after": said.after}
	update(changes)
	return len(rows) - len(refused), tuple(refused)


def check(rows: list[frappe._dict], run) -> list[Told]:
	"""What importing `rows` would come to; nothing of it stays, and nobody is told."""
	readable = [row for row in rows if not row.message]
	frappe.db.savepoint("loyalty_check")
	with entries.unheard():
		together = Batch(adjustments_in(readable, run), open_missing=True)
		told = dict(zip((row.name for row in readable), together.submit_all(None)))
	frappe.db.rollback(save_point="loyalty_check")
	return [told.get(row.name) or Told(refusal=row.message) for row in rows]


def import_rows(rows: list[frappe._dict], run) -> list[Told]:
	docs = adjustments_in(rows, run)
	# Who inserts an adjustment and submits it at once locks the series, too, before any customer.
	batch.name_all(docs)
	together = Batch(docs, open_missing=True)
	told = together.submit_all(frappe.db.get_value("Loyalty Ledger Run", run.import_check, "owner"))
	together.write()
	batch.insert_all(doc for doc, said in zip(docs, told) if not said.refusal)
	for row, doc in zip(rows, docs):
		row.adjustment = doc.name
	return told


def adjustments_in(rows: list[frappe._dict], run) -> list:
	"""The adjustments that `rows` are, ready to be submitted."""
	base = frappe.new_doc(adjustments.DOCTYPE).as_dict()
	for field in ("customer", "to_customer", "loyalty_program", "company"):
		base.pop(field, None)  # whatever is usual for this user
	default = {
		"loyalty_program": run.loyalty_program,
		"reason": "Opening Balance",
		"posting_date": getdate(today()),
	}
	docs = []
	for row in rows:
		parsed = {field: value for field, value in json.loads(row.parsed).items() if value not in ("", None)}
		parsed |= {field: date.fromisoformat(parsed[field]) for field in DATES if field in parsed}
		imported_by = run.name if run.kind == IMPORT else None
		doc = frappe.get_doc(base | default | parsed | {"imported_by": imported_by})
		doc.name = row.name
		docs.append(doc)
	return docs


def undo(rows: list[frappe._dict], run) -> list[Told]:
	names = [row.adjustment for row in rows]
	found = frappe.get_all(adjustments.DOCTYPE, filters={"name": ("in", names)}, fields=["*"], limit=0)
	docs = {values.name: frappe.get_doc({"doctype": adjustments.DOCTYPE, **values}) for values in found}
	standing = [docs[name] for name in names if name in docs and docs[name].docstatus == 1]
	together = Batch(standing)
	told = dict(zip((doc.name for doc in standing), together.cancel_all()))
	together.write()
	cancelled = {
		doc.name: {"docstatus": 2, "workflow_state": doc.workflow_state}
		for doc in standing
		if not told[doc.name].refusal
	}
	bulk.update(adjustments.DOCTYPE, cancelled)
	# one that somebody has cancelled, or deleted, by hand is undone already
	return [told.get(name, Told()) for name in names]


@contextmanager
def acting_for(user: str) -> Iterator[None]:
	"""Be the `user` who started a run, whoever goes on with it."""
	before = frappe.session.user
	if user != before:
		frappe.set_user(user)
	try:
		yield
	finally:
		if user != before:
			frappe.set_user(before)
