"""The examples of docs/api.md: each is run by a shell, and answers what the page says it does."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[3] / "docs" / "api.md"
BLOCK = re.compile(r"^```(sh|json)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# What the program of the page has from that of the shop.
TERMS = (
	*("loyalty_program_type", "company", "from_date", "earn_on", "conversion_factor", "expiry_duration"),
	*("expense_account", "cost_center"),
)
# What is another one on each site and day, by its key in an answer.
VARIES = {"name", "customer", "customer_name", "loyalty_program", "company", "currency", "invoice"}


def examples() -> list[tuple[str, dict]]:
	"""Commands with the answer that follows each; the first block sets variables."""
	blocks = BLOCK.findall(PAGE.read_text())
	assert [kind for kind, _text in blocks[1:]] == ["sh", "json"] * (len(blocks) // 2)
	return [(blocks[i][1], json.loads(blocks[i + 1][1])) for i in range(1, len(blocks), 2)]


@pytest.fixture(scope="module")
def people(shop):
	"""The names here of those that the page speaks of."""
	shop.customer = shop.member(f"Ann-{shop.tail}")
	item = {field: shop.site.get("Item", shop.item)[field] for field in ("item_group", "stock_uom")}
	shop.item = shop.site.insert("Item", item_code=f"Coffee-{shop.tail}", is_stock_item=0, **item)["name"]
	tiers = [("Silver", 0, 10), ("Gold", 2000, 5)]
	shop.program = shop.site.insert(
		"Loyalty Program",
		loyalty_program_name=f"Points-{shop.tail}",
		collection_rules=[
			{"tier_name": name, "min_spent": minimum, "collection_factor": factor}
			for name, minimum, factor in tiers
		],
		**{field: shop.site.get("Loyalty Program", shop.program)[field] for field in TERMS},
	)["name"]
	shop.site.ask("PUT", f"/api/resource/Customer/{shop.customer}", data={"loyalty_program": shop.program})
	shop.sell(1000)
	return {"Ann": shop.customer, "Coffee": shop.item, "Points": shop.program}


def test_every_example(people, user):
	variables, *_rest = (text for kind, text in BLOCK.findall(PAGE.read_text()) if kind == "sh")
	variables = re.sub(r"^SITE=.*$", f"SITE={user.url}", variables, flags=re.MULTILINE)
	environment = os.environ | {"API_KEY": user.key, "API_SECRET": user.secret}
	assert len(examples()) > 8
	for command, expected in examples():
		for name, here in people.items():
			command = re.sub(rf"(?<![\w ]){name}(?!\w)", here, command)
		run = subprocess.run(
			["bash", "-euc", variables + command], env=environment, capture_output=True, text=True, timeout=60
		)
		assert run.returncode == 0, run.stderr
		answer = json.loads(run.stdout)
		if isinstance(answer.get("message"), list):
			answer["message"] = [row for row in answer["message"] if row["name"] == people["Points"]]
		assert told(answer, expected) == told(expected, expected), command


def told(answer, expected, key=""):
	"""What `answer` says, in the measure of what it is `expected` to: without what is not shown of errors, and with days
	and names as kinds."""
	if isinstance(answer, dict) and isinstance(expected, dict):
		keys = expected if "code" in expected else answer
		return {each: told(answer.get(each), expected.get(each), each) for each in keys}
	if isinstance(answer, list) and isinstance(expected, list) and len(answer) == len(expected):
		return [told(*pair, key) for pair in zip(answer, expected)]
	if isinstance(answer, str) and (key in VARIES or key.endswith("_date") or key == "next_expiry"):
		return str
	return answer
