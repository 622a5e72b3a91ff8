"""ERPNext's counter, the page Point of Sale. Only where ERPNext is whole: LOYALTY_WHOLE_ERPNEXT."""

import datetime

import pytest

from loyalty_app.tests.browser.site import PRICE_LIST

CARD = '[data-mode="loyalty-amount"]'


@pytest.fixture
def cashier(desk_of, shop):
	"""The desk of a cashier whose till is open, for a customer with 500 points of 0.10."""
	site = shop.site
	site.ask("PUT", f"/api/resource/Loyalty Program/{shop.program}", data={"conversion_factor": 0.1})
	shop.sell(5000)
	# ERPNext lets only managers read opening entries
	desk = desk_of("Sales Manager", "Accounts User", "Sales User", "Stock User")
	expenses = site.names("Account", company=shop.company, root_type="Expense", is_group=0)
	profile = site.insert(
		"POS Profile",
		name=f"Till {shop.tail}",
		company=shop.company,
		customer=shop.customer,
		currency=shop.currency,
		selling_price_list=PRICE_LIST,
		warehouse=site.names("Warehouse", company=shop.company, is_group=0)[0],
		write_off_account=expenses[0],
		write_off_cost_center=shop.cost_center,
		payments=[{"mode_of_payment": "Cash", "default": 1}],
	)
	site.insert(
		"POS Opening Entry",
		company=shop.company,
		pos_profile=profile["name"],
		user=desk.page.evaluate("() => frappe.session.user"),
		period_start_date=datetime.datetime.now().isoformat(" ", "seconds"),
		balance_details=[{"mode_of_payment": "Cash", "opening_amount": 0}],
		docstatus=1,
	)
	return desk


def redeem(desk, amount: str) -> dict:
	"""Type an amount into the box for points; return what the invoice then has."""
	card = desk.page.locator(CARD)
	box = card.locator("input")
	if not box.is_visible():
		# in the middle it would be the amount that is clicked
		card.click(position={"x": 6, "y": 6})
	box.fill(amount)
	box.press("Tab")
	desk.settle()
	fields = ["redeem_loyalty_points", "loyalty_points", "loyalty_amount"]
	return desk.page.evaluate("fields => fields.map(field => cur_pos.frm.doc[field])", fields)


def test_points_pay_exactly_what_they_are_worth(cashier, shop):
	desk = cashier
	desk.page.goto("/app/point-of-sale")
	# the page cuts long names off
	desk.page.locator(".item-wrapper", has_text=shop.item[:16]).first.click()
	desk.page.locator(".cart-item-wrapper").wait_for()
	desk.settle()
	desk.page.locator(".checkout-btn:visible").first.click()
	desk.page.locator(CARD).wait_for()
	desk.settle()
	assert redeem(desk, "0.70") == [1, 7, 0.7]
	assert "Up to 500 points on this invoice" in desk.page.locator(CARD).text_content()
	assert redeem(desk, "0.75") == [1, 7, 0.7]
	assert redeem(desk, "60") == [1, 500, 50]
	assert redeem(desk, "0") == [0, 0, 0]
	assert redeem(desk, "12.30") == [1, 123, 12.3]
	desk.picture("redeemed")
	desk.page.locator(".submit-order-btn").click()
	desk.page.locator(".modal.show .btn-primary:visible", has_text="Yes").click()
	desk.page.wait_for_function("() => cur_pos.frm.doc.docstatus === 1")
	name = desk.page.evaluate("() => cur_pos.frm.doc.name")
	entries = shop.site.rows("Loyalty Point Entry", ["loyalty_points"], invoice=name)
	assert -123 in [entry["loyalty_points"] for entry in entries]
