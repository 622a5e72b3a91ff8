"""Methods behind the desk, called over HTTP."""

import functools
import inspect
from collections.abc import Callable

import frappe
from frappe import _
from frappe.utils.typing_validations import validate_argument_types

from loyalty_app.api.arguments import refuse


def whitelist(methods: list[str] | None = None):
	"""As `frappe.whitelist`, and an argument that is missing is refused by its name: Frappe calls that a fault."""

	def decorate(function: Callable) -> Callable:
		signature = inspect.signature(function)
		required = [n for n, p in signature.parameters.items() if p.default is inspect.Parameter.empty]
		checked = validate_argument_types(function)

		@functools.wraps(function)
		def answer(*args, **kwargs):
			given = signature.bind_partial(*args, **kwargs).arguments
			for name in required:
				if name not in given:
					refuse(name, _("is required"))
			return checked(*args, **kwargs)

		# Frappe would look for what it is to check among the arguments of `answer`
		answer.__annotations__ = {}
		return frappe.whitelist(methods=methods)(answer)

	return decorate
