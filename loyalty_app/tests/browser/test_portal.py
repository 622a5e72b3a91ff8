"""What a customer who signs in to the website sees, on a phone."""

import os


def test_a_customer_on_a_phone(chromium, shop, artefacts):
	from playwright.sync_api import expect

	from loyalty_app.tests.browser.desk import Desk

	earning = shop.sell(5000, 40)
	redeeming = shop.sell(300, 5, redeem=100)
	user, password = shop.user("Customer")
	shop.site.ask("PUT", f"/api/resource/Customer/{shop.customer}", data={"portal_users": [{"user": user}]})
	context = chromium.new_context(
		base_url=os.environ["LOYALTY_URL"],
		viewport={"width": 390, "height": 844},
		has_touch=True,
		locale="en-US",
	)
	context.set_default_timeout(30_000)
	page = context.new_page()
	portal = Desk(page, artefacts, "portal")
	try:
		# a guest signs in on the way
		page.goto("/loyalty")
		page.locator("#login_email").fill(user)
		page.locator("#login_password").fill(password)
		page.locator(".btn-login:visible").first.click()
		card = page.locator(".loyalty-card").first
		# 500 less 100, and a tenth of what money paid of 300
		expect(card).to_contain_text("425 points")
		assert page.url.endswith("/loyalty")
		expect(card).to_contain_text("worth")
		expect(card).to_contain_text("to Gold <u>Plus</u>")
		expect(card.get_by_role("progressbar")).to_be_visible()
		movements = page.locator(".loyalty-movements li")
		expect(movements).to_have_count(3)
		expect(movements.first).to_contain_text(redeeming)
		expect(movements.last).to_contain_text(earning)
		wide = page.evaluate("() => document.documentElement.scrollWidth - window.innerWidth")
		assert wide <= 0, f"{wide} pixels too wide"
		portal.picture("phone")
		pdf = page.request.get(page.get_by_role("link", name="Statement as PDF").get_attribute("href"))
		assert pdf.ok and pdf.body().startswith(b"%PDF")
		assert not portal.faults, portal.faults
	finally:
		portal.picture("end")
		context.close()
