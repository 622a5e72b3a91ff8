"""More than one app: the fork hard-wired itself as the only one."""

FRAME = "from sandbox.lanes.sqlite.frame.apps import"

# get_hooks() calls inside a loop over the apps from which `app_name=` was stripped, so that every turn saw the
# hooks of all apps: (file, arguments, variable that names the app, how often)
STRIPPED = (
	("core/doctype/doctype/doctype.py", '"export_python_type_annotations"', "app", 1),
	("desk/doctype/changelog_feed/changelog_feed.py", '"app_title"', "app_name", 1),
	(
		"desk/doctype/global_search_settings/global_search_settings.py",
		'hook="global_search_doctypes"',
		"app",
		1,
	),
	("desk/form/meta.py", "hook, default={}", "app_name", 1),
	("migrate.py", '"before_migrate"', "app", 1),
	("migrate.py", '"override_doctype_class", {}', "app", 1),
	("model/module_utils.py", 'hook="app_publisher"', "app", 1),
	("testing/environment.py", '"before_tests"', "app", 1),
	("translate.py", '"fixtures"', "app_name", 2),
	("translate.py", '"app_include_js"', "app_name", 1),
	("translate.py", '"web_include_js"', "app_name", 1),
	("utils/fixtures.py", '"fixture_auto_order"', "app", 1),
	("utils/fixtures.py", '"fixtures"', "app", 1),
	("utils/change_log.py", "", "app", 1),
)


def mend(tree):
	for name in (
		"get_app_path",
		"get_app_source_path",
		"get_all_apps",
		"get_installed_apps",
		"_load_app_hooks",
		"get_hooks",
		"setup_module_map",
	):
		tree.function("__init__.py", name, f"{FRAME} {name}", "only the engine itself counted as an app")
	for name in ("install_app", "add_to_installed_apps", "remove_from_installed_apps", "remove_app"):
		tree.function("installer.py", name, f"{FRAME} {name}", "no app could be installed or removed")
	tree.function(
		"model/sync.py", "sync_all", f"{FRAME} sync_all", "migrate synced the engine's doctypes only"
	)
	tree.function(
		"patches.py", "get_all_patches", f"{FRAME} get_all_patches", "migrate ran the engine's patches only"
	)

	for file, args, app, times in STRIPPED:
		comma = ", " if args else ""
		tree.sub(
			file,
			f"get_hooks({args})",
			f"get_hooks({args}{comma}app_name={app})",
			"hooks of one app were asked for, those of all came",
			times,
		)
	tree.sub(
		"migrate.py",
		'\t\tfor fn in frappe.get_hooks("after_migrate"):\n\t\t\tfrappe.get_attr(fn)()',
		"\t\tfor app in frappe.get_installed_apps():\n"
		'\t\t\tfor fn in frappe.get_hooks("after_migrate", app_name=app):\n\t\t\t\tfrappe.get_attr(fn)()',
		"after_migrate hooks run app by app, in the order of installation",
	)

	one_app = "hooks of one app were asked for, those of all came"
	tree.sub(
		"boot.py",
		'for app_name in ["frappe"]:\n\t\tapps = frappe.get_hooks("add_to_apps_screen")',
		"for app_name in frappe.get_installed_apps():\n"
		'\t\tapps = frappe.get_hooks("add_to_apps_screen", app_name=app_name)',
		one_app,
	)
	for hook in ("app_title", "app_home", "app_logo_url"):
		tree.sub(
			"boot.py",
			f'frappe.get_hooks("{hook}")',
			f'frappe.get_hooks("{hook}", app_name=app_name)',
			one_app,
		)
	tree.sub("boot.py", 'for app in ["frappe"]:', "for app in frappe.get_installed_apps():", one_app)

	icon = "desk/doctype/desktop_icon/desktop_icon.py"
	tree.sub(
		icon,
		'\t\tapp_title = frappe.get_hooks("app_title")[0]\n\t\tapp_details = frappe.get_hooks("add_to_apps_screen")',
		'\t\tapp_title = frappe.get_hooks("app_title", app_name=a)[0]\n'
		'\t\tapp_details = frappe.get_hooks("add_to_apps_screen", app_name=a)',
		one_app,
	)
	tree.sub(
		icon,
		'\t\t\t\tapp_title = frappe.get_hooks("app_title")[0]',
		'\t\t\t\tapp_title = frappe.get_hooks("app_title", app_name=app_name)[0]',
		one_app,
	)
	for hook in ("app_title", "add_to_apps_screen"):
		tree.sub(
			icon, f'frappe.get_hooks()["{hook}"][0]', f'frappe.get_hooks(app_name=a)["{hook}"][0]', one_app
		)

	launcher = "apps.py"
	tree.sub(
		launcher,
		'\t\tapp_details = frappe.get_hooks("add_to_apps_screen")\n',
		'\t\tapp_details = frappe.get_hooks("add_to_apps_screen", app_name=app)\n',
		one_app,
		times=2,
	)
	tree.sub(
		launcher,
		'\tapps = frappe.get_hooks("add_to_apps_screen")\n',
		'\tapps = frappe.get_hooks("add_to_apps_screen", app_name=app_name)\n',
		one_app,
	)
	tree.sub(
		"utils/install.py",
		'frappe.get_hooks()["app_title"][0]',
		'frappe.get_hooks(app_name=app_name)["app_title"][0]',
		"uninstalling any app deleted the desktop icons of the first one, Frappe itself",
	)
