"""What a person at the desk sees of loyalty, in a browser. Fixtures in conftest.py; no import that a bench lacks."""


def new_invoice(desk, shop, rate: int) -> None:
	desk.new("Sales Invoice")
	if desk.value("company") != shop.company:
		desk.choose("company", shop.company)
	desk.choose("customer", shop.customer)
	desk.choose_in_row("items", 1, "item_code", shop.item)
	desk.type_in_row("items", 1, "rate", str(rate))


def test_earn_redeem_and_look_at_the_entry(desk, shop):
	"""An Accounts User makes an invoice, sees what it will earn, redeems on the next one and looks at the entry."""
	from playwright.sync_api import expect

	page = desk.page
	line = page.locator(".loyalty-line:visible")

	new_invoice(desk, shop, 1000)
	expect(line).to_contain_text("Will earn 100 points")
	expect(line).to_contain_text("0 points")
	desk.picture("will-earn")
	first = desk.submit()
	expect(line).to_contain_text("Earned 100 points")
	expect(line).to_contain_text("Silver")
	desk.picture("earned")

	new_invoice(desk, shop, 200)
	expect(line).to_contain_text("100 points")
	expect(line).to_contain_text("Will earn 20 points")
	line.get_by_role("button", name="Redeem points").click()
	expect(desk.field("loyalty_points")).to_be_visible()
	for field in ("loyalty_amount", "loyalty_redemption_account", "loyalty_redemption_cost_center"):
		expect(desk.field(field)).to_be_visible()
	page.wait_for_function(
		"() => cur_frm.doc.loyalty_redemption_account && cur_frm.doc.loyalty_redemption_cost_center"
	)
	facts = page.locator(".loyalty-facts:visible")
	expect(facts).to_contain_text("100")
	expect(facts).to_contain_text("50.00")

	# more than there is: said beside the field, before anything is saved
	desk.type("loyalty_points", "150")
	refusal = page.locator(".loyalty-refusal:visible")
	expect(refusal).to_contain_text("enough Loyalty Points")
	expect(refusal).to_contain_text("100 spendable")
	desk.picture("refused")

	page.get_by_role("button", name="Use all 100").click()
	desk.wait_for_value("loyalty_points", 100)
	desk.wait_for_value("loyalty_amount", 50)
	expect(refusal).to_have_count(0)
	expect(facts).to_contain_text("15 points")
	desk.picture("redeeming")
	second = desk.submit()
	page.get_by_role("tab", name="Details").click()
	expect(line).to_contain_text("Earned 15 points, redeemed 100")
	desk.picture("redeemed")

	entries = shop.site.rows(
		"Loyalty Point Entry",
		["loyalty_points", "invoice"],
		customer=shop.customer,
		loyalty_program=shop.program,
	)
	assert sorted((e["invoice"], e["loyalty_points"]) for e in entries) == sorted(
		[(first, 100), (second, 15), (second, -100)]
	)

	# the list, from the customer, and an entry from the list
	desk.open("Customer", shop.customer)
	summary = page.locator(".loyalty-summary:visible")
	expect(summary).to_contain_text("15 points")
	expect(summary).to_contain_text("more to Gold <u>Plus</u>")
	desk.picture("customer")

	# which a small screen does not reach: a line at the top leads there
	page.set_viewport_size({"width": 1280, "height": 360})
	line = page.locator(".loyalty-line:visible")
	expect(line).to_contain_text("15 points, worth")
	line.get_by_role("button", name="Details").click()
	expect(summary.get_by_text("Earned", exact=True).first).to_be_in_viewport()
	desk.picture("customer-small")
	page.set_viewport_size({"width": 1280, "height": 900})
	summary.get_by_role("button", name="All entries").click()
	page.wait_for_function(
		"() => window.cur_list?.doctype === 'Loyalty Point Entry' && cur_list.data?.length === 3"
	)
	desk.settle()
	desk.picture("entries")
	page.locator('.frappe-list:visible .list-row a[href*="loyalty-point-entry"]').first.click()
	page.wait_for_function(
		"() => window.cur_frm?.doctype === 'Loyalty Point Entry' && $(cur_frm.wrapper).is(':visible')"
	)
	expect(desk.field("loyalty_points")).to_be_visible()
	expect(desk.field("customer")).to_contain_text(shop.customer)
	desk.picture("entry")


def test_points_being_typed_outlive_a_redraw_of_the_form(desk, shop):
	from playwright.sync_api import expect

	shop.sell(1000)
	new_invoice(desk, shop, 200)
	desk.page.locator(".loyalty-line:visible").get_by_role("button", name="Redeem points").click()
	box = desk.field("loyalty_points").locator("input")
	desk.settle()
	box.press_sequentially("7")
	desk.page.evaluate("() => cur_frm.refresh_fields()")
	expect(box).to_have_value("7")
	box.press_sequentially("0")
	desk.page.evaluate("() => cur_frm.refresh_fields()")
	box.press("Tab")
	desk.wait_for_value("loyalty_points", 70)
	desk.wait_for_value("loyalty_amount", 35)
	# once one has left the field, it shows what the document has
	box.fill("1")
	box.press("Tab")
	desk.page.evaluate("() => cur_frm.set_value('loyalty_points', 50)")
	desk.wait_for_value("loyalty_amount", 25)
	expect(box).to_have_value("50")


def test_a_statement_of_last_month(desk, shop):
	"""From the customer's points to a PDF of a period that is chosen, not typed."""
	from playwright.sync_api import expect

	page = desk.page
	shop.sell(1000)
	desk.open("Customer", shop.customer)
	summary = page.locator(".loyalty-summary:visible")
	summary.get_by_role("button", name="Statement").click()
	dialog = page.locator(".modal.show", has_text="Loyalty Statement")
	page.wait_for_function("() => window.cur_dialog?.get_value('to_date')")

	def days():
		return page.evaluate("() => ['from_date', 'to_date'].map((day) => cur_dialog.get_value(day))")

	first, last = days()
	assert first.endswith("-01") and first[:7] < last[:7]
	dialog.locator('select[data-fieldname="period"]').select_option("This month")
	page.wait_for_function("month => cur_dialog.get_value('from_date').startsWith(month)", arg=last[:7])
	box = dialog.locator('input[data-fieldname="from_date"]')
	box.fill(page.evaluate("day => frappe.datetime.str_to_user(day)", first))
	box.press("Tab")
	expect(dialog.locator('select[data-fieldname="period"]')).to_have_value("Other days")
	desk.picture("statement")
	with page.context.expect_page() as opened:
		dialog.get_by_role("button", name="Open PDF").click()
	url = opened.value.url
	assert f"from_date={first}" in url and f"to_date={last}" in url
	pdf = page.request.get(url)
	assert pdf.ok and pdf.body().startswith(b"%PDF")
	expect(dialog).to_have_count(0)

	# the desk's preview is a page without a doctype, in which tables inherit no size of letters
	membership = shop.site.names("Loyalty Membership", customer=shop.customer)[0]
	page.goto(f"/app/print/Loyalty Membership/{membership}")
	statement = page.frame_locator("iframe.print-format-container").locator(".loyalty-statement")
	sizes = [
		statement.locator(part).first.evaluate("node => getComputedStyle(node).fontSize")
		for part in (".today p", ".movements td")
	]
	assert sizes[0] == sizes[1], sizes
	desk.picture("preview")
