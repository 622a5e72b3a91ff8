"""A browser signed in to a served site: LOYALTY_URL, with the Chromium in LOYALTY_BROWSER.

LOYALTY_PASSWORD is Administrator's (admin); screenshots go to LOYALTY_ARTEFACTS, a new folder if unset.
LOYALTY_WHOLE_ERPNEXT says that ERPNext is there with all its pages.

Files here are named *_test.py: pytest finds them, and a bench's own test runner, which lacks their libraries, does not.
"""

import os
import re
import tempfile
from pathlib import Path

import pytest

from loyalty_app.tests.browser.desk import Desk
from loyalty_app.tests.browser.site import Shop, Site

collect_ignore = [] if os.environ.get("LOYALTY_WHOLE_ERPNEXT") else ["counter_test.py"]


@pytest.fixture(scope="session")
def chromium():
	missing = [name for name in ("LOYALTY_URL", "LOYALTY_BROWSER") if not os.environ.get(name)]
	if missing:
		pytest.skip(f"{' and '.join(missing)} not set: no site or no browser to test with")
	from playwright.sync_api import sync_playwright

	with sync_playwright() as playwright:
		browser = playwright.chromium.launch(
			executable_path=os.environ["LOYALTY_BROWSER"],
			args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
		)
		yield browser
		browser.close()


@pytest.fixture(scope="session")
def artefacts():
	folder = Path(os.environ.get("LOYALTY_ARTEFACTS") or tempfile.mkdtemp(prefix="loyalty-browser-"))
	folder.mkdir(parents=True, exist_ok=True)
	return folder


@pytest.fixture
def shop(chromium):
	context = chromium.new_context(base_url=os.environ["LOYALTY_URL"])
	yield Shop(Site(context.request, password=os.environ.get("LOYALTY_PASSWORD", "admin")))
	context.close()


@pytest.fixture
def desk_of(chromium, shop, artefacts, request):
	"""Opens the desk of a new user of the shop with these roles, with the pictures of a failure in the artefacts."""
	desks = []

	def sign_in(*roles: str, language: str = "en") -> Desk:
		context = chromium.new_context(
			base_url=os.environ["LOYALTY_URL"], viewport={"width": 1280, "height": 900}, locale="en-US"
		)
		context.set_default_timeout(30_000)
		name = re.sub(r"\W+", "-", f"{request.node.name} {len(desks) or ''}".strip())
		desks.append(Desk(context.new_page(), artefacts, name))
		desks[-1].sign_in(*shop.user(*roles, language=language))
		return desks[-1]

	try:
		yield sign_in
		for desk in desks:
			assert not desk.faults, desk.faults
	finally:
		for desk in desks:
			desk.picture("end")
			desk.page.context.close()


@pytest.fixture
def desk(desk_of):
	"""The desk of a new Accounts User of the shop."""
	return desk_of("Accounts User")


@pytest.fixture
def arabic_desk(desk_of):
	"""The desk of a new Accounts Manager whose language is Arabic."""
	return desk_of("Accounts Manager", "Accounts User", language="ar")


@pytest.fixture
def phone(chromium, artefacts, request):
	"""A phone on which nobody is signed in."""
	context = chromium.new_context(
		base_url=os.environ["LOYALTY_URL"],
		viewport={"width": 390, "height": 844},
		has_touch=True,
		locale="en-US",
	)
	context.set_default_timeout(30_000)
	phone = Desk(context.new_page(), artefacts, request.node.name)
	try:
		yield phone
		assert not phone.faults, phone.faults
	finally:
		phone.picture("end")
		context.close()


@pytest.fixture
def history(shop):
	"""Movements of every kind; returns the name of an invoice that redeemed."""
	shop.sell(5000, 60)
	redeeming, cancelled = shop.sell(2000, 20, redeem=120), shop.sell(300, 2)
	shop.site.ask(
		"POST", "/api/method/frappe.client.cancel", data={"doctype": "Sales Invoice", "name": cancelled}
	)
	return redeeming
