"""How long opening balances from a file take: checked, imported, undone; and with Frappe's own Data Import.

Run with a bench's Python in its `sites` folder, on a site that may be thrown away:

	cd sites && ../env/bin/python ../apps/loyalty_app/benchmarks/imports.py --site SITE --rows 100000

Makes so many customers in a program and a CSV file with a row for each (--xlsx: a workbook). Frappe's Data Import does as many
rows as --by-frappe says, and its time for all is reckoned from that. The jobs are those of the *long* queue, shared by as
many processes as are asked for. Ends with a verification that must find nothing.
"""

import csv
import io
import time
from unittest.mock import patch

import frappe
from command import connect, parser_of
from frappe.utils import add_days, today
from shared_run import share

CUSTOMERS_AT_ONCE = 5_000


def main():
	parser = parser_of(__doc__)
	parser.add_argument("--rows", type=int, default=100_000)
	parser.add_argument("--processes", type=int, default=2)
	parser.add_argument("--by-frappe", type=int, default=500)
	parser.add_argument("--xlsx", action="store_true")
	arguments = parser.parse_args()
	connect(arguments.site)
	program, customers = make_customers(arguments.rows)
	others = customers[: arguments.by_frappe]
	url = upload(customers, "xlsx" if arguments.xlsx else "csv")
	frappe.db.commit()
	print(f"{arguments.rows:,} customers")
	by_frappe(upload(others, "csv"), len(others), arguments.rows)
	frappe.destroy()

	check = measure(arguments, "check", file_url=url)
	assert check.changed == arguments.rows, check.as_dict()
	run = measure(arguments, "start", check=check.name)
	assert run.changed == arguments.rows, run.as_dict()
	verify(arguments, program)
	undone = measure(arguments, "undo", check=check.name)
	assert undone.changed == arguments.rows, undone.as_dict()
	verify(arguments, program)


def make_customers(number: int) -> tuple[str, list[str]]:
	"""Customers in a new program, with their memberships, in bulk; the program's name and theirs."""
	from loyalty_app.ledger import bulk, membership
	from loyalty_app.tests.utils import make_customer, make_program

	program = make_program(loyalty_program_name=f"Import {frappe.generate_hash(length=6)}")
	model = make_customer(loyalty_program=program.name)
	same = {key: value for key, value in model.get_valid_dict().items() if isinstance(value, str | int)}
	names = [f"IMPORTED-{program.name[-6:]}-{i:07}" for i in range(number)]
	for start in range(0, number, CUSTOMERS_AT_ONCE):
		part = names[start : start + CUSTOMERS_AT_ONCE]
		bulk.insert("Customer", [{**same, "name": name, "customer_name": name} for name in part])
		members = [membership.new_row(name, name, program.name, program.company, True) for name in part]
		bulk.insert(membership.DOCTYPE, members)
		frappe.db.commit()
	return program.name, names


def upload(customers: list[str], extension: str) -> str:
	from frappe.utils.xlsxutils import make_xlsx

	rows = [["Customer", "Points", "Expiry Date", "Reason"]]
	for i, name in enumerate(customers):
		rows.append([name, 10 + i % 990, add_days(today(), 30 + i % 300), "Opening Balance"])
	if extension == "xlsx":
		content = make_xlsx(rows, "Points").getvalue()
	else:
		out = io.StringIO()
		csv.writer(out).writerows(rows)
		content = out.getvalue()
	name = f"points-{frappe.generate_hash(length=8)}.{extension}"
	doc = frappe.get_doc({"doctype": "File", "file_name": name, "content": content, "is_private": 1})
	# workers of a bench may limit the size of uploads
	with patch.object(type(doc), "check_max_file_size", lambda self: len(content)):
		return doc.insert().file_url


def by_frappe(url: str, number: int, rows: int) -> None:
	from frappe.core.doctype.data_import.importer import Importer

	doc = frappe.get_doc(
		{
			"doctype": "Data Import",
			"reference_doctype": "Loyalty Point Adjustment",
			"import_type": "Insert New Records",
			"submit_after_import": 1,
			"import_file": url,
		}
	).insert()
	frappe.db.commit()
	start = time.perf_counter()
	with patch("builtins.print"):
		Importer(doc.reference_doctype, data_import=doc).import_data()
	seconds = time.perf_counter() - start
	done = frappe.db.count("Loyalty Point Adjustment", {"docstatus": 1})
	assert done == number, (done, number)
	print(
		f"Data Import of Frappe {number:>8,} rows {seconds:7.1f} s, {number / seconds:>7,.0f} rows/s:"
		f" {rows:,} would take {rows * seconds / number / 60:.0f} minutes"
	)


def measure(arguments, method: str, **values):
	"""Do a run with its jobs shared by processes, print how long it took, and return its document."""
	from loyalty_app.api import imports

	run, seconds, before, memory = share(
		arguments.site, arguments.processes, lambda: getattr(imports, method)(**values)
	)
	print(
		f"{run.kind:20} {run.done:>8,} rows {seconds:7.1f} s, {run.done / seconds:>7,.0f} rows/s,"
		f" {arguments.processes} processes, peak memory {memory} MB; {before:.1f} s before the first row"
	)
	return run


def verify(arguments, program: str) -> None:
	connect(arguments.site)
	from loyalty_app.ledger import audit, membership

	names = membership.of_program(program).run(pluck=True)
	faults = [
		str(fault)
		for start in range(0, len(names), 200)
		for fault in audit.differences(names[start : start + 200])
	]
	assert not faults, faults[:5]
	frappe.destroy()
	print(f"verified {len(names):,} memberships: no differences")


if __name__ == "__main__":
	main()
