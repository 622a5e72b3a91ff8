"""Argument types of whitelisted methods."""

import functools


@functools.cache
def annotations_of(function) -> dict:
	"""Return a function's annotations as types, not as the text `from __future__ import annotations` leaves.

	A name that exists for type checkers only stays text; Frappe then lets the argument pass, as it always did.
	"""
	function = getattr(function, "__func__", function)
	resolved = {}
	for name, annotation in function.__annotations__.items():
		if isinstance(annotation, str):
			try:
				annotation = eval(annotation, function.__globals__)
			except (NameError, AttributeError, TypeError):
				pass
		resolved[name] = annotation
	return resolved
