"""What makes a function a method of the public API: its HTTP verb, its arguments, its errors and its limits.

An error's answer is Frappe's, by the same exceptions and statuses, with two keys more: `code`, which programs may rely
on, and `detail`, which is for people. Not `message`: some clients
take that for the result, whatever the status.
"""

import functools
import json
from collections.abc import Callable
from typing import NamedTuple

import frappe
from frappe import _
from frappe.rate_limiter import rate_limit

from loyalty_app.api.arguments import bound, parameters_of
from loyalty_app.api.forms import plain
from loyalty_app.ledger.busy import LedgerBusy, unless_busy

# Errors that Frappe answers before a method is called have a code by their status alone.
CODES = {
	400: "invalid_request",
	401: "not_authenticated",
	403: "not_permitted",
	404: "not_found",
	409: "conflict",
	413: "too_large",
	415: "invalid_request",
	417: "refused",
	429: "too_many_requests",
	500: "internal_error",
	503: "unavailable",
}
PATH = "/method/loyalty_app.api.v1."


class NotFound(frappe.DoesNotExistError):
	"""What an argument names is not there, or not for this user."""

	code = "not_found"


class NotAMember(NotFound):
	"""The customer is in no loyalty program, or not in the one that was asked for."""

	code = "not_a_member"


class InOtherProgram(frappe.ValidationError):
	"""The customer is in another loyalty program already."""

	http_status_code = 409
	code = "in_other_program"


class KeyReused(frappe.ValidationError):
	"""The idempotency key was used before, with other arguments."""

	http_status_code = 409
	code = "idempotency_key_reused"


class TooManyRequests(frappe.ValidationError):
	"""More calls in a minute than the site allows."""

	http_status_code = 429
	code = "too_many_requests"


class Endpoint(NamedTuple):
	function: Callable
	verb: str
	errors: tuple[type, ...]
	per_minute: int


# The methods of the public API, by name, in the order of the file.
ENDPOINTS: dict[str, Endpoint] = {}


def endpoint(verb: str, *errors: type, per_minute: int = 0):
	"""Let a function be called over HTTP, by `verb`, as a method of the public API.

	`errors` are what it raises beside what every method may; `per_minute` calls from one address are answered, none
	are counted if that is 0. The function itself, with its types, is in `ENDPOINTS`.
	"""

	def decorate(function: Callable) -> Callable:
		name = function.__name__

		def answer(**given):
			try:
				if per_minute:
					count_call(name, per_minute)
				with unless_busy():
					return function(**bound(parameters_of(function), given))
			except Exception as error:
				tell(error)
				raise

		# without its annotations: arguments are read by `bound`, in the same way by every version of Frappe
		functools.update_wrapper(answer, function, ("__module__", "__name__", "__qualname__", "__doc__"), ())
		del answer.__wrapped__
		ENDPOINTS[name] = Endpoint(function, verb, errors, per_minute)
		return frappe.whitelist(methods=[verb])(answer)

	return decorate


def count_call(name: str, per_minute: int) -> None:
	"""Count a call of the method `name`. Raises TooManyRequests if the address has made more than `per_minute` in this
	minute, or than `loyalty_api_limits` of the site's configuration allows the method."""
	if not getattr(frappe.local, "request", None):
		return
	allowed = (frappe.conf.get("loyalty_api_limits") or {}).get(name, per_minute)
	try:
		rate_limit(limit=allowed, seconds=60)(lambda: None)()
	except frappe.ValidationError:
		# Frappe 15 has no exception of its own for this, and shows its message
		frappe.local.message_log = []
		frappe.throw(_("Not more than {0} calls in a minute: please wait.").format(allowed), TooManyRequests)


def tell(error: Exception) -> None:
	"""Put what the caller is told of `error` into the answer that Frappe makes of it."""
	if not isinstance(error, frappe.ValidationError | frappe.PermissionError):
		return  # a fault of ours, of which Frappe tells nobody but the log
	if isinstance(error, LedgerBusy):
		code = "busy"
	else:
		code = getattr(error, "code", None) or CODES[error.http_status_code]
	text = plain(error) or (
		_("You are not allowed to see or do this.") if isinstance(error, frappe.PermissionError) else ""
	)
	frappe.local.response.update({"code": code, "detail": text})


def complete(response, request) -> None:
	"""Give an error of the public API its code where Frappe has answered by itself: nobody signed in, wrong verb, a
	body that is no JSON. After every request."""
	if response is None or response.status_code < 400 or PATH not in request.path:
		return
	if response.mimetype != "application/json":
		return
	body = json.loads(response.get_data(as_text=True))
	if "code" not in body:
		body["code"] = CODES.get(response.status_code, "error")
		response.set_data(json.dumps(body, separators=(",", ":")))
