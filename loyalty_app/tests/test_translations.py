"""Every language in translations/ has all that the app says. `translatable.py` finds it; adding a string without its
translation fails here, with the lines to add.

Frappe 15 and 16 both read translations/<language>.csv as it is; 16 looks for compiled catalogues beside it, and needs
none.
"""

import csv
import io
import re
from collections import Counter
from pathlib import Path

import frappe
from frappe.translate import get_translations_from_apps

from loyalty_app.tests import translatable
from loyalty_app.tests.utils import IntegrationTestCase

FILES = sorted((translatable.APP / "translations").glob("*.csv"))
# what a translation must keep: placeholders, tags, and the marks of Markdown
KEPT = re.compile(r"{\w*}|%s|%\(\w+\)s|<[^>]+>|^#+ |\*|`", re.MULTILINE)
LETTERS = {"ar": re.compile("[\u0600-\u06ff]")}


class TestTranslations(IntegrationTestCase):
	def test_there_is_arabic(self):
		self.assertIn("ar", [path.stem for path in FILES])

	def test_every_string_has_a_translation_and_nothing_is_left_over(self):
		found = translatable.strings()
		self.assertGreater(len(found), 500)
		for path in FILES:
			with self.subTest(path.name):
				there = dict(rows(path))
				missing = {text: "" for text in sorted(found) if text not in there}
				self.assertFalse(missing, f"\nadd to {path.name}, in its order:\n{as_csv(missing)}")
				self.assertFalse(sorted(set(there) - set(found)), f"no longer said: delete from {path.name}")

	def test_each_string_is_there_once_in_order(self):
		for path in FILES:
			with self.subTest(path.name):
				texts = [text for text, _translation in rows(path)]
				self.assertEqual(texts, sorted(set(texts)))

	def test_placeholders_and_markup_are_the_same(self):
		for path in FILES:
			for text, translation in rows(path):
				with self.subTest(f"{path.stem}: {text}"):
					self.assertEqual(Counter(KEPT.findall(text)), Counter(KEPT.findall(translation)))

	def test_translations_are_in_the_language(self):
		for path in FILES:
			for text, translation in rows(path):
				with self.subTest(f"{path.stem}: {text}"):
					self.assertEqual(translation, translation.strip())
					self.assertRegex(translation, LETTERS[path.stem])

	def test_the_app_says_nothing_with_spaces_around_it(self):
		"""Frappe strips what it translates: such a string would lose them."""
		self.assertEqual([text for text in translatable.strings() if text != text.strip()], [])

	def test_frappe_loads_them(self):
		for path in FILES:
			with self.subTest(path.name):
				loaded = get_translations_from_apps(path.stem, apps=["loyalty_app"])
				self.assertEqual(loaded, dict(rows(path)))
				self.assertEqual(frappe._("Loyalty Points", path.stem), loaded["Loyalty Points"])

	def test_connections_are_kept_in_no_language(self):
		"""Frappe caches them for users of all languages; the desk translates them."""
		self.addCleanup(setattr, frappe.local, "lang", frappe.local.lang)
		frappe.local.lang = "ar"
		for doctype in ("Loyalty Program", "Loyalty Membership", "Loyalty Point Adjustment", "Customer"):
			connections = frappe.get_meta(doctype, cached=False).get_dashboard_data().transactions
			ours = [group["label"] for group in connections if any("Loyalty" in i for i in group["items"])]
			self.assertTrue(ours)
			self.assertEqual([label for label in ours if not label.isascii()], [], doctype)


class TestTranslatable(IntegrationTestCase):
	"""The reader of strings finds what people read, and only that."""

	def found(self, suffix: str, text: str) -> list[str]:
		return list(translatable.READERS[suffix](text))

	def test_python(self):
		code = '_("a {0} " "b").format(_("c", context="d")) + other("e") + _(variable) + {"label": "f", "x": "g"}'
		self.assertEqual(sorted(self.found(".py", code)), ["a {0} b", "c:d", "f"])

	def test_javascript(self):
		code = (
			"""__("it's {0}", [a(")")]); __('a "b" \\'c\\''); __(`d`); f__("no"); __(x); __("e", null, "f")"""
		)
		self.assertEqual(self.found(".js", code), ["it's {0}", "a \"b\" 'c'", "d", "e:f"])

	def test_jinja(self):
		self.assertEqual(self.found(".html", "{{ _('a').format(b_('c')) }} {{ _(d) }}"), ["a"])

	def test_documents(self):
		doctype = """{"doctype": "DocType", "name": "A", "fields": [
			{"fieldname": "b", "fieldtype": "Select", "label": "B", "options": "C\\nD", "description": "E"},
			{"fieldname": "naming_series", "fieldtype": "Select", "options": "X-.YYYY.-"},
			{"fieldname": "f", "fieldtype": "Link", "options": "Company"}]}"""
		self.assertEqual(sorted(self.found(".json", doctype)), list("ABCDE"))
		workspace = r"""{"doctype": "Workspace", "name": "W", "content":
			"[{\"type\": \"header\", \"data\": {\"text\": \"<b>H</b>\"}}, {\"type\": \"spacer\", \"data\": {}}]"}"""
		self.assertEqual(sorted(self.found(".json", workspace)), ["H", "W"])
		self.assertEqual(self.found(".json", '[{"label": "no document"}]'), [])


def rows(path: Path) -> list[list[str]]:
	with path.open(newline="") as file:
		return list(csv.reader(file))


def as_csv(translations: dict[str, str]) -> str:
	text = io.StringIO()
	csv.writer(text, lineterminator="\n").writerows(translations.items())
	return text.getvalue()
