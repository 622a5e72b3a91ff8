"""What a customer who signs in to the website sees, on a phone."""


def open_portal(phone, shop) -> None:
	"""Open the page as the customer of `shop`: a guest signs in on the way."""
	user, password = shop.user("Customer")
	shop.site.ask("PUT", f"/api/resource/Customer/{shop.customer}", data={"portal_users": [{"user": user}]})
	phone.page.goto("/loyalty")
	phone.page.locator("#login_email").fill(user)
	phone.page.locator("#login_password").fill(password)
	phone.page.locator(".btn-login:visible").first.click()
	phone.page.locator(".loyalty-card").first.wait_for()


def test_a_customer_on_a_phone(phone, shop):
	from playwright.sync_api import expect

	earning = shop.sell(5000, 40)
	redeeming = shop.sell(300, 5, redeem=100)
	open_portal(phone, shop)
	page = phone.page
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
	phone.picture("phone")
	pdf = page.request.get(page.get_by_role("link", name="Statement as PDF").get_attribute("href"))
	assert pdf.ok and pdf.body().startswith(b"%PDF")
