"""PDF by Chromium, in place of wkhtmltopdf (gone from Debian) and WeasyPrint (optional)."""

import io
import re
import subprocess
import tempfile
from pathlib import Path

import frappe
from frappe import _

from sandbox.engine.checks import find_browser


def pdf_body_html(template, args, **kwargs) -> str:
	"""Return the rendered body of a print format."""
	return template.render(args, filters={"len": len})


def get_pdf(html, options=None, output=None):
	"""Return a print page as PDF, or append its pages to `output` (a pypdf writer) and return that."""
	from pypdf import PdfReader, PdfWriter

	browser = find_browser()
	if not browser:
		frappe.throw(_("PDF needs Chromium, which is not installed on this machine."))
	with tempfile.TemporaryDirectory() as folder:
		page, pdf = Path(folder, "page.html"), Path(folder, "page.pdf")
		page.write_text(_with_local_files(html))
		subprocess.run(
			[
				browser,
				"--headless",
				"--no-sandbox",
				"--disable-gpu",
				"--no-pdf-header-footer",
				f"--user-data-dir={folder}/profile",
				f"--print-to-pdf={pdf}",
				page.as_uri(),
			],
			check=True,
			capture_output=True,
			timeout=120,
		)
		content = pdf.read_bytes()

	password = (options or {}).get("password")
	if output is None and not password:
		return content
	writer = output if output is not None else PdfWriter()
	writer.append_pages_from_reader(PdfReader(io.BytesIO(content)))
	if password:
		writer.encrypt(password)
	if output is not None:
		return output
	stream = io.BytesIO()
	writer.write(stream)
	return stream.getvalue()


def _with_local_files(html: str) -> str:
	"""Point /assets and /files at the disk: the page is not loaded from the server."""
	local = frappe.local
	html = re.sub(r"""(["'(])/assets/""", rf"\1file://{local.sites_path}/assets/", html)
	return re.sub(r"""(["'(])/files/""", rf"\1file://{local.site_path}/public/files/", html)
