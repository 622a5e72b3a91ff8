"""The desk as a person uses it: forms, links, rows, buttons. Waits for what shows, never for time."""

from pathlib import Path
from urllib.parse import quote, urlencode


class Desk:
	def __init__(self, page, artefacts: Path, name: str):
		self.page, self.artefacts, self.name = page, artefacts, name
		self.pictures = 0
		# scripts that broke, whichever
		self.faults: list[str] = []
		page.on("pageerror", lambda error: self.faults.append(str(error)))
		# The desk's templates name their loops by three random letters: one page in 17,000 gets "for", "new",
		# "try" or "var" and stays blank. The lower half of the dice is upper case, which has no keywords.
		page.add_init_script("{ const dice = Math.random; Math.random = () => dice() / 2 }")

	def picture(self, what: str) -> None:
		self.pictures += 1
		self.page.screenshot(path=self.artefacts / f"{self.name}-{self.pictures:02}-{what}.png")

	def sign_in(self, user: str, password: str) -> None:
		self.page.goto("/login")
		self.page.locator("#login_email").fill(user)
		self.page.locator("#login_password").fill(password)
		self.page.locator(".btn-login:visible").first.click()
		self.page.wait_for_function("() => window.frappe?.boot?.user && frappe.get_route")
		self.settle()

	def open(self, doctype: str, name: str | None = None) -> None:
		"""Open a document's form, or a doctype's list."""
		path = "/app/" + doctype.lower().replace(" ", "-")
		self.page.goto(path + (f"/{quote(name, safe='')}" if name else ""))

	def go(self, *route: str) -> None:
		"""Go on to another screen, as a link does: the desk is not loaded again."""
		self.page.evaluate("route => void frappe.set_route(route)", list(route))

	def open_report(self, report: str, **filters) -> None:
		"""Open a report with these filters, and wait until it is drawn."""
		self.page.goto(f"/app/query-report/{quote(report, safe='')}?{urlencode(filters)}")
		self.wait_for_report(report)

	def wait_for_report(self, report: str) -> None:
		self.page.wait_for_function(
			"report => frappe.query_report?.report_name === report && frappe.get_route()[1] === report"
			" && frappe.query_report.data?.length",
			arg=report,
		)
		self.page.locator(".query-report:visible .dt-row, .report-wrapper:visible .dt-row").first.wait_for()
		self.settle()

	def report_rows(self) -> list[dict]:
		"""What the report shown has from the server."""
		return self.page.evaluate("() => frappe.query_report.raw_data.result")

	def cells(self, fieldname: str):
		"""The cells of a column of the report shown."""
		column = "field => frappe.query_report.datatable?.getColumns().find(c => c.fieldname === field)"
		self.page.wait_for_function(column, arg=fieldname)
		index = self.page.evaluate(f"field => ({column})(field).colIndex", fieldname)
		return self.page.locator(f".dt-scrollable:visible .dt-cell--col-{index} .dt-cell__content")

	def new(self, doctype: str) -> None:
		"""Open a new document's form."""
		self.open(doctype, "new")
		self.page.wait_for_function(
			"doctype => window.cur_frm?.doctype === doctype && cur_frm.is_new() && $(cur_frm.wrapper).is(':visible')",
			arg=doctype,
		)
		self.settle()

	def settle(self) -> None:
		"""Wait until the form has asked the server nothing for half a second: one answer leads to the next question."""
		self.page.wait_for_load_state("networkidle")
		self.page.evaluate("() => { window.last_busy = performance.now() }")
		self.page.wait_for_function(
			"() => {"
			"  if (frappe.request.ajax_count) last_busy = performance.now();"
			"  return performance.now() - last_busy > 500;"
			"}"
		)

	def field(self, fieldname: str):
		"""The control of a field of the form shown."""
		return self.page.locator(
			f'.layout-main-section:visible .frappe-control[data-fieldname="{fieldname}"]:visible'
		).first

	def value(self, fieldname: str):
		"""What the document has in a field."""
		return self.page.evaluate("field => cur_frm.doc[field]", fieldname)

	def wait_for_value(self, fieldname: str, value) -> None:
		self.page.wait_for_function(
			"([field, value]) => cur_frm.doc[field] === value", arg=[fieldname, value]
		)

	def choose(self, fieldname: str, value: str) -> None:
		"""Choose a document in a link field by typing its name."""
		box = self.field(fieldname).locator("input").first
		box.click()
		self._pick(box, value)
		self.wait_for_value(fieldname, value)
		self.settle()

	def choose_in_row(self, table: str, row: int, fieldname: str, value: str) -> None:
		"""Choose a document in a link field of a table's row."""
		self._pick(self._cell(table, row, fieldname).locator("input").first, value)
		self.page.wait_for_function(
			"([table, row, field, value]) => cur_frm.doc[table][row - 1]?.[field] === value",
			arg=[table, row, fieldname, value],
		)
		# leaving the cell asks for the item once more
		self.settle()
		self.page.keyboard.press("Tab")
		self.settle()

	def type_in_row(self, table: str, row: int, fieldname: str, value: str) -> None:
		"""Type into a table's row and leave the cell."""
		box = self._cell(table, row, fieldname).locator("input").first
		box.fill(value)
		# Tab would leave the table's last cell for a new row
		box.blur()
		self.page.wait_for_function(
			"([table, row, field, value]) => [value, flt(value)].includes(cur_frm.doc[table][row - 1][field])",
			arg=[table, row, fieldname, value],
		)
		self.settle()

	def type(self, fieldname: str, value: str) -> None:
		"""Type into a field and leave it."""
		box = self.field(fieldname).locator("input, textarea").first
		box.fill(value)
		box.press("Tab")
		self.settle()

	def select(self, fieldname: str, value: str) -> None:
		"""Choose an option of a field."""
		self.field(fieldname).locator("select").select_option(value)
		self.settle()

	def write(self, fieldname: str, value: str) -> None:
		"""Write a text of several lines."""
		box = self.field(fieldname).locator("textarea").first
		box.fill(value)
		box.blur()
		self.wait_for_value(fieldname, value)

	def button(self, name: str) -> None:
		self.page.get_by_role("button", name=name, exact=True).locator("visible=true").first.click()

	def save(self) -> str:
		"""Save the document; return its name."""
		self.button("Save")
		self.page.wait_for_function("() => !cur_frm.is_new() && !cur_frm.is_dirty()")
		self.settle()
		return self.page.evaluate("() => cur_frm.doc.name")

	def submit(self) -> str:
		"""Save, if it is not saved, and submit the document; return its name."""
		if self.page.evaluate("() => cur_frm.is_new() || cur_frm.is_dirty()"):
			self.save()
		self.button("Submit")
		self.page.locator(".modal.show .btn-primary:visible", has_text="Yes").click()
		self.page.wait_for_function("() => cur_frm.doc.docstatus === 1 && !cur_frm.is_dirty()")
		self.settle()
		return self.page.evaluate("() => cur_frm.doc.name")

	def _cell(self, table: str, row: int, fieldname: str):
		cell = self.field(table).locator(f'.grid-row[data-idx="{row}"] [data-fieldname="{fieldname}"]').first
		cell.scroll_into_view_if_needed()
		cell.click()
		return cell

	def _pick(self, box, value: str) -> None:
		"""Type into the box of a link field and choose from the list that drops down.

		A form that gets an answer late draws its rows anew and drops what is being typed: then it is typed again.
		"""
		from playwright.sync_api import TimeoutError

		option = self.page.locator('.awesomplete :is([role="option"], li):visible', has_text=value).first
		for patience in (5_000, 10_000, 30_000):
			box.fill(value)
			try:
				option.click(timeout=patience)
			except TimeoutError:
				continue
			return
		raise AssertionError(f"{value!r} was not offered")
