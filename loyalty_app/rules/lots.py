"""Lots: which points are spent, given back, taken back and expired.

A *lot* is an entry with positive points; `remaining` says how many are left of it. A *draw* is an entry
with negative points that names the lot it draws on. A draw that no lot covers (the lot was taken back
after its points were spent) is a *shortfall*: its `lot` is None and its `remaining` is its negative points,
so that what a member may spend is always the sum of `remaining`.

`settle` is the one way points move. It takes the entries that matter and what a voucher should have, and
returns the entries as they should be; the caller writes the difference. Being a function of the wanted
state, it gives the same answer however often it is asked.
"""

import enum
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple

from loyalty_app.rules.earning import NEVER, EarnOn
from loyalty_app.rules.promotions import Given


class Kind(str, enum.Enum):
	"""Values are the options of Loyalty Point Entry's *Entry Type*."""

	EARNED = "Earned"
	REDEEMED = "Redeemed"
	EXPIRED = "Expired"
	ADJUSTED = "Adjusted"


class Voucher(NamedTuple):
	"""The document an entry belongs to; both None for an entry without one."""

	doctype: str | None
	name: str | None


@dataclass(frozen=True, slots=True)
class Terms:
	"""The program's terms at the moment of earning, recorded so that a later return is computed by them.

	`factor` is None where no tier was reached; `excluded_items` are the item codes that did not earn; `promotions` what
	promotions gave for the invoice, before anything was returned.
	"""

	factor: Decimal | None = None
	earn_on: EarnOn = EarnOn.GRAND_TOTAL
	excluded_items: tuple[str, ...] = ()
	promotions: tuple[Given, ...] = ()


@dataclass(frozen=True, slots=True)
class Entry:
	"""A Loyalty Point Entry, as far as the rules care.

	`spendable_from` is None where that is the posting date. A draw has its lot's.
	"""

	name: str
	kind: Kind
	voucher: Voucher
	points: int
	remaining: int
	posting_date: date
	expiry_date: date
	lot: str | None = None
	tier: str | None = None
	purchase_amount: Decimal = Decimal(0)
	terms: Terms | None = None
	reason: str | None = None
	spendable_from: date | None = None

	@property
	def first_day(self) -> date:
		"""The first day on which its points may be spent."""
		return self.spendable_from or self.posting_date

	@property
	def is_lot(self) -> bool:
		return self.points > 0

	@property
	def is_spending(self) -> bool:
		"""Takes points out by a decision: redeemed or adjusted away, not expired."""
		return self.points < 0 and self.kind is not Kind.EXPIRED

	@property
	def is_shortfall(self) -> bool:
		return self.is_spending and self.lot is None


@dataclass(frozen=True, slots=True)
class Earning:
	"""A lot that a voucher should have. Zero points are an entry all the same: its purchase amount is spend.

	`terms` are those of an invoice; None for points that nothing was spent on. `spendable_from` as in `Entry`.
	"""

	points: int
	purchase_amount: Decimal
	posting_date: date
	expiry_date: date
	tier: str | None
	terms: Terms | None = None
	spendable_from: date | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
	"""What a voucher's entries should come to.

	earnings: the lots it should have.
	redeem: points spent by the voucher in all.
	redeem_on: the posting date that decides which lots may be drawn on.
	on: the date of the event, from which on other lots may cover a shortfall.
	today: lots that were good through a day before it are closed.
	strict: refuse to redeem more than is spendable; otherwise the rest is recorded as a shortfall.
	block_spent: refuse to take back points that other vouchers have spent already.
	lot_kind, draw_kind: of its lots and of the rows that spend; entries of other kinds are none of its business.
	reason: why, where no invoice says so.
	from_lot: the name of the one lot that may be drawn on.
	adds: it comes on top of what the voucher has already.
	"""

	voucher: Voucher
	earnings: tuple[Earning, ...]
	redeem: int
	redeem_on: date
	on: date
	today: date
	strict: bool = True
	block_spent: bool = False
	lot_kind: Kind = Kind.EARNED
	draw_kind: Kind = Kind.REDEEMED
	reason: str | None = None
	from_lot: str | None = None
	adds: bool = False


class NotEnoughPoints(Exception):
	"""More points asked for than are spendable on the posting date."""

	def __init__(self, asked: int, spendable: int):
		super().__init__(f"{asked} points asked for, {spendable} spendable")
		self.asked = asked
		self.spendable = spendable


class NoSuchLot(Exception):
	"""The lot named to be drawn on is none of the member's."""


class AlreadySpent(Exception):
	"""Points to be taken back were spent by `vouchers`, and the program does not allow that.

	Among them may be one without a name: what other code has taken off.
	"""

	def __init__(self, points: int, vouchers: tuple[Voucher, ...]):
		super().__init__(f"{points} points already spent by {vouchers}")
		self.points = points
		self.vouchers = vouchers


def draw_order(lot: Entry) -> tuple:
	"""Earliest expiry first, then earliest posting, then name (rules 5)."""
	return lot.expiry_date, lot.posting_date, lot.name


def spendable(entries: Iterable[Entry], on: date, voucher: Voucher | None = None) -> int:
	"""Points that may be spent on the posting date `on`, negative after points already spent were taken back.

	Points earned by `voucher` itself do not count: an invoice cannot be paid with what it earns.
	"""
	return sum(e.remaining for e in entries if e.is_shortfall or _can_pay(e, on, voucher))


def _can_pay(lot: Entry, on: date, voucher: Voucher | None) -> bool:
	return lot.is_lot and lot.first_day <= on <= lot.expiry_date and not _same(lot.voucher, voucher)


def _same(one: Voucher, other: Voucher | None) -> bool:
	"""Whether two entries belong to the same document; entries without a document never do."""
	return one.name is not None and one == other


def has_enough(lots: Iterable[Entry], entries: Iterable[Entry], wanted: Wanted, needed: int) -> bool:
	"""Whether `lots`, the first open ones in the order of drawing, are sure to decide `settle`.

	`needed` points is what redemption and shortfalls can come to at the most. Lots of a voucher among `entries`
	that has spent points do not count, as they may not cover its own shortfall.
	"""
	spenders = {e.voucher for e in entries if e.is_spending} | {wanted.voucher}
	usable = [e for e in lots if e.is_lot and (e.voucher.name is None or e.voucher not in spenders)]
	to_draw = sum(e.remaining for e in usable if _can_pay(e, wanted.redeem_on, wanted.voucher))
	to_cover = sum(e.remaining for e in usable if _can_cover(e, wanted.on))
	return min(to_draw, to_cover) >= needed


def _can_cover(lot: Entry, on: date) -> bool:
	return lot.is_lot and lot.remaining > 0 and lot.expiry_date >= on


def settle(entries: Iterable[Entry], wanted: Wanted, new_name: Callable[[], str]) -> dict[str, Entry]:
	"""Bring a voucher's entries to what is wanted; return all entries by name.

	`entries` must hold the voucher's own, the lots those draw on, the draws on the voucher's lots, all
	shortfalls, and lots in the order of drawing until `has_enough`. Expiry rows among them, with their lots,
	are reopened first; what has expired is closed (again) after, so that a redemption posted before the expiry
	finds its points, and no lot that has expired stays open.

	Raises NotEnoughPoints, NoSuchLot, AlreadySpent.
	"""
	book = _Book(entries, new_name)
	book.reopen()
	book.release(wanted)
	book.replace_lots(wanted)
	book.draw(wanted)
	book.cover(wanted.on)
	book.close_expired(wanted.today)
	return book.result()


def cover(entries: Iterable[Entry], on: date, new_name: Callable[[], str]) -> dict[str, Entry]:
	"""Let lots that are good on `on` cover the shortfalls among `entries`; return all by name."""
	book = _Book(entries, new_name)
	book.cover(on)
	return book.result()


def adopt(entries: Iterable[Entry], today: date, new_name: Callable[[], str]) -> dict[str, Entry]:
	"""Put entries in order that something else wrote, without changing what is spendable; return all by name.

	Lots get what was not drawn from them. What was drawn from a lot beyond its points, or from none, is a
	shortfall that other lots cover as far as they reach; where it has expired and counts no more, a lot of its
	own, expired as well, stands against it.
	"""
	book = _Book([], new_name)
	draws = []
	for entry in entries:
		if entry.points < 0:
			draws.append(entry)
		else:
			book.put(replace(entry, lot=None, remaining=entry.points))
	for draw in sorted(draws, key=lambda e: (e.posting_date, e.name)):
		lot = book.entries.get(draw.lot) if draw.lot else None
		covered = min(lot.remaining, -draw.points) if lot else 0
		book.put(replace(draw, lot=None, remaining=draw.points))
		if covered:
			book.move(draw, covered, lot.name)
		short = book.entries[draw.name]
		if short.lot is None and short.points and draw.expiry_date < today:
			against = replace(
				draw,
				name=new_name(),
				kind=Kind.ADJUSTED,
				points=-short.points,
				remaining=-short.points,
				lot=None,
			)
			book.put(against)
			book.move(short, -short.points, against.name)
		elif short.lot is None:
			book.put(replace(short, expiry_date=NEVER))
	book.cover(today)
	return book.result()


def expire(entries: Iterable[Entry], today: date, new_name: Callable[[], str]) -> dict[str, Entry]:
	"""Close the lots among `entries` that were good through a day before `today`; return all by name.

	The model by which tests judge `ledger.expiry`, which does the same for many memberships in a few statements.
	"""
	book = _Book(entries, new_name)
	book.close_expired(today)
	return book.result()


def _lot_key(lot: Entry | Earning) -> tuple:
	"""What makes two lots of a voucher alike."""
	return lot.points, lot.purchase_amount, lot.expiry_date


def _row_key(draw: Entry) -> tuple:
	return draw.voucher, draw.kind, draw.lot, draw.posting_date, draw.reason


@dataclass(slots=True)
class _Book:
	"""A working copy of some entries of one membership."""

	entries: dict[str, Entry]
	new_name: Callable[[], str]
	# Draws by what makes them one row: a book of many lots is not searched for each of them.
	rows: dict[tuple, str] = field(default_factory=dict)
	# Draws that were given back whole. They are no entries any more, but are the first to be used again.
	emptied: set[str] = field(default_factory=set)

	def __init__(self, entries: Iterable[Entry], new_name: Callable[[], str]):
		self.entries, self.rows, self.emptied = {}, {}, set()
		for entry in entries:
			self.put(entry)
		self.new_name = new_name

	def result(self) -> dict[str, Entry]:
		return {name: e for name, e in self.entries.items() if name not in self.emptied}

	def put(self, entry: Entry) -> None:
		self.entries[entry.name] = entry
		if entry.points <= 0:
			self.rows[_row_key(entry)] = entry.name

	def row_like(self, draw: Entry) -> Entry | None:
		"""The row, if there is one, that draws on the same lot for the same voucher, kind, day and reason."""
		row = self.entries.get(self.rows.get(_row_key(draw), ""))
		# What stands under this key may have been moved to another lot, or become a lot, since.
		return row if row and row.points <= 0 and not row.terms and _row_key(row) == _row_key(draw) else None

	def where(self, condition: Callable[[Entry], bool]) -> list[Entry]:
		return [e for e in self.entries.values() if condition(e)]

	def move(self, draw: Entry, points: int, to: str | None) -> None:
		"""Make `points` of `draw` (positive) draw on the lot named `to`, or on none."""
		self.give_back(draw, points)
		self.take(draw, points, to)

	def give_back(self, draw: Entry, points: int) -> None:
		draw = self.entries[draw.name]
		draw = replace(draw, points=draw.points + points)
		if not draw.points:
			self.emptied.add(draw.name)
		if draw.lot is None:
			draw = replace(draw, remaining=draw.points)
		elif lot := self.entries.get(draw.lot):
			# An overdrawn lot, too, has never more left than it had.
			self.put(replace(lot, remaining=min(lot.points, lot.remaining + points)))
		self.put(draw)

	def take(self, like: Entry, points: int, lot_name: str | None) -> None:
		"""Draw `points` (positive) for the voucher and kind of `like`: one row a lot."""
		row = self.row_like(replace(like, lot=lot_name))
		if not row:
			name = like.name if like.name in self.emptied else self.new_name()
			row = replace(like, name=name, points=0, remaining=0, lot=lot_name)
		self.emptied.discard(row.name)
		row = replace(row, points=row.points - points)
		if lot_name is None:
			# Without a lot there is no date on which the debt would lapse.
			row = replace(row, remaining=row.points, expiry_date=NEVER, spendable_from=None)
		else:
			lot = self.entries[lot_name]
			self.put(replace(lot, remaining=lot.remaining - points))
			row = replace(row, expiry_date=lot.expiry_date, tier=lot.tier, spendable_from=lot.spendable_from)
		self.put(row)

	def take_from(self, lots: Iterable[Entry], like: Entry, points: int) -> None:
		for lot in sorted(lots, key=draw_order):
			# Less than nothing is left of a lot where somebody has changed its points in the table.
			if (part := min(points, lot.remaining)) > 0:
				self.take(like, part, lot.name)
				points -= part

	def reopen(self) -> None:
		"""Give expired points back to their lots."""
		for row in self.where(lambda e: e.kind is Kind.EXPIRED):
			self.give_back(row, -row.points)

	def close_expired(self, today: date) -> None:
		for lot in self.where(lambda e: e.is_lot and e.remaining > 0 and e.expiry_date < today):
			row = Entry(
				name="",
				kind=Kind.EXPIRED,
				voucher=lot.voucher,
				points=0,
				remaining=0,
				posting_date=lot.expiry_date + timedelta(days=1),
				expiry_date=lot.expiry_date,
			)
			self.take(row, lot.remaining, lot.name)

	def own(self, wanted: Wanted, kind: Kind) -> list[Entry]:
		"""The entries of `kind` that what is wanted is to take the place of."""
		return self.where(
			lambda e: (
				e.kind is kind
				and not wanted.adds
				and _same(e.voucher, wanted.voucher)
				and e.name not in self.emptied
			)
		)

	def own_lots(self, wanted: Wanted) -> list[Entry]:
		return [e for e in self.own(wanted, wanted.lot_kind) if e.points >= 0]

	def own_draws(self, wanted: Wanted) -> list[Entry]:
		return [e for e in self.own(wanted, wanted.draw_kind) if e.points < 0]

	def release(self, wanted: Wanted) -> None:
		"""Give back what the voucher redeemed too much: shortfalls first, then the points that were drawn last."""
		rows = self.own_draws(wanted)
		surplus = -sum(r.points for r in rows) - wanted.redeem
		for row in sorted(rows, key=self._order_of_lot, reverse=True):
			points = min(max(surplus, 0), -row.points)
			if points:
				self.give_back(row, points)
				surplus -= points

	def _order_of_lot(self, draw: Entry) -> tuple:
		"""When `draw` was drawn, among those of its voucher: as its lot comes, a shortfall after all lots."""
		return draw.lot is None, draw_order(self.entries.get(draw.lot, draw))

	def replace_lots(self, wanted: Wanted) -> None:
		own = self.own_lots(wanted)
		if sorted(map(_lot_key, own)) == sorted(map(_lot_key, wanted.earnings)):
			return

		names = {e.name for e in own}
		draws = self.where(lambda e: e.lot in names and e.is_spending)
		overdrawn = -sum(d.points for d in draws) - sum(e.points for e in wanted.earnings)
		if overdrawn > 0 and wanted.block_spent:
			vouchers = {d.voucher for d in draws}
			raise AlreadySpent(
				overdrawn, tuple(sorted(vouchers, key=lambda v: (v.name or "", v.doctype or "")))
			)

		new = [self.new_lot(earning, wanted) for earning in wanted.earnings]
		# First spent, first kept: the latest spending is what the points no longer reach for.
		for draw in sorted(draws, key=lambda d: (d.posting_date, d.name)):
			short = -draw.points
			for lot in sorted(new, key=draw_order):
				if kept := min(short, self.entries[lot.name].remaining):
					self.move(draw, kept, lot.name)
					short -= kept
			if short:
				self.move(draw, short, None)
		for name in names:
			for row in self.where(lambda e: e.kind is Kind.EXPIRED and e.lot == name):
				del self.entries[row.name]
			del self.entries[name]

	def new_lot(self, earning: Earning, wanted: Wanted) -> Entry:
		lot = Entry(
			name=self.new_name(),
			kind=wanted.lot_kind,
			voucher=wanted.voucher,
			points=earning.points,
			remaining=earning.points,
			posting_date=earning.posting_date,
			expiry_date=earning.expiry_date,
			tier=earning.tier,
			purchase_amount=earning.purchase_amount,
			terms=earning.terms,
			reason=wanted.reason,
			spendable_from=earning.spendable_from,
		)
		self.put(lot)
		return lot

	def draw(self, wanted: Wanted) -> None:
		missing = wanted.redeem + sum(r.points for r in self.own_draws(wanted))
		if missing <= 0:
			return
		lots = self.where(lambda e: _can_pay(e, wanted.redeem_on, wanted.voucher))
		available = spendable(self.entries.values(), wanted.redeem_on, wanted.voucher)
		if wanted.from_lot:
			if wanted.from_lot not in self.entries or not self.entries[wanted.from_lot].is_lot:
				raise NoSuchLot
			lots = [e for e in lots if e.name == wanted.from_lot]
			available = min(available, sum(e.remaining for e in lots))
		payable = min(missing, max(available, 0))
		if missing > payable and wanted.strict:
			raise NotEnoughPoints(missing, payable)
		row = Entry(
			name="",
			kind=wanted.draw_kind,
			voucher=wanted.voucher,
			points=0,
			remaining=0,
			posting_date=wanted.redeem_on,
			expiry_date=NEVER,
			reason=wanted.reason,
		)
		self.take_from(lots, row, payable)
		if missing > payable:
			self.take(row, missing - payable, None)

	def cover(self, on: date) -> None:
		"""Let lots that are good on `on` cover shortfalls, oldest spending first."""
		for debt in sorted(self.where(lambda e: e.is_shortfall), key=lambda e: (e.posting_date, e.name)):
			owed = -debt.points
			for lot in sorted(self.where(lambda e: _can_cover(e, on)), key=draw_order):
				if owed and not _same(lot.voucher, debt.voucher):
					points = min(owed, lot.remaining)
					self.move(debt, points, lot.name)
					owed -= points
