"""How long each report, number card and chart takes over many entries.

Run with a bench's Python in its `sites` folder, on a site that may be thrown away:

	cd sites && ../env/bin/python ../apps/loyalty_app/benchmarks/reports.py --site SITE --entries 1000000

Fills the site with entries as ERPNext writes them and takes them over (`--keep` uses what the last run left), then runs
each report the way the desk does: as Administrator, and as an Accounts User who may see some customers only. Prints
the seconds of the first run and the median of the next ones.
"""

import statistics
import time

import frappe
import takeover
from command import connect, parser_of
from frappe.desk.query_report import run
from frappe.utils import add_days, add_months, get_first_day, today

RUNS = 3
LIMIT = 2.0
CUSTOMERS_OF_THE_USER = 50


def main():
	parser = parser_of(__doc__)
	parser.add_argument("--entries", type=int, default=1_000_000)
	parser.add_argument("--keep", action="store_true", help="measure what is there")
	arguments = parser.parse_args()
	connect(arguments.site)
	if not arguments.keep:
		takeover.clear()
		takeover.fill(arguments.entries)
		start = time.perf_counter()
		takeover.take_over()
		frappe.db.commit()
		print(f"taken over in {time.perf_counter() - start:.0f} s")
	analyze()
	print({doctype: frappe.db.count(doctype) for doctype in TABLES})
	slow = measure()
	print(f"\n{len(slow)} above {LIMIT} s" + "".join(f"\n  {row}" for row in slow))


TABLES = ("Loyalty Point Entry", "Loyalty Membership", "Loyalty Point Log")


def analyze():
	"""Let the database know how the tables have grown, as it does by itself with time."""
	if frappe.db.db_type == "mariadb":
		for doctype in TABLES:
			frappe.db.sql(f"analyze table `tab{doctype}`")


def measure() -> list[str]:
	"""Print the times of everything; return the lines of what is slow."""
	slow = []
	print(f"\n{'':64}{'all customers':>20}{'some customers':>20}")
	print(f"{'':64}{'first':>10}{'then':>10}{'first':>10}{'then':>10}")
	user = user_who_sees_some()
	for title, action in measured().items():
		times = []
		for who in ("Administrator", user):
			frappe.set_user(who)
			times += seconds(action)
		frappe.set_user("Administrator")
		line = f"{title:64}" + "".join(f"{value:>10.2f}" for value in times)
		print(line, flush=True)
		if max(times) > LIMIT:
			slow.append(line)
	return slow


def seconds(action) -> tuple[float, float]:
	"""The time of the first run, and the median of those after it."""
	times = []
	for _ in range(1 + RUNS):
		start = time.perf_counter()
		action()
		times.append(time.perf_counter() - start)
		frappe.db.rollback()
	return times[0], statistics.median(times[1:])


def measured() -> dict:
	from frappe.desk.doctype.number_card.number_card import get_result

	from loyalty_app.api import workspace

	customer = frappe.get_all("Loyalty Membership", limit=1, pluck="customer")[0]
	year = {"from_date": add_months(today(), -12), "to_date": today()}
	month = {"from_date": add_months(today(), -2), "to_date": add_months(today(), -1)}
	day = {"from_date": add_days(today(), -40), "to_date": add_days(today(), -40)}
	ahead = {"from_date": today(), "to_date": add_months(today(), 12)}
	logged = {"from_date": add_days(today(), -7), "to_date": today()}
	reports = [
		("Loyalty Balances", {}),
		("Loyalty Balances", {"show": "Programs"}),
		("Loyalty Balances", {"on_date": add_months(today(), -3)}),
		("Loyalty Balances", {"customer": customer}),
		("Points Expiring", ahead),
		("Points Expiring", {**ahead, "show": "Customers"}),
		("Loyalty Program Performance", year),
		("Loyalty Program Performance", {**year, "show_by": "Tier"}),
		("Loyalty Promotion Performance", year),
		("Loyalty Point Ledger", year),
		("Loyalty Point Ledger", month),
		("Loyalty Point Ledger", {**month, "by_member": 1, "show_deleted": 1}),
		("Loyalty Point Ledger", {**day, "show_deleted": 1}),
		("Loyalty Point Ledger", {**year, "customer": customer, "show_deleted": 1}),
		("Loyalty Audit Trail", logged),
		("Loyalty Audit Trail", {**logged, "action": "Delete"}),
		("Loyalty Audit Trail", {**logged, "customer": customer}),
	]
	cards = {
		"active members": ({"function": "Count"}, "Loyalty Membership", [["active", "=", 1]]),
		"earned this month": (
			{"function": "Sum", "aggregate_function_based_on": "loyalty_points"},
			"Loyalty Point Entry",
			[["entry_type", "=", "Earned"], ["posting_date", ">=", get_first_day(today())]],
		),
	}
	return (
		{
			title_of(name, filters): lambda n=name, f=filters: run(n, filters=dict(f))
			for name, filters in reports
		}
		| {
			f"card: {title}": lambda c=card, d=doctype, f=filters: get_result(
				{"document_type": d, **c}, [[d, *one] for one in f]
			)
			for title, (card, doctype, filters) in cards.items()
		}
		| {
			"card: points outstanding": workspace.points_outstanding,
			"card: worth outstanding": workspace.worth_outstanding,
			"card: expiring in 30 days": workspace.points_expiring,
			"card: redeemed this month": workspace.points_redeemed_this_month,
			"chart: points by month": workspace.points_by_month,
			"chart: redemption rate": workspace.redemption_rate,
			"chart: members by tier": workspace.members_by_tier,
		}
	)


def title_of(report: str, filters: dict) -> str:
	first, last = filters.get("from_date"), filters.get("to_date")
	shown = [f"{frappe.utils.date_diff(last, first) + 1} days"] if first else []
	shown += [f"{key}={value}" for key, value in filters.items() if key not in ("from_date", "to_date")]
	return f"{report}: {', '.join(map(str, shown)) or 'today'}"[:62]


def user_who_sees_some() -> str:
	from loyalty_app.tests.utils import make_user

	user = make_user("Accounts User")
	for customer in frappe.get_all("Loyalty Membership", limit=CUSTOMERS_OF_THE_USER, pluck="customer"):
		frappe.get_doc(
			{"doctype": "User Permission", "user": user, "allow": "Customer", "for_value": customer}
		).insert(ignore_permissions=True)
	frappe.db.commit()
	return user


if __name__ == "__main__":
	main()
