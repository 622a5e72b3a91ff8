"""A loyalty program in words, as one would tell a customer."""

from decimal import Decimal

import frappe
from frappe import _
from frappe.model.document import Document
from frappe.utils import cint, cstr, flt, fmt_money, formatdate

from loyalty_app.ledger import membership, tiering
from loyalty_app.reporting.table import currency_of, number
from loyalty_app.rules import earning, redemption
from loyalty_app.rules.amounts import exact
from loyalty_app.rules.earning import EarnOn
from loyalty_app.rules.tiers import Downgrade, next_tier, tier_for


class Program:
	"""The document of a Loyalty Program, saved or not, whose numbers are numbers."""

	def __init__(self, doc: Document):
		self.doc = doc
		self.window = tiering.words(doc)
		self.currency = currency_of(doc.company)
		self.places = membership.currency_places(doc.company) if doc.company else 2
		tiers = [tier for tier in membership.tiers_in(doc) if tier.name and tier.factor > 0]
		self.tiers = sorted(tiers, key=lambda tier: tier.minimum)

	def money(self, amount) -> str:
		return fmt_money(flt(amount), currency=self.currency)

	def worth(self, points: int) -> str:
		return self.money(redemption.worth(points, exact(self.doc.conversion_factor), self.places))

	def terms(self) -> list[str]:
		"""What the program comes to: earning, redeeming, expiry."""
		return [*self._earning(), *self._redeeming(), *self._time()]

	def _earning(self) -> list[str]:
		when = self.window or _("in all")
		told = [
			_("{0}, from {1} spent {3}: 1 point for every {2}").format(
				tier.name, self.money(tier.minimum), self.money(tier.factor), when
			)
			if tier.minimum > 0
			else _("{0}: 1 point for every {1}").format(tier.name, self.money(tier.factor))
			for tier in self.tiers
		]
		if self.tiers and self.tiers[0].minimum > 0:
			told.insert(
				0, _("Below {0} spent {1}: no points yet").format(self.money(self.tiers[0].minimum), when)
			)
		if self.window:
			told.append(self._holding())
		if self.doc.earn_on == EarnOn.NET_TOTAL:
			told.append(_("Taxes earn no points"))
		if excluded := [cstr(row.exclude_value) for row in self.doc.exclusions or () if row.exclude_value]:
			told.append(_("No points for: {0}").format(", ".join(excluded)))
		return told

	def _holding(self) -> str:
		yearly = self.doc.tier_period == tiering.FISCAL_YEAR
		if self.doc.tier_downgrade == Downgrade.TO_EARNED:
			if yearly:
				return _("A tier earned in a fiscal year is held to the end of the next")
			return _("Each month, a tier that was not earned again falls to the one that was")
		if self.doc.tier_downgrade == Downgrade.ONE_TIER:
			if yearly:
				return _("After each fiscal year, a tier that was not earned again falls by one")
			return _("Each month, a tier that was not earned again falls by one")
		return _("A tier once reached is kept")

	def _redeeming(self) -> list[str]:
		if exact(self.doc.conversion_factor) <= 0:
			return [_("Points pay nothing")]
		told = [_("100 points pay {0}").format(self.worth(100))]
		if cint(self.doc.minimum_redemption_points) > 1:
			told.append(
				_("At least {0} points are redeemed at a time").format(
					number(self.doc.minimum_redemption_points)
				)
			)
		if cint(self.doc.redemption_step) > 1:
			told.append(_("Points are redeemed in steps of {0}").format(number(self.doc.redemption_step)))
		if share := flt(self.doc.maximum_redemption_share):
			told.append(_("Points pay up to {0}% of an invoice").format(frappe.format(share, "Float")))
		return told

	def _time(self) -> list[str]:
		told = [
			_("Points are good for {0} days").format(number(self.doc.expiry_duration))
			if cint(self.doc.expiry_duration) > 0
			else _("Points never expire")
		]
		if days := cint(self.doc.maturity_days):
			told.insert(
				0,
				_("Points can be spent from the day after the purchase")
				if days == 1
				else _("Points can be spent {0} days after the purchase").format(number(days)),
			)
		if self.doc.to_date:
			told.append(_("The program runs through {0}").format(formatdate(self.doc.to_date)))
		return told

	def telling(self) -> tuple[Decimal, Decimal]:
		"""A spend and an amount that show something of the program: how a customer comes into the second tier."""
		if not self.tiers:
			return Decimal(0), Decimal(0)
		tier = self.tiers[min(1, len(self.tiers) - 1)]
		amount = tier.factor * 100
		return max(tier.minimum - amount / 2, Decimal(0)), amount

	def example(self, spent: Decimal, amount: Decimal) -> str:
		"""What the rules make of an `amount` that a customer buys for who has `spent` before, in company currency."""
		before = tier_for(self.tiers, spent) if spent > 0 else None
		after = tier_for(self.tiers, spent + amount)
		who = (
			_("A customer who has spent {0} {2} and buys for {1}")
			if self.window
			else _("A customer who has spent {0} and buys for {1}")
		).format(self.money(spent), self.money(amount), self.window)
		if not after:
			if following := next_tier(self.tiers, spent + amount):
				return _("{0} earns no points yet; it counts towards {1}.").format(who, following.name)
			return _("{0} earns no points.").format(who)
		points = earning.points_for(amount, after.factor)
		told = (
			_("{0} stays {1} and earns {2}") if before == after else _("{0} becomes {1} and earns {2}")
		).format(who, after.name, _("1 point") if points == 1 else _("{0} points").format(number(points)))
		return _("{0}, worth {1}.").format(told, self.worth(points)) if points else f"{told}."
