"""What this app puts on the screen, judged by axe-core against WCAG 2.2 AA: contrast, names, roles, in light and dark.

Only what is ours: what Frappe and ERPNext draw around it is theirs.
"""

import os
from pathlib import Path

import pytest

from loyalty_app.tests.browser.desk_test import new_invoice
from loyalty_app.tests.browser.portal_test import open_portal

OURS = '[class^="loyalty-"], [class*=" loyalty-"]'
LEVELS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
# The faults that axe finds in what is ours and shown, and how much it looked at.
FAULTS = """async ({ ours, levels }) => {
	const context = { include: [...document.querySelectorAll(ours)].filter((node) => node.checkVisibility()) };
	const found = await axe.run(context, { runOnly: levels, resultTypes: ["violations"] });
	const faults = found.violations.flatMap((rule) =>
		rule.nodes.map((node) => `${rule.id}: ${node.html.slice(0, 200)}: ${node.failureSummary}`)
	);
	return [faults, context.include.length];
}"""


@pytest.fixture
def axe():
	folder = os.environ.get("LOYALTY_NODE_MODULES")
	if not folder:
		pytest.skip("LOYALTY_NODE_MODULES not set: no axe-core to judge with")
	return Path(folder) / "axe-core" / "axe.min.js"


def assert_accessible(desk, axe: Path) -> None:
	"""Nothing of ours on the page is at fault, in either theme."""
	desk.page.wait_for_load_state("networkidle")
	desk.page.add_script_tag(path=axe)
	for theme in ("light", "dark"):
		desk.page.evaluate("theme => document.documentElement.setAttribute('data-theme', theme)", theme)
		# colours change by transition
		desk.page.evaluate(
			"() => Promise.all(document.getAnimations().map((one) => one.finished.catch(() => {})))"
		)
		desk.picture(theme)
		faults, looked_at = desk.page.evaluate(FAULTS, {"ours": OURS, "levels": LEVELS})
		assert looked_at, "nothing of ours is shown"
		assert not faults, "\n".join(faults)


def test_invoice(desk, shop, axe):
	page = desk.page
	shop.sell(1000)
	new_invoice(desk, shop, 200)
	page.locator(".loyalty-line:visible").get_by_role("button", name="Redeem points").click()
	desk.field("loyalty_points").wait_for()
	assert_accessible(desk, axe)
	desk.type("loyalty_points", "5000")
	page.locator(".loyalty-refusal:visible").first.wait_for()
	assert_accessible(desk, axe)
	desk.open("Sales Invoice", shop.sell(100, redeem=10))
	page.locator(".loyalty-line:visible").wait_for()
	assert_accessible(desk, axe)


def test_customer(desk, shop, axe):
	shop.sell(1000)
	shop.sell(100, redeem=10)
	desk.open("Customer", shop.customer)
	desk.page.locator(".loyalty-summary:visible").wait_for()
	assert_accessible(desk, axe)


def test_program(desk_of, shop, axe):
	desk = desk_of("Accounts Manager")
	desk.open("Loyalty Program", shop.program)
	desk.page.locator(".loyalty-example:visible").wait_for()
	assert_accessible(desk, axe)


def test_adjustment(desk, shop, axe):
	shop.sell(1000)
	desk.new("Loyalty Point Adjustment")
	desk.choose("customer", shop.customer)
	desk.type("points", "-20")
	assert_accessible(desk, axe)


def test_website(phone, shop, axe):
	shop.sell(5000, 40)
	open_portal(phone, shop)
	assert_accessible(phone, axe)
