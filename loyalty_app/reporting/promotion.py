"""A loyalty promotion in words, as one would tell a customer."""

from decimal import Decimal

import frappe
from frappe import _
from frappe.model.document import Document
from frappe.utils import cint, cstr, flt, fmt_money, formatdate
from frappe.utils.jinja_globals import is_rtl

from loyalty_app.ledger.promotions import DAYS
from loyalty_app.reporting.table import currency_of, number
from loyalty_app.rules.amounts import exact
from loyalty_app.rules.promotions import Effect

DATE = "d MMMM yyyy"
MANY = 3


class Promotion:
	"""The document of a Loyalty Promotion, saved or not, whose numbers are numbers.

	A sentence is made of parts that stand one after another: each can be translated by itself.
	"""

	def __init__(self, doc: Document):
		self.doc = doc
		program = cstr(doc.loyalty_program)
		self.currency = currency_of(frappe.db.get_value("Loyalty Program", program, "company"))

	def terms(self) -> list[str]:
		"""What the promotion comes to: one sentence, and those that have to be added."""
		gives = " ".join(filter(None, (self._gain(), self._lines(), *self._when(), *self._customer())))
		told = [_("{0} earn {1}.").format(self._who(), commas([gives, *self._limits()]))]
		told.append(
			_("Of all promotions that are Best One Only, each line gets the one that gives it most.")
			if self.doc.combination == "Best One Only"
			else _("This comes on top of other promotions.")
		)
		if not cint(self.doc.enabled):
			told.append(_("It is disabled and gives nothing."))
		return told

	def _who(self) -> str:
		doc = self.doc
		who = [
			_("Customers of {0}").format(name(doc.customer_group)) if doc.customer_group else _("Customers")
		]
		if doc.customer_territory:
			who.append(_("in {0}").format(name(doc.customer_territory)))
		if doc.tier:
			who.append(_("at tier {0}").format(name(doc.tier)))
		return " ".join(who)

	def _gain(self) -> str:
		doc = self.doc
		if doc.effect == Effect.MULTIPLY:
			times = exact(doc.multiplier)
			named = {Decimal(2): _("double points"), Decimal(3): _("triple points")}
			return named.get(times) or _("{0} times their points").format(f"{times.normalize():f}")
		points = _("1 point") if cint(doc.points) == 1 else _("{0} points").format(number(doc.points))
		if doc.effect == Effect.PER_AMOUNT:
			return _("{0} more for every {1}").format(points, self._money(doc.per_amount))
		return (
			_("{0} more, once an invoice,").format(points) if self._lines() else _("{0} more").format(points)
		)

	def _lines(self) -> str:
		"""The lines that it is for, and how much they have to come to."""
		only = [row.apply_to_value for row in self.doc.items if row.apply_to_value]
		never = [row.exclude_value for row in self.doc.exclusions if row.exclude_value]
		told = [_("on {0}", context="items").format(listed(only))] if only else []
		if never:
			told.append(
				_("except {0}").format(listed(never)) if only else _("on all but {0}").format(listed(never))
			)
		if flt(self.doc.minimum_amount) > 0:
			least = self._money(self.doc.minimum_amount)
			told.append((_("worth {0} or more") if told else _("on purchases of {0} or more")).format(least))
		return " ".join(told)

	def _when(self) -> list[str]:
		doc = self.doc
		plural = {
			"monday": _("Mondays"),
			"tuesday": _("Tuesdays"),
			"wednesday": _("Wednesdays"),
			"thursday": _("Thursdays"),
			"friday": _("Fridays"),
			"saturday": _("Saturdays"),
			"sunday": _("Sundays"),
		}
		days = [plural[day] for day in DAYS if cint(doc.get(day))]
		told = [_("on {0}").format(together(days))] if 0 < len(days) < len(DAYS) else []
		begins, ends = (cstr(doc.get(field)) for field in ("from_time", "to_time"))
		if begins or ends:
			told.append(_("between {0} and {1}").format(begins or "00:00", ends or "24:00"))
		first, last = (formatdate(doc.get(field), DATE) for field in ("from_date", "to_date"))
		if first and last:
			told.append(
				_("from {0} to {1}").format(first, last) if first != last else _("on {0}").format(first)
			)
		elif first:
			told.append(_("from {0} on").format(first))
		return told

	def _customer(self) -> list[str]:
		told = []
		if cint(self.doc.first_purchase):
			told.append(_("on their first purchase"))
		if cint(self.doc.birthday_month):
			told.append(_("in the month of their birthday"))
		if code := cstr(self.doc.code).strip():
			told.append(_("with the code {0}").format(name(code)))
		return told

	def _limits(self) -> list[str]:
		told = []
		if (most := cint(self.doc.limit_per_customer)) > 0:
			told.append(
				_("at most once per customer")
				if most == 1
				else _("at most {0} times per customer").format(number(most))
			)
		if (most := cint(self.doc.limit_total)) > 0:
			told.append(
				_("for one invoice in all")
				if most == 1
				else _("for at most {0} invoices in all").format(number(most))
			)
		return told

	def _money(self, amount) -> str:
		return fmt_money(flt(amount), currency=self.currency)


def name(text: str) -> str:
	"""A name in a sentence: in another script, it keeps to itself what stands beside it."""
	return f"\u2068{text}\u2069" if is_rtl() else cstr(text)


def commas(parts: list[str]) -> str:
	told = parts[0]
	for part in parts[1:]:
		told = _("{0}, {1}", context="list").format(told, part)
	return told


def together(parts: list[str]) -> str:
	return parts[0] if len(parts) == 1 else _("{0} and {1}").format(commas(parts[:-1]), parts[-1])


def listed(names: list[str]) -> str:
	"""The first of `names`, and how many more there are."""
	shown = [name(text) for text in names[:MANY]]
	if more := len(names) - len(shown):
		shown.append(_("{0} more").format(number(more)))
	return together(shown)
