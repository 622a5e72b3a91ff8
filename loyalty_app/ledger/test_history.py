"""Random histories of real invoices and adjustments, as days go by, against a slow obvious model of live documents, single
points and tiers.

More examples: HYPOTHESIS_HISTORIES=200 with the usual command that runs this module.
"""

import os
from collections import Counter
from contextlib import ExitStack
from datetime import date, timedelta
from fractions import Fraction
from unittest.mock import patch

import frappe
from frappe.utils import add_days, add_months, get_first_day, get_last_day, getdate, today
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
	Bundle,
	RuleBasedStateMachine,
	consumes,
	initialize,
	invariant,
	precondition,
	rule,
	run_state_machine_as_test,
)

from loyalty_app.ledger import tiering, verify
from loyalty_app.ledger.expiry import close_all
from loyalty_app.ledger.membership import find, follow_tiers, spendable, summary
from loyalty_app.rules.lots import Voucher
from loyalty_app.rules.test_lots import Model
from loyalty_app.tests.utils import (
	IntegrationTestCase,
	make_adjustment,
	make_customer,
	make_invoice,
	make_program,
	make_return,
	on_day,
)

QTY = 4
# By one purchase of the second price, the third and the fourth.
TIERS = [("Bronze", 50, "7.5"), ("Silver", 240, "5"), ("Gold", 1300, "2.5")]
# Tier period, months and downgrade.
PERIODS = [
	("Lifetime", 0, "Never"),
	*(("Last N Months", months, downgrade) for months, downgrade in ((1, "One Tier"), (2, "Never"))),
	("Last N Months", 3, "To the Tier Earned"),
	*(("Fiscal Year", 0, downgrade) for downgrade in ("Never", "One Tier", "To the Tier Earned")),
]


class LiveInvoice:
	"""An invoice as a shopkeeper would note it down: four pieces at a price, points paid, what came back."""

	def __init__(self, doc, price, redeemed, worth, factor, tier, expires, matures=None):
		self.doc, self.price, self.redeemed, self.worth = doc, Fraction(price), redeemed, Fraction(worth)
		self.factor, self.tier, self.expires, self.matures = factor, tier, expires, matures
		self.returns = []  # (document, pieces, points given back)

	@property
	def voucher(self):
		return Voucher("Sales Invoice", self.doc.name)

	@property
	def pieces_back(self):
		return sum(pieces for _doc, pieces, _points in self.returns)

	@property
	def points_back(self):
		return sum(points for _doc, _pieces, points in self.returns)

	@property
	def spend(self):
		kept = self.price * (QTY - self.pieces_back)
		return kept - (self.redeemed - self.points_back) * self.worth

	@property
	def earned(self):
		return int(max(self.spend, 0) // Fraction(self.factor)) if self.factor else 0


class TierModel:
	"""The tier that somebody holds, period by period; None of all where tiers are for a lifetime."""

	def __init__(self, period, months, downgrade, company, tiers, on):
		self.period, self.months, self.downgrade = period, months, downgrade
		self.company, self.tiers, self.kept = company, tiers, None
		self.evaluated = self.end_before(on)

	@property
	def for_life(self):
		return self.period == "Lifetime"

	def bounds(self, on):
		"""The first and the last day of the months whose spend counts on that day."""
		if self.for_life:
			return date.min, date.max
		if self.period == "Fiscal Year":
			first, last = tiering.fiscal_year(self.company, on)
		else:
			first, last = add_months(on, 1 - self.months), on
		return getdate(get_first_day(first)), getdate(get_last_day(last))

	def end_before(self, on):
		if self.period == "Fiscal Year":
			return tiering.fiscal_year(self.company, on)[0] - timedelta(days=1)
		return getdate(get_first_day(on)) - timedelta(days=1)

	def ends(self, on):
		"""The last days of the periods that are over on that day and were not evaluated."""
		days = [self.end_before(on)]
		while days[-1] > self.evaluated:
			days.append(self.end_before(days[-1]))
		return days[-2::-1]

	def spent(self, spends, on):
		first, last = self.bounds(on)
		return sum(amount for day, amount in spends if first <= day <= last)

	def rank(self, name):
		return [None, *(tier[0] for tier in self.tiers)].index(name)

	def best(self, names):
		return max(names, key=self.rank)

	def tier_for(self, spend):
		return self.best([None, *(name for name, minimum, _factor in self.tiers if minimum <= spend)])

	def reached(self, spends, on):
		spent = self.spent(spends, on)
		return self.tier_for(spent) if spent else None

	def held(self, spends, on):
		if self.for_life:
			return self.reached(spends, on)
		days = [self.evaluated, *self.ends(on), on]
		return self.best([self.kept, *(self.reached(spends, day) for day in days)])

	def evaluate(self, spends, on):
		"""What the daily job does."""
		for end in [] if self.for_life else self.ends(on):
			earned = self.reached(spends, end)
			had = self.best([self.kept, self.reached(spends, self.evaluated), earned])
			not_earned_again = had if self.rank(had) > self.rank(earned) else self.kept
			if self.downgrade == "One Tier":
				lower = [name for name, *_ in self.tiers if self.rank(name) < self.rank(not_earned_again)]
				self.kept = lower[-1] if lower else None
			else:
				self.kept = not_earned_again if self.downgrade == "Never" else None
			self.evaluated = end


class HistoryMachine(RuleBasedStateMachine):
	invoices = Bundle("invoices")
	returns = Bundle("returns")
	adjustments = Bundle("adjustments")

	def __init__(self):
		super().__init__()
		self.clock = ExitStack()
		self.worth, self.duration, self.may_go_negative = "0.5", 30, False
		self.maturity = 3
		self.live, self.days, self.model = [], set(), Model()
		# adjustments that stand, and who gets what is given away
		self.adjusted, self.other, self.others_model = [], None, Model()

	@initialize(
		target=invoices,
		period=st.sampled_from(PERIODS),
		begun=st.integers(1500, 2000),
		price=st.sampled_from(["60.25", "333.33"]),
	)
	def begin(self, period, begun, price):
		self.be_on(getdate(add_days(today(), -begun)))
		kind, months, downgrade = period
		self.program = make_program(
			tiers=[(name, minimum, float(factor)) for name, minimum, factor in TIERS],
			conversion_factor=0.5,
			expiry_duration=30,
			maturity_days=3,
			tier_period=kind,
			tier_period_months=months,
			tier_downgrade=downgrade,
		)
		self.standing = TierModel(*period, self.program.company, list(TIERS), self.today)
		self.customer = make_customer(loyalty_program=self.program.name)
		return self.submit(price, 0, 0)

	def be_on(self, day):
		self.clock.close()
		self.today = day
		self.clock.enter_context(on_day(day))

	def teardown(self):
		self.clock.close()

	@property
	def spends(self):
		return [(getdate(i.doc.posting_date), max(i.spend, 0)) for i in self.live]

	@property
	def held(self):
		return self.standing.held(self.spends, self.today)

	@precondition(lambda self: self.live)
	@rule(days=st.sampled_from([1, 9, 31, 62, 180, 366]), runs=st.sampled_from([True, True, False]))
	def days_go_by(self, days, runs):
		"""At the end of which the daily job runs, or is late."""
		self.be_on(min(getdate(add_days(self.today, days)), getdate(today())))
		if runs:
			self.lower_tiers()

	@precondition(lambda self: self.held)
	@rule()
	def lower_tiers(self):
		name = find(self.customer.name, self.program.name)
		held = self.held
		self.standing.evaluate(self.spends, self.today)
		assert follow_tiers([name]) == (held != self.held)

	def settle(self, invoice, on, cancelled=False):
		self.model.settle(
			invoice.voucher,
			0 if cancelled else invoice.earned,
			0 if cancelled else invoice.redeemed - invoice.points_back,
			getdate(invoice.doc.posting_date),
			invoice.expires,
			on,
			invoice.matures,
		)

	@rule(
		target=invoices,
		price=st.sampled_from(["1", "12.5", "60.25", "333.33"]),
		part=st.one_of(st.just(0), st.integers(1, 12)),
		back=st.integers(0, 60),
	)
	def submit(self, price, part, back):
		posted = self.free_day(back)
		can_pay = min(
			max(self.model.spendable(posted), 0), int(QTY * Fraction(price) // Fraction(self.worth))
		)
		redeem = part * can_pay // 10
		if redeem > can_pay:
			self.must_be_refused(lambda: self.make(price, redeem, posted))
			redeem = can_pay
		doc = self.make(price, redeem, posted)
		eligible = QTY * Fraction(price) - redeem * Fraction(self.worth)
		spent = self.standing.spent(self.spends, posted)
		tier = self.standing.best([self.standing.tier_for(spent + eligible), self.held])
		factor = dict((name, factor) for name, _minimum, factor in self.standing.tiers).get(tier, 0)
		expires = getdate(add_days(posted, self.duration)) if self.duration else date(9999, 12, 31)
		matures = getdate(add_days(posted, self.maturity)) if self.maturity else None
		invoice = LiveInvoice(doc, price, redeem, self.worth, factor, tier, expires, matures)
		self.live.append(invoice)
		self.settle(invoice, posted)
		return invoice

	def free_day(self, back):
		"""A day, so many days ago or more, on which nothing else is posted."""
		days = (getdate(add_days(self.today, i - back)) for i in range(-999, 1)[::-1])
		posted = next(day for day in days if day not in self.days)
		self.days.add(posted)
		return posted

	def must_be_refused(self, act):
		frappe.db.savepoint("refused")
		try:
			act()
		except frappe.ValidationError:
			frappe.db.rollback(save_point="refused")
		else:
			raise AssertionError("more points were spent than there were")

	def make(self, price, redeem, posted):
		return make_invoice(
			self.customer,
			items=[{"rate": float(price), "qty": QTY}],
			redeem=redeem,
			posting_date=posted,
			disable_rounded_total=1,
		)

	@rule(target=returns, invoice=invoices, pieces=st.integers(1, QTY))
	def give_back(self, invoice, pieces):
		pieces = min(pieces, QTY - invoice.pieces_back)
		if not pieces or invoice not in self.live:
			return None
		doc = make_return(invoice.doc, qty=pieces, posting_date=self.today, set_posting_time=1)
		all_back = invoice.redeemed * (invoice.pieces_back + pieces) // QTY
		points = max(all_back - invoice.points_back, 0)
		assert doc.loyalty_points == -points, (doc.loyalty_points, points)
		assert Fraction(str(doc.loyalty_amount)) == -points * invoice.worth
		invoice.returns.append((doc, pieces, points))
		self.settle(invoice, getdate(doc.posting_date))
		return invoice, doc

	@rule(returned=consumes(returns))
	def cancel_return(self, returned):
		if not returned:
			return
		invoice, doc = returned
		frappe.get_doc("Sales Invoice", doc.name).cancel()
		invoice.returns = [r for r in invoice.returns if r[0] is not doc]
		self.settle(invoice, self.today)

	@rule(invoice=consumes(invoices))
	def cancel(self, invoice):
		if invoice.returns:
			return
		frappe.get_doc("Sales Invoice", invoice.doc.name).cancel()
		self.live.remove(invoice)
		self.settle(invoice, self.today, cancelled=True)

	@rule(
		target=adjustments,
		points=st.integers(-60, 60).filter(bool),
		back=st.integers(0, 60),
		days_good=st.integers(0, 40),
	)
	def adjust(self, points, back, days_good):
		posted = self.free_day(back)
		if points > 0:
			values = {"posting_date": posted, "expiry_date": getdate(add_days(self.today, days_good))}
		else:
			values = {"posting_date": posted, "expiry_date": None}
			can_take = max(self.model.spendable(posted), 0)
			if -points > can_take and not self.may_go_negative:
				self.must_be_refused(lambda: make_adjustment(self.customer, points, **values))
				points = -can_take
		if not points:
			return None
		doc = make_adjustment(self.customer, points, **values)
		self.adjusted.append(doc)
		lots = [(points, values["expiry_date"])] if points > 0 else []
		self.model.settle_lots(voucher_of(doc), lots, max(-points, 0), posted, posted)
		return doc

	@rule(target=adjustments, points=st.integers(1, 60), back=st.integers(0, 60))
	def give_away(self, points, back):
		self.other = self.other or make_customer(loyalty_program=self.program.name)
		posted = self.free_day(back)
		values = {"reason": "Transfer", "to_customer": self.other.name, "posting_date": posted}
		can_give = max(self.model.spendable(posted), 0)
		if points > can_give:
			self.must_be_refused(lambda: make_adjustment(self.customer, points, **values))
			points = can_give
		if not points:
			return None
		doc = make_adjustment(self.customer, points, **values)
		self.adjusted.append(doc)
		who = voucher_of(doc)
		self.model.settle_lots(who, [], points, posted, posted)
		brought = Counter(token.lot.expires for token in self.model.spent_by(who))
		lots = [(count, expires) for expires, count in sorted(brought.items())]
		self.others_model.settle_lots(who, lots, 0, posted, posted)
		return doc

	@rule(days_ago=st.integers(0, 20), part=st.integers(1, 4))
	def the_other_spends(self, days_ago, part):
		posted = self.free_day(days_ago)
		points = part * max(self.others_model.spendable(posted), 0) // 4
		if not points:
			return
		doc = make_adjustment(self.other, -points, posting_date=posted)
		self.others_model.settle_lots(voucher_of(doc), [], points, posted, posted)

	@rule(doc=consumes(adjustments))
	def cancel_adjustment(self, doc):
		if not doc:
			return
		frappe.get_doc(doc.doctype, doc.name).cancel()
		self.adjusted.remove(doc)
		self.model.settle_lots(voucher_of(doc), [], 0, doc.posting_date, self.today)
		if doc.to_customer:
			self.others_model.settle_lots(voucher_of(doc), [], 0, doc.posting_date, self.today)

	@rule()
	def expire(self):
		if name := find(self.customer.name, self.program.name):
			close_all([name])

	@rule(
		duration=st.sampled_from([0, 5, 30]),
		maturity=st.sampled_from([0, 3, 5]),
		factor=st.sampled_from(["2", "10"]),
		worth=st.sampled_from(["0.5", "1"]),
		may_go_negative=st.booleans(),
		downgrade=st.sampled_from(["Never", "One Tier", "To the Tier Earned"]),
	)
	def change_the_program(self, duration, maturity, factor, worth, may_go_negative, downgrade):
		self.program.reload()
		self.program.expiry_duration, self.program.conversion_factor = duration, float(worth)
		self.program.maturity_days = self.maturity = maturity
		self.program.collection_rules[0].collection_factor = float(factor)
		self.program.allow_negative_adjustment = int(may_go_negative)
		self.program.tier_downgrade = self.standing.downgrade = downgrade
		self.program.save()
		self.duration, self.worth, self.may_go_negative = duration, worth, may_go_negative
		name, minimum, _factor = self.standing.tiers[0]
		self.standing.tiers[0] = (name, minimum, factor)

	@invariant()
	def ledger_agrees(self):
		name = find(self.customer.name, self.program.name)
		faults = verify(name)
		assert not faults, faults
		row = frappe.get_doc("Loyalty Membership", name)
		assert Fraction(str(row.total_spent)) == sum(amount for _day, amount in self.spends)
		added = sum(d.points for d in self.adjusted if d.points > 0 and not d.to_customer)
		taken = sum(abs(d.points) for d in self.adjusted if d.points < 0 or d.to_customer)
		assert row.points_earned == sum(i.earned for i in self.live) + added
		assert row.points_redeemed == sum(i.redeemed - i.points_back for i in self.live) + taken
		tier = self.held
		assert (row.loyalty_program_tier or None, row.tier_kept or None) == (tier, self.standing.kept)
		assert (frappe.db.get_value("Customer", self.customer.name, "loyalty_program_tier") or None) == tier
		told = summary(self.customer.name)
		assert told.balance == self.model.spendable(self.today)
		assert (told.tier, told.tier_spend) == (tier, float(self.standing.spent(self.spends, self.today)))
		for back in (10, 40):
			on = getdate(add_days(self.today, -back))
			assert spendable(name, on) == self.model.spendable(on)
		unexpired = frappe.get_all(
			"Loyalty Point Entry",
			filters={"customer": self.customer.name, "expiry_date": (">=", self.today)},
			fields=["loyalty_points", "spendable_from"],
		)
		mature = [e for e in unexpired if not e.spendable_from or getdate(e.spendable_from) <= self.today]
		assert sum(e.loyalty_points for e in mature) == self.model.spendable(self.today)
		assert summary(self.customer.name).pending == sum(
			e.loyalty_points for e in unexpired if e not in mature
		)
		if self.other:
			assert summary(self.other.name).balance == self.others_model.spendable(self.today)
			if others := find(self.other.name, self.program.name):
				assert verify(others) == []
		for invoice in self.live:
			lots = frappe.get_all(
				"Loyalty Point Entry",
				filters={"invoice": invoice.doc.name, "entry_type": "Earned"},
				fields=[
					"loyalty_points",
					"purchase_amount",
					"loyalty_program_tier",
					"expiry_date",
					"spendable_from",
				],
			)
			assert len(lots) == 1
			assert (
				lots[0].loyalty_points,
				lots[0].loyalty_program_tier or None,
				getdate(lots[0].expiry_date),
				lots[0].spendable_from and getdate(lots[0].spendable_from),
			) == (
				invoice.earned,
				invoice.tier,
				invoice.expires,
				invoice.matures,
			)
			assert Fraction(str(lots[0].purchase_amount)) == max(invoice.spend, 0)


def voucher_of(doc):
	return Voucher(doc.doctype, doc.name)


class TestHistory(IntegrationTestCase):
	# So few that reading lots page by page is exercised too.
	@patch("loyalty_app.ledger.entries.LOTS_AT_ONCE", 2)
	def test_random_histories(self):
		run_state_machine_as_test(
			HistoryMachine,
			settings=settings(
				max_examples=int(os.environ.get("HYPOTHESIS_HISTORIES", 6)),
				stateful_step_count=20,
				deadline=None,
				database=None,
				# Shrinking replays hundreds of histories, seconds each: the steps printed tell enough.
				phases=[Phase.generate],
				suppress_health_check=list(HealthCheck),
			),
		)
