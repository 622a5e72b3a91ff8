"""Arguments of the public API: what a caller sent, read by a function's annotations, or refused by name.

The same annotations are what `schema` tells of. They may be str, int, bool, Decimal, date, Literal, list of a
dataclass, unions of these, and Annotated by what they mean: a description, `Least`, `Most`.
"""

import dataclasses
import functools
import inspect
import json
import re
import types
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin, get_type_hints

import frappe
from frappe import _

from loyalty_app.ledger.direct import MOST_SPEND
from loyalty_app.rules.amounts import exact
from loyalty_app.rules.earning import MOST_POINTS

# What Frappe, its desk and its clients send beside the arguments.
FRAPPES = {"cmd", "sid", "csrf_token", "_lang", "_"}

MOST_CHARACTERS, MOST_LINES = 140, 200
EARLIEST = date(1900, 1, 1)
TRUE, FALSE = (True, 1, "1", "true"), (False, 0, "0", "false")

DAY, WHOLE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII), re.compile(r"[+-]?\d{1,10}", re.ASCII)
# Control characters, and halves of characters that no database stores.
UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


class Least(NamedTuple):
	"""The least that a number may be."""

	value: int


class Most(NamedTuple):
	"""The most that a number may be, or the characters of a text."""

	value: int


class InvalidArgument(frappe.ValidationError):
	"""An argument is missing, unknown, or not what it has to be."""

	http_status_code = 400
	code = "invalid_argument"


class Parameter(NamedTuple):
	kind: Any
	default: Any
	is_required: bool


@functools.cache
def parameters_of(function: Callable) -> dict[str, Parameter]:
	"""What `function` takes, by name."""
	kinds = get_type_hints(function, include_extras=True)
	return {
		name: Parameter(kinds[name], parameter.default, parameter.default is inspect.Parameter.empty)
		for name, parameter in inspect.signature(function).parameters.items()
	}


@functools.cache
def fields_of(kind: type) -> dict[str, Parameter]:
	"""What an object of the dataclass `kind` has, by name."""
	kinds = get_type_hints(kind, include_extras=True)
	return {
		field.name: Parameter(kinds[field.name], field.default, field.default is dataclasses.MISSING)
		for field in dataclasses.fields(kind)
	}


def bound(expected: dict[str, Parameter], given: Mapping, inside: str = "") -> dict[str, Any]:
	"""The values of what is `expected`, as they are `given`; `inside` names the object that they are in.

	Nothing, null and the empty text are the same. Raises InvalidArgument.
	"""
	for name in given:
		if name not in expected and (inside or name not in FRAPPES):
			refuse(f"{inside}{_printable(name)}", _("there is no such argument"))
	values = {}
	for name, parameter in expected.items():
		value = given.get(name)
		if value is not None and value != "":
			values[name] = read(value, parameter.kind, f"{inside}{name}")
		elif parameter.is_required:
			refuse(f"{inside}{name}", _("is required"))
		else:
			values[name] = parameter.default
	return values


def read(value: Any, kind: Any, name: str) -> Any:
	"""`value` as the annotation `kind` has it. Raises InvalidArgument, which tells the argument's `name`."""
	notes = ()
	if get_origin(kind) is Annotated:
		kind, *notes = get_args(kind)
	kinds = get_args(kind) if get_origin(kind) in (Union, types.UnionType) else (kind,)
	kinds = [each for each in kinds if each is not type(None)]
	words = [word for each in kinds if get_origin(each) is Literal for word in get_args(each)]
	if isinstance(value, str) and value in words:
		return value
	kinds = [each for each in kinds if get_origin(each) is not Literal]
	if not kinds:
		refuse(name, _("must be one of {0}").format(", ".join(words)))
	if get_origin(kinds[0]) is Annotated:
		return read(value, kinds[0], name)
	if get_origin(kinds[0]) is list:
		return _list(value, get_args(kinds[0])[0], name)
	return READERS[kinds[0]](value, name, *_limits(notes, kinds[0]))


def _limits(notes: tuple, kind: type) -> tuple[int, int]:
	least, most = LIMITS.get(kind, (0, 0))
	for note in notes:
		if isinstance(note, Least):
			least = note.value
		if isinstance(note, Most):
			most = note.value
	return least, most


LIMITS = {
	str: (0, MOST_CHARACTERS),
	int: (-MOST_POINTS, MOST_POINTS),
	Decimal: (0, MOST_SPEND),
}


def _text(value: Any, name: str, _least: int, most: int) -> str:
	if not isinstance(value, str):
		refuse(name, _("must be text"))
	if len(value) > most:
		refuse(name, _("must not be longer than {0} characters").format(most))
	if UNPRINTABLE.search(value):
		refuse(name, _("has characters that cannot be printed"))
	return value


def _whole(value: Any, name: str, least: int, most: int) -> int:
	if isinstance(value, str) and WHOLE.fullmatch(value):
		value = int(value)
	if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
		refuse(name, _("must be a whole number from {0} to {1}").format(least, most))
	return value


def _amount(value: Any, name: str, least: int, most: int) -> Decimal:
	number = None
	if isinstance(value, int | float | str) and not isinstance(value, bool) and len(str(value)) <= 40:
		try:
			number = exact(value)
		except (ArithmeticError, ValueError):
			number = None
	if number is None or not number.is_finite() or not least <= number <= most:
		refuse(name, _("must be a number from {0} to {1}").format(least, most))
	return number


def _flag(value: Any, name: str, *_no_limits: int) -> bool:
	if isinstance(value, str):
		value = value.lower()
	if not isinstance(value, bool | int | str) or value not in TRUE + FALSE:
		refuse(name, _("must be true or false"))
	return value in TRUE


def _day(value: Any, name: str, *_no_limits: int) -> date:
	try:
		day = date.fromisoformat(value) if isinstance(value, str) and DAY.fullmatch(value) else None
	except ValueError:
		day = None
	if day is None or day < EARLIEST:
		refuse(name, _("must be a day like {0}").format("2026-12-31"))
	return day


def _list(value: Any, kind: type, name: str) -> list:
	if isinstance(value, str):
		# as a form sends it
		try:
			value = json.loads(value)
		except (ValueError, RecursionError):
			value = None
	if not isinstance(value, list) or not 0 < len(value) <= MOST_LINES:
		refuse(name, _("must be a list of 1 to {0} objects").format(MOST_LINES))
	rows = []
	for index, row in enumerate(value):
		if not isinstance(row, dict):
			refuse(f"{name}[{index}]", _("must be an object"))
		rows.append(kind(**bound(fields_of(kind), row, f"{name}[{index}].")))
	return rows


READERS = {str: _text, int: _whole, Decimal: _amount, bool: _flag, date: _day}


def _printable(name: str) -> str:
	return UNPRINTABLE.sub("?", str(name))[:MOST_CHARACTERS]


def refuse(name: str, reason: str):
	frappe.throw(f"{frappe.utils.escape_html(name)}: {reason}", InvalidArgument)
