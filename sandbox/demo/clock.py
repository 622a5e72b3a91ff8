"""A clock that can be put back, for documents that are made now as if they were made then."""

import datetime
import time
from zoneinfo import ZoneInfo

import frappe
from freezegun import api, freeze_time


class Clock:
	"""While entered, `datetime.now` and what Frappe derives from it say what was last `set`, and tick on.

	Creation stamps, naming series, default dates and nightly jobs all follow. One freeze for the whole run:
	each start looks through every loaded module, moving costs nothing.
	"""

	def __init__(self, moment: datetime.datetime):
		self.zone = ZoneInfo(frappe.utils.get_system_timezone())
		self.freezer = freeze_time(self._utc(moment), tick=True)

	def __enter__(self) -> "Clock":
		self.frozen = self.freezer.start()
		# durations stay real: with every step of the clock caches would take what they hold for stale
		time.monotonic, time.perf_counter = api.real_monotonic, api.real_perf_counter
		return self

	def __exit__(self, *exception) -> None:
		self.freezer.stop()

	def set(self, moment: datetime.datetime) -> None:
		"""Put the clock on to a moment of the site's time zone; back it never goes, like any other."""
		if moment > frappe.utils.now_datetime():
			self.frozen.move_to(self._utc(moment))

	def _utc(self, moment: datetime.datetime) -> datetime.datetime:
		return moment.replace(tzinfo=self.zone).astimezone(datetime.UTC).replace(tzinfo=None)
