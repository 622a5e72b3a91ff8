"""What random trade does not bring about for certain: one customer, one thing that happens to points.

A story is a generator over a `Year`: it acts, and yields how many days pass before it goes on.
"""

from collections.abc import Callable, Iterator

import frappe
from erpnext.accounts.doctype.pos_invoice_merge_log.pos_invoice_merge_log import consolidate_pos_invoices
from frappe.utils import flt, now_datetime, today

from sandbox.demo import papers, shop
from sandbox.demo.shop import CARD, CIRCLE

EURO_CUSTOMER, EURO_RATE = "Kaffeehaus Lindner", 1.08
IN_DEBT = "Bistro Carmine"
FRIDAY = 4
TWICE, TWICE_TOO = "Layla Haddad", "Laila Haddad"
# everyday trade leaves them alone
UNDISTURBED = (EURO_CUSTOMER, IN_DEBT)
# members of the card program, as their stories need it
CARD_HOLDERS = (
	*(TWICE, "Daniel Weiss", "Tariq Mahmoud", "Omar Al-Farouqi", "Hala Nassar", "Grace Okafor", "Ben Carter"),
	*("Emma Lindqvist", "Noah Bennett"),
)


def plan(year) -> None:
	"""Put all stories into the queue of a year, each so many days before its end."""
	for story, days in (
		(rises_to_gold, 280),
		(points_taken_back_after_spending, 250),
		(returns_after_leaving, 210),
		(expired_and_expiring, 200),
		(becomes_an_office, 160),
		(returns_what_points_paid, 150),
		(leaves, 140),
		(entered_late, 130),
		(promotions, 120),
		(same_person_twice, 100),
		(return_undone, 95),
		(redemption_cancelled, 80),
		(by_hand, 75),
		(at_the_till, 33),
		(in_debt, 26),
		(pays_half, 8),
		(not_due_yet, 5),
		*((in_euros(n), days) for n, days in enumerate((300, 220, 140, 90, 45))),
	):
		year.at(year.ago(days, 13), go_on, year, story(year), days)


def go_on(year, story: Iterator[int], days: int) -> None:
	"""Tell a story up to its next pause."""
	pause = next(story, None)
	if pause is not None:
		year.at(year.ago(days - pause, 13, 30), go_on, year, story, days - pause)


def sell(year, customer: str, basket: papers.Basket, points: int = 0, days_late: int = 0, **values):
	"""Submit an invoice of a story and return it."""
	credit_days = 14 if customer in year.trade else 0
	doc = papers.new_invoice(customer, basket, days_late=days_late, credit_days=credit_days, **values)
	if points:
		papers.redeem(doc, points)
		year.done["redemptions"] += 1
	year.finish(papers.submit(doc))
	return doc


def give_back(year, doc, keep: papers.Basket | None = None):
	"""Submit a return of an invoice, of all or of all but `keep`."""
	year.done["returns"] += 1
	return papers.take_back(doc.doctype, doc.name, keep)


def cancel(year, doc):
	"""Cancel a document and return it."""
	year.done["cancels"] += 1
	return papers.cancel(doc.doctype, doc.name)


def change_program(customer: str, program: str | None, group: str | None = None) -> None:
	"""Let a customer switch to another program, or leave."""
	papers.act_as(shop.CASHIER)
	doc = frappe.get_doc("Customer", customer)
	doc.loyalty_program = program
	doc.customer_group = group or doc.customer_group
	doc.save()


def rises_to_gold(year):
	"""A new café is fitted out."""
	customer = "Café Damascena"
	sell(year, customer, [("ESPRESSO-2GR", 1)])
	yield 12
	sell(year, customer, [("GRINDER-PRO", 1)])
	yield 9
	sell(year, customer, [("HOUSE-5KG", 4)])


def points_taken_back_after_spending(year):
	"""Points were spent before the machine that earned them came back; the next order makes up for them."""
	customer = "Noor Dental Clinic"
	machine = sell(year, customer, [("ESPRESSO-HOME", 1)])
	yield 8
	sell(year, customer, [("DECAF-1KG", 6)], points=60)
	yield 5
	give_back(year, machine)
	yield 15
	sell(year, customer, [("HOUSE-5KG", 8)])


def returns_after_leaving(year):
	"""What was bought in the circle is returned from the card program."""
	customer = "Station Grill"
	order = sell(year, customer, [("ESPRESSO-5KG", 6)])
	yield 10
	year.trade.discard(customer)
	change_program(customer, CARD)
	yield 10
	give_back(year, order, keep=[("ESPRESSO-5KG", 4)])


def expired_and_expiring(year):
	"""Points of one lapse unused, those of another are about to."""
	sell(year, "Ben Carter", [("COURSE-BARISTA", 2)])
	yield 125
	sell(year, "Grace Okafor", [("KETTLE", 1), ("HARAZ-250", 3)])


def becomes_an_office(year):
	"""A private customer goes into business and switches to the circle."""
	sell(year, "Daniel Weiss", [("V60", 1), ("HOUSE-1KG", 2)])
	yield 5
	change_program("Daniel Weiss", CIRCLE, shop.OFFICES)
	year.trade.add("Daniel Weiss")


def leaves(year):
	"""A customer wants no card any more; the points stay on record."""
	sell(year, "Tariq Mahmoud", [("KETTLE", 1)])
	yield 5
	change_program("Tariq Mahmoud", None)


def returns_what_points_paid(year):
	"""An order partly paid with points comes back in two parts."""
	customer = "Riad Zitoun"
	sell(year, customer, [("ESPRESSO-5KG", 10)])
	yield 30
	order = sell(year, customer, [("HOUSE-5KG", 4)], points=100)
	yield 10
	give_back(year, order, keep=[("HOUSE-5KG", 3)])
	yield 10
	give_back(year, order)


def entered_late(year):
	"""An invoice is found in a coat pocket."""
	customer = "Hotel Belvedere"
	sell(year, customer, [("HOUSE-5KG", 5)])
	yield 20
	sell(year, customer, [("HOUSE-1KG", 6)], points=20, days_late=9)


def promotions(year):
	"""Two promotions begin; of a large order that got a bonus, a part comes back."""
	papers.act_as(shop.MANAGER)
	shop.open_promotions()
	yield (FRIDAY - year.now.weekday()) % 7 or 7
	sell(year, "Emma Lindqvist", [("HARAZ-250", 3), ("HOUSE-1KG", 1), ("V60", 1)])
	order = sell(year, "Harbour Light Café", [("ESPRESSO-5KG", 3), ("DECAF-1KG", 2)])
	yield 4
	give_back(year, order, keep=[("ESPRESSO-5KG", 2), ("DECAF-1KG", 2)])


def same_person_twice(year):
	"""A customer was put in under two spellings."""
	sell(year, TWICE, [("HARAZ-250", 4), ("V60", 1)])
	yield 5
	sell(year, TWICE_TOO, [("COURSE-LATTE", 2)])
	yield 15
	sell(year, TWICE_TOO, [("HUILA-250", 2)], points=10)
	yield 20
	papers.act_as("Administrator")
	del year.customers[TWICE_TOO]
	frappe.rename_doc("Customer", TWICE_TOO, TWICE, merge=True)
	yield 10
	sell(year, TWICE, [("ANTIGUA-250", 2)], points=5)


def return_undone(year):
	"""A return was booked by mistake."""
	order = sell(year, "The Copper Pot", [("HOUSE-1KG", 10)])
	yield 5
	note = give_back(year, order, keep=[("HOUSE-1KG", 6)])
	yield 1
	cancel(year, note)


def redemption_cancelled(year):
	"""An order paid with points is cancelled, and entered again without them."""
	customer = "Beit Qahwa"
	sell(year, customer, [("ESPRESSO-5KG", 6)])
	yield 10
	order = sell(year, customer, [("HOUSE-5KG", 2)], points=50)
	yield 0
	papers.amend(cancel(year, order), 3)


def by_hand(year):
	"""Points that no invoice stands behind: bonuses, and a slip put right."""
	papers.act_as("Administrator")
	insert_points("Omar Al-Farouqi", 25, "Referral bonus")
	insert_points("Hala Nassar", 40, "Apology for a late delivery")
	yield 1
	papers.act_as("Administrator")
	insert_points("Hala Nassar", -15, "Bonus entered too high")


def insert_points(customer: str, points: int, reason: str) -> None:
	"""Insert an entry in the card program, as a server script would."""
	shop.insert(
		"Loyalty Point Entry",
		customer=customer,
		loyalty_program=CARD,
		loyalty_points=points,
		discretionary_reason=reason,
	)


def at_the_till(year):
	"""A day at the point of sale, with its closing."""
	open_till()
	sold = []
	for customer, basket, points in (
		("Emma Lindqvist", [("CUPS-6", 2), ("MILK-JUG", 1)], 0),
		("Noah Bennett", [("SCALE", 1), ("FILTERS-100", 2)], 0),
		("Omar Al-Farouqi", [("YIRGACHEFFE-250", 2)], 20),
		("Emma Lindqvist", [("HARAZ-250", 1)], 0),
	):
		doc = papers.new_invoice(
			customer, basket, doctype="POS Invoice", is_pos=1, pos_profile=shop.POS_PROFILE
		)
		if points:
			papers.redeem(doc, points)
			year.done["redemptions"] += 1
		papers.pay_at_counter(doc, "Cash", worth=points * shop.CARD_POINT)
		sold.append(papers.submit(doc))
		year.done["invoices"] += 1
	yield 0
	sold.append(give_back(year, sold[0], keep=[("CUPS-6", 2)]))
	papers.act_as("Administrator")
	consolidate_pos_invoices([{"pos_invoice": doc.name} for doc in sold])


def open_till() -> None:
	"""Open the till for the accountant: for roles nobody has here, so it is Administrator who does it."""
	papers.act_as("Administrator")
	opening = {
		"doctype": "POS Opening Entry",
		"period_start_date": now_datetime(),
		"posting_date": today(),
		"company": shop.COMPANY,
		"pos_profile": shop.POS_PROFILE,
		"user": shop.ACCOUNTANT,
		"balance_details": [{"mode_of_payment": "Cash", "opening_amount": 100}],
	}
	papers.submit(frappe.get_doc(opening))


def in_debt(year):
	"""Points were spent before the grinder that earned them came back, and nothing has been bought since."""
	grinder = sell(year, IN_DEBT, [("GRINDER-PRO", 1)])
	yield 11
	sell(year, IN_DEBT, [("HOUSE-5KG", 3)], points=150)
	yield 10
	give_back(year, grinder)


def pays_half(year):
	"""A school pays in instalments."""
	order = sell(year, "Bright Path School", [("ESPRESSO-1KG", 8)])
	yield 5
	year.paid([order.name], 0.5)


def not_due_yet(year):
	"""Trade customers have two weeks to pay."""
	sell(year, "Blue Door Coffee", [("HOUSE-5KG", 2)])
	yield 1


def in_euros(n: int) -> Callable:
	"""Return the story of the n-th order billed in euros; points are of the company's currency all the same."""

	def story(year):
		doc = sell(
			year,
			EURO_CUSTOMER,
			[("ESPRESSO-5KG", 2 + n), ("HARAZ-250", 1)],
			points=30 if n == 2 else 0,
			currency="EUR",
			conversion_rate=flt(EURO_RATE + n / 100, 4),
		)
		yield 4
		if n == 3:
			give_back(year, doc, [("ESPRESSO-5KG", 3)])

	return story
