"""What the database does for a statement: counted, so that it does not depend on the machine."""

from contextlib import contextmanager
from itertools import count
from typing import Any, NamedTuple
from unittest.mock import patch

import frappe

from loyalty_app.tests.utils import is_asked_by_this_app


class Statement(NamedTuple):
	"""A statement that this app asked for. `work`: the rows that the database read for it, on SQLite its instructions."""

	query: str
	values: Any
	work: int


@contextmanager
def count_work():
	"""Collect the statements of this app, with the work that the database does for them."""
	found, original = [], frappe.db.sql

	def counted(query, *args, **kwargs):
		if not is_asked_by_this_app():
			return original(query, *args, **kwargs)
		with counting(original) as work:
			answer = original(query, *args, **kwargs)
		values = args[0] if args else kwargs.get("values")
		found.append(Statement(str(query), values, work[0]))
		return answer

	with patch.object(frappe.db, "sql", counted):
		yield found


def work_in(statements: list[Statement]) -> int:
	return sum(statement.work for statement in statements)


def work_of(act, *arguments) -> int:
	"""What the database does for `act`, as `count_work` counts it, whoever asks."""
	with counting(frappe.db.sql) as work:
		act(*arguments)
	return work[0]


def counting(sql):
	"""Collect in a list what the database does meanwhile; `sql` asks it."""
	return _count_instructions() if frappe.db.db_type == "sqlite" else _count_rows(sql)


@contextmanager
def _count_rows(sql):
	def read():
		return sum(int(rows) for _name, rows in sql("show session status like 'Handler_read%'"))

	work, before = [], read()
	# Asking reads rows, too.
	asking = read() - before
	before = read()
	yield work
	work.append(read() - before - asking)


@contextmanager
def _count_instructions():
	work, steps = [], count(1)
	frappe.db._conn.set_progress_handler(lambda: next(steps) and None, 10)
	yield work
	frappe.db._conn.set_progress_handler(None, 0)
	work.append(next(steps))
