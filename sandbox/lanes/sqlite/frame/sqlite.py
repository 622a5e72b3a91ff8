"""SQLite as Frappe needs it: bound parameters, MySQL's functions, the write lock taken in time."""

import datetime
import decimal
import os
import re
import sqlite3

import frappe
from dateutil.relativedelta import relativedelta
from frappe.database.database import Database

from sandbox.lanes.sqlite.frame.libraries import FOR_UPDATE

# A transaction that writes waits this long for another one that does
BUSY_TIMEOUT_MS = 30_000

_NAMED = re.compile(r"%\((\w+)\)s")
_POSITIONAL = re.compile(r"%s|%%")
_INTERVAL = re.compile(
	r"(?P<value>NOW\(\)|CURDATE\(\)|CURRENT_(?:TIMESTAMP|DATE)|\"[^\"]+\"(?:\.\"[^\"]+\")?|:?[\w.]+)"
	r"\s*(?P<sign>[+-])\s*INTERVAL\s+'?(?P<count>\d+)'?\s*"
	r"(?P<unit>YEAR|QUARTER|MONTH|WEEK|DAY|HOUR|MINUTE|SECOND)'?",
	re.IGNORECASE,
)

# statements that are no part of a transaction, or begin one
_OUTSIDE = re.compile(r"\s*(PRAGMA|BEGIN|VACUUM|ATTACH|DETACH)\b", re.IGNORECASE)

sqlite3.register_adapter(decimal.Decimal, float)
sqlite3.register_adapter(datetime.timedelta, str)
sqlite3.register_adapter(datetime.time, str)


def execute_query(self, query, values=None):
	"""Execute with real bound parameters: the fork pasted quoted text, so that 5 became '5' and None 'None'.

	A transaction begins with its first statement, and then reads one state of the database to its end.
	"""
	if not self._conn.in_transaction and not _OUTSIDE.match(query):
		self._cursor.execute("BEGIN IMMEDIATE" if _going_to_write() else "BEGIN")
	if "INTERVAL" in query.upper():
		query = _INTERVAL.sub(r"date_shift(\g<value>, '\g<sign>', \g<count>, '\g<unit>')", query)
	if FOR_UPDATE in query:
		take_write_lock(self)
	if isinstance(values, dict):
		query, values = _bind_named(query, values)
	elif values:
		query, values = _bind_positional(query, values)
	return self._cursor.execute(query, values or ())


def _bind_named(query, values):
	bound = {}

	def place(match):
		key = match[1]
		value = values[key]
		if isinstance(value, list | tuple | set):
			names = [f"{key}__{i}" for i in range(len(value))]
			bound.update(zip(names, value, strict=True))
			return "(" + ", ".join(f":{name}" for name in names) + ")"
		bound[key] = value
		return f":{key}"

	return _NAMED.sub(place, query).replace("%%", "%"), bound


def _bind_positional(query, values):
	left = iter(values)
	bound = []

	def place(match):
		if match[0] == "%%":
			return "%"
		value = next(left)
		if isinstance(value, list | tuple | set):
			bound.extend(value)
			return "(" + ", ".join("?" * len(value)) + ")"
		bound.append(value)
		return "?"

	return _POSITIONAL.sub(place, query), bound


def take_write_lock(self) -> None:
	"""Take SQLite's one write lock, as SELECT … FOR UPDATE takes row locks elsewhere.

	A statement that writes nothing is enough. When this transaction has read before somebody else wrote, SQLite
	refuses; Frappe raises that as QueryDeadlockError, as it does for MariaDB's own refusals.
	"""
	self._cursor.execute("UPDATE `tabSingles` SET value = value WHERE 0")


def connect(self) -> None:
	"""Connect, with patience for whoever writes."""
	Database.connect(self)
	self._conn.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")


def set_execution_timeout(self, seconds) -> None:
	"""Leave the time to wait for the lock alone: SQLite cannot limit how long a statement runs."""


def _going_to_write() -> bool:
	"""Return whether the transaction that begins should take the write lock at once.

	Two transactions that first read and then write, as every naming series does, would fail or read the same
	number; so one that is going to write takes the lock before it reads.
	"""
	request = getattr(frappe.local, "request", None)
	if request:
		# what is read while the answer goes out must not lock others out until the client has taken it
		if getattr(frappe.local, "answered_request", None) is request:
			return False
		# the page of the desk notes on the user which versions were seen
		return request.method in ("POST", "PUT", "PATCH", "DELETE") or request.path.startswith(
			("/desk", "/app")
		)
	# in the background worker every transaction may write
	return bool(os.environ.get("SANDBOX_JOBS"))


# --- MySQL's functions, for Frappe's own queries and ordinary report SQL


def _moment(value):
	return datetime.datetime.fromisoformat(str(value))


def _null_in_null_out(function):
	return lambda *args: None if any(a is None for a in args) else function(*args)


def _date_shift(value, sign, count, unit):
	shift = (
		relativedelta(months=3 * count)
		if unit.upper() == "QUARTER"
		else relativedelta(**{f"{unit.lower()}s": count})
	)
	moment = _moment(value)
	moment = moment + shift if sign == "+" else moment - shift
	is_date = len(str(value)) == 10 and unit.upper() in ("YEAR", "QUARTER", "MONTH", "WEEK", "DAY")
	return str(moment.date() if is_date else moment)


def _date_format(value, pattern):
	# MySQL's %i is strftime's %M, its %M the month's name
	return _moment(value).strftime(
		re.sub("%[iMsh]", lambda m: {"%i": "%M", "%M": "%B", "%s": "%S", "%h": "%I"}[m[0]], pattern)
	)


FUNCTIONS = {
	"concat_ws": (-1, lambda glue, *args: glue.join(str(a) for a in args if a is not None)),
	"concat": (-1, _null_in_null_out(lambda *args: "".join(map(str, args)))),
	"if": (3, lambda condition, yes, no: yes if condition else no),
	"now": (0, lambda: str(datetime.datetime.now())),
	"curdate": (0, lambda: str(datetime.date.today())),
	"date_shift": (4, _null_in_null_out(_date_shift)),
	"datediff": (2, _null_in_null_out(lambda a, b: (_moment(a).date() - _moment(b).date()).days)),
	"year": (1, _null_in_null_out(lambda a: _moment(a).year)),
	"quarter": (1, _null_in_null_out(lambda a: (_moment(a).month + 2) // 3)),
	"month": (1, _null_in_null_out(lambda a: _moment(a).month)),
	"last_day": (
		1,
		_null_in_null_out(lambda a: str((_moment(a) + relativedelta(day=31)).date())),
	),
	"date_format": (2, _null_in_null_out(_date_format)),
	"timestamp": (2, _null_in_null_out(lambda day, time: f"{day} {time}")),
	"greatest": (-1, _null_in_null_out(lambda *args: max(args))),
	"least": (-1, _null_in_null_out(lambda *args: min(args))),
	"left": (2, _null_in_null_out(lambda text, n: str(text)[:n])),
	"lpad": (3, _null_in_null_out(lambda text, n, pad: str(text).rjust(n, pad)[:n])),
}


def add_functions(connection) -> None:
	"""Give a connection MySQL's functions."""
	for name, (arguments, function) in FUNCTIONS.items():
		connection.create_function(name, arguments, function)
