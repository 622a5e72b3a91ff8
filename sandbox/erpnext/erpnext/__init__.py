import frappe

# Apps ask for ERPNext's major version, which always follows Frappe's. Frappe forks with numbering of
# their own stand for the newest generation.
_frappe_major = int((getattr(frappe, "__version__", "") or "0").split(".")[0] or 0)
__version__ = f"{_frappe_major if _frappe_major >= 15 else 16}.0.0"


def get_default_company(user: str | None = None) -> str | None:
	"""Return the user's default company, else the one in Global Defaults."""
	from frappe.defaults import get_user_default_as_list

	companies = get_user_default_as_list("company", user or frappe.session.user)
	return companies[0] if companies else frappe.db.get_single_value("Global Defaults", "default_company")


def get_default_currency() -> str | None:
	"""Return the currency of the default company."""
	company = get_default_company()
	return get_company_currency(company) if company else None


def get_company_currency(company: str) -> str | None:
	"""Return a company's default currency."""
	return frappe.get_cached_value("Company", company, "default_currency")


def get_default_cost_center(company: str | None) -> str | None:
	"""Return a company's default cost center."""
	return frappe.get_cached_value("Company", company, "cost_center") if company else None


def is_perpetual_inventory_enabled(company: str | None) -> bool:
	"""Stock is not kept here, so it never posts to the ledger."""
	return False
