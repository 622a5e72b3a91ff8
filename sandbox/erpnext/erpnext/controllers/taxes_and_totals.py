"""Totals of a selling document, rounded at every step the way ERPNext rounds them."""

import json

import frappe
from frappe import _, scrub
from frappe.utils import cint, flt, round_based_on_smallest_currency_fraction

import erpnext
from erpnext.controllers.accounts_controller import (
	validate_conversion_rate,
	validate_inclusive_tax,
	validate_taxes_and_charges,
)


class calculate_taxes_and_totals:
	"""Compute everything below the items table, in document and in company currency.

	Taxes run twice when there is a discount on the whole document: once to know the total it is a part of,
	and once more after it was spread over the items.
	"""

	def __init__(self, doc):
		self.doc = doc
		self.discount_applied = False
		self.round_row_wise = cint(frappe.db.get_single_value("Accounts Settings", "round_row_wise_tax"))
		if doc.get("items"):
			self.calculate()

	def calculate(self):
		self.set_conversion_rate()
		for tax in self.taxes:
			validate_taxes_and_charges(tax)
			validate_inclusive_tax(tax, self.doc)
		if not self.doc.get("is_consolidated"):
			self.calculate_item_values()

		self.calculate_taxes_and_total()
		if self.spread_discount():
			self.discount_applied = True
			self.calculate_taxes_and_total()
		self.write_tax_details()

		if self.doc.doctype == "Sales Invoice" and self.doc.docstatus == 0:
			self.doc.total_advance = 0
			if self.doc.write_off_outstanding_amount_automatically:
				self.doc.write_off_amount = 0
			self.calculate_outstanding_amount()
			self.calculate_write_off_amount()

	@property
	def taxes(self):
		return self.doc.get("taxes") or []

	def set_conversion_rate(self):
		company_currency = erpnext.get_company_currency(self.doc.company)
		if not self.doc.currency or self.doc.currency == company_currency:
			self.doc.currency = company_currency
			self.doc.conversion_rate = 1.0
		else:
			validate_conversion_rate(
				self.doc.currency,
				self.doc.conversion_rate,
				self.doc.meta.get_label("conversion_rate"),
				self.doc.company,
			)
		self.doc.conversion_rate = flt(self.doc.conversion_rate)

	def set_in_company_currency(self, row, fields):
		for field in fields:
			value = flt(row.get(field), row.precision(field)) * self.doc.conversion_rate
			row.set("base_" + field, flt(value, row.precision("base_" + field)))

	# items

	def calculate_item_values(self):
		for item in self.doc.items:
			self.doc.round_floats_in(item)
			self.set_item_rate(item)
			if item.qty or not (self.doc.get("is_return") or self.doc.get("is_debit_note")):
				item.amount = flt(item.rate * item.qty, item.precision("amount"))
			else:
				# a credit or debit over no quantity is a pure correction of the price
				sign = -1 if self.doc.get("is_return") else 1
				item.amount = flt(sign * item.rate, item.precision("amount"))
			item.net_rate, item.net_amount = item.rate, item.amount
			item.stock_qty = flt(item.qty * flt(item.conversion_factor or 1), item.precision("stock_qty"))
			self.set_in_company_currency(
				item, ["price_list_rate", "rate", "net_rate", "amount", "net_amount"]
			)

	@staticmethod
	def set_item_rate(item):
		list_rate = flt(item.price_list_rate)
		if flt(item.discount_percentage) == 100:
			item.rate = 0.0
		elif list_rate and not item.rate:
			item.rate = flt(list_rate * (1 - flt(item.discount_percentage) / 100), item.precision("rate"))
		if list_rate > 0:
			item.discount_amount = flt(list_rate - item.rate, item.precision("discount_amount"))

	# taxes

	def calculate_taxes_and_total(self):
		self.reset_taxes()
		self.take_inclusive_taxes_out()
		self.calculate_net_total()
		self.calculate_taxes()
		self.calculate_totals()

	def reset_taxes(self):
		keep_tax_amount = self.discount_applied and self.doc.apply_discount_on == "Grand Total"
		for tax in self.taxes:
			tax.total = tax.tax_amount_after_discount_amount = 0.0
			if tax.charge_type != "Actual" and not keep_tax_amount:
				tax.tax_amount = 0.0
			tax.tax_amount = flt(tax.tax_amount, tax.precision("tax_amount"))
		self.details = [{} for _tax in self.taxes]

	def take_inclusive_taxes_out(self):
		"""Reduce the net amount of items whose price includes taxes."""
		if self.discount_applied or not any(cint(tax.included_in_print_rate) for tax in self.taxes):
			return
		for item in self.doc.items:
			fractions, running, per_qty = [], [], 0.0
			for position, tax in enumerate(self.taxes):
				fraction = 0.0
				if cint(tax.included_in_print_rate):
					if tax.charge_type == "On Net Total":
						fraction = flt(tax.rate) / 100
					elif tax.charge_type == "On Previous Row Amount":
						fraction = flt(tax.rate) / 100 * fractions[cint(tax.row_id) - 1]
					elif tax.charge_type == "On Previous Row Total":
						fraction = flt(tax.rate) / 100 * running[cint(tax.row_id) - 1]
					elif tax.charge_type == "On Item Quantity":
						per_qty += flt(tax.rate)
				fractions.append(fraction)
				running.append((running[position - 1] if position else 1.0) + fraction)
			if item.qty and (sum(fractions) or per_qty):
				amount = flt(item.amount) - per_qty * flt(item.qty)
				item.net_amount = flt(amount / (1 + sum(fractions)), item.precision("net_amount"))
				item.net_rate = flt(item.net_amount / item.qty, item.precision("net_rate"))
				self.set_in_company_currency(item, ["net_rate", "net_amount"])

	def calculate_net_total(self):
		doc, items = self.doc, self.doc.items
		doc.total_qty = sum(flt(item.qty) for item in items)
		doc.total = sum(flt(item.amount) for item in items)
		doc.base_total = sum(flt(item.base_amount) for item in items)
		doc.net_total = sum(flt(item.net_amount) for item in items)
		doc.base_net_total = sum(flt(item.base_net_amount) for item in items)
		doc.round_floats_in(doc, ["total", "base_total", "net_total", "base_net_total"])

	def calculate_taxes(self):
		if not self.taxes:
			return
		keep_tax_amount = self.discount_applied and self.doc.apply_discount_on == "Grand Total"
		actual_left = {tax.idx: flt(tax.tax_amount) for tax in self.taxes if tax.charge_type == "Actual"}
		last_item = self.doc.items[-1]

		for item in self.doc.items:
			amounts, running = [], []
			for position, tax in enumerate(self.taxes):
				amount = self.tax_of_item(item, tax, amounts, running)
				if self.round_row_wise:
					amount = flt(amount, tax.precision("tax_amount"))
				if tax.charge_type == "Actual":
					# what the division loses goes to the last item
					actual_left[tax.idx] -= amount
					if item is last_item:
						amount += actual_left[tax.idx]
				elif not keep_tax_amount:
					tax.tax_amount += amount
				tax.tax_amount_after_discount_amount += amount
				self.add_tax_detail(position, item, tax, amount)
				amounts.append(amount)
				running.append((running[position - 1] if position else flt(item.net_amount)) + amount)

		total = self.doc.net_total
		for tax in self.taxes:
			for field in ("tax_amount", "tax_amount_after_discount_amount"):
				tax.set(field, flt(tax.get(field), tax.precision("tax_amount")))
			total = flt(total + tax.tax_amount_after_discount_amount, tax.precision("total"))
			tax.total = total
			self.set_in_company_currency(tax, ["tax_amount", "tax_amount_after_discount_amount", "total"])

	def tax_of_item(self, item, tax, amounts, running):
		rate = flt(tax.rate)
		if tax.charge_type == "Actual":
			return item.net_amount * flt(tax.tax_amount) / self.doc.net_total if self.doc.net_total else 0.0
		if tax.charge_type == "On Net Total":
			return rate / 100 * item.net_amount
		if tax.charge_type == "On Previous Row Amount":
			return rate / 100 * amounts[cint(tax.row_id) - 1]
		if tax.charge_type == "On Previous Row Total":
			return rate / 100 * running[cint(tax.row_id) - 1]
		if tax.charge_type == "On Item Quantity":
			return rate * flt(item.qty)
		return 0.0

	def add_tax_detail(self, position, item, tax, amount):
		key = item.item_code or item.item_name
		before = self.details[position].get(key, [0, 0.0])[1]
		self.details[position][key] = [flt(tax.rate), flt(before + amount * self.doc.conversion_rate)]

	def write_tax_details(self):
		for tax, detail in zip(self.taxes, self.details, strict=True):
			if not (self.doc.get("is_consolidated") or tax.get("dont_recompute_tax")):
				tax.item_wise_tax_detail = json.dumps(detail, separators=(",", ":"))

	# totals

	def calculate_totals(self):
		doc = self.doc
		difference = self.rounding_loss_of_taxes()
		doc.grand_total = (self.taxes[-1].total if self.taxes else doc.net_total) + difference
		doc.total_taxes_and_charges = flt(
			doc.grand_total - doc.net_total - difference, doc.precision("total_taxes_and_charges")
		)
		self.set_in_company_currency(doc, ["total_taxes_and_charges"])
		doc.base_grand_total = (
			flt(doc.grand_total * doc.conversion_rate)
			if doc.total_taxes_and_charges
			else flt(doc.base_net_total)
		)
		doc.round_floats_in(doc, ["grand_total", "base_grand_total"])
		self.set_rounded_total()

	def rounding_loss_of_taxes(self):
		"""The few cents by which rounded taxes miss a total that is given: the price or the discount."""
		if not self.taxes:
			return 0.0
		doc, last = self.doc, self.taxes[-1]
		total = flt(last.total, last.precision("total"))
		if any(cint(tax.included_in_print_rate) for tax in self.taxes):
			added = sum(
				flt(tax.tax_amount_after_discount_amount)
				for tax in self.taxes
				if not cint(tax.included_in_print_rate)
			)
			discount = flt(doc.discount_amount) if self.discount_applied else 0.0
			difference = flt(doc.total + added - discount - total, doc.precision("rounding_adjustment"))
			return difference if abs(difference) <= 5.0 / 10 ** last.precision("tax_amount") else 0.0
		if self.discount_applied and doc.apply_discount_on == "Grand Total":
			return flt(self.total_before_discount - doc.discount_amount - total, doc.precision("grand_total"))
		return 0.0

	def set_rounded_total(self):
		doc = self.doc
		if doc.get("is_consolidated") and doc.get("rounding_adjustment"):
			return
		if doc.is_rounded_total_disabled():
			doc.rounded_total = doc.base_rounded_total = 0
			doc.rounding_adjustment = doc.base_rounding_adjustment = 0
			return
		doc.rounded_total = round_based_on_smallest_currency_fraction(
			doc.grand_total, doc.currency, doc.precision("rounded_total")
		)
		doc.rounding_adjustment = flt(
			doc.rounded_total - doc.grand_total, doc.precision("rounding_adjustment")
		)
		self.set_in_company_currency(doc, ["rounding_adjustment", "rounded_total"])

	# discount on the whole document

	def spread_discount(self):
		"""Take the document's discount out of the items' net amounts. Return whether there was one."""
		doc = self.doc
		if flt(doc.additional_discount_percentage):
			base = flt(doc.get(scrub(doc.apply_discount_on or "Grand Total")))
			doc.discount_amount = flt(
				base * flt(doc.additional_discount_percentage) / 100, doc.precision("discount_amount")
			)
		self.set_in_company_currency(doc, ["discount_amount"])
		if not flt(doc.discount_amount):
			return False
		if not doc.apply_discount_on:
			frappe.throw(_("Please select Apply Discount On"))

		total = self.total_the_discount_is_part_of()
		if not total:
			return False
		exact = given = 0.0
		for item in doc.items:
			exact += item.net_amount - flt(doc.discount_amount) * item.net_amount / total
			# the rounding of each item is made up for by the next
			after = flt(exact - given, item.precision("net_amount"))
			item.distributed_discount_amount = flt(
				item.net_amount - after, item.precision("distributed_discount_amount")
			)
			given += after
			item.net_amount = after
			item.net_rate = flt(after / item.qty, item.precision("net_rate")) if item.qty else 0
			self.set_in_company_currency(item, ["net_rate", "net_amount"])
		return True

	def total_the_discount_is_part_of(self):
		doc = self.doc
		if doc.apply_discount_on == "Net Total" or not self.taxes:
			return doc.net_total
		self.total_before_discount = self.taxes[-1].total
		# fixed charges do not shrink with the items, nor do the taxes on them
		fixed, running, total_fixed = [], [], 0.0
		for tax in self.taxes:
			amount = 0.0
			if tax.charge_type in ("Actual", "On Item Quantity"):
				amount = flt(tax.tax_amount)
			elif tax.charge_type == "On Previous Row Amount":
				amount = flt(tax.rate) / 100 * fixed[cint(tax.row_id) - 1]
			elif tax.charge_type == "On Previous Row Total":
				amount = flt(tax.rate) / 100 * running[cint(tax.row_id) - 1]
			fixed.append(amount)
			total_fixed += amount
			running.append(total_fixed)
		return self.total_before_discount - total_fixed

	# payment

	def calculate_outstanding_amount(self):
		doc = self.doc
		self.calculate_paid_amount()
		if doc.is_return and doc.return_against and not doc.update_outstanding_for_self and not doc.is_pos:
			# the credit note settles the original instead of being open itself
			doc.outstanding_amount = 0
			return

		doc.round_floats_in(doc, ["grand_total", "write_off_amount"])
		self.set_in_company_currency(doc, ["write_off_amount"])
		prefix = "" if doc.party_account_currency == doc.currency else "base_"
		to_pay = flt(doc.get(prefix + "rounded_total")) or flt(doc.get(prefix + "grand_total"))
		to_pay = flt(
			to_pay - flt(doc.get(prefix + "write_off_amount")), doc.precision(prefix + "grand_total")
		)

		self.calculate_change_amount()
		if doc.is_pos and doc.is_return and doc.pos_profile and not doc.is_consolidated:
			self.trim_payments_of_return(to_pay)
		paid = flt(doc.get(prefix + "paid_amount")) - flt(doc.get(prefix + "change_amount"))
		doc.outstanding_amount = flt(to_pay - paid, doc.precision("outstanding_amount"))

	def calculate_paid_amount(self):
		doc = self.doc
		paid = base_paid = 0.0
		if doc.is_pos:
			for payment in doc.payments:
				payment.amount = flt(payment.amount)
				payment.base_amount = flt(
					payment.amount * doc.conversion_rate, payment.precision("base_amount")
				)
				paid += payment.amount
				base_paid += payment.base_amount
		elif not doc.is_return:
			doc.set("payments", [])

		if doc.redeem_loyalty_points and doc.loyalty_amount:
			base_paid += flt(doc.loyalty_amount)
			paid += flt(doc.loyalty_amount) / doc.conversion_rate
		doc.paid_amount = flt(paid, doc.precision("paid_amount"))
		doc.base_paid_amount = flt(base_paid, doc.precision("base_paid_amount"))

	def calculate_change_amount(self):
		doc = self.doc
		doc.change_amount = doc.base_change_amount = 0.0
		total = flt(doc.rounded_total) or flt(doc.grand_total)
		base_total = flt(doc.base_rounded_total) or flt(doc.base_grand_total)
		if (
			not doc.is_return
			and doc.paid_amount > total
			and any(payment.type == "Cash" for payment in doc.payments)
		):
			doc.change_amount = flt(doc.paid_amount - total, doc.precision("change_amount"))
			doc.base_change_amount = flt(
				doc.base_paid_amount - base_total, doc.precision("base_change_amount")
			)

	def trim_payments_of_return(self, to_pay):
		"""A return at the counter never pays back more than it is worth: the profile's default mode pays."""
		doc = self.doc
		field = "amount" if doc.party_account_currency == doc.currency else "base_amount"
		pending = to_pay - sum(flt(payment.get(field)) for payment in doc.payments)
		if pending <= 0:
			return
		mode = frappe.db.get_value(
			"POS Payment Method", {"parent": doc.pos_profile, "default": 1}, "mode_of_payment"
		)
		if mode:
			doc.set("payments", [{"mode_of_payment": mode, "amount": to_pay, "default": 1}])
			self.calculate_paid_amount()

	def calculate_write_off_amount(self):
		doc = self.doc
		if doc.write_off_outstanding_amount_automatically:
			doc.write_off_amount = flt(doc.outstanding_amount, doc.precision("write_off_amount"))
			self.set_in_company_currency(doc, ["write_off_amount"])
			self.calculate_outstanding_amount()
