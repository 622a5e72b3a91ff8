"""A site is a folder of the bench's sites folder, as in Frappe; FRAPPE_SITE names it for a whole process."""

import json
import os

import frappe
from frappe.types import _dict

_configs: dict[str, _dict] = {}


def locate(site=None, sites_path=None):
	"""Set where the site is: frappe.local.site, sites_path and site_path."""
	local = frappe.local
	local.sites_path = local.app_path = os.path.abspath(sites_path or _sites_path())
	local.site = site or os.environ.get("FRAPPE_SITE")
	if not local.site:
		raise frappe.IncorrectSitePath("No site: set FRAPPE_SITE or call frappe.init(site)")
	local.site_path = os.path.join(local.sites_path, local.site)


def _sites_path() -> str:
	return os.environ.get("FRAPPE_SITES") or "."


def get_site_name() -> str:
	"""Return the name of the current site."""
	return getattr(frappe.local, "site", None) or os.environ["FRAPPE_SITE"]


def get_sites(sites_path=None) -> list[str]:
	"""Return the names of the bench's sites."""
	path = sites_path or _sites_path()
	return sorted(s for s in os.listdir(path) if os.path.exists(os.path.join(path, s, "site_config.json")))


def get_bench_path() -> str:
	"""Return the folder that holds sites/, logs/ and config/."""
	return os.path.abspath(os.path.join(_sites_path(), ".."))


def get_site_config(sites_path=None, site_path=None, *, cached=False) -> _dict:
	"""Return the site's configuration: common_site_config.json, then site_config.json, then the environment."""
	# the worker and the scheduler ask before and between sites, when nothing is initialised
	sites_path = sites_path or getattr(frappe.local, "sites_path", None) or _sites_path()
	site_path = site_path or os.path.join(sites_path, get_site_name())
	if not cached or site_path not in _configs:
		_configs[site_path] = _read_config(sites_path, site_path)
	return _configs[site_path].copy()


def clear_site_config_cache():
	"""Forget configurations read before."""
	_configs.clear()


def _read_config(sites_path, site_path) -> _dict:
	config = _dict(db_type="sqlite", max_file_size=25 * 1024 * 1024, lang="en", server_port=8000)
	for folder, name in ((sites_path, "common_site_config.json"), (site_path, "site_config.json")):
		try:
			with open(os.path.join(folder, name)) as f:
				config.update(json.load(f))
		except FileNotFoundError:
			continue
	for key in ("redis_cache", "redis_queue"):
		if value := os.environ.get(f"FRAPPE_{key.upper()}"):
			config[key] = value
	if os.environ.get("FRAPPE_DEVELOPER_MODE"):
		config.developer_mode = int(os.environ["FRAPPE_DEVELOPER_MODE"])
	return config


def get_setup_wizard_completed_apps() -> list[str]:
	"""Return the apps whose part of the setup wizard is done."""
	return frappe.get_installed_apps() if frappe.is_setup_complete() else []
