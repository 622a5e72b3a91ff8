"""Makes the published releases of libraries do what Frappe expects of its own forks of them.

Imported before anything else of the engine.
"""

from pypika import dialects
from pypika.enums import Dialects
from pypika.queries import QueryBuilder

from sandbox.lanes.fork.libraries import GOOGLE, stub

FOR_UPDATE = "/*for update*/"


def _pypika() -> None:
	builder = dialects.SQLLiteQueryBuilder

	def __init__(self, **kwargs):
		# the release passes wrapper_cls itself and refuses Frappe's
		kwargs.setdefault("wrapper_cls", dialects.SQLLiteValueWrapper)
		QueryBuilder.__init__(self, dialect=Dialects.SQLLITE, **kwargs)
		self._insert_or_replace = False
		self._locks = False

	def for_update(self, *args, **kwargs):
		# SQLite has no row locks; frame.sqlite takes the database's write lock when it sees the mark
		self._locks = True
		return self

	def _for_update_sql(self, **kwargs):
		return f" {FOR_UPDATE}" if self._locks else ""

	def _insert_sql(self, **kwargs):
		# INSERT IGNORE is MySQL's spelling
		ignore = "OR IGNORE " if self._ignore else ""
		return f"INSERT {ignore}INTO {self._insert_table.get_sql(**kwargs)}"

	def get_sql(self, *args, **kwargs):
		sql = QueryBuilder.get_sql(self, *args, **kwargs)
		return sql if not self._locks or FOR_UPDATE in sql else f"{sql} {FOR_UPDATE}"

	builder.__init__ = __init__
	builder.for_update = for_update
	builder._for_update_sql = _for_update_sql
	builder._insert_sql = _insert_sql
	builder.get_sql = get_sql


_pypika()
# three doctype controllers import them (90 MB, optional) at module level
stub(GOOGLE)
