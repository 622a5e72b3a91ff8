"""A year of the shop, moment by moment: everyday trade at random (the stories are in stories.py).

What happens is a queue of (moment, act); acts put what follows from them (payment, return, cancellation) into it.
The random numbers are seeded, so two runs on one day make the same year.
"""

import heapq
import itertools
import random
from collections import Counter
from collections.abc import Callable
from datetime import date, datetime, time, timedelta

import frappe
from erpnext.controllers.accounts_controller import update_invoice_status
from frappe.utils import flt, getdate, today

from loyalty_app.ledger import expiry, membership, runs
from sandbox.demo import papers, shop, stories
from sandbox.demo.clock import Clock
from sandbox.demo.shop import CARD

DAYS = 365
SALES, REDEMPTIONS = 340, 50
RETURNED, CANCELLED = 0.08, 0.04
# Monday to Sunday, January to December: nobody works on Sunday much, everybody gives coffee for Christmas
WEEK = (1.0, 0.9, 1.0, 1.1, 1.4, 1.6, 0.2)
MONTHS = (0.8, 0.9, 1.0, 1.0, 1.0, 0.9, 0.75, 0.75, 1.0, 1.1, 1.2, 1.5)
TRADE_SHARE = 0.42
# trade customers pay twice a month, and some of them not even then
PAYDAYS = (5, 20)
LATE_PAYERS = ("Two Sparrows", "Hotel Belvedere", "Kestrel Software")
# in this order in the report of a month
NEWS = (
	"customers joined",
	"invoices",
	"redemptions",
	"payments",
	"returns",
	"cancels",
	"drafts",
	"lots expired",
)


class Year:
	"""The year up to yesterday evening; `scale` shrinks the everyday trade, the stories are all told."""

	def __init__(self, scale: float = 1, seed: int = 7):
		self.random = random.Random(seed)
		self.scale = scale
		self.today: date = getdate()
		self.end = self.ago(1, 20)
		self.now = self.ago(DAYS, 7)
		self.queue: list = []
		self.number = itertools.count()
		self.done = Counter()
		self.redemptions_due = 0
		self.customers: dict[str, float] = {}
		self.trade: set[str] = set()

	# the clock

	def ago(self, days: int, hour: int = 10, minute: int = 0) -> datetime:
		"""Return a moment so many days ago."""
		return datetime.combine(self.today - timedelta(days=days), time(hour, minute))

	def at(self, moment: datetime, act: Callable, *args) -> None:
		"""Let something happen at a moment; what is still to come tomorrow does not."""
		if moment <= self.end:
			heapq.heappush(self.queue, (moment, next(self.number), act, args))

	def later(self, least: float, most: float, act: Callable, *args, surely: bool = False) -> None:
		"""Let something happen in between `least` and `most` days, at an hour when people work.

		What would come after the end of the year does not happen, unless it must `surely`.
		"""
		moment = self.now + timedelta(days=self.random.uniform(least, most))
		if moment.hour >= 19:
			moment += timedelta(days=1)
		if not 8 <= moment.hour < 19:
			moment = moment.replace(hour=self.random.randrange(8, 12))
		if surely and moment > self.end:
			moment = self.now + (self.end - self.now) * self.random.random()
		self.at(moment, act, *args)

	def run(self) -> None:
		"""Live through the year, month by month, and commit each."""
		with Clock(self.now) as clock:
			shop.open_shop()
			self.found_customers()
			self.plan()
			month = self.now
			while self.queue:
				self.now, _number, act, args = heapq.heappop(self.queue)
				if self.now.month != month.month:
					self.report(month)
					month = self.now
				clock.set(self.now)
				act(*args)
				frappe.clear_messages()
			self.report(month)
		# what the scheduler would have done last night
		self.nightly()
		papers.act_as("Administrator")

	def report(self, month: datetime) -> None:
		"""Commit a month and say what happened in it."""
		frappe.db.commit()  # nosemgrep: nobody else uses a site in the making, and a month is much for one transaction
		news = ", ".join(f"{self.done[what]} {what}" for what in NEWS if self.done[what])
		print(f"  {month:%b %Y}: {news}", flush=True)
		self.done.clear()

	# customers

	def found_customers(self) -> None:
		"""Let two thirds of the customers be there from the start, the others join during the year."""
		papers.act_as(shop.CASHIER)
		people = [(name, "Individual") for name in shop.private_names()]
		trade = shop.trade_names()
		self.trade = {name for name, _group in trade}
		for name, group in [*people, *trade]:
			# the stories are about customers of old
			if name in stories.CARD_HOLDERS or group != "Individual" or self.random.random() < 0.55:
				self.join(name, group)
			else:
				self.at(self.ago(self.random.randrange(20, DAYS - 10), 9), self.join, name, group)
		self.join(stories.TWICE_TOO, "Individual", CARD)
		papers.act_as("Administrator")
		shop.enrol_trade()

	def join(self, name: str, group: str, program: str | None = None) -> None:
		"""Make a customer; private ones mostly ask for the card."""
		papers.act_as(shop.CASHIER)
		if group == "Individual" and (name in stories.CARD_HOLDERS or self.random.random() < 0.8):
			program = CARD
		euro = {}
		if name == stories.EURO_CUSTOMER:
			papers.act_as("Administrator")  # the account is not the cashier's to choose
			account = {"company": shop.COMPANY, "account": shop.DEBTORS_EUR}
			euro = {"default_currency": "EUR", "accounts": [account]}
		shop.join(name, group, self.random.choice([*shop.QUARTERS, "United States"]), program, **euro)
		self.customers[name] = self.random.paretovariate(1.3)
		self.done["customers joined"] += 1

	# the plan

	def plan(self) -> None:
		"""Put everyday trade, nights, paydays and stories into the queue."""
		days = [self.today - timedelta(days=n) for n in range(DAYS - 1, 0, -1)]
		growth = [0.8 + 0.4 * n / len(days) for n in range(len(days))]
		weights = [WEEK[d.weekday()] * MONTHS[d.month - 1] * g for d, g in zip(days, growth, strict=True)]
		number = round(SALES * self.scale)
		moments = sorted(
			datetime.combine(d, time(self.random.randrange(8, 19), self.random.randrange(60)))
			for d in self.random.choices(days, weights, k=number)
		)
		fates = ["return"] * round(RETURNED * number) + ["cancel"] * round(CANCELLED * number)
		fates += [""] * (number - len(fates))
		self.random.shuffle(fates)
		# nobody has points to spend in the first weeks
		spending = set(self.random.sample(range(number // 8, number), round(REDEMPTIONS * self.scale)))
		for index, moment in enumerate(moments):
			self.at(moment, self.sale, fates[index], index in spending)
		for day in days:
			if day.day == 1:
				self.at(datetime.combine(day, time(0, 10)), self.nightly)
			if day.day in PAYDAYS:
				self.at(datetime.combine(day, time(16, 0)), self.payday)
		stories.plan(self)
		for n in range(6):
			self.at(self.ago(1, 19, 10 + n), self.draft, n < 2)

	# everyday trade

	def basket(self, trade: bool) -> papers.Basket:
		"""Return what somebody buys."""
		pick, chance = self.random, self.random.random()
		if trade:
			if chance < 0.03:
				return [("ESPRESSO-2GR", 1), ("ESPRESSO-5KG", 2)]
			if chance < 0.10:
				return [("GRINDER-PRO", 1)]
			if chance < 0.25:
				return [("SERVICE", 1), ("CUPS-6", pick.randint(1, 4))]
			beans = pick.sample(
				["HOUSE-5KG", "ESPRESSO-5KG", "DECAF-1KG", "ESPRESSO-1KG"], pick.randint(1, 3)
			)
			return [(code, pick.randint(1, 4)) for code in beans]
		if chance < 0.08:
			return [(pick.choice(["ESPRESSO-HOME", "GRINDER-HOME"]), 1), ("ESPRESSO-1KG", 1)]
		if chance < 0.16:
			return [(pick.choice(["COURSE-BARISTA", "COURSE-LATTE", "CUPPING"]), pick.randint(1, 2))]
		if chance < 0.22:
			return [(pick.choice(["VOUCHER-25", "VOUCHER-50"]), 1), ("HARAZ-250", 1)]
		small = [code for code, (_n, price, _g) in shop.ITEMS.items() if price < 80 and "VOUCHER" not in code]
		return [(code, pick.randint(1, 3)) for code in pick.sample(small, pick.randint(1, 4))]

	def everyday(self) -> list[str]:
		"""Return the customers who have no story of debt or euros to tell."""
		return [name for name in self.customers if name not in stories.UNDISTURBED]

	def sale(self, fate: str, spend: bool) -> None:
		"""Sell something to somebody, who pays with points when it is time and somebody has enough of them."""
		self.redemptions_due += spend
		if self.redemptions_due and self.redeeming_sale(fate):
			self.redemptions_due -= 1
			return
		names = self.everyday()
		trade = self.random.random() < TRADE_SHARE
		names = [name for name in names if (name in self.trade) == trade]
		customer = self.random.choices(names, [self.customers[name] for name in names])[0]
		late = self.random.randint(3, 8) if self.random.random() < 0.01 else 0
		doc = papers.new_invoice(customer, self.basket(trade), days_late=late, credit_days=14 if trade else 0)
		if not trade and self.random.random() < 0.35:
			papers.pay_at_counter(doc, self.random.choice(["Cash", "Card"]))
		self.finish(papers.submit(doc), fate)

	def redeeming_sale(self, fate: str) -> bool:
		"""Sell something to somebody with points, who pays with some or all of them; return whether there was one."""
		members = self.members_with_points()
		if not members:
			return False
		member = self.random.choices(members, [m.balance for m in members])[0]
		trade = member.customer in self.trade
		doc = papers.new_invoice(member.customer, self.basket(trade), credit_days=14 if trade else 0)
		points = self.points_to_spend(doc, member.loyalty_program)
		if not points:
			return False
		papers.redeem(doc, points)
		if not trade and self.random.random() < 0.5:
			factor = frappe.get_cached_value("Loyalty Program", member.loyalty_program, "conversion_factor")
			papers.pay_at_counter(doc, worth=flt(points * factor, 2))
		self.done["redemptions"] += 1
		self.finish(papers.submit(doc), fate)
		return True

	def members_with_points(self) -> list:
		"""Return the memberships with enough points to redeem some."""
		members = frappe.get_all(
			membership.DOCTYPE,
			filters={"active": 1, "balance": (">", 0), "customer": ("in", self.everyday())},
			fields=["customer", "loyalty_program", "balance"],
			order_by="customer, loyalty_program",
			limit=0,
		)
		return [m for m in members if m.balance >= self.least(m.loyalty_program)]

	@staticmethod
	def least(program: str) -> int:
		return max(1, frappe.get_cached_value("Loyalty Program", program, "minimum_redemption_points"))

	def points_to_spend(self, doc, program: str) -> int:
		"""Return how many points a customer pays with: all that may be, half or little; 0 when none may."""
		terms = frappe.get_cached_doc("Loyalty Program", program)
		share = (terms.maximum_redemption_share or 100) / 100
		most = int(flt(doc.rounded_total or doc.grand_total) * share / terms.conversion_factor)
		most = min(most, membership.summary(doc.customer, program).balance)
		points = int(most * self.random.choice([1, 1, 0.5, 0.5, 0.2]))
		points -= points % max(1, terms.redemption_step)
		return points if points >= self.least(program) else 0

	def finish(self, doc, fate: str = "") -> None:
		"""See to what becomes of a submitted invoice."""
		self.done["invoices"] += 1
		if fate == "cancel":
			self.later(0.01, 1.2, self.cancelled, doc.name, surely=True)
			return
		if fate == "return":
			self.later(1, 25, self.returned, doc.name, surely=True)
		if not doc.is_pos and doc.customer not in self.trade and self.random.random() < 0.88:
			self.later(0, 9, self.paid, [doc.name])

	def returned(self, name: str) -> None:
		"""Take everything or a part of an invoice back."""
		invoice = frappe.get_doc("Sales Invoice", name)
		keep = []
		if self.random.random() < 0.6:
			if len(invoice.items) > 1:
				row = self.random.choice(invoice.items)
				keep = [(row.item_code, row.qty)]
			elif invoice.items[0].qty > 1:
				keep = [(invoice.items[0].item_code, self.random.randint(1, int(invoice.items[0].qty) - 1))]
		note = papers.take_back("Sales Invoice", name, keep)
		self.done["returns"] += 1
		if not invoice.is_pos and self.random.random() < 0.6:
			self.later(1, 6, self.refunded, note.name)

	def refunded(self, name: str) -> None:
		if frappe.db.get_value("Sales Invoice", name, "outstanding_amount") < 0:
			papers.refund(name)

	def cancelled(self, name: str) -> None:
		"""Cancel an invoice; every third was only a slip in the quantity."""
		doc = papers.cancel("Sales Invoice", name)
		self.done["cancels"] += 1
		if self.random.random() < 0.34:
			papers.amend(doc, doc.items[0].qty + 1)

	def paid(self, names: list[str], part: float = 1) -> None:
		"""Receive the money for invoices of one customer, as far as it is still owed."""
		self.done["payments"] += papers.receive(names, part) is not None

	def payday(self) -> None:
		"""Let trade customers pay what is due, each in one transfer; some pay a part, some forget."""
		due = frappe.get_all(
			"Sales Invoice",
			filters={
				"docstatus": 1,
				"outstanding_amount": (">", 0),
				"due_date": ("<=", today()),
				"customer": ("in", sorted(self.trade - {stories.IN_DEBT})),
			},
			fields=["name", "customer"],
			order_by="customer, posting_date, name",
			limit=0,
		)
		for customer, rows in itertools.groupby(due, lambda row: row.customer):
			chance = self.random.random()
			if chance < (0.75 if customer in LATE_PAYERS else 0.1):
				continue
			self.paid([row.name for row in rows], 0.5 if chance > 0.95 else 1)

	def nightly(self) -> None:
		"""Do what the daily jobs do."""
		papers.act_as("Administrator")
		before = frappe.db.count("Loyalty Point Entry", {"entry_type": "Expired"})
		while names := runs.next_names(frappe._dict(kind="Expiry"), ""):
			expiry.close_all(names)
			frappe.db.commit()
		update_invoice_status()
		self.done["lots expired"] += (
			frappe.db.count("Loyalty Point Entry", {"entry_type": "Expired"}) - before
		)

	def draft(self, spend: bool) -> None:
		"""Leave an invoice waiting, with points redeemed on it or not."""
		members = self.members_with_points()
		points = 0
		while not points:
			member = self.random.choice(members)
			trade = member.customer in self.trade
			doc = papers.new_invoice(member.customer, self.basket(trade), credit_days=14 if trade else 0)
			points = self.points_to_spend(doc, member.loyalty_program)
			if not spend:
				break
		if spend:
			papers.redeem(doc, points)
		doc.insert()
		self.done["drafts"] += 1
