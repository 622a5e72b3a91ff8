"""Several apps on one site: what Frappe does, put back where the fork hard-wired itself."""

import inspect
import json
import types

import click
import frappe
from frappe import _dict
from frappe.utils.caching import request_cache

# --- which apps there are, and their hooks (frappe/__init__.py)


def get_app_path(app_name, *joins):
	"""Return the path of the app's package."""
	return frappe.get_pymodule_path(app_name, *joins)


def get_app_source_path(app_name, *joins):
	"""Return the path of the app's repository."""
	return get_app_path(app_name, "..", *joins)


def get_all_apps(with_internal_apps=True, sites_path=None) -> list[str]:
	"""Return the bench's apps: sites/apps.txt, with frappe first."""
	path = f"{sites_path or frappe.local.sites_path}/apps.txt"
	apps = [app for app in frappe.get_file_items(path, raise_not_found=True) if app != "frappe"]
	return ["frappe", *apps] if with_internal_apps else apps


@request_cache
def get_installed_apps(*, _ensure_on_bench=False) -> list[str]:
	"""Return the site's apps in the order of installation."""
	if getattr(frappe.flags, "in_install_db", True):
		return []
	asked_before_connecting = not frappe.db
	if asked_before_connecting:
		frappe.connect(set_admin_as_user=False)
	installed = json.loads(frappe.db.get_global("installed_apps") or "[]")
	if asked_before_connecting:
		# frappe.init() asks, and whoever called it connects next: two connections would lock each other out
		frappe.db.close()
		frappe.local.db = None
	if _ensure_on_bench:
		on_bench = get_all_apps()
		installed = [app for app in installed if app in on_bench]
	return installed


def _load_app_hooks(app_name=None) -> dict:
	hooks = {}
	for app in [app_name] if app_name else get_installed_apps(_ensure_on_bench=True):
		module = frappe.get_module(f"{app}.hooks")
		for key, value in inspect.getmembers(module, predicate=_is_hook):
			if not key.startswith("_"):
				frappe.append_hook(hooks, key, value)
	return hooks


def _is_hook(obj) -> bool:
	return not isinstance(obj, types.ModuleType | types.FunctionType | type)


def get_hooks(hook=None, default="_KEEP_DEFAULT_LIST", app_name=None):
	"""Return the hooks of one app, or of all installed apps merged in the order of installation."""
	if app_name:
		hooks = frappe._request_cached_load_app_hooks(app_name)
	elif frappe.local.conf.developer_mode:
		hooks = frappe._site_cached_load_app_hooks() if get_installed_apps() else _load_app_hooks()
	else:
		hooks = frappe.client_cache.get_value("app_hooks")
		if hooks is None:
			hooks = _load_app_hooks()
			# before the first app is installed there is nothing worth remembering
			if get_installed_apps():
				frappe.client_cache.set_value("app_hooks", hooks)
	if hook:
		return hooks.get(hook, [] if default == "_KEEP_DEFAULT_LIST" else default)
	return _dict(hooks)


def setup_module_map(include_all_apps=True) -> None:
	"""Fill frappe.local.app_modules and module_app."""
	cache, key = (
		(frappe.cache, "app_modules") if include_all_apps else (frappe.client_cache, "installed_app_modules")
	)
	app_modules = cache.get_value(key)
	if not app_modules:
		apps = get_all_apps() if include_all_apps else get_installed_apps(_ensure_on_bench=True)
		app_modules = {
			app: [frappe.scrub(module) for module in frappe.get_module_list(app)]
			for app in apps or ["frappe"]
		}
		if include_all_apps or apps:
			cache.set_value(key, app_modules)
	frappe.local.app_modules = app_modules
	frappe.local.module_app = {module: app for app, modules in app_modules.items() for module in modules}


# --- installing and removing (frappe/installer.py)


def install_app(name, verbose=False, set_as_patched=True, force=False):
	"""Install an app on the site, and before it the apps it requires."""
	from frappe.core.doctype.scheduled_job_type.scheduled_job_type import sync_jobs
	from frappe.installer import add_module_defs, parse_app_name, set_all_patches_as_completed
	from frappe.model.module_utils import sync_customizations
	from frappe.model.sync import sync_for
	from frappe.utils.dashboard import sync_dashboards
	from frappe.utils.fixtures import sync_fixtures

	frappe.flags.in_install = name
	frappe.flags.ignore_in_install = False
	frappe.clear_cache()

	if name not in get_all_apps():
		raise frappe.ValidationError(f"App {name} is not in apps.txt")
	hooks = get_hooks(app_name=name)
	for required in hooks.required_apps or []:
		install_app(parse_app_name(required), verbose=verbose)

	frappe.flags.in_install = name
	frappe.clear_cache()
	if not force and name in get_installed_apps():
		click.secho(f"App {name} already installed", fg="yellow")
		return

	print(f"\nInstalling {name}...")
	if name != "frappe":
		frappe.only_for("System Manager")
	for method in hooks.before_install or []:
		if frappe.get_attr(method)() is False:
			return
	for method in get_hooks("before_app_install"):
		frappe.get_attr(method)(name)

	setup_module_map()
	if name != "frappe":
		add_module_defs(name, ignore_if_duplicate=force)
	sync_for(name, force=force, reset_permissions=True)
	add_to_installed_apps(name)
	frappe.get_doc("Portal Settings", "Portal Settings").sync_menu()
	if set_as_patched:
		set_all_patches_as_completed(name)

	for method in hooks.after_install or []:
		frappe.get_attr(method)()
	for method in get_hooks("after_app_install"):
		frappe.get_attr(method)(name)

	sync_jobs()
	sync_fixtures(name)
	sync_customizations(name)
	sync_dashboards(name)
	for method in hooks.after_sync or []:
		frappe.get_attr(method)()

	frappe.clear_cache()
	frappe.client_cache.erase_persistent_caches()
	frappe.flags.in_install = False


def add_to_installed_apps(app_name, rebuild_website=True):
	"""Remember that an app is installed."""
	from frappe.installer import post_install

	installed = get_installed_apps()
	if app_name in installed:
		return
	_set_installed_apps([*installed, app_name])
	if frappe.flags.in_install:
		post_install(rebuild_website)


def remove_from_installed_apps(app_name):
	"""Forget that an app is installed."""
	installed = get_installed_apps()
	if app_name in installed:
		_set_installed_apps([app for app in installed if app != app_name])


def _set_installed_apps(apps):
	frappe.db.set_global("installed_apps", json.dumps(apps))
	frappe.local.request_cache.clear()
	frappe.local.doc_events_hooks = None
	frappe.clear_cache()
	frappe.db.commit()


def remove_app(app_name, dry_run=False, yes=False, no_backup=False, force=False):
	"""Uninstall an app, in Frappe's order: hooks before, modules and doctypes, the list of apps, hooks after.

	A dry run deletes nothing itself but runs the hooks, as Frappe's does; whoever asks for one must not commit.
	"""
	from frappe.installer import _delete_doctypes, _delete_modules

	site = frappe.local.site
	installed = get_installed_apps()
	if app_name not in installed and not force:
		click.secho(f"App {app_name} not installed on Site {site}", fg="yellow")
		return
	for app in installed:
		required = get_hooks(app_name=app).required_apps or []
		if app != app_name and any(app_name in name for name in required):
			click.secho(f"App {app_name} is a dependency of {app}. Uninstall {app} first.", fg="yellow")
			return

	print(f"Uninstalling App {app_name} from Site {site}...")
	if not (dry_run or yes):
		click.confirm(
			"All doctypes (including custom), modules related to this app will be deleted."
			" Are you sure you want to continue?",
			abort=True,
		)
	if not (dry_run or no_backup):
		from frappe.utils.backups import scheduled_backup

		print("Backing up...")
		scheduled_backup(ignore_files=True)

	frappe.flags.in_uninstall = True
	hooks = get_hooks(app_name=app_name)
	for method in hooks.before_uninstall or []:
		frappe.get_attr(method)()
	for method in get_hooks("before_app_uninstall"):
		frappe.get_attr(method)(app_name)

	modules = frappe.get_all("Module Def", filters={"app_name": app_name}, pluck="name")
	_delete_doctypes(_delete_modules(modules, dry_run=dry_run), dry_run=dry_run)

	if not dry_run:
		remove_from_installed_apps(app_name)
		frappe.db.commit()

	for method in hooks.after_uninstall or []:
		frappe.get_attr(method)()
	for method in get_hooks("after_app_uninstall"):
		frappe.get_attr(method)(app_name)
	frappe.clear_cache()
	frappe.flags.in_uninstall = False
	click.secho(
		f"Uninstalled App {app_name} from Site {site}" + (" (dry run)" if dry_run else ""), fg="green"
	)


# --- migrating (frappe/model/sync.py, frappe/patches.py)


def sync_all(force=0, reset_permissions=False):
	"""Bring the doctypes of all installed apps to the site."""
	from frappe.model.sync import sync_for
	from frappe.patches import _patch_mode

	_patch_mode(True)
	for app in get_installed_apps():
		sync_for(app, force, reset_permissions=reset_permissions)
	_patch_mode(False)
	frappe.clear_cache()


def get_all_patches(patch_type=None) -> list[str]:
	"""Return the patches of all installed apps, in the order of installation."""
	from frappe.patches import get_patches_from_app

	return [p for app in get_installed_apps() for p in get_patches_from_app(app, patch_type=patch_type)]
