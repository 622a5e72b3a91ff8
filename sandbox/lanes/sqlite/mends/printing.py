"""Print HTML and PDF."""

FRAME = "from sandbox.lanes.fork.printing import"
STUB = "utils/pdf.py was replaced by a stub: the HTML of a print was empty and there was no PDF"


def mend(tree):
	tree.function("utils/pdf.py", "pdf_body_html", f"{FRAME} pdf_body_html", STUB)
	tree.function("utils/pdf.py", "get_pdf", f"{FRAME} get_pdf", STUB)
	tree.function("utils/pdf.py", "get_chrome_pdf", "get_chrome_pdf = None", STUB)
	tree.sub("hooks.py", 'pdf_generator = "frappe.utils.pdf.get_chrome_pdf"\n', "", STUB)
