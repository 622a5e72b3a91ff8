import frappe
from frappe import _
from frappe.model.document import Document
from frappe.utils import get_time, now_datetime


class TransactionBase(Document):
	def validate_posting_time(self):
		"""Stamp the document with now, unless the user chose the posting date."""
		if frappe.flags.in_import and self.posting_date:
			self.set_posting_time = 1

		if not self.get("set_posting_time"):
			now = now_datetime()
			self.posting_date = now.strftime("%Y-%m-%d")
			self.posting_time = now.strftime("%H:%M:%S.%f")
		elif self.posting_time:
			try:
				get_time(self.posting_time)
			except ValueError:
				frappe.throw(_("Invalid Posting Time"))
