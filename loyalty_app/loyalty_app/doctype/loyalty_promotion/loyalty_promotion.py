# Copyright (c) 2026, loyalty_app maintainers
# For license information, please see license.txt

import re
from decimal import Decimal

import frappe
from frappe import _
from frappe.utils import cint, cstr, escape_html

from loyalty_app.checks import LARGEST_AMOUNT, LARGEST_POINTS, SMALLEST_STEP, CheckedDocument
from loyalty_app.ledger import promotions, terms
from loyalty_app.rules.promotions import Effect

# more than this is a typing error
LARGEST_MULTIPLIER = Decimal(1000)
TIME = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?")
# what each effect is made of
OF_EFFECT = {
	Effect.MULTIPLY: ("multiplier",),
	Effect.PER_AMOUNT: ("points", "per_amount"),
	Effect.FIXED: ("points",),
}


class LoyaltyPromotion(CheckedDocument):
	# begin: auto-generated types
	# This code is auto-generated. Do not modify anything in this block.

	from typing import TYPE_CHECKING

	if TYPE_CHECKING:
		from frappe.types import DF

		from loyalty_app.loyalty_app.doctype.loyalty_program_exclusion.loyalty_program_exclusion import (
			LoyaltyProgramExclusion,
		)
		from loyalty_app.loyalty_app.doctype.loyalty_promotion_item.loyalty_promotion_item import (
			LoyaltyPromotionItem,
		)

		birthday_month: DF.Check
		code: DF.Data | None
		combination: DF.Literal["Add Up", "Best One Only"]
		company: DF.Link | None
		customer_group: DF.Link | None
		customer_territory: DF.Link | None
		effect: DF.Literal["Multiply Points", "Points per Amount", "Fixed Bonus"]
		enabled: DF.Check
		exclusions: DF.Table[LoyaltyProgramExclusion]
		first_purchase: DF.Check
		friday: DF.Check
		from_date: DF.Date
		from_time: DF.Data | None
		items: DF.Table[LoyaltyPromotionItem]
		limit_per_customer: DF.Int
		limit_total: DF.Int
		loyalty_program: DF.Link
		minimum_amount: DF.Currency
		monday: DF.Check
		multiplier: DF.Float
		per_amount: DF.Currency
		points: DF.Int
		promotion_name: DF.Data
		saturday: DF.Check
		sunday: DF.Check
		thursday: DF.Check
		tier: DF.Autocomplete | None
		to_date: DF.Date | None
		to_time: DF.Data | None
		tuesday: DF.Check
		uses: DF.Int
		wednesday: DF.Check
	# end: auto-generated types

	def _set_defaults(self):
		# Frappe would fill what is empty from the site's defaults for new customers, but empty means all
		given = self.customer_group, self.customer_territory
		super()._set_defaults()
		self.customer_group, self.customer_territory = given

	def validate(self):
		self.promotion_name = self.name
		self.company = frappe.db.get_value("Loyalty Program", self.loyalty_program, "company")
		self.validate_dates()
		self.validate_effect()
		self.validate_hours()
		self.validate_items("items", "apply_to", "apply_to_value")
		self.validate_items("exclusions", "exclude_type", "exclude_value")
		self.validate_tier()
		self.validate_birthday()
		self.code = cstr(self.code).strip()
		self.validate_limits()
		self.count_uses()

	def on_change(self):
		terms.tell_of(self)

	def on_trash(self):
		if promotions.count_again(self.name)[self.name]:
			frappe.throw(
				_(
					"Loyalty Promotion {0} has given points and cannot be deleted: they stay on record. To end it, untick {1} or set its {2}."
				).format(frappe.bold(self.name), self._label("enabled"), self._label("to_date")),
				title=_("Promotion has given points"),
			)
		terms.tell_of(self)

	def after_rename(self, old, new, merge=False):
		terms.tell_of(self)

	def lacks_effect(self) -> bool:
		"""Whether a number that the effect is made of has not been entered yet."""
		of_effect = OF_EFFECT[Effect(self.effect)] if self.effect in list(Effect) else ()
		return any(cstr(self.get(field)).strip() in ("", "0") for field in of_effect)

	def validate_effect(self):
		if self.effect not in list(Effect):
			frappe.throw(
				_("{0} must be one of: {1}. It is {2}.").format(
					self._label("effect"),
					", ".join(_(effect.value) for effect in Effect),
					frappe.bold(cstr(self.effect) or _("empty")),
				)
			)
		of_effect = OF_EFFECT[Effect(self.effect)]
		for field in {field for fields in OF_EFFECT.values() for field in fields} - set(of_effect):
			self.set(field, 0)
		for field, largest in (("per_amount", LARGEST_AMOUNT), ("points", LARGEST_POINTS)):
			if field in of_effect:
				self._checked_number(self, field, least=SMALLEST_STEP, largest=largest)
		if "multiplier" in of_effect:
			multiplier = self._checked_number(
				self, "multiplier", least=Decimal(0), largest=LARGEST_MULTIPLIER
			)
			if multiplier <= 1:
				self._refuse_row(
					self,
					"multiplier",
					_("it must be greater than 1, as a promotion takes nothing away, but is {0}").format(
						multiplier.normalize()
					),
				)

	def validate_hours(self):
		for field in ("from_time", "to_time"):
			given = cstr(self.get(field)).strip()
			parts = TIME.fullmatch(given)
			if given and not parts:
				self._refuse_row(
					self, field, _("{0} is not a time of day; write it as 16:30").format(escape_html(given))
				)
			self.set(field, ":".join(f"{int(n):02}" for n in parts.groups() if n) if parts else None)
		if self.from_time and self.from_time == self.to_time:
			frappe.throw(
				_(
					"{0} and {1} are both {2}. Set one of them later, or leave both empty for the whole day."
				).format(self._label("from_time"), self._label("to_time"), self.from_time)
			)

	def validate_limits(self):
		self._checked_number(self, "minimum_amount", least=Decimal(0), largest=LARGEST_AMOUNT)
		for field in ("limit_per_customer", "limit_total"):
			self._checked_number(self, field, least=Decimal(0), largest=LARGEST_POINTS)

	def validate_tier(self):
		self.tier = cstr(self.tier).strip() or None
		if not self.tier:
			return
		program = frappe.get_cached_doc("Loyalty Program", self.loyalty_program)
		tiers = [row.tier_name for row in program.collection_rules]
		if self.tier not in tiers:
			self._refuse_row(
				self,
				"tier",
				_("Loyalty Program {0} has no tier {1}; choose one of {2}").format(
					frappe.bold(program.name), frappe.bold(self.tier), ", ".join(tiers)
				),
			)

	def validate_birthday(self):
		if cint(self.birthday_month) and not promotions.birthday_field():
			self._refuse_row(
				self,
				"birthday_month",
				_("first choose a {0} in {1}").format(
					frappe.bold(_("Birthday Field")),
					frappe.utils.get_link_to_form(
						promotions.SETTINGS, promotions.SETTINGS, _(promotions.SETTINGS)
					),
				),
			)

	def count_uses(self):
		"""Let nobody but the ledger change the count, which begins when there is something to count for."""
		if self.is_new():
			self.uses = 0
			return
		before = frappe.db.get_value(
			self.doctype, self.name, ["uses", "limit_total", "enabled"], for_update=True
		)
		uses, limit, enabled = before
		self.uses = cint(uses)
		if cint(self.limit_total) and not (cint(limit) and cint(enabled)):
			self.uses = promotions.count_again(self.name)[self.name]
			promotions.count_when_committed(self.name)
