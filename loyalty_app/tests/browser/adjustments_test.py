"""Adjusting points: an Accounts User drafts, an Accounts Manager submits."""

ADJUSTMENT = "Loyalty Point Adjustment"


def new_adjustment(desk, shop, points: int, reason: str = "Goodwill"):
	"""Begin an adjustment from the customer's form."""
	desk.open("Customer", shop.customer)
	desk.page.locator(".loyalty-summary:visible").get_by_role("button", name="Adjust points").click()
	desk.page.wait_for_function(
		"doctype => window.cur_frm?.doctype === doctype && cur_frm.is_new() && $(cur_frm.wrapper).is(':visible')",
		arg=ADJUSTMENT,
	)
	desk.settle()
	assert (desk.value("customer"), desk.value("loyalty_program")) == (shop.customer, shop.program)
	desk.select("reason", reason)
	desk.type("points", str(points))


def outcome(desk):
	return desk.page.locator(".loyalty-outcome:visible")


def test_draft_and_submit(desk_of, shop):
	from playwright.sync_api import expect

	shop.sell(1000)
	clerk, manager = desk_of("Accounts User"), desk_of("Accounts User", "Accounts Manager")

	new_adjustment(clerk, shop, 50)
	expect(outcome(clerk).locator("tbody tr")).to_have_text(f'Browser & "Sons" {shop.tail}100+50150')
	expect(outcome(clerk)).to_contain_text("50 points, good through")
	clerk.picture("will-add")
	clerk.write("explanation", "The parcel came late")
	name = clerk.save()
	expect(clerk.page.get_by_role("button", name="Submit", exact=True).locator("visible=true")).to_have_count(
		0
	)
	clerk.picture("draft-of-an-accounts-user")

	# more than there is: said before anything is saved
	new_adjustment(clerk, shop, -101)
	expect(outcome(clerk).locator(".loyalty-refusal")).to_contain_text(
		"101 cannot be taken, 100 are spendable"
	)
	clerk.picture("refused")

	manager.open(ADJUSTMENT, name)
	manager.settle()
	expect(outcome(manager).locator("tbody tr")).to_contain_text("150")
	manager.submit()
	expect(manager.page.locator(".indicator-pill:visible", has_text="Added").first).to_be_visible()
	expect(outcome(manager).locator("table").last).to_contain_text("+50")
	manager.picture("submitted")

	manager.open(ADJUSTMENT)
	row = manager.page.locator(f".frappe-list:visible .list-row:has(a[href*='{name}'])")
	expect(row).to_contain_text("Added")
	expect(row).to_contain_text("Goodwill")
	manager.picture("list")

	# up to the program's limit Accounts Users submit too
	shop.site.ask("PUT", f"/api/resource/Loyalty Program/{shop.program}", data={"adjustment_limit": 20})
	new_adjustment(clerk, shop, -20, "Correction")
	clerk.write("explanation", "Counted twice")
	clerk.save()
	clerk.submit()
	expect(clerk.page.locator(".indicator-pill:visible", has_text="Taken").first).to_be_visible()
	expect(outcome(clerk)).to_contain_text("130")
	clerk.picture("submitted-by-an-accounts-user")


def test_transfer(desk_of, shop):
	from playwright.sync_api import expect

	shop.sell(1000)
	other = shop.member(f"Browser Friend {shop.tail}")
	manager = desk_of("Accounts User", "Accounts Manager")
	new_adjustment(manager, shop, 30, "Transfer")
	manager.choose("to_customer", other)
	rows = outcome(manager).locator("tbody tr")
	expect(rows.nth(0)).to_have_text(f'Browser & "Sons" {shop.tail}100-3070')
	expect(rows.nth(1)).to_have_text(f"{other}0+3030")
	manager.picture("will-move")
	manager.write("explanation", "A gift")
	manager.submit()
	expect(manager.page.locator(".indicator-pill:visible", has_text="Moved").first).to_be_visible()
	expect(outcome(manager).locator("table").last.locator("tbody tr")).to_have_count(2)
	manager.picture("moved")


def test_import_from_a_file(desk_of, shop):
	from playwright.sync_api import expect

	shop.sell(1000)
	other = shop.member(f"Browser Friend {shop.tail}")
	manager = desk_of("Accounts User", "Accounts Manager")
	page = manager.page
	manager.open(ADJUSTMENT)
	manager.settle()
	page.locator(".menu-btn-group:visible button").first.click()
	page.locator(
		".dropdown-menu.show a, .dropdown-menu.show button", has_text="Import from File"
	).first.click()
	dialog = page.locator(".modal.show").last
	expect(dialog).to_contain_text("Each row becomes an adjustment")
	manager.picture("dialog")
	dialog.get_by_role("button", name="Attach").click()
	rows = f'Customer,Points\n"{shop.customer.replace(chr(34), chr(34) * 2)}",50\n{other},1.5\n{other},25\n'
	uploader = page.locator(".modal.show").last
	uploader.locator("input[type=file]").first.set_input_files(
		{"name": f"points-{shop.tail}.csv", "mimeType": "text/csv", "buffer": rows.encode()}
	)
	uploader.get_by_role("button", name="Upload").click()
	expect(dialog.locator(".attached-file-link")).to_contain_text(".csv")
	dialog.get_by_role("button", name="Check").click()

	message = page.locator(".form-message:visible")
	expect(message).to_contain_text("Ready to be imported: 2. Not ready: 1", timeout=60_000)
	expect(page.locator('.frappe-control[data-fieldname="findings"]')).to_contain_text("whole number")
	manager.settle()
	manager.picture("checked")
	check = page.evaluate("() => cur_frm.doc.name")
	page.get_by_role("button", name="Show Rows").locator("visible=true").click()
	page.wait_for_function(
		"() => window.cur_list?.doctype === 'Loyalty Import Row' && cur_list.data?.length === 3"
	)
	manager.settle()
	manager.picture("rows")

	manager.open("Loyalty Ledger Run", check)
	manager.settle()
	manager.button("Import 2 Rows")
	page.locator(".modal.show .btn-primary:visible", has_text="Yes").click()
	expect(message).to_contain_text("Imported: 2.", timeout=60_000)
	manager.picture("imported")
	manager.button("Undo Import")
	page.locator(".modal.show .btn-primary:visible", has_text="Yes").click()
	expect(message).to_contain_text("Undone: 2.", timeout=60_000)
	found = shop.site.rows(ADJUSTMENT, ["docstatus", "points"], customer=other)
	assert [(row["docstatus"], row["points"]) for row in found] == [(2, 25)]
