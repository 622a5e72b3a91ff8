"""A served site (LOYALTY_URL) with a shop in it, for tests that talk to it as integrators do.

LOYALTY_PASSWORD is Administrator's (admin).

Files here are named *_test.py: pytest finds them, and a bench's own test runner, which lacks their libraries, does not.
"""

import os
import secrets
from types import SimpleNamespace

import pytest
import requests

from loyalty_app.tests.browser.site import Shop, Site

ROLES = ("Accounts Manager", "Accounts User", "Sales User", "Sales Manager", "Sales Master Manager")


class Requests:
	"""A session of `requests` with the few words of Playwright's that `Site` speaks."""

	def __init__(self, url: str):
		self.url, self.session = url, requests.Session()

	def fetch(self, path: str, method: str, params: dict | None = None, data: dict | None = None):
		answer = self.session.request(method, self.url + path, params=params, json=data)
		return SimpleNamespace(
			ok=answer.ok, status=answer.status_code, text=lambda: answer.text, json=answer.json
		)


@pytest.fixture(scope="session")
def url() -> str:
	if not os.environ.get("LOYALTY_URL"):
		pytest.skip("LOYALTY_URL not set: no site to test with")
	return os.environ["LOYALTY_URL"]


@pytest.fixture(scope="session")
def shop(url) -> Shop:
	return Shop(Site(Requests(url), password=os.environ.get("LOYALTY_PASSWORD", "admin")))


def signed_up(shop: Shop, url: str, *roles: str) -> SimpleNamespace:
	"""A new user with these roles: url, name, password, key and secret."""
	name, password = shop.user(*roles)
	path = "/api/method/frappe.core.doctype.user.user.generate_keys"
	secret = shop.site.ask("POST", path, data={"user": name})["message"]["api_secret"]
	key = shop.site.get("User", name)["api_key"]
	return SimpleNamespace(url=url, name=name, password=password, key=key, secret=secret)


@pytest.fixture(scope="session")
def user(shop, url) -> SimpleNamespace:
	"""Who may do all that the API offers."""
	return signed_up(shop, url, *ROLES)


@pytest.fixture
def member(shop) -> str:
	"""A customer with 100 points, of 1,000 spent."""
	shop.customer = shop.member(f"Member {secrets.token_hex(4)}")
	shop.sell(1000)
	return shop.customer
