"""What whoever runs a program sees in its form."""


def test_a_program_in_words_while_it_is_typed(desk_of, shop):
	from playwright.sync_api import expect

	desk = desk_of("Accounts Manager")
	page = desk.page
	shop.sell(1000)
	desk.open("Loyalty Program", shop.program)
	preview = page.locator(".loyalty-terms:visible")
	expect(preview).to_contain_text("Gold <u>Plus</u>, from")
	example = preview.locator(".loyalty-example")
	expect(example).to_contain_text("becomes Gold <u>Plus</u> and earns 100 points")
	dashboard = page.locator(".form-dashboard:visible")
	expect(dashboard).to_contain_text("1 member")
	expect(dashboard).to_contain_text("100 points outstanding")
	desk.picture("program")

	preview.get_by_label("Has spent before").fill("5500")
	preview.get_by_label("Buys for").fill("1000")
	expect(example).to_contain_text("becomes Gold <u>Plus</u> and earns 200 points")
	desk.type("conversion_factor", "0.1")
	expect(example).to_contain_text("20.00")
	desk.type("conversion_factor", "-1")
	expect(preview.locator(".loyalty-refusal")).to_contain_text("cannot be negative")
	expect(example).to_be_hidden()
	desk.picture("refused")
	assert shop.site.get("Loyalty Program", shop.program)["conversion_factor"] == 0.5


def test_a_new_program_is_for_everybody(desk_of, shop):
	"""Whatever group and territory new customers get; a copy keeps what was chosen."""
	desk = desk_of("Accounts Manager")
	territory = shop.site.names("Territory", is_group=0)[0]
	desk.page.evaluate(
		"values => frappe.xcall('frappe.core.doctype.session_default_settings.session_default_settings"
		".set_session_default_values', { default_values: values })",
		{"territory": territory, "customer_territory": territory},
	)
	for doctype in ("Loyalty Program", "Loyalty Promotion"):
		desk.new(doctype)
		assert desk.page.evaluate("() => frappe.defaults.get_user_default('territory')") == territory
		assert not desk.value("customer_territory") and not desk.value("customer_group")
		assert desk.field("customer_territory").locator("input").input_value() == ""
	shop.site.ask(
		"PUT", f"/api/resource/Loyalty Program/{shop.program}", data={"customer_territory": territory}
	)
	desk.open("Loyalty Program", shop.program)
	desk.page.wait_for_function("name => window.cur_frm?.docname === name", arg=shop.program)
	desk.settle()
	desk.page.evaluate("() => cur_frm.copy_doc()")
	desk.page.wait_for_function("() => cur_frm.is_new() && cur_frm.doc.collection_rules?.length === 2")
	desk.settle()
	assert desk.value("customer_territory") == territory


def test_existing_customers_are_enrolled_by_a_run(desk_of, shop):
	from playwright.sync_api import expect

	site = shop.site
	group = site.insert("Customer Group", customer_group_name=f"Browser Friends {shop.tail}", is_group=0)[
		"name"
	]
	site.ask("PUT", f"/api/resource/Loyalty Program/{shop.program}", data={"customer_group": group})
	friends = [
		site.insert(
			"Customer",
			customer_name=f"Friend {n} {shop.tail}",
			customer_type="Individual",
			customer_group=group,
		)["name"]
		for n in range(2)
	]
	desk = desk_of("Accounts Manager")
	page = desk.page
	desk.open("Loyalty Program", shop.program)
	page.wait_for_function("name => window.cur_frm?.docname === name", arg=shop.program)
	desk.settle()
	desk.field("auto_opt_in").locator("input").first.check()
	desk.save()
	run = site.names("Loyalty Ledger Run", kind="Enrolment", loyalty_program=shop.program)[0]
	desk.open("Loyalty Ledger Run", run)
	expect(page.locator(".form-message:visible")).to_contain_text("Enrolled 2 customers.", timeout=60_000)
	desk.picture("run")
	assert [site.get("Customer", name)["loyalty_program"] for name in friends] == [shop.program] * 2

	desk.open("Loyalty Program", shop.program)
	desk.settle()
	desk.button("Enrol existing customers")
	expect(page.locator(".loyalty-place:visible")).to_contain_text("Enrolled 0 customers.", timeout=60_000)
	desk.picture("nobody-left")
