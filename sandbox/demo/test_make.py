"""The demo data at a tenth of its size: every kind of thing is there, and the proof notices what is not true.

Run with pytest in the sandbox's environment; makes a site of its own.
"""

import os

import pytest

from sandbox import lanes
from sandbox.engine import bench


@pytest.fixture(scope="module")
def made():
	"""The output of making the demo data on a fresh site, connected in this process as Administrator."""
	import contextlib
	import io

	lane = lanes.current()
	before, folder = dict(os.environ), os.getcwd()
	with bench.fresh_site(lane) as (name, url):
		os.environ.update(lane.environment(name, url))
		os.chdir(lane.places.sites)
		import frappe

		frappe.init(name)
		frappe.connect()
		try:
			from sandbox.demo import make

			with contextlib.redirect_stdout(io.StringIO()) as said:
				make.run(scale=0.1)
			yield said.getvalue()
		finally:
			frappe.destroy()
			os.chdir(folder)
			os.environ.clear()
			os.environ.update(before)


@pytest.fixture
def site(made):
	"""That site; changes are rolled back after the test."""
	import frappe

	yield frappe
	frappe.db.rollback()


def test_every_kind_of_thing_is_there(site):
	from sandbox.demo import proof

	assert [what for what, number in proof.census().items() if not number] == []


def test_promotions_give_points(site):
	from sandbox.demo import proof, shop

	assert proof.promotions_that_gave() == {shop.BEAN_DAYS, shop.BIG_ORDER}


def test_points_and_books_are_true(site):
	from sandbox.demo import proof

	assert proof.faults() == []


def test_documents_were_made_on_their_days(site):
	first, last = site.db.sql("select min(creation), max(creation) from `tabSales Invoice`")[0]
	assert site.utils.date_diff(last, first) > 250
	# the clock stands right again
	assert 0 <= site.utils.date_diff(site.utils.now(), last) < 3
	early = site.get_all("Sales Invoice", order_by="creation", limit=1, fields=["name", "posting_date"])[0]
	assert early.posting_date == site.utils.getdate(first)
	assert f"-{early.posting_date.year}-" in early.name


def test_it_says_what_it_does(made):
	assert made.count("invoices") > 12
	for text in ("Checking points and books", "accountant@example.com", "'demo'"):
		assert text in made


def test_users_can_log_in(site):
	from frappe.utils.password import check_password

	from sandbox.demo.shop import PASSWORD, USERS

	for email, (_first_name, role) in USERS.items():
		assert check_password(email, PASSWORD) == email
		assert role in site.get_roles(email)


def test_runs_once(site, capsys):
	from sandbox.demo import make

	invoices = site.db.count("Sales Invoice")
	make.run()
	assert site.db.count("Sales Invoice") == invoices
	assert "was made on" in capsys.readouterr().out


def test_half_a_year_is_refused(site):
	from sandbox.demo import make

	site.db.set_default(make.DONE, None)
	try:
		with pytest.raises(RuntimeError, match="needs a fresh one"):
			make.run()
	finally:
		site.clear_cache()


@pytest.mark.parametrize(
	("doctype", "filters", "field", "expected"),
	[
		("Loyalty Membership", {"active": 1}, "balance", "4711"),
		("Loyalty Point Entry", {"entry_type": "Earned"}, "loyalty_points", "4711"),
		("GL Entry", {"debit": (">", 0), "is_cancelled": 0}, "debit", "4711"),
		("Sales Invoice", {"docstatus": 1}, "outstanding_amount", "4711"),
		("Sales Invoice", {"docstatus": 1, "redeem_loyalty_points": 1}, "loyalty_amount", "loyalty expense"),
	],
)
def test_proof_notices(site, doctype, filters, field, expected):
	from sandbox.demo import proof

	name = site.get_all(doctype, filters, limit=1, order_by="creation", pluck="name")[0]
	site.db.set_value(doctype, name, field, 4711, update_modified=False)
	assert any(expected in fault for fault in proof.faults())
