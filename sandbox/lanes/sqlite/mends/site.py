"""The site: its folder, configuration, life cycle and setup wizard."""

FRAME = "from sandbox.lanes.sqlite.frame.site import"


def mend(tree):
	tree.sub(
		"__init__.py",
		"def init(force: bool = False) -> None:",
		"def init(site=None, sites_path=None, new_site=False, force: bool = False) -> None:",
		"frappe.init(site) is how scripts and threads open a site",
	)
	tree.sub(
		"__init__.py",
		"\tlocal.app_path = os.getcwd()\n\tlocal.site_path = os.getcwd()\n",
		"\tfrom sandbox.lanes.sqlite.frame.site import locate\n\n\tlocate(site, sites_path)\n",
		"without local.site nothing decorated with @site_cache is ever cached and the jinja hook is ignored",
	)
	tree.function(
		"__init__.py", "get_site_name", f"{FRAME} get_site_name", "the site's name is not always 'frappe'"
	)
	tree.sub(
		"__init__.py",
		'\tif not getattr(local, "initialised", False):\n\t\tinit()\n',
		'\tif not getattr(local, "conf", None):\n\t\tinit(site)\n',
		"init() asks for the installed apps, which connects, which must not call init() again",
	)
	tree.sub(
		"__init__.py",
		"\t\tinit()\n\t\treturn local\n",
		"\t\tinit(self.site)\n\t\treturn local\n",
		"init_site(site)",
	)
	tree.function(
		"config.py",
		"get_site_config",
		f"{FRAME} get_site_config",
		"site_config.json (with the encryption key!) was written but never read",
	)
	tree.function(
		"config.py", "clear_site_config_cache", f"{FRAME} clear_site_config_cache", "follows get_site_config"
	)
	tree.function(
		"utils/__init__.py",
		"get_bench_path",
		f"{FRAME} get_bench_path",
		"locks, logs and queue names belong to the bench folder, not to the working directory",
	)
	tree.function(
		"utils/__init__.py", "get_sites", f"{FRAME} get_sites", "the site's name is not always 'frappe'"
	)
	tree.sub(
		"__init__.py",
		"@request_cache\ndef is_setup_complete",
		"def is_setup_complete",
		"the setup wizard writes back what was cached before it ran",
	)
	tree.sub(
		"__init__.py",
		'\tif not frappe.db.table_exists("System Settings"):\n\t\treturn False\n',
		"",
		"a Single has no table: setup never counted as complete and the desk never left the wizard",
	)
	tree.sub(
		"desk/page/setup_wizard/setup_wizard.py",
		'"setup_complete", frappe.is_setup_complete())',
		'"setup_complete", 1)',
		"the wizard's last stage wrote back its own unfinished state",
	)
	tree.function(
		"utils/installed_apps.py",
		"get_setup_wizard_completed_apps",
		f"{FRAME} get_setup_wizard_completed_apps",
		"'always frappe' made the wizard skip frappe's own stages: no country, no currency",
	)
	tree.sub(
		"utils/data.py",
		'"Asia/Kolkata"  # Default to India ?!',
		'"Etc/UTC"',
		"what is made before the wizard knows the time zone would be hours in the future, and scheduled jobs not due",
	)
