"""The app's screens in Arabic: written from right to left, and nothing of ours left in English.

What Frappe and ERPNext say is theirs to translate; wherever it is a word of ours too, ours serves.
"""

import csv
import datetime
import re
from pathlib import Path

TRANSLATIONS = Path(__file__).resolve().parents[2] / "translations" / "ar.csv"
DOCTYPES = (
	"Loyalty Program",
	"Loyalty Promotion",
	"Loyalty Membership",
	"Loyalty Point Entry",
	"Loyalty Point Log",
	"Loyalty Point Adjustment",
	"Loyalty Ledger Run",
)
REPORTS = (
	"Loyalty Balances",
	"Points Expiring",
	"Loyalty Program Performance",
	"Loyalty Point Ledger",
	"Loyalty Audit Trail",
)
# what stands on the screen: each text by itself, and the text that stands in empty boxes; not the headings within a
# workspace, which early versions of Frappe 15 do not translate
TEXTS = """() => {
	const shown = (node) => node.checkVisibility({ visibilityProperty: true });
	const texts = new Set();
	const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
	while (walker.nextNode()) {
		const { parentElement: parent, data } = walker.currentNode;
		if (!data.trim() || parent.closest("script, style, .ce-header") || !shown(parent)) continue;
		texts.add(data.trim());
	}
	for (const box of document.querySelectorAll("[placeholder]")) if (shown(box)) texts.add(box.getAttribute("placeholder").trim());
	return [...texts];
}"""


def translations() -> dict[str, str]:
	with TRANSLATIONS.open(newline="") as file:
		return dict(csv.reader(file))


def pattern(text: str) -> re.Pattern:
	"""What a string looks like on the screen, with something in the place of its placeholders."""
	return re.compile(".+".join(re.escape(part) for part in re.split(r"{\w*}", text)))


ARABIC = translations()
# Frappe shows the title of an app, and doctypes that are values of a link, as they are
AS_THEY_ARE = ("Loyalty App", "Sales Invoice", "POS Invoice")
# "{0} of {1}", "{0} and {1}" and the like would match anything
TELLING = re.compile(r"^[^{]*[A-Za-z]{2}[^{]*$|(?<!{)\b(?!and\b)[A-Za-z]{3}")
ENGLISH = [pattern(text) for text in ARABIC if text not in AS_THEY_ARE and TELLING.search(text)]


def assert_arabic(desk, *sources: str) -> None:
	"""The page runs from right to left, says the translations of `sources`, and no string of ours in English."""
	desk.settle()
	direction = "() => getComputedStyle(document.body).direction"
	assert desk.page.evaluate(direction) == "rtl"
	texts = desk.page.evaluate(TEXTS)
	desk.picture("arabic")
	said = "\n".join(texts)
	for source in sources:
		assert ARABIC[source] in said, source
	left = [text for text in texts if any(english.fullmatch(text) for english in ENGLISH)]
	assert not left, left


def test_workspace(arabic_desk, shop, history):
	arabic_desk.page.set_viewport_size({"width": 1400, "height": 2000})
	arabic_desk.page.goto("/app/loyalty")
	arabic_desk.page.locator(".number-widget-box:visible").first.wait_for()
	arabic_desk.page.locator(".dashboard-widget-box:visible svg.frappe-chart").last.wait_for()
	assert_arabic(
		arabic_desk,
		*("Active Members", "Points Outstanding", "Worth Outstanding", "Points by Month", "Members by Tier"),
		*("Loyalty Balances", "Loyalty Point Ledger", "Let a Customer Join"),
	)


def test_lists_and_forms(arabic_desk, shop, history):
	desk = arabic_desk
	for doctype in DOCTYPES:
		desk.open(doctype)
		desk.page.wait_for_function("doctype => window.cur_list?.doctype === doctype", arg=doctype)
		desk.page.locator(".frappe-list:visible").wait_for()
		assert_arabic(desk, doctype)
		if doctype == "Loyalty Point Entry":
			# a sign stands before its number
			assert "\u200e-120" in desk.page.locator(".frappe-list:visible").inner_text()
	for doctype, filters in (
		("Loyalty Program", {"name": shop.program}),
		("Loyalty Membership", {"customer": shop.customer}),
		("Loyalty Point Entry", {"customer": shop.customer}),
		("Loyalty Point Log", {"customer": shop.customer}),
	):
		[name] = shop.site.names(doctype, **filters)
		desk.open(doctype, name)
		desk.page.wait_for_function("name => window.cur_frm?.docname === name", arg=name)
		assert_arabic(desk, "Customer" if doctype != "Loyalty Program" else "Collection Rules")
	desk.new("Loyalty Point Adjustment")
	assert_arabic(desk, "Reason", "Points")
	desk.new("Loyalty Promotion")
	desk.page.locator(".loyalty-terms:visible").wait_for()
	assert_arabic(desk, "In short", "This comes on top of other promotions.")


def test_customer_and_statement(arabic_desk, shop, history):
	desk = arabic_desk
	desk.open("Customer", shop.customer)
	summary = desk.page.locator(".loyalty-summary:visible")
	summary.wait_for()
	assert_arabic(desk, "Last movements", "Redeemed", "All entries")
	# a sign stands before its number, and a date reads in its own order
	figures = summary.locator(".loyalty-number").all_inner_texts()
	assert "\u200e+500" in figures and "\u200e-120" in figures, figures
	note = summary.locator(".loyalty-note").inner_text()
	assert re.search("\u200e\\d+\\D\\d+\\D\\d+", note), note
	summary.get_by_role("button", name=ARABIC["Statement"]).click()
	desk.page.wait_for_function("() => window.cur_dialog?.get_value('to_date')")
	assert_arabic(desk, "Loyalty Statement", "Period", "Open PDF")
	[membership] = shop.site.names("Loyalty Membership", customer=shop.customer)
	desk.page.goto(
		f"/printview?doctype=Loyalty Membership&name={membership}&format=Loyalty Statement&_lang=ar"
	)
	text = desk.page.locator(".loyalty-statement").inner_text()
	desk.picture("statement")
	assert ARABIC["Loyalty Statement"] in text and ARABIC["Closing balance"] in text
	assert not [line for line in re.split(r"[\n\t]", text) if any(e.fullmatch(line.strip()) for e in ENGLISH)]


def test_invoice(arabic_desk, shop, history):
	from playwright.sync_api import expect

	desk = arabic_desk
	desk.open("Sales Invoice", history)
	desk.page.locator(".loyalty-line:visible").wait_for()
	assert_arabic(desk, "Customer")
	expect(desk.page.locator(".loyalty-line:visible")).to_contain_text("كسبت 388 نقطة، واستُبدل 120")
	desk.new("Sales Invoice")
	if desk.value("company") != shop.company:
		desk.choose("company", shop.company)
	desk.choose("customer", shop.customer)
	desk.choose_in_row("items", 1, "item_code", shop.item)
	desk.type_in_row("items", 1, "rate", "200")
	line = desk.page.locator(".loyalty-line:visible")
	line.get_by_role("button", name=ARABIC["Redeem points"]).click()
	desk.field("loyalty_points").wait_for()
	# ERPNext fills in account and cost center, and draws the fields anew
	desk.page.wait_for_function(
		"() => cur_frm.doc.loyalty_redemption_account && cur_frm.doc.loyalty_redemption_cost_center"
	)
	desk.settle()
	desk.type("loyalty_points", "5000")
	desk.page.locator(".loyalty-refusal:visible").wait_for()
	assert_arabic(desk, "Spendable points", "May redeem here", "Will earn")


def test_reports(arabic_desk, shop, history):
	desk = arabic_desk
	desk.page.set_viewport_size({"width": 1400, "height": 1000})
	today = datetime.date.today()
	period = {"from_date": (today - datetime.timedelta(365)).isoformat(), "to_date": today.isoformat()}
	for report in REPORTS:
		filters = {} if report in ("Loyalty Balances", "Points Expiring") else period
		desk.open_report(report, loyalty_program=shop.program, **filters)
		assert_arabic(desk, report)
