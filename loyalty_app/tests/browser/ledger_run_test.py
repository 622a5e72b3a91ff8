"""What an Accounts Manager sees of work over all memberships."""


def start(desk, button: str) -> None:
	"""Start a run from the list, and wait for its end."""
	from playwright.sync_api import expect

	page = desk.page
	desk.open("Loyalty Ledger Run")
	page.wait_for_function("() => window.cur_list?.doctype === 'Loyalty Ledger Run'")
	desk.settle()
	page.get_by_role("button", name=button, exact=True).locator("visible=true").first.click()
	page.wait_for_function("() => window.cur_frm?.doctype === 'Loyalty Ledger Run'")
	desk.picture(f"started-{button.split()[0]}".lower())
	expect(page.locator(".form-message:visible")).to_be_visible(timeout=60_000)
	assert desk.value("status") == "Done"


def test_runs_are_started_followed_and_read(desk_of, shop):
	from playwright.sync_api import expect

	desk = desk_of("Accounts Manager")
	page = desk.page
	shop.sell(1000)
	start(desk, "Close Expired Points")
	expect(page.locator(".form-message:visible")).to_contain_text("close")
	desk.picture("expiry")
	start(desk, "Verify")
	expect(page.locator(".form-message:visible")).to_contain_text("agree")
	assert desk.value("done") == desk.value("memberships") > 0
	# nobody changes a run
	expect(page.get_by_role("button", name="Save", exact=True).locator("visible=true")).to_have_count(0)
	desk.picture("verification")
	desk.open("Loyalty Ledger Run")
	rows = page.locator(".frappe-list:visible .list-row")
	expect(rows.first).to_contain_text("Verification")
	desk.settle()
	desk.picture("list")
