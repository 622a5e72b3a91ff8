"""bench's everyday commands on the site named by FRAPPE_SITE: thin over Frappe's own functions."""

import argparse
import json
import operator
import os
import sys

import frappe


def main(arguments: list[str]) -> int:
	"""Run one command; return the exit code."""
	parser = argparse.ArgumentParser(prog="sandbox/bench")
	commands = parser.add_subparsers(dest="command", required=True)

	commands.add_parser("migrate").add_argument("--skip-failing", action="store_true")
	commands.add_parser("console").add_argument("--autoreload", action="store_true")
	execute = commands.add_parser("execute")
	execute.add_argument("method")
	execute.add_argument("--args", default="[]", help="JSON list")
	execute.add_argument("--kwargs", default="{}", help="JSON object")
	backup = commands.add_parser("backup")
	backup.add_argument("--with-files", action="store_true")
	commands.add_parser("install-app").add_argument("app")
	uninstall = commands.add_parser("uninstall-app")
	uninstall.add_argument("app")
	uninstall.add_argument("--yes", "-y", action="store_true")
	uninstall.add_argument("--dry-run", action="store_true")
	uninstall.add_argument("--no-backup", action="store_true")
	uninstall.add_argument("--force", action="store_true")
	commands.add_parser("list-apps")
	commands.add_parser("clear-cache")
	options = parser.parse_args(arguments)

	if options.command == "migrate":
		from frappe.migrate import SiteMigration

		SiteMigration(skip_failing=options.skip_failing, skip_search_index=True).run(
			os.environ["FRAPPE_SITE"]
		)
		return 0

	frappe.init(os.environ["FRAPPE_SITE"])
	frappe.connect()
	try:
		globals()[options.command.replace("-", "_")](options)
	finally:
		frappe.destroy()
	return 0


def console(options) -> None:
	"""Open a Python console with frappe and the installed apps in it."""
	from IPython.terminal.embed import InteractiveShellEmbed

	names = {app: __import__(app) for app in frappe.get_installed_apps()}
	shell = InteractiveShellEmbed(user_ns=names | {"frappe": frappe})
	if options.autoreload:
		shell.run_line_magic("load_ext", "autoreload")
		shell.run_line_magic("autoreload", "2")
	print("Apps in this namespace:", ", ".join(names))
	if sys.stdin.isatty():
		shell()
	else:
		exec(compile(sys.stdin.read(), "<console>", "exec"), shell.user_ns)


def execute(options) -> None:
	"""Call a function and print what it returns, if anything."""
	try:
		method = frappe.get_attr(options.method)
	except (ImportError, AttributeError):
		# what hangs on a module's attribute, as frappe.db.count does
		method = operator.attrgetter(options.method.partition(".")[2])(
			frappe.get_module(options.method.split(".")[0])
		)
	answer = method(*json.loads(options.args), **json.loads(options.kwargs))
	frappe.db.commit()
	if answer is not None:
		print(frappe.as_json(answer) if isinstance(answer, dict | list | tuple) else answer)


def backup(options) -> None:
	"""Write a backup to the site's private/backups."""
	from frappe.utils.backups import scheduled_backup

	made = scheduled_backup(ignore_files=not options.with_files, force=True)
	print(f"Backup: {os.path.abspath(made.backup_path_db)}")


def install_app(options) -> None:
	"""Install an app on the site."""
	from frappe.installer import install_app

	install_app(options.app)
	frappe.db.commit()


def uninstall_app(options) -> None:
	"""Remove an app and everything that belongs to it from the site."""
	from frappe.installer import remove_app

	remove_app(
		options.app,
		dry_run=options.dry_run,
		yes=options.yes,
		no_backup=options.no_backup,
		force=options.force,
	)


def list_apps(options) -> None:
	"""Print the site's apps with their versions."""
	for app in frappe.get_installed_apps():
		print(f"{app} {getattr(frappe.get_module(app), '__version__', '')}".rstrip())


def clear_cache(options) -> None:
	"""Forget everything that is cached for the site."""
	frappe.clear_cache()


if __name__ == "__main__":
	sys.exit(main(sys.argv[1:]))
