"""A bench-like Frappe site made from the package registries alone: see sandbox/README.md.

Nothing in `loyalty_app` imports this package; deleting the folder leaves a stock Frappe app.
"""
