"""The examples of docs/promotions.md, done."""

import json
import re
from pathlib import Path

import loyalty_app
from loyalty_app.tests.test_documents import LoyaltyTestCase, earned, entries_of
from loyalty_app.tests.utils import (
	make_customer,
	make_invoice,
	make_item,
	make_program,
	make_promotion,
	make_return,
	unique,
)

DOC = Path(loyalty_app.__file__).parents[1] / "docs" / "promotions.md"
EFFECT = re.compile(r"(?P<effect>[\w ]+): (?P<number>\d+)(?: per (?P<per_amount>\d+))?")


def table(first_column: str) -> list[dict]:
	"""The rows of the table in the doc whose first column this is, by column."""
	lines = iter(DOC.read_text().splitlines())
	columns = next(cells(line) for line in lines if line.startswith(f"| {first_column} |"))
	next(lines)
	rows = []
	for line in lines:
		if not line.startswith("|"):
			return rows
		rows.append(dict(zip(columns, cells(line))))
	return rows


def cells(line: str) -> list[str]:
	return [cell.strip() for cell in line.strip("|").split("|")]


class TestExamples(LoyaltyTestCase):
	def setUp(self):
		self.items = {name: make_item(item_name=name).name for name in ("Coffee", "Cake")}

	def promote(self, program, row):
		effect, number, per_amount = EFFECT.fullmatch(row["Effect"]).groups()
		kind = "multiplier" if effect == "Multiply Points" else "points"
		return make_promotion(
			program,
			promotion_name=unique(row["Promotion"]),
			items=[("Item", self.items[row["Items"]])] if row["Items"] else (),
			minimum_amount=int(row["Minimum"] or 0),
			effect=effect,
			per_amount=int(per_amount or 0),
			combination=row["With others"],
			**{kind: int(number)},
		)

	def given(self, entry, invoice):
		"""What promotions gave, as the doc says it."""
		points = dict.fromkeys((row.item_name for row in invoice.items), 0)
		names = {row.name: row.item_name for row in invoice.items}
		for lines in json.loads(entry.promotions or "{}").values():
			for line, number in lines.items():
				points[names[line]] += number
		return ", ".join(f"{item} +{number}" for item, number in points.items() if number)

	def test_each_row(self):
		promotions = {row["Promotion"]: row for row in table("Promotion")}
		examples = table("Running")
		self.assertEqual({n for e in examples for n in e["Running"].split(", ") if n}, set(promotions))
		self.assertGreater(len(examples), 5)
		for example in examples:
			with self.subTest(**{key.replace(" ", "_"): value for key, value in example.items()}):
				self.check(example, promotions)

	def check(self, example, promotions):
		program = make_program()
		for name in filter(None, example["Running"].split(", ")):
			self.promote(program, promotions[name])
		bought = re.findall(r"(\d+) (\w+) at (\d+)", example["Bought"])
		invoice = make_invoice(
			make_customer(loyalty_program=program.name),
			items=[
				{"item_code": self.items[item], "qty": int(qty), "rate": int(rate)}
				for qty, item, rate in bought
			],
		)
		(entry,) = entries_of(invoice)
		self.assertEqual(entry.loyalty_points, int(example["Earns"]))
		self.assertEqual(self.given(entry, invoice), example["Promotions give"])
		qty, item = re.fullmatch(r"(\d+) (\w+)", example["Returned"]).groups()
		back = make_return(invoice, submit=False)
		back.items = [row for row in back.items if row.item_name == item]
		back.items[0].qty = back.items[0].stock_qty = -int(qty)
		back.save()
		back.submit()
		self.assertEqual(earned(invoice).loyalty_points, int(example["Keeps"]))
