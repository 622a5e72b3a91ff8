"""Makes the demo data of a site: `make demo` calls `run()` once, after the apps are installed.

A coffee roaster's last twelve months: about 60 customers, 400 sales invoices with returns, cancels and payments,
two loyalty programs with redemptions, expiries, two promotions and what else happens to points. Every document went
through its life cycle on its day, the clock being put back, so that nothing is there that a user could not have made.
The same day gives the same year.

Besides Administrator these users can log in, all with the password "demo" (set past the site's password policy):

- accountant@example.com (Accounts User) made the invoices and payments
- manager@example.com (Accounts Manager) cancelled some
- auditor@example.com (Auditor) may look
- cashier@example.com (Sales User) made the customers
- customer@example.com (Customer, of the website) sees her own points at /loyalty
"""

import frappe
from frappe.utils import today

from sandbox.demo import proof, shop
from sandbox.demo.year import Year

# a default of the site, written last: whoever finds invoices without it finds half a year
DONE = "sandbox_demo_made_on"


def run(scale: float = 1) -> None:
	"""Fill the site with demo data and prove it true; `scale` below 1 makes less of the everyday trade.

	Does nothing where it was done before. Raises RuntimeError where an earlier run broke off (the site has to be
	made afresh then), and where points or books do not add up at the end.
	"""
	if frappe.db.get_default(DONE):
		print(f"Demo data was made on {frappe.db.get_default(DONE)}")
		return
	if frappe.db.count("Sales Invoice") or frappe.db.count("Customer"):
		raise RuntimeError(
			"This site has customers or invoices already: demo data needs a fresh one (make demo-reset)"
		)
	frappe.set_user("Administrator")
	mute_emails, frappe.flags.mute_emails = frappe.flags.mute_emails, True
	try:
		print(f"A year of {shop.COMPANY}:", flush=True)
		Year(scale).run()
		shop.open_portal()
		print("Checking points and books", flush=True)
		faults = proof.faults()
		if faults:
			raise RuntimeError("The demo data is not true:\n" + "\n".join(faults))
		frappe.db.set_default(DONE, today())
		frappe.db.commit()  # nosemgrep: the end of a script
	finally:
		frappe.flags.mute_emails = mute_emails
		frappe.set_user("Administrator")
	print("\n".join(f"  {number:5} {what}" for what, number in proof.census().items()))
	print(f"Users, all with the password {shop.PASSWORD!r}:")
	print("\n".join(f"  {email:24} {role}" for email, (_name, role) in shop.USERS.items()))
