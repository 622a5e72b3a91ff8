import os

import pytest

from sandbox import lanes
from sandbox.engine import bench
from sandbox.engine.setup import FRESH


@pytest.fixture(scope="session")
def lane():
	return lanes.current()


@pytest.fixture(scope="session")
def site(lane):
	"""A copy of the site with Frappe alone, connected in this process as Administrator."""
	with bench.fresh_site(lane, FRESH) as (name, url):
		os.environ.update(lane.environment(name, url))
		before = os.getcwd()
		os.chdir(lane.places.sites)
		import frappe

		frappe.init(name)
		frappe.connect()
		frappe.flags.in_test = True
		if lane.generation >= 16:
			from frappe.tests.utils import toggle_test_mode

			toggle_test_mode(True)
		yield name
		frappe.destroy()
		os.chdir(before)


@pytest.fixture
def transaction(site):
	"""A site whose changes are rolled back after the test."""
	import frappe

	frappe.set_user("Administrator")
	yield frappe
	frappe.set_user("Administrator")
	frappe.db.rollback()
