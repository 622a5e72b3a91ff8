"""The public API as an OpenAPI 3.1 document, made from the methods themselves: verbs, arguments, results, errors."""

import dataclasses
import inspect
import json
import types
from collections import defaultdict
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints, is_typeddict

from loyalty_app.api import arguments
from loyalty_app.api.arguments import Least, Most
from loyalty_app.api.endpoint import CODES, Endpoint
from loyalty_app.ledger.busy import LedgerBusy

VERSION = "1.0.0"
PLAIN = {
	str: {"type": "string"},
	int: {"type": "integer"},
	float: {"type": "number"},
	Decimal: {"type": "number"},
	bool: {"type": "boolean"},
	date: {"type": "string", "format": "date"},
	types.NoneType: {"type": "null"},
}
STATUSES = {
	400: "An argument is missing, unknown, or not what it has to be",
	401: "The token is wrong, or the session has ended",
	403: "Nobody is signed in, or the user may not see or do this",
	404: "Something is not there, or not for this user",
	409: "It clashes with what is there or going on",
	417: "A rule refuses it: `detail` says which",
	429: "Too many calls in a minute",
}


def as_text(endpoints: dict[str, Endpoint]) -> str:
	return json.dumps(document(endpoints), indent=1, ensure_ascii=False) + "\n"


def document(endpoints: dict[str, Endpoint]) -> dict:
	"""The OpenAPI document of `endpoints`."""
	schemas: dict[str, dict] = {}
	paths = {
		f"/api/method/loyalty_app.api.v1.{name}": {each.verb.lower(): _operation(name, each, schemas)}
		for name, each in endpoints.items()
	}
	return {
		"openapi": "3.1.0",
		"info": {
			"title": "Loyalty App",
			"version": VERSION,
			"summary": "Balances, quotes, statements and adjustments of loyalty points",
			"description": "See docs/api.md of the app. Money is in company currency; `message` of an answer is the result.",
			"license": {"name": "GPL-3.0-or-later", "identifier": "GPL-3.0-or-later"},
		},
		"servers": [{"url": "/", "description": "The site"}],
		"security": [{"token": []}, {"session": []}],
		"paths": paths,
		"components": {
			"schemas": dict(sorted(schemas.items())) | {"Error": ERROR},
			"securitySchemes": {
				"token": {
					"type": "apiKey",
					"in": "header",
					"name": "Authorization",
					"description": "token <api_key>:<api_secret>, of a user's settings",
				},
				"session": {
					"type": "apiKey",
					"in": "cookie",
					"name": "sid",
					"description": "A session of /api/method/login; where the desk is open in it, a POST needs the header X-Frappe-CSRF-Token too",
				},
			},
		},
	}


ERROR = {
	"type": "object",
	"description": "What Frappe answers to every error, with a code for programs.",
	"properties": {
		"code": {"type": "string", "description": "Stable: what a program decides by"},
		"detail": {"type": "string", "description": "For people, in the language of Accept-Language"},
		"exc_type": {"type": "string", "description": "Frappe's name of the error"},
	},
	"required": ["code"],
}


def _operation(name: str, endpoint: Endpoint, schemas: dict) -> dict:
	summary, _newline, description = inspect.getdoc(endpoint.function).partition("\n")
	parameters = arguments.parameters_of(endpoint.function)
	operation = {"operationId": name, "summary": summary.strip()}
	if description.strip():
		operation["description"] = _joined(description)
	if endpoint.verb == "GET":
		operation["parameters"] = [
			{"name": argument, "in": "query", "required": parameter.is_required}
			| _described(_argument(parameter, schemas))
			for argument, parameter in parameters.items()
		]
	elif parameters:
		operation["requestBody"] = {
			"required": True,
			"content": {"application/json": {"schema": _object(parameters, schemas)}},
		}
	result = get_type_hints(endpoint.function, include_extras=True)["return"]
	operation["responses"] = {
		"200": {
			"description": "The answer",
			"content": {
				"application/json": {
					"schema": {
						"type": "object",
						"properties": {"message": schema_of(result, schemas)},
						"required": ["message"],
					}
				}
			},
		},
		**_errors(endpoint),
	}
	return operation


def _errors(endpoint: Endpoint) -> dict:
	codes = defaultdict(set)
	for error in (arguments.InvalidArgument, *endpoint.errors):
		codes[error.http_status_code].add(error.code)
	for status in (400, 401, 403, 417):
		codes[status].add(CODES[status])
	# what is named may be missing everywhere but in a list of all
	if arguments.parameters_of(endpoint.function):
		codes[404].add(CODES[404])
	codes[LedgerBusy.http_status_code].add("busy")
	if endpoint.per_minute:
		codes[429].add(CODES[429])
	return {
		str(status): {
			"description": STATUSES[status],
			"content": {
				"application/json": {
					"schema": {
						"allOf": [
							{"$ref": "#/components/schemas/Error"},
							{"properties": {"code": {"enum": sorted(codes[status])}}},
						]
					}
				}
			},
		}
		for status in sorted(codes)
	}


def _object(parameters: dict[str, arguments.Parameter], schemas: dict) -> dict:
	return {
		"type": "object",
		"properties": {name: _argument(each, schemas) for name, each in parameters.items()},
		"required": [name for name, each in parameters.items() if each.is_required],
		"additionalProperties": False,
	}


def _argument(parameter: arguments.Parameter, schemas: dict) -> dict:
	schema = schema_of(parameter.kind, schemas, is_argument=True)
	if not parameter.is_required and parameter.default is not None:
		schema["default"] = parameter.default
	return schema


def _described(schema: dict) -> dict:
	"""A parameter's description, out of its `schema`."""
	schema = dict(schema)
	described = {"description": schema.pop("description")} if "description" in schema else {}
	return {**described, "schema": schema}


def schema_of(kind: Any, schemas: dict, is_argument: bool = False) -> dict:
	"""The JSON schema of the annotation `kind`; objects are put into `schemas` by their name."""
	notes = ()
	if get_origin(kind) is Annotated:
		kind, *notes = get_args(kind)
	schema = _schema(kind, schemas, is_argument, notes)
	if description := next((note for note in notes if isinstance(note, str)), None):
		schema["description"] = description
	return schema


def _schema(kind: Any, schemas: dict, is_argument: bool, notes: tuple) -> dict:
	if get_origin(kind) in (Union, types.UnionType):
		kinds = list(get_args(kind))
		if is_argument and type(None) in kinds:
			# an argument is left out rather than null
			kinds.remove(type(None))
		parts = [_schema(each, schemas, is_argument, notes) for each in kinds]
		return parts[0] if len(parts) == 1 else {"anyOf": parts}
	if get_origin(kind) is Annotated:
		return schema_of(kind, schemas, is_argument)
	if get_origin(kind) is Literal:
		return {"type": "string", "enum": list(get_args(kind))}
	if get_origin(kind) is list:
		schema = {"type": "array", "items": schema_of(get_args(kind)[0], schemas, is_argument)}
		return schema | ({"minItems": 1, "maxItems": arguments.MOST_LINES} if is_argument else {})
	if is_typeddict(kind) or dataclasses.is_dataclass(kind):
		_add_object(kind, schemas)
		return {"$ref": f"#/components/schemas/{kind.__name__}"}
	return PLAIN[kind] | (_bounds(kind, notes) if is_argument else {})


def _bounds(kind: type, notes: tuple) -> dict:
	if kind not in arguments.LIMITS:
		return {}
	least, most = arguments.LIMITS[kind]
	least = next((note.value for note in notes if isinstance(note, Least)), least)
	most = next((note.value for note in notes if isinstance(note, Most)), most)
	return {"minLength": 1, "maxLength": most} if kind is str else {"minimum": least, "maximum": most}


def _add_object(kind: type, schemas: dict) -> None:
	if kind.__name__ in schemas:
		return
	schemas[kind.__name__] = schema = {"type": "object", "description": _joined(inspect.getdoc(kind))}
	if dataclasses.is_dataclass(kind):
		schema.update(_object(arguments.fields_of(kind), schemas))
		return
	hints = get_type_hints(kind, include_extras=True)
	schema["properties"] = {name: schema_of(each, schemas) for name, each in hints.items()}
	schema["required"] = list(hints)


def _joined(text: str) -> str:
	"""`text` with its lines joined to paragraphs."""
	return "\n\n".join(" ".join(part.split()) for part in text.strip().split("\n\n"))
