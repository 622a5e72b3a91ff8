import frappe
from frappe.utils import add_days, getdate, today

from loyalty_app.api import adjustments
from loyalty_app.ledger import verify
from loyalty_app.ledger.membership import find
from loyalty_app.tests.test_documents import balance
from loyalty_app.tests.utils import (
	IntegrationTestCase,
	as_user,
	company,
	make_adjustment,
	make_customer,
	make_invoice,
	make_program,
	make_user,
)

COUNTED = ("Loyalty Point Adjustment", "Loyalty Point Entry", "Loyalty Point Log", "Loyalty Membership")


class TestPreview(IntegrationTestCase):
	def setUp(self):
		frappe.set_user("Administrator")
		self.program = make_program()
		self.customer, self.other = (make_customer(loyalty_program=self.program.name) for _ in range(2))
		make_invoice(self.customer, 1000)

	def sent(self, points, **values):
		"""An adjustment as a form sends it before it is saved."""
		return {
			"doctype": "Loyalty Point Adjustment",
			"name": "new-loyalty-point-adjustment-abcdef",
			"__islocal": 1,
			"customer": self.customer.name,
			"loyalty_program": self.program.name,
			"posting_date": today(),
			"reason": "Correction",
			"points": points,
			**values,
		}

	def preview(self, points, **values):
		return frappe._dict(adjustments.preview(self.sent(points, **values)))

	def after(self, answer):
		return [(row["balance"], row.get("after")) for row in answer["customers"]]

	def test_before_and_after(self):
		added = self.preview(50)
		self.assertEqual(self.after(added), [(100, 150)])
		self.assertEqual(added.good_through, getdate(add_days(today(), 365)))
		self.assertEqual(self.after(self.preview(-50)), [(100, 50)])
		moved = self.preview(30, reason="Transfer", to_customer=self.other.name)
		self.assertEqual(self.after(moved), [(100, 70), (0, 30)])
		self.assertEqual(moved.customers[1]["customer_name"], self.other.customer_name)

	def test_a_shortfall_is_made_up_for_first(self):
		self.program.reload()
		self.program.allow_negative_adjustment = 1
		self.program.save()
		self.assertEqual(self.after(self.preview(-130)), [(100, -30)])
		make_adjustment(self.customer, -130)
		self.assertEqual(self.after(self.preview(50)), [(-30, 20)])

	def test_points_that_have_expired_count_for_nothing_today(self):
		start = add_days(today(), -400)
		make_invoice(self.customer, 500, posting_date=start)
		self.assertEqual(self.after(self.preview(-40, posting_date=add_days(start, 365))), [(100, 100)])

	def test_what_it_says_is_what_comes(self):
		for points in (25, -60):
			promised = self.preview(points)
			make_adjustment(self.customer, points)
			self.assertEqual(balance(self.customer), promised.customers[0]["after"])
		self.assertEqual(verify(find(self.customer.name, self.program.name)), [])

	def test_incomplete_and_refused(self):
		for values in ({"points": None}, {"reason": None}, {"reason": "Transfer"}):
			answer = self.preview(**{"points": 5, **values})
			self.assertEqual((answer.state, self.after(answer)), ("draft", [(100, None)]), values)
			self.assertIsNone(answer.get("refusal"))
		for message, points, values in (
			("101 cannot be taken, 100 are spendable", -101, {}),
			("is not a date", 5, {"expiry_date": "soon"}),
			("whole number", 1.5, {}),
			("whole number", "many", {}),
			("whole number", ["many"], {}),
			("Reason", 5, {"reason": "Transfer", "to_customer": self.customer.name}),
		):
			answer = self.preview(points, **values)
			expected = "another customer" if message == "Reason" else message
			self.assertIn(expected, answer.refusal)
			self.assertNotIn("<", answer.refusal)
			self.assertEqual(self.after(answer)[0], (100, None))
		self.assertEqual(self.preview(5, customer=None)["state"], "none")
		for odd in ("nonsense", "[]", {"doctype": "Customer"}, self.sent(5, customer={"a": 1})):
			self.assertRaises(frappe.ValidationError, adjustments.preview, odd)

	def test_nothing_is_saved_and_nothing_is_said(self):
		before = {doctype: frappe.db.count(doctype) for doctype in COUNTED}
		frappe.clear_messages()
		self.preview(50, customer=self.other.name)
		self.preview(-5000)
		self.assertEqual({doctype: frappe.db.count(doctype) for doctype in COUNTED}, before)
		self.assertEqual(frappe.local.message_log, [])

	def test_what_came_of_it(self):
		doc = make_adjustment(self.customer, 30, reason="Transfer", to_customer=self.other.name)
		answer = adjustments.preview(doc.as_json())
		self.assertEqual((answer["state"], self.after(answer)), ("submitted", [(70, None), (30, None)]))
		self.assertEqual([entry.loyalty_points for entry in answer["entries"]], [-30, 30])
		doc.cancel()
		answer = adjustments.preview(doc.as_json())
		self.assertEqual((answer["state"], answer["entries"]), ("cancelled", []))

	def test_who_may_submit(self):
		self.program.reload()
		self.program.update({"adjustment_limit": 10, "adjustment_needs_approver": 1})
		self.program.save()
		small, large = (make_adjustment(self.customer, n, submit=False).as_json() for n in (10, 11))
		with as_user(make_user("Accounts User")):
			self.assertTrue(adjustments.preview(small)["may_submit"])
			self.assertTrue(adjustments.preview(small)["needs_approver"])
			self.assertFalse(adjustments.preview(large)["may_submit"])
			self.assertFalse(self.preview(10)["may_submit"])
		with as_user(make_user("Accounts Manager", "Sales User")):
			self.assertTrue(adjustments.preview(large)["may_submit"])

	def test_who_may_not_see_customer_or_company(self):
		other_company = company("Loyalty Test Other Co", "LTO")
		clerks = {
			value: make_user("Accounts User")
			for value in (self.other.name, other_company, self.program.company)
		}
		for value, user in clerks.items():
			allow = "Customer" if value == self.other.name else "Company"
			frappe.get_doc(
				{"doctype": "User Permission", "user": user, "allow": allow, "for_value": value}
			).insert(ignore_permissions=True)
		saved = make_adjustment(self.customer, 5, submit=False).as_json()
		for user in (clerks[self.other.name], make_user("Sales User")):
			with as_user(user):
				self.assertRaises(frappe.PermissionError, self.preview, 5)
				self.assertRaises(frappe.PermissionError, adjustments.preview, saved)
		with as_user(clerks[other_company]):
			self.assertEqual(self.preview(5), {"state": "none"})
			self.assertRaises(frappe.PermissionError, adjustments.preview, saved)
		with as_user(clerks[self.program.company]):
			self.assertEqual(adjustments.preview(saved)["state"], "draft")
