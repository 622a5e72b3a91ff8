"""What website users see: their own points, and nobody else's."""

import re
from unittest.mock import patch
from urllib.parse import parse_qs, urlparse

import frappe
from frappe.utils import add_days, today

from loyalty_app import portal
from loyalty_app.ledger.membership import find
from loyalty_app.reporting import statement
from loyalty_app.tests.rest import RestClient
from loyalty_app.tests.utils import (
	IntegrationTestCase,
	as_user,
	make_customer,
	make_invoice,
	make_program,
	make_website_user,
	on_day,
	unique,
)
from loyalty_app.www import loyalty as page

PAGE = "/loyalty"


def make_contact(user: str, customer, maker: str = "Administrator"):
	"""A contact of `customer` that is the website user `user`, made by `maker`."""
	contact = frappe.get_doc(
		{
			"doctype": "Contact",
			"first_name": unique("Loyalty Test"),
			"email_ids": [{"email_id": user, "is_primary": 1}],
			"links": [{"link_doctype": "Customer", "link_name": customer.name}],
		}
	)
	with as_user(maker):
		contact.insert(ignore_permissions=True)
	frappe.db.set_value("Contact", contact.name, "user", user)
	return contact


class PortalTestCase(IntegrationTestCase):
	@classmethod
	def setUpClass(cls):
		super().setUpClass()
		cls.program = make_program(
			tiers=[("Silver", 0, 10), ("Gold <i>", 1000, 5)], conversion_factor=0.5, expiry_duration=30
		)

	def member(self, **kwargs):
		"""A customer with 50 points, and the user who stands for the customer."""
		customer = make_customer(loyalty_program=self.program.name, **kwargs)
		make_invoice(customer, 500)
		return customer, make_website_user(customer)


class TestWhoseCustomers(PortalTestCase):
	def test_portal_users(self):
		one, two = make_customer(), make_customer()
		user = make_website_user(one, two)
		self.assertEqual(frappe.db.get_value("User", user, "user_type"), "Website User")
		self.assertEqual(portal.customers_of(user), sorted([one.name, two.name]))
		self.assertEqual(portal.customers_of(make_website_user()), [])
		with as_user("Guest"):
			self.assertEqual(portal.customers_of(), [])

	def test_contacts(self):
		customer, user = make_customer(), make_website_user()
		make_contact(user, customer)
		self.assertEqual(portal.customers_of(user), [customer.name])

	def test_a_contact_that_a_website_user_made_proves_nothing(self):
		"""Frappe lets everybody make contacts, with any link, of themselves and of an accomplice."""
		customer, thief, accomplice = make_customer(), make_website_user(), make_website_user()
		make_contact(thief, customer, maker=thief)
		make_contact(thief, customer, maker=accomplice)
		self.assertEqual(portal.customers_of(thief), [])
		status, contact = RestClient(thief).resource(
			"POST",
			"Contact",
			first_name="Thief",
			user=thief,
			email_ids=[{"email_id": thief, "is_primary": 1}],
			links=[{"link_doctype": "Customer", "link_name": customer.name}],
		)
		self.assertIn(status, (200, 403), contact)
		self.assertEqual(portal.customers_of(thief), [])

	def test_memberships(self):
		customer, user = self.member()
		left = find(customer.name, self.program.name)
		customer.reload()
		customer.loyalty_program = make_program().name
		customer.save()
		now = find(customer.name, customer.loyalty_program)
		self.assertEqual([member.name for member in portal.memberships_of(user)], [now, left])
		customer.loyalty_program = None
		customer.save()
		self.assertEqual([member.name for member in portal.memberships_of(user)], [left])


class TestPage(PortalTestCase):
	def page(self, user, **params) -> str:
		response = RestClient(user).page(PAGE, **params)
		self.assertEqual(response.status_code, 200)
		html = response.get_data(as_text=True)
		return html[html.index('<div class="loyalty-portal"') : html.index("</main>")]

	def text(self, html: str) -> str:
		return " ".join(re.sub("<[^>]+>", " ", html).split())

	def test_what_a_customer_sees(self):
		customer, user = self.member(customer_name=unique("Ann & Co"))
		make_invoice(customer, 100, redeem=20)
		make_invoice(customer, 200, posting_date=add_days(today(), 3))
		html = self.page(user)
		text = self.text(html)
		for expected in (
			self.program.name,
			self.program.company,
			"39 points",
			"20 points more from",
			"can be spent through",
			"Silver",
			"to Gold &lt;i&gt;",
			", from $ 1,000.00 spent in all: 1 point for every $ 5.00",
			"Redeemed",
			"100 points pay",
			"Points are good for 30 days",
		):
			self.assertIn(expected, text)
		self.assertNotIn("<i>", html)
		self.assertIn('aria-valuenow="79"', html)

	def test_several_customers(self):
		(_one, user), (two, _user) = self.member(customer_name=unique("One & Co")), self.member()
		doc = frappe.get_doc("Customer", two.name)
		doc.append("portal_users", {"user": user})
		doc.save()
		html = self.page(user)
		self.assertIn("One &amp; Co", html)
		self.assertEqual(html.count('aria-current="page"'), 1)
		shown = self.page(user, membership=find(two.name, self.program.name))
		self.assertIn(two.customer_name, shown[shown.index('aria-current="page"') :].split("</a>")[0])

	def test_nobody_in_a_program_and_nobody_at_all(self):
		self.assertIn("not in a loyalty program yet", self.page(make_website_user(make_customer())))
		self.assertIn("does not belong to a customer yet", self.page(make_website_user()))

	def test_a_member_who_has_not_bought_yet(self):
		customer = make_customer(loyalty_program=self.program.name)
		text = self.text(self.page(make_website_user(customer)))
		self.assertIn("0 points", text)
		self.assertIn("No points earned or spent yet", text)

	def test_pages_go_back_to_the_first_movement_and_balances_agree(self):
		customer = make_customer(loyalty_program=self.program.name)
		user = make_website_user(customer)
		name = find(customer.name, self.program.name)
		for days in (60, 50, 50, 45, 7, 6, 5):  # the first ones have expired
			with on_day(add_days(today(), -days)):
				make_invoice(customer, 100 + days, posting_date=add_days(today(), -days))
		member, seen, until = frappe.get_doc("Loyalty Membership", name), [], None
		before = None
		with as_user(user):
			while True:
				first, has_earlier = statement.newest(member, until or frappe.utils.getdate(), 3)
				told = member.statement(first, until)
				if before is not None:
					self.assertEqual(told.closing, before)
				seen = told.movements + seen
				before, until = told.opening, add_days(first, -1)
				if not has_earlier:
					break
		self.assertEqual(before, 0)
		self.assertEqual(seen, member.statement("2020-01-01").movements)
		self.assertEqual(len(seen), 11)

		with patch.object(page, "MOVEMENTS", 3):
			html = self.page(user)
			found, pages = len(re.findall("<li>.*?loyalty-points", html, re.S)), 1
			while link := re.search(r'href="([^"]*until=[^"]*)#', html):
				query = parse_qs(urlparse(link[1].replace("&amp;", "&")).query)
				html = self.page(user, **{key: value[0] for key, value in query.items()})
				found, pages = found + len(re.findall("<li>.*?loyalty-points", html, re.S)), pages + 1
				self.assertIn("Newest", html)
		self.assertEqual(found, 11)
		self.assertGreater(pages, 2)

	def test_what_is_no_day_shows_today(self):
		_customer, user = self.member()
		for until in ("x", "2026-02-30", "9999-12-31", "0"):
			self.assertIn("50 points", self.text(self.page(user, until=until)))


class TestDoors(PortalTestCase):
	def test_guests_sign_in_first(self):
		response = RestClient(None).page(PAGE)
		self.assertIn(response.status_code, (301, 302))
		self.assertTrue(response.location.endswith("/login?redirect-to=%2Floyalty"), response.location)

	def test_nobody_sees_anothers(self):
		customer, _user = self.member()
		name = find(customer.name, self.program.name)
		own, stranger = self.member()
		nobody = make_website_user()
		for user in (stranger, nobody):
			api = RestClient(user)
			for path, params in (
				("/api/method/loyalty_app.api.statement.pdf", {"membership": name}),
				("/api/method/loyalty_app.api.desk.customer_summary", {"customer": customer.name}),
				(
					"/api/method/frappe.utils.print_format.download_pdf",
					{"doctype": "Loyalty Membership", "name": name},
				),
				("/printview", {"doctype": "Loyalty Membership", "name": name}),
				(f"/api/resource/Loyalty Membership/{name}", {}),
				("/api/resource/Loyalty Membership", {}),
				("/api/resource/Loyalty Point Entry", {}),
				("/api/resource/Loyalty Point Log", {}),
			):
				with self.subTest(user=user, path=path):
					response = api.page(path, **params)
					self.assertIn(response.status_code, (401, 403))
					self.assertNotIn("50 points", response.get_data(as_text=True))
		with self.subTest("page"):
			response = RestClient(stranger).page(PAGE, membership=name)
			self.assertEqual(response.status_code, 403)
			# who has nothing is told so, whatever the address says
			response = RestClient(nobody).page(PAGE, membership=name)
			self.assertNotIn(customer.name, response.get_data(as_text=True))
		response = RestClient(stranger).page(
			"/printview", doctype="Loyalty Membership", name=find(own.name, self.program.name)
		)
		self.assertEqual(response.status_code, 200)

	def test_only_reading_is_given(self):
		customer, user = self.member()
		member = frappe.get_doc("Loyalty Membership", find(customer.name, self.program.name))
		for ptype, given in (("read", True), ("print", True), ("write", False), ("delete", False)):
			self.assertEqual(portal.has_website_permission(member, ptype, user), given)

	def test_the_portals_menu(self):
		settings = frappe.get_single("Portal Settings")
		settings.sync_menu()
		(item,) = (row for row in settings.menu if row.route == PAGE)
		self.assertEqual((item.role, item.enabled), ("Customer", 1))
