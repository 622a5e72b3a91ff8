"""The web server of a site: gunicorn for the demo, werkzeug with reloading for `sandbox/bench serve`.

usage: python -m sandbox.inside.web PORT [--reload]
"""

import os
import sys

from werkzeug.middleware.shared_data import SharedDataMiddleware

THREADS = 8


def application():
	"""Return Frappe's WSGI application with the site's static files in front of it."""
	import frappe.app
	from frappe.middlewares import StaticDataMiddleware

	# Frappe looks here before it takes the site's name from the address
	frappe.app._site = os.environ["FRAPPE_SITE"]
	assets = os.path.join(os.environ["FRAPPE_SITES"], "assets")
	app = SharedDataMiddleware(frappe.app.application, {"/assets": assets}, cache_timeout=3600)
	return StaticDataMiddleware(app, {"/files": os.environ["SANDBOX_FILES"]})


def serve_threads(port: int) -> None:
	"""Serve with gunicorn: one process, several threads."""
	from gunicorn.app.base import BaseApplication

	class Server(BaseApplication):
		def load_config(self):
			settings = {
				"bind": f"127.0.0.1:{port}",
				"worker_class": "gthread",
				"threads": THREADS,
				"timeout": 120,
				"graceful_timeout": 5,
				"keepalive": 5,
				"accesslog": os.environ.get("SANDBOX_ACCESS_LOG"),
				"loglevel": "warning",
			}
			for key, value in settings.items():
				self.cfg.set(key, value)

		def load(self):
			return application()

	Server().run()


def serve_reloading(port: int) -> None:
	"""Serve with werkzeug, restarting when a Python file changes."""
	from werkzeug.serving import run_simple

	run_simple(
		"127.0.0.1", port, application(), threaded=True, use_reloader=True, exclude_patterns=["*/test_*"]
	)


if __name__ == "__main__":
	arguments = sys.argv[1:]
	port = int(next(a for a in arguments if a.isdigit()))
	serve_reloading(port) if "--reload" in arguments else serve_threads(port)
