"""The docs' pictures: does what docs/user-guide.md tells, as the demo's users, and takes a picture of each step.

usage: python -m sandbox.inside.pictures FOLDER, with LOYALTY_URL and LOYALTY_BROWSER in the environment
"""

import contextlib
import io
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, expect, sync_playwright

from loyalty_app.tests.browser.desk import Desk
from sandbox.demo.shop import ABBR, ACCOUNTANT, CASHIER, CIRCLE, COMPANY, MANAGER, PASSWORD

SIZE = {"width": 1280, "height": 800}
PROGRAM, CUSTOMER = "Weekend Club", "Nadia Farah"


class Guide:
	"""Goes through the user guide once, in its order: each chapter finds what the one before has left."""

	def __init__(self, browser: Browser, folder: Path):
		self.browser, self.folder = browser, folder

	def take(self) -> None:
		self.set_up_a_program()
		self.let_a_customer_join()
		self.sell()
		self.redeem()
		self.give_back()
		self.adjust()
		self.promote()
		self.look_at_the_customer()
		self.read_reports()

	def set_up_a_program(self) -> None:
		with self.desk(MANAGER) as desk:
			desk.page.goto("/app/loyalty")
			# charts grow into their bars
			desk.page.wait_for_function(
				"() => [...document.querySelectorAll('.frappe-chart .bar')].some(bar => bar.getBBox().height > 20)"
			)
			desk.settle()
			self.picture(desk, "workspace")
			desk.new("Loyalty Program")
			desk.type("loyalty_program_name", PROGRAM)
			desk.select("loyalty_program_type", "Single Tier Program")
			desk.type(
				"from_date",
				desk.page.evaluate("() => frappe.datetime.str_to_user(frappe.datetime.year_start())"),
			)
			desk.choose("company", COMPANY)
			desk.type_in_row("collection_rules", 1, "tier_name", "Member")
			desk.type_in_row("collection_rules", 1, "collection_factor", "10")
			desk.type("conversion_factor", "0.1")
			desk.type("expiry_duration", "365")
			desk.choose("expense_account", f"Loyalty Points Redeemed - {ABBR}")
			desk.choose("cost_center", f"Main - {ABBR}")
			desk.save()
			self.picture(desk, "program", at=desk.field("from_date"))
			self.picture(desk, "program-redemption", at=desk.field("conversion_factor"))

	def let_a_customer_join(self) -> None:
		with self.desk(CASHIER) as desk:
			desk.new("Customer")
			desk.type("customer_name", CUSTOMER)
			desk.choose("customer_group", "Individual")
			desk.choose("territory", "Old Town")
			desk.page.get_by_role("tab", name="Accounting").click()
			desk.page.locator(".section-head:visible", has_text="Loyalty Points").click()
			desk.choose("loyalty_program", PROGRAM)
			desk.save()

	def sell(self) -> None:
		with self.desk(ACCOUNTANT) as desk:
			self.new_invoice(desk, "ESPRESSO-HOME")
			expect(desk.page.locator(".loyalty-line:visible")).to_contain_text("Will earn")
			self.picture(desk, "sales-invoice-earns")
			desk.submit()

	def redeem(self) -> None:
		with self.desk(ACCOUNTANT) as desk:
			self.new_invoice(desk, "GRINDER-HOME")
			desk.button("Redeem points")
			desk.field("loyalty_points").wait_for()
			desk.page.get_by_role("button", name="Use all").click()
			desk.page.wait_for_function("() => cur_frm.doc.loyalty_amount > 0")
			desk.settle()
			self.picture(desk, "sales-invoice", at=desk.field("redeem_loyalty_points"))
			self.redeeming = desk.submit()

	def give_back(self) -> None:
		with self.desk(ACCOUNTANT) as desk:
			desk.open("Sales Invoice", self.redeeming)
			desk.page.locator(".loyalty-line:visible").wait_for()
			desk.settle()
			desk.page.locator(".inner-group-button:visible", has_text="Create").locator("button").click()
			desk.page.locator(".dropdown-item:visible", has_text="Return / Credit Note").click()
			desk.page.wait_for_function("() => cur_frm.doc.is_return && cur_frm.is_new()")
			desk.settle()
			self.picture(desk, "return")
			desk.save()
			# what ERPNext says of the credit note's balance
			desk.page.keyboard.press("Escape")
			desk.page.locator(".modal.show").wait_for(state="hidden")
			desk.submit()
			expect(desk.page.locator(".loyalty-line:visible")).to_contain_text("gave back")

	def adjust(self) -> None:
		with self.desk(ACCOUNTANT) as desk:
			desk.new("Loyalty Point Adjustment")
			desk.choose("customer", CUSTOMER)
			desk.choose("loyalty_program", PROGRAM)
			desk.select("reason", "Goodwill")
			desk.type("points", "25")
			desk.type("explanation", "The delivery was a week late.")
			desk.save()
			self.picture(desk, "adjustment")
			name = desk.value("name")
		with self.desk(MANAGER) as desk:
			desk.open("Loyalty Point Adjustment", name)
			desk.page.wait_for_function("name => window.cur_frm?.docname === name", arg=name)
			desk.settle()
			desk.submit()

	def promote(self) -> None:
		with self.desk(MANAGER) as desk:
			desk.new("Loyalty Promotion")
			desk.type("promotion_name", "Machine Month")
			desk.choose("loyalty_program", PROGRAM)
			desk.select("effect", "Points per Amount")
			desk.type("points", "5")
			desk.type("per_amount", "100")
			desk.type("limit_total", "50")
			expect(desk.page.locator(".loyalty-terms:visible")).to_contain_text("5 points more for every")
			desk.save()
			self.picture(desk, "promotion", at=desk.page.locator(".loyalty-terms:visible"))
			desk.open_report("Loyalty Promotion Performance")
			self.picture(desk, "loyalty-promotion-performance")

	def look_at_the_customer(self) -> None:
		with self.desk(ACCOUNTANT) as desk:
			desk.open("Customer", CUSTOMER)
			summary = desk.page.locator(".loyalty-summary:visible")
			expect(summary).to_contain_text("points")
			desk.settle()
			self.picture(desk, "customer")
			desk.button("Statement")
			desk.page.wait_for_function("() => window.cur_dialog?.get_value('to_date')")
			desk.settle()
			self.picture(desk, "statement")

	def read_reports(self) -> None:
		with self.desk(MANAGER) as desk:
			for report, filters in (
				("Loyalty Balances", {"loyalty_program": CIRCLE}),
				("Points Expiring", {}),
				("Loyalty Program Performance", {"loyalty_program": CIRCLE}),
				("Loyalty Point Ledger", {"customer": CUSTOMER, "by_member": 1}),
				("Loyalty Audit Trail", {"loyalty_program": PROGRAM}),
			):
				desk.open_report(report, **filters)
				self.picture(desk, report.lower().replace(" ", "-"))

	def new_invoice(self, desk: Desk, item: str) -> None:
		desk.new("Sales Invoice")
		desk.choose("customer", CUSTOMER)
		desk.choose_in_row("items", 1, "item_code", item)

	@contextlib.contextmanager
	def desk(self, user: str) -> Iterator[Desk]:
		"""The desk of a user of the demo."""
		context = self.browser.new_context(
			base_url=os.environ["LOYALTY_URL"], viewport=SIZE, locale="en-US", timezone_id="UTC"
		)
		context.set_default_timeout(30_000)
		desk = Desk(context.new_page(), self.folder, "fault")
		try:
			desk.sign_in(user, PASSWORD)
			yield desk
		finally:
			context.close()
		if desk.faults:
			raise RuntimeError(f"Scripts of the desk broke: {desk.faults}")

	def picture(self, desk: Desk, name: str, at=None) -> None:
		"""Save what the window shows, `at` being near its top, in as few colours as a screen has."""
		page = desk.page
		page.mouse.move(0, 0)
		page.evaluate("() => (document.activeElement?.blur(), $('.desk-alert').remove())")
		if at:
			at.evaluate("node => node.scrollIntoView({ block: 'center' })")
		shot = page.screenshot(animations="disabled", caret="hide")
		image = Image.open(io.BytesIO(shot)).convert("RGB")
		few = image.quantize(128, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
		few.save(self.folder / f"{name}.png", optimize=True)
		print(f"  {name}.png", flush=True)


def main(folder: Path) -> None:
	with sync_playwright() as playwright:
		browser = playwright.chromium.launch(
			executable_path=os.environ["LOYALTY_BROWSER"], args=["--no-sandbox", "--disable-gpu"]
		)
		try:
			Guide(browser, folder).take()
		finally:
			browser.close()


if __name__ == "__main__":
	main(Path(sys.argv[1]))
