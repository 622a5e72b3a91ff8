"""The engine as an app sees it: what Frappe promises, each thing at least once, on every lane's database."""

import json
import threading
import time
from decimal import Decimal

import pytest

pytestmark = pytest.mark.usefixtures("site")


def test_version_is_what_apps_expect(transaction, lane):
	assert transaction.__version__.split(".")[0] == str(lane.generation)


def test_decimals_and_currency(transaction, note):
	doc = transaction.get_doc({"doctype": note, "subject": "d", "amount": Decimal("0.30")}).insert()
	assert transaction.db.get_value(note, doc.name, "amount") == pytest.approx(0.3)


def test_intervals(transaction):
	import frappe
	from frappe.query_builder import Interval
	from frappe.query_builder.functions import Now

	log = frappe.qb.DocType("Error Log")
	frappe.log_error("old", "text")
	frappe.db.set_value("Error Log", {"method": "old"}, "creation", "2001-01-01", update_modified=False)
	frappe.log_error("young", "text")
	found = (
		frappe.qb.from_(log)
		.select(log.method)
		.where(log.creation < (Now() - Interval(days=30)))
		.run(pluck=True)
	)
	assert "old" in found and "young" not in found


def test_log_clean_up_runs(transaction):
	from frappe.core.doctype.log_settings.log_settings import run_log_clean_up

	run_log_clean_up()


def test_savepoints(transaction, note):
	import frappe

	frappe.db.savepoint("here")
	name = frappe.get_doc({"doctype": note, "subject": "gone"}).insert().name
	frappe.db.rollback(save_point="here")
	assert not frappe.db.exists(note, name)


def test_for_update_makes_others_wait(site, note):
	"""The second transaction gets the lock only when the first has ended, and reads what it wrote."""
	import frappe

	name = frappe.get_doc({"doctype": note, "subject": "lock", "amount": 1}).insert().name
	frappe.db.commit()
	order = []
	locked = threading.Event()

	def spend(label, wait):
		frappe.init(site)
		frappe.connect()
		if label == "second":
			locked.wait(10)
		amount = frappe.db.get_value(note, name, "amount", for_update=True)
		if label == "first":
			locked.set()
		order.append((label, amount))
		time.sleep(wait)
		frappe.db.set_value(note, name, "amount", amount + 1)
		order.append((label, "written"))
		frappe.db.commit()
		frappe.destroy()

	threads = [threading.Thread(target=spend, args=a) for a in (("first", 0.5), ("second", 0))]
	for t in threads:
		t.start()
	for t in threads:
		t.join(20)
	assert order == [("first", 1), ("first", "written"), ("second", 2), ("second", "written")]
	frappe.db.rollback()
	assert frappe.db.get_value(note, name, "amount") == 3


def test_query_builder_for_update(transaction, note):
	import frappe

	table = frappe.qb.DocType(note)
	assert frappe.qb.from_(table).select(table.name).where(table.subject == "none").for_update().run() in (
		(),
		[],
	)


# --- REST


def test_document_life_cycle_by_rest(client, note):
	made = client("POST", f"/api/resource/{note}", json={"subject": "rest", "amount": 12.5})
	assert made.status_code == 200, made.text
	name = made.json["data"]["name"]
	assert client("PUT", f"/api/resource/{note}/{name}", json={"docstatus": 1}).json["data"]["docstatus"] == 1
	assert client("PUT", f"/api/resource/{note}/{name}", json={"subject": "x"}).status_code == 417
	assert client("PUT", f"/api/resource/{note}/{name}", json={"docstatus": 2}).json["data"]["docstatus"] == 2
	amended = client("POST", f"/api/resource/{note}", json={"subject": "rest", "amended_from": name})
	assert amended.json["data"]["name"] == f"{name}-1"
	assert client("DELETE", f"/api/resource/{note}/{amended.json['data']['name']}").status_code == 202
	listed = client(
		"GET", f'/api/resource/{note}?filters=[["subject","=","rest"]]&fields=["name","docstatus"]'
	)
	assert listed.json["data"] == [{"name": name, "docstatus": 2}]


def test_token_and_permissions(client, note, site, lane):
	import frappe

	frappe.set_user("Administrator")
	user = frappe.get_doc(
		{"doctype": "User", "email": "clerk@example.com", "first_name": "Clerk", "send_welcome_email": 0}
	).insert(ignore_if_duplicate=True)
	user.api_key, user.api_secret = "key", "secret"
	user.save()
	frappe.db.commit()
	from frappe.app import application
	from werkzeug.test import Client

	headers = {"Authorization": "token key:secret"}
	answers = {}

	def ask():
		http = Client(application)
		answers["who"] = http.get("/api/method/frappe.auth.get_logged_user", headers=headers)
		answers["write"] = http.post(f"/api/resource/{note}", headers=headers, json={"subject": "no"})
		answers["bad"] = http.get(
			"/api/method/frappe.auth.get_logged_user", headers={"Authorization": "token key:wrong"}
		)

	thread = threading.Thread(target=ask)
	thread.start()
	thread.join()
	assert answers["who"].json == {"message": "clerk@example.com"}
	assert answers["write"].status_code == 403
	assert answers["bad"].status_code == (401 if lane.generation >= 16 else 403)


def test_concurrent_creates_get_their_own_numbers(client, note):
	answers = []
	lock = threading.Lock()

	def create(i):
		answer = client("POST", f"/api/resource/{note}", json={"subject": f"many {i}"})
		with lock:
			answers.append(answer)

	threads = [threading.Thread(target=create, args=(i,)) for i in range(20)]
	for t in threads:
		t.start()
	for t in threads:
		t.join(60)
	assert [a.status_code for a in answers] == [200] * 20, [a.text for a in answers if a.status_code != 200][
		:1
	]
	assert len({a.json["data"]["name"] for a in answers}) == 20


def test_user_permissions(transaction, note):
	import frappe

	user = "permitted@example.com"
	if not frappe.db.exists("User", user):
		doc = frappe.get_doc({"doctype": "User", "email": user, "first_name": "P", "send_welcome_email": 0})
		doc.append("roles", {"role": "System Manager"})
		doc.insert()
	for owner in (user, "Administrator"):
		frappe.get_doc({"doctype": note, "subject": "mine", "owner_user": owner}).insert()
	frappe.get_doc(
		{
			"doctype": "User Permission",
			"user": user,
			"allow": "User",
			"for_value": user,
			"apply_to_all_doctypes": 1,
		}
	).insert()
	frappe.set_user(user)
	assert set(frappe.get_list(note, filters={"subject": "mine"}, pluck="owner_user")) == {user}


# --- what the desk shows


def test_tree_doctype(transaction):
	import frappe

	frappe.get_doc(
		{
			"doctype": "DocType",
			"name": "Stage Tree",
			"module": "Custom",
			"custom": 1,
			"is_tree": 1,
			"autoname": "field:title",
			"nsm_parent_field": "parent_stage_tree",
			"fields": [{"fieldname": "title", "fieldtype": "Data", "label": "Title", "unique": 1}],
			"permissions": [{"role": "System Manager", "read": 1, "write": 1, "create": 1}],
		}
	).insert()
	root = frappe.get_doc({"doctype": "Stage Tree", "title": "root", "is_group": 1}).insert()
	leaf = frappe.get_doc({"doctype": "Stage Tree", "title": "leaf", "parent_stage_tree": "root"}).insert()
	root.reload()
	assert (root.lft, leaf.lft, leaf.rgt, root.rgt) == (1, 2, 3, 4)


def test_script_report_number_card_and_chart(transaction, note):
	import frappe
	from frappe.desk.doctype.dashboard_chart.dashboard_chart import get as get_chart
	from frappe.desk.doctype.number_card.number_card import get_result
	from frappe.desk.query_report import run

	for day, amount in (("2026-01-05", 10), ("2026-02-05", 20)):
		frappe.get_doc({"doctype": note, "subject": "card", "amount": amount, "day": day}).insert()
	card = frappe.get_doc(
		{
			"doctype": "Number Card",
			"name": "Stage Card",
			"label": "Stage Card",
			"type": "Document Type",
			"document_type": note,
			"function": "Sum",
			"aggregate_function_based_on": "amount",
			"filters_json": json.dumps([[note, "subject", "=", "card"]]),
		}
	).insert()
	assert float(get_result(card.as_dict(), card.filters_json)) == 30
	chart = frappe.get_doc(
		{
			"doctype": "Dashboard Chart",
			"chart_name": "Stage Chart",
			"chart_type": "Sum",
			"document_type": note,
			"based_on": "day",
			"value_based_on": "amount",
			"timeseries": 1,
			"time_interval": "Monthly",
			"timespan": "Select Date Range",
			"from_date": "2026-01-01",
			"to_date": "2026-02-28",
			"filters_json": json.dumps([[note, "subject", "=", "card"]]),
			"type": "Bar",
		}
	).insert()
	assert get_chart(chart_name=chart.name, refresh=1)["datasets"][0]["values"] == [10, 20]
	frappe.get_doc(
		{
			"doctype": "Report",
			"report_name": "Stage Report",
			"ref_doctype": note,
			"report_type": "Query Report",
			"is_standard": "No",
			"query": f"select substr(day, 1, 7) as m, sum(amount) from `tab{note}` where subject='card' group by m",
		}
	).insert()
	assert [list(r.values())[:2] if isinstance(r, dict) else list(r) for r in run("Stage Report")["result"]][
		:2
	] == [
		["2026-01", 10.0],
		["2026-02", 20.0],
	]


def test_print_html_and_pdf(transaction, note):
	import frappe

	from sandbox.engine.checks import find_browser

	doc = frappe.get_doc({"doctype": note, "subject": "Printed words", "amount": 3}).insert()
	assert "Printed words" in frappe.get_print(note, doc.name)
	if not find_browser():
		pytest.skip("Chromium is not installed on this machine")
	assert frappe.get_print(note, doc.name, as_pdf=True).startswith(b"%PDF")


def test_notification(transaction, note):
	import frappe

	frappe.get_doc(
		{
			"doctype": "Notification",
			"name": "Stage Notification",
			"subject": "New {{ doc.subject }}",
			"document_type": note,
			"event": "New",
			"channel": "System Notification",
			"message": "A note",
			"recipients": [{"receiver_by_role": "System Manager"}],
		}
	).insert()
	frappe.get_doc({"doctype": note, "subject": "rung"}).insert()
	assert frappe.get_all("Notification Log", {"document_type": note}, pluck="subject") == ["New rung"]


def test_data_import(transaction, note):
	import frappe
	from frappe.core.doctype.data_import.importer import Importer

	frappe.db.commit()
	content = "Subject,Amount\nimported a,1\nimported b,2\n"
	file = frappe.get_doc(
		{"doctype": "File", "file_name": "notes.csv", "content": content, "is_private": 1}
	).insert()
	task = frappe.get_doc(
		{
			"doctype": "Data Import",
			"reference_doctype": note,
			"import_type": "Insert New Records",
			"import_file": file.file_url,
		}
	).insert()
	Importer(note, data_import=task).import_data()
	assert frappe.db.count(note, {"subject": ("like", "imported %")}) == 2


def test_website_page_and_login_page(client, lane):
	assert "Administrator" in client("GET", "/desk" if lane.generation >= 16 else "/app").text
	# who is logged in is led on to the desk
	assert client("GET", "/login").status_code == 301
	assert client("GET", "/about").status_code == 200


# --- jobs


def test_jobs_run_in_a_worker(site):
	import frappe
	from frappe.utils.background_jobs import get_queue

	from sandbox.inside.background import worker

	frappe.enqueue("frappe.client.insert", queue="long", doc={"doctype": "ToDo", "description": "by a job"})
	frappe.enqueue("frappe.client.delete", queue="short", doctype="ToDo", name="nothing of this name")
	frappe.publish_progress(50, title="Half")
	frappe.publish_realtime("event", {"a": 1})
	assert get_queue("long").count == 1
	import os

	if os.fork() == 0:
		try:
			with open(os.devnull, "w") as null:
				os.dup2(null.fileno(), 1)
				os.dup2(null.fileno(), 2)
			frappe.local.db = None
			worker(burst=True)
		finally:
			os._exit(0)
	os.wait()
	frappe.db.rollback()
	assert frappe.db.count("ToDo", {"description": "by a job"}) == 1
	assert frappe.db.count("Error Log", {"method": "frappe.client.delete"}) == 1


def test_scheduler_enqueues_what_is_due(site, lane):
	import frappe
	from frappe.utils import scheduler
	from frappe.utils.background_jobs import get_queue, get_queue_list

	frappe.db.set_single_value("System Settings", "enable_scheduler", 1)
	job = frappe.get_doc("Scheduled Job Type", {"frequency": "All"})
	job.db_set("last_execution", "2001-01-01")
	frappe.db.commit()
	frappe.clear_cache()
	before = {id for q in get_queue_list() for id in get_queue(q).job_ids}
	arguments = () if lane.generation >= 16 else (site,)
	done = threading.Thread(target=scheduler.enqueue_events_for_site, args=arguments)
	done.start()
	done.join()
	after = {id for q in get_queue_list() for id in get_queue(q).job_ids}
	assert after - before


# --- apps


def test_an_app_that_is_not_there_is_refused(transaction):
	from frappe.installer import install_app

	with pytest.raises(Exception, match=r"not in apps\.txt|No module named 'no_such_app'"):
		install_app("no_such_app")


def test_hooks_are_told_apart(transaction):
	import frappe

	assert frappe.get_hooks("app_name", app_name="erpnext") == ["erpnext"]
	assert frappe.get_hooks("app_name") == ["frappe"]
	assert set(frappe.get_all_apps()) >= {"frappe", "erpnext", "loyalty_app"}


def test_nothing_was_made_in_the_future(transaction):
	import frappe

	assert not frappe.get_all("Scheduled Job Type", {"creation": (">", frappe.utils.now_datetime())})
