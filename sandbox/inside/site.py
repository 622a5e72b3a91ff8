"""Installs apps on the site named by FRAPPE_SITE, migrates it, fills it: all by Frappe's own functions.

usage: python -m sandbox.inside.site install APP | migrate | demo
"""

import importlib.util
import os
import sys
import time

import frappe

from sandbox.inside.background import worker
from sandbox.inside.wizard import close


def install(app: str) -> None:
	"""Install an app."""
	from frappe.installer import install_app

	frappe.init(os.environ["FRAPPE_SITE"])
	frappe.connect()
	install_app(app)
	frappe.db.commit()
	run_waiting_jobs()
	if app not in frappe.get_installed_apps():
		raise RuntimeError(f"{app} did not get installed: its before_install refused")


def migrate() -> None:
	"""Bring the site to what the apps say now."""
	from frappe.migrate import SiteMigration

	SiteMigration(skip_search_index=True).run(site=os.environ["FRAPPE_SITE"])


def demo() -> None:
	"""Make the demo data."""
	frappe.init(os.environ["FRAPPE_SITE"])
	frappe.connect()
	if not (importlib.util.find_spec("sandbox.demo") and importlib.util.find_spec("sandbox.demo.make")):
		print("no demo data module (sandbox/demo/make.py): the site is empty")
		return
	started = time.monotonic()
	from sandbox.demo.make import run

	run()
	frappe.db.commit()
	run_waiting_jobs()
	print(f"Demo data made in {time.monotonic() - started:.0f} s")


def run_waiting_jobs() -> None:
	"""Do what was enqueued: the queue this site has now is gone when it is served."""
	from frappe.utils.background_jobs import get_queue, get_queue_list

	if not any(get_queue(name).count for name in get_queue_list()):
		return
	frappe.destroy()
	worker(burst=True)
	frappe.init(os.environ["FRAPPE_SITE"])
	frappe.connect()


if __name__ == "__main__":
	command, *arguments = sys.argv[1:]
	{"install": install, "migrate": migrate, "demo": demo}[command](*arguments)
	close()
