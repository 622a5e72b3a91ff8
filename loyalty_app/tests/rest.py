"""A REST client for tests: requests against the site's own WSGI application, in this process."""

import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from urllib.parse import quote

import frappe
from werkzeug.test import Client

from loyalty_app.tests.utils import keeping_caches


class RestClient:
	"""What an integrator does with an API key."""

	def __init__(self, user: str | None = "Administrator"):
		self.headers = {"Accept": "application/json", "Host": frappe.local.site}
		if user:
			doc = frappe.get_doc("User", user)
			secret = frappe.generate_hash(length=15)
			doc.update({"api_key": doc.api_key or frappe.generate_hash(length=15), "api_secret": secret})
			with keeping_caches():
				doc.save(ignore_permissions=True)
			self.headers["Authorization"] = f"token {doc.api_key}:{secret}"

	def request(self, method: str, path: str, **kwargs) -> tuple[int, dict]:
		"""The status and the JSON body of the answer. A body that is no JSON is an AssertionError."""
		# What this test wrote is there for the request, and what the request wrote is there for the test.
		frappe.db.commit()
		with redirect_stderr(StringIO()), redirect_stdout(StringIO()), ThreadPoolExecutor(1) as pool:
			# The application keeps its state in thread locals: a thread of its own is a request of its own.
			answer = pool.submit(self.open, method, path, **kwargs).result()
		frappe.db.rollback()
		return answer

	def open(self, method: str, path: str, **kwargs) -> tuple[int, dict]:
		"""As `request`, for callers that see to threads and transactions themselves."""
		response = self._open(method, path, **kwargs)
		text = response.get_data(as_text=True)
		try:
			return response.status_code, json.loads(text)
		except json.JSONDecodeError:
			raise AssertionError(f"{method} {path}: {response.status_code} {text[:500]}") from None

	def _open(self, method: str, path: str, **kwargs):
		from frappe.app import application

		# Read to the end, so that the application closes its own database connection.
		return Client(application).open(path, method=method, headers=self.headers, buffered=True, **kwargs)

	def page(self, path: str, **params):
		"""The answer to a GET, which need not be JSON."""
		frappe.db.commit()
		with redirect_stderr(StringIO()), redirect_stdout(StringIO()), ThreadPoolExecutor(1) as pool:
			response = pool.submit(self._open, "GET", path, query_string=params).result()
		frappe.db.rollback()
		return response

	def resource(self, method: str, doctype: str, name: str | None = None, **values) -> tuple[int, dict]:
		path = f"/api/resource/{quote(doctype)}" + (f"/{quote(name, safe='')}" if name else "")
		status, body = self.request(method, path, **({"json": values} if values else {}))
		return status, body.get("data", body)

	def list(self, doctype: str, **params) -> tuple[int, list]:
		query = {key: json.dumps(value) for key, value in params.items()}
		status, body = self.request("GET", f"/api/resource/{quote(doctype)}", query_string=query)
		return status, body.get("data", body)

	def call(self, path: str, **params) -> tuple[int, dict]:
		status, body = self.request("POST", f"/api/method/{path}", json=params)
		return status, body.get("message", body)
