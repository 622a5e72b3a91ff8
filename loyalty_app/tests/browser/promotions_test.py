"""A promotion from its form to the invoice that it gives points for."""

from loyalty_app.tests.browser.desk_test import new_invoice


def test_a_promotion_from_its_form_to_an_invoice(desk_of, shop):
	from playwright.sync_api import expect

	manager = desk_of("Accounts Manager", "Sales User")
	manager.new("Loyalty Promotion")
	name = f'Double "Friday" & {shop.tail}'
	manager.type("promotion_name", name)
	manager.choose("loyalty_program", shop.program)
	assert not manager.value("customer_group") and not manager.value("customer_territory")
	expect(manager.field("multiplier")).to_be_visible()
	expect(manager.field("points")).to_have_count(0)
	tier = manager.field("tier").locator("input")
	tier.click()
	expect(manager.page.locator('.awesomplete :is([role="option"], li):visible')).to_have_count(2)
	tier.press("Escape")
	terms = manager.page.locator(".loyalty-terms:visible")
	expect(terms).to_contain_text("Customers earn double points from")
	manager.picture("new")

	manager.type("multiplier", "3")
	expect(terms).to_contain_text("triple points")
	manager.type("minimum_amount", "100")
	expect(terms).to_contain_text("triple points on purchases of")
	manager.type("multiplier", "0.5")
	expect(terms).to_contain_text("Multiplier: it must be greater than 1")
	manager.button("Save")
	message = manager.page.locator(".modal.show .msgprint")
	expect(message).to_contain_text("Multiplier: it must be greater than 1")
	manager.picture("refused")
	manager.page.locator(".modal.show .btn-modal-close:visible").click()
	manager.type("multiplier", "2")
	manager.type("code", "FRIDAY")
	expect(terms).to_contain_text("with the code FRIDAY")
	assert manager.save() == name
	manager.picture("saved")

	desk = desk_of("Accounts User")
	page = desk.page
	new_invoice(desk, shop, 500)
	line = page.locator(".loyalty-line:visible")
	given = page.locator(".loyalty-promotions:visible")
	by_line = page.locator(".loyalty-promotion-lines")
	expect(line).to_contain_text("Will earn 50 points")
	expect(given).to_have_count(0)
	desk.type("loyalty_promotion_code", "monday")
	refusal = page.locator(".loyalty-code-refusal:visible")
	expect(refusal).to_contain_text("no promotion of Loyalty Program")
	desk.picture("wrong-code")
	desk.type("loyalty_promotion_code", "friday")
	expect(refusal).to_have_count(0)
	expect(line).to_contain_text("Will earn 100 points")
	expect(given).to_contain_text(name)
	expect(given).to_contain_text("+50 points")
	expect(by_line).to_contain_text(f"1 × {shop.item}: +50 points, {name}")
	desk.picture("by-line")
	invoice = desk.submit()
	page.get_by_role("tab", name="Details").click()
	expect(line).to_contain_text("Earned 100 points")
	expect(given).to_contain_text("+50 points")
	desk.picture("submitted")
	(entry,) = shop.site.rows("Loyalty Point Entry", ["name", "loyalty_points"], invoice=invoice)
	assert entry["loyalty_points"] == 100

	desk.open("Loyalty Point Entry", entry["name"])
	by_line = page.locator(".loyalty-given:visible")
	expect(by_line).to_contain_text(f"Row 1: 1 × {shop.item}")
	expect(by_line).to_contain_text("100 points in all, of which 50 by the program and 50 by promotions.")
	expect(desk.field("promotions")).to_have_count(0)
	desk.picture("entry")
	by_line.get_by_role("link", name=name).click()
	page.wait_for_function("name => window.cur_frm?.doc?.name === name", arg=name)
