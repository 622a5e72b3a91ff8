"""frappe-client, the Python client of Frappe's REST API."""

import datetime
import uuid

import pytest
from frappeclient import FrappeClient
from frappeclient.frappeclient import AuthError

V1 = "loyalty_app.api.v1."


@pytest.fixture(params=["token", "session"])
def client(request, user) -> FrappeClient:
	client = FrappeClient(user.url)
	if request.param == "token":
		client.authenticate(user.key, user.secret)
	else:
		client.login(user.name, user.password)
	return client


def test_a_member_is_asked_about(client, member):
	told = client.get_api(V1 + "membership", {"customer": member})
	assert (told["balance"], told["worth"], told["tier"]) == (100, 50, "Silver")
	told = client.get_api(V1 + "redeem_quote", {"customer": member, "points": "all", "total": 20})
	assert (told["points"], told["amount"], told["refusal"]) == (40, 20, None)
	told = client.get_api(V1 + "statement", {"customer": member})
	assert [row["points"] for row in told["entries"]] == [100]


def test_a_basket_is_quoted(client, member, shop):
	# post_api sends its arguments in the address
	items = f'[{{"item_code": "{shop.item}", "qty": 2, "rate": 50}}]'
	told = client.post_api(V1 + "quote", {"customer": member, "items": items})
	assert (told["total"], told["earning"]["points"], told["redeeming"]["most"]) == (100, 10, 100)


def test_points_are_granted_once(client, member):
	values = {"customer": member, "points": 25, "reason": "Goodwill", "explanation": "x", "submit": 1}
	values["idempotency_key"] = str(uuid.uuid4())
	first, second = (client.post_api(V1 + "adjust", values) for _time in range(2))
	assert first == second
	assert client.get_api(V1 + "membership", {"customer": member})["balance"] == 125


def test_documents(client, member, shop):
	doc = client.insert(
		{
			"doctype": "Loyalty Point Adjustment",
			"customer": member,
			"points": 7,
			"reason": "Correction",
			"explanation": "By frappe-client",
		}
	)
	doc = client.update({"doctype": doc["doctype"], "name": doc["name"], "points": 8})
	assert (doc["points"], doc["docstatus"], doc["loyalty_program"]) == (8, 0, shop.program)
	doc = client.update({"doctype": doc["doctype"], "name": doc["name"], "docstatus": 1})
	assert doc["docstatus"] == 1
	rows = client.get_list(
		"Loyalty Point Entry",
		fields=["loyalty_points", "entry_type", "posting_date"],
		filters={"customer": member},
		order_by="loyalty_points desc",
		limit_page_length=1,
	)
	assert rows == [
		{"loyalty_points": 100, "entry_type": "Earned", "posting_date": datetime.date.today().isoformat()}
	]
	membership = client.get_value("Loyalty Membership", "name", {"customer": member})["name"]
	assert client.get_doc("Loyalty Membership", membership)["balance"] == 108
	client.cancel(doc["doctype"], doc["name"])
	assert client.get_doc("Loyalty Membership", membership)["balance"] == 100


def test_an_error_is_no_answer(client):
	"""This client tells errors by what Frappe says of them, and takes `message` of anything else for a result."""
	try:
		told = client.get_api(V1 + "membership", {"customer": "No Such"})
	except Exception as error:
		assert "NotFound" in str(error)
	else:
		assert told is None


def test_a_wrong_password(user):
	with pytest.raises(AuthError):
		FrappeClient(user.url, user.name, "wrong")
