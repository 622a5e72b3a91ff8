"""What the app says to people, read from its files: every string that a translation file must have."""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

APP = Path(__file__).resolve().parent.parent

# a call of __() in JavaScript or _() in Jinja with a literal
JAVASCRIPT = re.compile(
	r"""\b__\(\s*(?P<quote>["'`])(?P<text>(?:\\.|(?!(?P=quote)).)*)(?P=quote)""", re.DOTALL
)
JINJA = re.compile(
	r"""(?<![\w.])_\(\s*(?P<quote>["'])(?P<text>(?:\\.|(?!(?P=quote)).)*)(?P=quote)""", re.DOTALL
)
# the third argument of __() is a context
CONTEXT = re.compile(
	r"""\s*,\s*(?:null|undefined|\[[^\]]*\])\s*,\s*(["'])(?P<context>(?:\\.|(?!\1).)*)\1\s*\)"""
)

# documents whose name is shown as it is
NAMED = ("DocType", "Report", "Print Format", "Workspace", "Web Form")
# fields of standard documents that Frappe translates where it shows them
SHOWN = (
	"action_label",
	"button_label",
	"callback_message",
	"callback_title",
	"chart_name",
	"description",
	"format",
	"introduction_text",
	"label",
	"message",
	"report_description",
	"subject",
	"subtitle",
	"success_message",
	"success_title",
	"title",
)
HEADER = re.compile(r"<[^>]+>")
# what is for machines and their programmers is in English
UNTRANSLATED = {APP / "api" / "schema.py"}


def strings() -> dict[str, set[str]]:
	"""Return every translatable string of the app, with the files that have it.

	A string with a context is keyed as Frappe does: `text:context`.
	"""
	found: dict[str, set[str]] = {}
	for path in sorted(APP.rglob("*")):
		folders = path.relative_to(APP).parts[:-1]
		if "tests" in folders or "dist" in folders or path.name.startswith("test_") or path in UNTRANSLATED:
			continue
		read = READERS.get(path.suffix)
		for text in read(path.read_text()) if read else ():
			# as with Frappe's own extraction: what has no letter is no text; a template's words are its _()
			if re.search(r"[A-Za-z]", text) and not text.startswith(("{{", "{%")):
				found.setdefault(text, set()).add(str(path.relative_to(APP)))
	return found


def _python(code: str) -> Iterator[str]:
	for node in ast.walk(ast.parse(code)):
		match node:
			# what is no literal is a label or an option of a doctype, found there
			case ast.Call(
				func=ast.Name(id="_" | "_lt"), args=[ast.Constant(value=text), *_], keywords=keywords
			):
				yield ":".join([text, *(k.value.value for k in keywords if k.arg == "context")])
			# of fields and connections, which Frappe translates where it shows them
			case ast.Dict(keys=keys, values=values):
				for key, value in zip(keys, values, strict=True):
					match key, value:
						case ast.Constant(value="label" | "description"), ast.Constant(value=str(text)):
							yield text


def _javascript(code: str) -> Iterator[str]:
	for match in JAVASCRIPT.finditer(code):
		context = CONTEXT.match(code, match.end())
		yield ":".join(map(_unescaped, [match["text"], *([context["context"]] if context else [])]))


def _jinja(code: str) -> Iterator[str]:
	for match in JINJA.finditer(code):
		yield _unescaped(match["text"])


def _unescaped(literal: str) -> str:
	return re.sub(r"\\(.)", lambda m: {"n": "\n", "t": "\t"}.get(m[1], m[1]), literal)


def _document(text: str) -> Iterator[str]:
	document = json.loads(text)
	if not isinstance(document, dict) or "doctype" not in document:
		return
	if document["doctype"] in NAMED:
		yield document["name"]
	yield from _fields(document)


def _fields(document: dict) -> Iterator[str]:
	for key, value in document.items():
		if isinstance(value, list):
			for row in value:
				if isinstance(row, dict):
					yield from _fields(row)
		elif key in SHOWN and value:
			yield value
		elif key == "options" and value and document.get("fieldtype") == "HTML":
			yield value
		elif key == "options" and value and document.get("fieldtype") == "Select":
			# patterns of names are no words
			if document["fieldname"] != "naming_series":
				yield from value.split("\n")
		elif key == "content" and document.get("doctype") == "Workspace":
			for block in json.loads(value):
				if block["type"] in ("header", "paragraph"):
					yield HEADER.sub("", block["data"]["text"])


READERS = {".py": _python, ".js": _javascript, ".html": _jinja, ".json": _document}
