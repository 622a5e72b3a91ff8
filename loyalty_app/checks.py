"""Checks of what somebody typed into a document, whose messages name field, table and row."""

from decimal import Decimal, InvalidOperation

import frappe
from frappe import _
from frappe.model.document import Document
from frappe.utils import cint, cstr, flt, formatdate, getdate

# what the columns hold: Currency and Float are decimal(21,9)
LARGEST_AMOUNT = Decimal(10) ** 12 - 1
SMALLEST_STEP = Decimal("0.000000001")
LARGEST_POINTS = 2**31 - 1


class CheckedDocument(Document):
	"""A document with checks that its `validate` calls."""

	def validate_dates(self):
		for fieldname in ("from_date", "to_date"):
			try:
				self.set(fieldname, getdate(self.get(fieldname)) if self.get(fieldname) else None)
			except (frappe.ValidationError, ValueError, TypeError, OverflowError):
				frappe.throw(
					_("{0}: {1} is not a date.").format(self._label(fieldname), cstr(self.get(fieldname)))
				)
		if self.from_date and self.to_date and getdate(self.to_date) < getdate(self.from_date):
			frappe.throw(
				_(
					"{0} ({1}) is before {2} ({3}). Set it to the same day or later, or leave it empty."
				).format(
					self._label("to_date"),
					formatdate(self.to_date),
					self._label("from_date"),
					formatdate(self.from_date),
				)
			)

	def validate_items(self, table: str, type_field: str, value_field: str):
		"""Refuse rows of `table` that name what is not there, or what another row names."""
		seen = {}
		for row in self.get(table):
			kind, value = row.get(type_field), row.get(value_field)
			if not kind or not value:
				# an empty cell is named by the framework's own check of mandatory fields
				continue
			first = seen.setdefault((kind, value), row.idx)
			if first != row.idx:
				self._refuse_row(
					row,
					value_field,
					_("{0} {1} is in row {2} already; delete one of the two").format(
						_(kind), frappe.bold(value), first
					),
				)
			if not frappe.db.exists(kind, value):
				self._refuse_row(
					row, value_field, _("{0} {1} does not exist").format(_(kind), frappe.bold(value))
				)

	def _checked_number(self, row: Document, fieldname: str, least, largest) -> Decimal:
		"""Set the field to the number in it and return that, or refuse what is none or lies outside."""
		df = row.meta.get_field(fieldname)
		try:
			number = Decimal(cstr(row.get(fieldname)).replace(",", "").strip() or 0)
		except InvalidOperation:
			self._refuse_row(row, fieldname, _("{0} is not a number").format(cstr(row.get(fieldname))))
		if not number.is_finite() or abs(number) > largest:
			self._refuse_row(
				row,
				fieldname,
				_("{0} is too large; the largest number allowed is {1}").format(number, largest),
			)
		if df.fieldtype == "Int" and number != number.to_integral_value():
			self._refuse_row(row, fieldname, _("{0} is not a whole number").format(number))
		# what the column keeps decides: a factor of 1e-12 would be stored as 0
		number = number.quantize(SMALLEST_STEP)
		if number < least:
			self._refuse_row(
				row,
				fieldname,
				_("it must be greater than 0, but is {0}").format(number.normalize())
				if least > 0
				else _("it cannot be negative, but is {0}").format(number.normalize()),
			)
		row.set(fieldname, cint(number) if df.fieldtype == "Int" else flt(number))
		return number

	def _refuse_row(self, row: Document, fieldname: str, reason: str):
		"""Throw with the field (and the table and row, where there is one) in front of the reason."""
		label = _(row.meta.get_label(fieldname))
		if row is self:
			frappe.throw(_("{0}: {1}.").format(frappe.bold(label), reason))
		frappe.throw(
			_("Row {0} of {1}, {2}: {3}.").format(
				row.idx, self._label(row.parentfield), frappe.bold(label), reason
			)
		)

	def _label(self, fieldname: str) -> str:
		return frappe.bold(_(self.meta.get_label(fieldname)))
