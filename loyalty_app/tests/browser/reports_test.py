"""What an accountant and a shop manager see: the reports and the workspace."""

import datetime


def days(number: int) -> str:
	return (datetime.date.today() + datetime.timedelta(days=number)).isoformat()


def make_history(shop) -> tuple[str, str]:
	"""Three invoices: one earns, one redeems and earns, one is cancelled; return the names of the last two."""
	shop.sell(5000, 60)
	redeeming, cancelled = shop.sell(2000, 20, redeem=120), shop.sell(300, 2)
	shop.site.ask(
		"POST", "/api/method/frappe.client.cancel", data={"doctype": "Sales Invoice", "name": cancelled}
	)
	return redeeming, cancelled


def assert_drawn(desk, summary: str) -> None:
	"""There are a summary with this text, a chart with something in it, and rows."""
	from playwright.sync_api import expect

	expect(desk.page.locator(".report-summary:visible")).to_contain_text(summary)
	chart = desk.page.locator(".chart-wrapper:visible svg.frappe-chart")
	expect(chart.locator("rect.bar, path.line-graph-path").first).to_be_attached()
	assert "undefined" not in desk.page.locator(".layout-main:visible").inner_text()


def test_reports(desk, shop):
	"""From everybody's balance to the entries behind it, and to what else there is to know."""
	from playwright.sync_api import expect

	desk.page.set_viewport_size({"width": 1400, "height": 1000})
	redeeming, cancelled = make_history(shop)
	# 500 earned, 120 of it spent; 2,000 less their value of 60 reach the next tier: 1,940 / 5
	balance = "768"

	desk.open_report("Loyalty Balances", loyalty_program=shop.program)
	assert_drawn(desk, balance)
	expect(desk.cells("balance").first).to_contain_text(balance)
	expect(desk.cells("tier").first).to_have_text("Gold <u>Plus</u>")
	desk.picture("balances")
	desk.cells("balance").first.locator("a").click()
	desk.wait_for_report("Loyalty Point Ledger")
	assert desk.page.evaluate("() => frappe.query_report.get_filter_value('customer')") == shop.customer

	desk.open_report(
		"Loyalty Point Ledger",
		customer=shop.customer,
		from_date=days(-365),
		to_date=days(0),
		by_member=1,
		show_deleted=1,
	)
	assert_drawn(desk, balance)
	movements = [row["movement"] for row in desk.report_rows()]
	assert movements[0] == "Opening Balance" and movements[-1] == "Closing Balance"
	assert sorted(movements[1:-1]) == ["Earned", "Earned", "Earned, deleted", "Redeemed"]
	expect(desk.page.locator(".dt-scrollable:visible .indicator-pill.red")).to_have_text("Earned, deleted")
	desk.picture("ledger")
	desk.cells("invoice").locator("a", has_text=redeeming).first.click()
	desk.page.wait_for_function("name => window.cur_frm?.doc?.name === name", arg=redeeming)

	desk.open_report("Points Expiring", loyalty_program=shop.program)
	assert_drawn(desk, balance)
	desk.picture("expiring")
	desk.cells("points").first.locator("a").click()
	expect(desk.cells("first_expiry").first).to_be_visible()
	desk.settle()
	assert desk.report_rows()[0]["customer"] == shop.customer
	desk.picture("expiring-customers")

	desk.open_report(
		"Loyalty Program Performance", loyalty_program=shop.program, from_date=days(-365), to_date=days(0)
	)
	assert_drawn(desk, "13.5%")
	names = desk.page.locator(".chart-wrapper:visible svg.frappe-chart .x.axis text")
	assert all(name and "." not in name for name in names.all_text_contents())
	desk.picture("performance")
	desk.page.set_viewport_size({"width": 390, "height": 900})
	desk.page.wait_for_function(
		"() => [...document.querySelectorAll('.chart-wrapper svg.frappe-chart .x.axis text')]"
		".filter((name) => name.textContent).length < 8"
	)
	assert not any("." in name for name in names.all_text_contents())
	desk.picture("performance-phone")
	desk.page.set_viewport_size({"width": 1400, "height": 1000})
	desk.open_report(
		"Loyalty Program Performance",
		loyalty_program=shop.program,
		from_date=days(-365),
		to_date=days(0),
		show_by="Tier",
	)
	assert_drawn(desk, "13.5%")
	desk.picture("performance-by-tier")

	desk.open_report("Loyalty Audit Trail", loyalty_program=shop.program, from_date=days(0), to_date=days(0))
	assert_drawn(desk, "Deleted")
	expect(desk.cells("action").first).to_have_text("Deleted")
	expect(desk.cells("reference_name").first).to_have_text(cancelled)
	desk.picture("audit-trail")


def test_from_a_promotion_to_the_invoices_that_it_gave_for(desk, shop):
	from playwright.sync_api import expect

	name = shop.site.insert(
		"Loyalty Promotion",
		promotion_name=f"Double & {shop.tail}",
		loyalty_program=shop.program,
		from_date="2020-01-01",
		effect="Multiply Points",
		multiplier=2,
		limit_total=4,
	)["name"]
	invoice = shop.sell(500, 3)
	desk.open("Loyalty Promotion", name)
	desk.page.locator(".form-dashboard:visible .report-link").click()
	desk.wait_for_report("Loyalty Promotion Performance")
	expect(desk.page.locator(".report-summary:visible")).to_contain_text("25.00")
	(row, _total) = desk.report_rows()
	assert (row["promotion"], row["points"], row["used_part"]) == (name, 50, 25)
	expect(desk.cells("used_part").first).to_contain_text("25.0%")
	desk.picture("promotions")
	desk.cells("invoices").first.locator("a").click()
	expect(desk.cells("invoice").first).to_have_text(invoice)
	desk.settle()
	assert [row.get("points") for row in desk.report_rows()] == [50, 50]
	desk.picture("promotion-invoices")


def test_workspace(desk, shop):
	"""Numbers, charts and the way to everything else on one page; five steps for whoever begins."""
	from playwright.sync_api import expect

	desk.page.set_viewport_size({"width": 1400, "height": 2000})
	make_history(shop)
	desk.page.goto("/app/loyalty")
	page = desk.page
	for label in (
		"Active Members",
		"Points Outstanding",
		"Worth Outstanding",
		"Expiring in 30 Days",
		"Earned this Month",
		"Redeemed this Month",
		"Members in Shortfall",
	):
		card = page.locator(".number-widget-box:visible", has_text=label)
		expect(card.locator(".number")).to_contain_text("0" if "Shortfall" in label else "")
	for label, drawn in (
		("Points by Month", "rect.bar"),
		("Redemption Rate (%)", "path.line-graph-path"),
		("Members by Tier", "rect.bar"),
	):
		chart = page.locator(".dashboard-widget-box:visible", has_text=label)
		expect(chart.locator(f"svg.frappe-chart {drawn}").first).to_be_attached()
	expect(page.locator(".onboarding-step:visible")).to_have_count(5)
	for report in (
		"Loyalty Balances",
		"Points Expiring",
		"Loyalty Program Performance",
		"Loyalty Promotion Performance",
		"Loyalty Point Ledger",
		"Loyalty Audit Trail",
	):
		expect(page.locator(".links-widget-box:visible a", has_text=report)).to_be_visible()
	desk.settle()
	desk.picture("workspace")
	page.locator(".number-widget-box:visible", has_text="Points Outstanding").locator(".widget-body").click()
	desk.wait_for_report("Loyalty Balances")
