"""Scheduler and background jobs."""


def mend(tree):
	tree.sub(
		"utils/scheduler.py",
		"\t\ttime.sleep(sleep_duration(tick))\n\t\tenqueue_events()\n",
		"\t\ttime.sleep(sleep_duration(tick))\n\t\tenqueue_events_for_site()\n",
		"the scheduler called a function defined twice, got the one that needs a connection, had none, and ended",
	)
	tree.sub(
		"utils/scheduler.py",
		"\t\tif frappe.db.is_access_denied(e):",
		"\t\tif frappe.db and frappe.db.is_access_denied(e):",
		"an error before the connection was there ended the scheduler instead of being logged",
	)
