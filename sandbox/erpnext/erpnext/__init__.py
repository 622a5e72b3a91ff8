import frappe

# Apps ask for ERPNext's major version, which always follows Frappe's. Frappe forks with numbering of
# their own stand for the newest generation.
_frappe_major = int((getattr(frappe, "__version__", "") or "0").split(".")[0] or 0)
__version__ = f"{_frappe_major if _frappe_major >= 15 else 16}.0.0"


def get_company_currency(company: str) -> str | None:
	"""Return a company's default currency."""
	return frappe.get_cached_value("Company", company, "default_currency")


def get_default_cost_center(company: str | None) -> str | None:
	"""Return a company's default cost center."""
	return frappe.get_cached_value("Company", company, "cost_center") if company else None
