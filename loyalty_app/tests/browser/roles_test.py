"""Every screen of the app, as each role that may see it: it opens, nothing complains, and it offers what the role may do."""

import pytest

from loyalty_app.tests.permission_matrix import AUDITOR, DOCUMENT, MANAGER, MATRIX, REPORT, SALES, USER

# What forms are opened of: the documents of the shop.
OF_THE_SHOP = {
	"Loyalty Program": lambda shop: {"name": shop.program},
	"Loyalty Promotion": lambda shop: {"loyalty_program": shop.program},
	"Loyalty Membership": lambda shop: {"customer": shop.customer},
	"Loyalty Point Entry": lambda shop: {"customer": shop.customer},
	"Loyalty Point Log": lambda shop: {"customer": shop.customer},
	"Loyalty Point Adjustment": lambda shop: {"customer": shop.customer},
}


@pytest.fixture
def books(shop, history):
	"""A shop that has something of everything."""
	shop.site.insert(
		"Loyalty Promotion",
		promotion_name=f"Browser Promotion {shop.tail}",
		loyalty_program=shop.program,
		effect="Fixed Bonus",
		points=5,
		from_date="2020-01-01",
	)
	shop.site.insert(
		"Loyalty Point Adjustment",
		customer=shop.customer,
		loyalty_program=shop.program,
		points=15,
		reason="Goodwill",
		explanation="Waited for long",
		docstatus=1,
	)
	return shop


def things(door: str, action: str, role: str) -> list[str]:
	"""What `role` may do an action with, by the matrix of permissions."""
	return [row.thing for row in MATRIX if (row.door, row.action) == (door, action) and role in row.roles]


def assert_fine(desk, what: str) -> None:
	desk.settle()
	desk.picture(what.replace(" ", "-"))
	complaints = desk.page.locator(".modal.show:visible").all_inner_texts()
	assert not complaints, f"{what}: {complaints}"
	# by the whole text: searching every element for it takes seconds
	assert "could not be read just now" not in desk.page.locator("body").inner_text(), what


@pytest.mark.parametrize("role", (USER, MANAGER, AUDITOR, SALES))
def test_every_screen(role, desk_of, books):
	desk = desk_of(role)
	page = desk.page
	page.goto("/app/loyalty")
	page.locator(".layout-main-section:visible .widget:visible").first.wait_for()
	assert_fine(desk, "workspace")
	creates, writes = things(DOCUMENT, "create", role), things(DOCUMENT, "write", role)
	doctypes = things(DOCUMENT, "list", role)
	# The desk anew: it may still be drawing the workspace's charts.
	desk.open(doctypes[0])
	for doctype in doctypes:
		desk.go("List", doctype)
		page.wait_for_function("doctype => window.cur_list?.doctype === doctype", arg=doctype)
		page.locator(".frappe-list:visible").wait_for()
		assert_fine(desk, f"list of {doctype}")
		assert page.evaluate("() => Boolean(cur_list.can_create)") == (doctype in creates), doctype
		if doctype not in OF_THE_SHOP:
			continue
		name = books.site.names(doctype, **OF_THE_SHOP[doctype](books))[0]
		desk.go("Form", doctype, name)
		page.wait_for_function("name => window.cur_frm?.docname === name", arg=name)
		assert_fine(desk, f"form of {doctype}")
		assert page.evaluate("() => Boolean(cur_frm.perm[0].write)") == (doctype in writes), doctype
	for report in things(REPORT, "run", role):
		page.goto(f"/app/query-report/{report}")
		page.wait_for_function("report => frappe.query_report?.report_name === report", arg=report)
		assert_fine(desk, report)
