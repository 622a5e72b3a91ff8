"""Calls that nobody should make: no fault of the server, nothing written, nothing told of other people's customers.

LOYALTY_FUZZ_CALLS is how many calls are made, LOYALTY_FUZZ_SEED chooses others; `make fuzz` makes 10,000 and prints what
came of them.
"""

import importlib
import inspect
import json
import os
import random
import secrets
import time
from collections import Counter, defaultdict
from types import SimpleNamespace

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, assume, given, seed, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
	content_type_conformance,
	response_schema_conformance,
	status_code_conformance,
)

from loyalty_app.api import arguments, schema, v1
from loyalty_app.tests.clients.conftest import ROLES, signed_up
from loyalty_app.tests.permission_matrix import API, DESK, MATRIX

CALLS = int(os.environ.get("LOYALTY_FUZZ_CALLS") or 300)
SEED = int(os.environ.get("LOYALTY_FUZZ_SEED") or 20261124)
CHECKS = [
	not_a_server_error,
	status_code_conformance,
	content_type_conformance,
	response_schema_conformance,
]
# Who may write the customers they see, and who may not.
POWERFUL = ("Accounts Manager", "Accounts User", "Sales User", "Sales Master Manager")
DOCTYPES = ("Loyalty Point Adjustment", "Loyalty Program", "Loyalty Point Entry", "Loyalty Membership")

HOSTILE = (
	*("' or 1=1 --", "'; drop table `tabCustomer`; --", '" or ""="', "%", "_", "\\", "`", "*/"),
	*(
		"<script>alert(1)</script>",
		"<img src=x onerror=alert(1)>",
		"{{ 7*7 }}",
		"{% for x in [] %}",
		"${7*7}",
	),
	*(
		"\x00",
		"\u202etxet",
		"\ufeff",
		"𝔘𝔫𝔦𝔠𝔬𝔡𝔢",
		"نقاط",
		"a" * 141,
		"b" * 70_000,
		" ",
		"\n\r\t",
		"../../etc/passwd",
	),
	*(
		"null",
		"None",
		"undefined",
		"[]",
		"{}",
		"[[[[",
		'{"a": ',
		"true",
		"-1",
		"0",
		"1e400",
		"NaN",
		"Infinity",
		"0x10",
	),
	*(
		"9" * 40,
		"2147483648",
		"-2147483649",
		"1.5",
		"0.1e-400",
		"0000-00-00",
		"2026-02-30",
		"9999-12-31",
		"0001-01-01",
	),
	*(None, True, False, 0, -1, 1.5, 10**10, 10**30, -(10**30), 1e308, 2**63, 2**31),
	*(
		[],
		{},
		[[]],
		[None],
		[{}],
		[1, "x"],
		{"a": {"b": [1]}},
		["like", "%"],
		["!=", ""],
		{"name": ["like", "%"]},
	),
)
TEXT = tuple(value for value in HOSTILE if isinstance(value, str))


class Tally:
	"""What came of the calls, by method."""

	def __init__(self):
		self.statuses = defaultdict(Counter)
		self.faults = defaultdict(list)
		self.started = time.monotonic()

	def add(self, method: str, response: requests.Response, sent) -> None:
		self.statuses[method][response.status_code] += 1
		if response.status_code >= 500 and not gave_way(response):
			self.faults[f"{method}: {told_by(response)}"].append(str(sent)[:300])

	def show(self) -> None:
		seconds = time.monotonic() - self.started
		total = sum(self.statuses.values(), Counter())
		print(f"\n{total.total()} calls in {seconds:.0f} s, seed {SEED}")
		width = max(map(len, self.statuses))
		for method, found in sorted(self.statuses.items()):
			print(f"  {method:{width}}  {'  '.join(f'{s}: {n}' for s, n in sorted(found.items()))}")
		print(f"  {'all':{width}}  {'  '.join(f'{s}: {n}' for s, n in sorted(total.items()))}")
		print(f"  faults of the server: {sum(map(len, self.faults.values()))}")
		for fault, sent in self.faults.items():
			print(f"  {len(sent)} times {fault}\n    e.g. {sent[0]}")


def gave_way(response: requests.Response) -> bool:
	"""Whether the database let somebody else go first while Frappe looked who calls: SQLite's one writer may be the
	worker. In a method of the public API that is 409."""
	return response.status_code == 500 and '"exc_type":"QueryDeadlockError"' in response.text


def told_by(response: requests.Response) -> str:
	"""What a fault says of itself: where in the app, and what."""
	try:
		lines = json.loads(response.json()["exc"])[0].strip().splitlines()
	except (ValueError, KeyError):
		return response.text[-300:]
	ours = [line.strip() for line in lines if "loyalty_app" in line and line.strip().startswith("File")]
	return f"{lines[-1]} {ours[-1] if ours else ''}"


@pytest.fixture(scope="module")
def tally():
	tally = Tally()
	yield tally
	tally.show()


@pytest.fixture(scope="module")
def people(shop, url):
	"""A victim that callers may not see, a customer whom they may, and callers: `(title, session, may see all)`."""
	shop.customer = victim = shop.member(f"Victim {secrets.token_hex(4)}")
	shop.sell(9_876_540)
	shop.customer = known = shop.member(f"Known {secrets.token_hex(4)}")
	shop.sell(1000)
	everybody = signed_up(shop, url, *ROLES)
	auditor = signed_up(shop, url, "Auditor", "System Manager")
	restricted = signed_up(shop, url, *POWERFUL)
	allowed = {"user": restricted.name, "allow": "Customer", "for_value": known}
	shop.site.insert("User Permission", apply_to_all_doctypes=1, **allowed)
	portal = signed_up(shop, url, "Customer")
	shop.site.ask("PUT", f"/api/resource/Customer/{known}", data={"portal_users": [{"user": portal.name}]})
	callers = [
		("everybody", session_of(everybody), True),
		("auditor", session_of(auditor), True),
		("restricted", session_of(restricted), False),
		("portal", session_of(portal), False),
		("guest", session_of(None), False),
	]
	return SimpleNamespace(victim=victim, known=known, callers=callers, shop=shop, url=url)


def session_of(user) -> requests.Session:
	session = requests.Session()
	session.headers["Accept"] = "application/json"
	if user:
		session.headers["Authorization"] = f"token {user.key}:{user.secret}"
	return session


@pytest.fixture(scope="module")
def unharmed(people):
	"""What is on record of the victim stays as it is."""
	before = records(people)
	yield before
	for what, record in records(people).items():
		assert record == before[what], what


def records(people) -> dict:
	site, whose = people.shop.site, {"customer": people.victim}
	# how often others link to it, Frappe counts in idx
	return {
		"customer": site.get("Customer", people.victim) | {"idx": 0},
		"memberships": site.rows("Loyalty Membership", ["*"], **whose),
		"entries": site.rows("Loyalty Point Entry", ["*"], **whose),
		"log": site.rows("Loyalty Point Log", ["*"], **whose),
		"adjustments": site.rows("Loyalty Point Adjustment", ["*"], **whose),
		"program": site.get("Loyalty Program", people.shop.program) | {"idx": 0},
	}


def secrets_of(record: dict) -> list[str]:
	"""What would be told of the victim by an answer that has it."""
	(member,), (entry,) = record["memberships"], record["entries"]
	return [str(member["balance"]), entry["name"], entry["invoice"]]


def assert_tells_nothing(response, people, unharmed, sent):
	for secret in secrets_of(unharmed):
		assert secret not in response.text, (secret, sent, response.text[:2000])


def test_what_the_openapi_document_allows_and_forbids(people, unharmed, tally):
	document = schema.document(v1.ENDPOINTS)
	api = schemathesis.openapi.from_dict(document)
	operations = [result.ok() for result in api.get_all_operations()]
	modes = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
	examples = max(CALLS // 2 // len(operations) // len(modes), 1)
	for operation in operations:
		for mode in modes:
			if mode is GenerationMode.NEGATIVE and operation.path.endswith(".programs"):
				continue  # takes nothing that could be wrong

			@seed(SEED)
			@settings(
				max_examples=examples,
				deadline=None,
				database=None,
				phases=(Phase.generate,),
				suppress_health_check=list(HealthCheck),
			)
			@given(
				case=operation.as_strategy(generation_mode=mode),
				caller=st.sampled_from(people.callers),
				customer=st.sampled_from([None, people.known, people.known, people.victim]),
			)
			def call(case, caller, customer):
				# Frappe 15 calls a body that is no JSON a fault, before it looks for the method
				assume(not isinstance(case.body, bytes))
				_title, session, sees_all = caller
				given_at = case.query if case.method == "GET" else case.body
				if customer and isinstance(given_at, dict) and "customer" in given_at:
					given_at["customer"] = people.known if sees_all else customer
				response = case.call(base_url=people.url, session=session)
				tally.add(operation.path.rpartition(".")[2], response, given_at)
				# an address may be longer than a web server takes
				assume(response.status_code != 414 and not gave_way(response))
				case.validate_response(response, checks=CHECKS)
				if not sees_all:
					assert_tells_nothing(response, people, unharmed, given_at)

			call()


def parameters_of(path: str) -> list[str]:
	"""The arguments of the whitelisted function at `path`."""
	module, _dot, name = path.rpartition(".")
	if module == v1.__name__ and name in v1.ENDPOINTS:
		return list(arguments.parameters_of(v1.ENDPOINTS[name].function))
	return list(inspect.signature(getattr(importlib.import_module(module), name)).parameters)


def test_every_method_by_everybody(people, unharmed, tally):
	chance = random.Random(SEED)
	methods = {row.thing: parameters_of(row.thing) for row in MATRIX if row.door in (API, DESK)}
	likely = Likely(people, chance)
	for number in range(CALLS // 2):
		title, session, sees_all = people.callers[number % len(people.callers)]
		if number % 7 == 6:
			doctype = chance.choice(DOCTYPES)
			# in a document, Frappe itself calls what is neither text nor number a fault
			sent = likely.document(doctype, sees_all, TEXT)
			response = session.post(f"{people.url}/api/resource/{doctype}", data=as_json(sent))
			tally.add(doctype, response, sent)
		else:
			path, names = chance.choice(list(methods.items()))
			sent = {
				name: likely.value(name, sees_all) for name in [*names, "nonsense"] if chance.random() < 0.9
			}
			if ".v1." in path and chance.random() < 0.9:
				sent.pop("nonsense", None)
			response = likely.ask(session, f"{people.url}/api/method/{path}", sent)
			tally.add(path.removeprefix("loyalty_app."), response, (title, sent))
		if not sees_all:
			assert_tells_nothing(response, people, unharmed, sent)
	assert not tally.faults


def as_json(sent: dict) -> str:
	# numbers that no float holds, as JSON allows them
	return json.dumps(sent).replace("Infinity", "1e999")


class Likely:
	"""Values for arguments by their names: now and then what they should be, else what they should not."""

	def __init__(self, people, chance: random.Random):
		self.people, self.chance = people, chance
		site, shop = people.shop.site, people.shop
		# what is there of those who may be seen
		known = {"customer": people.known}
		membership = site.names("Loyalty Membership", **known)[0]
		victims = site.names("Loyalty Membership", customer=people.victim)[0]
		self.values = {
			"loyalty_program": [shop.program],
			"program": [shop.program],
			"membership": [membership],
			"company": [shop.company],
			"currency": [shop.currency, "EUR"],
			"points": [1, "all", "5", -3],
			"reason": ["Goodwill", "Transfer", "Correction"],
			"explanation": ["By a test"],
			"idempotency_key": ["k1", "k2"],
			"submit": [True, "1", False],
			"total": [10, "20.5"],
			"limit": [1, "200"],
			"posting_date": ["2026-01-31", None],
			"expiry_date": ["2030-01-31", None],
			"from_date": ["2026-01-01"],
			"to_date": ["2026-12-31"],
			"fieldname": ["loyalty_program"],
			"value": [shop.program],
			"kind": ["Verification", "Expiry Notices"],
			"silent": [1],
			"items": [[{"item_code": shop.item, "qty": 1, "rate": 10}]],
			"filters": [None, {}, {"loyalty_program": shop.program}],
			"language": ["ar", "en"],
		}
		self.victims = {"membership": [victims], "customer": [people.victim], "to_customer": [people.victim]}

	def value(self, name: str, sees_all: bool):
		if name == "doc":
			kinds = ("Sales Invoice", "POS Invoice", "Loyalty Point Adjustment", "Loyalty Program")
			doc = self.document(self.chance.choice(kinds), sees_all)
			return json.dumps(doc) if self.chance.random() < 0.5 else doc
		if name in ("customer", "to_customer"):
			choices = [self.people.known] * 3 + ([] if sees_all else [self.people.victim] * 2)
		else:
			choices = self.values.get(name, []) * 2 + ([] if sees_all else self.victims.get(name, []))
		if choices and self.chance.random() < 0.7:
			return self.chance.choice(choices)
		if name == "items" and self.chance.random() < 0.7:
			return [
				{**self.values["items"][0][0], self.chance.choice(["item_code", "qty", "rate"]): self.bad()}
			]
		return self.bad()

	def bad(self):
		return self.chance.choice(HOSTILE)

	def document(self, doctype: str, sees_all: bool, bad=HOSTILE) -> dict:
		"""A document of that kind, some fields of it wrong."""
		customer = self.value("customer", sees_all)
		whose = {
			"customer": customer if bad is HOSTILE or isinstance(customer, str) else self.people.known,
			"company": self.people.shop.company,
			"loyalty_program": self.people.shop.program,
		}
		fields = {
			"Sales Invoice": {
				**whose,
				"posting_date": "2026-01-31",
				"conversion_rate": 1,
				"currency": self.people.shop.currency,
				"items": [{"item_code": self.people.shop.item, "qty": 1, "rate": 10, "conversion_factor": 1}],
				"redeem_loyalty_points": 1,
				"loyalty_points": 5,
				"taxes": [],
			},
			"Loyalty Point Adjustment": {
				**whose,
				"points": 5,
				"reason": "Goodwill",
				"explanation": "x",
				"posting_date": "2026-01-31",
				"expiry_date": None,
				"to_customer": None,
			},
			"Loyalty Program": {
				"loyalty_program_name": f"Fuzz {secrets.token_hex(4)}",
				"loyalty_program_type": "Single Tier Program",
				"company": self.people.shop.company,
				"from_date": "2020-01-01",
				"to_date": None,
				"conversion_factor": 1,
				"expiry_duration": 30,
				"collection_rules": [{"tier_name": "Silver", "min_spent": 0, "collection_factor": 10}],
				"exclusions": [],
			},
		}
		fields["POS Invoice"] = fields["Sales Invoice"] | {"payments": []}
		doc = {"doctype": doctype, **fields.get(doctype, {**whose, "loyalty_points": 5, "balance": 5})}
		for _time in range(self.chance.randint(0, 2)):
			field = self.chance.choice([name for name in doc if name != "doctype"])
			row = doc[field][0] if isinstance(doc[field], list) and doc[field] else None
			if isinstance(row, dict) and self.chance.random() < 0.7:
				row[self.chance.choice(list(row))] = self.chance.choice(bad)
			elif isinstance(doc[field], list) and bad is TEXT:
				continue
			else:
				doc[field] = self.chance.choice(bad)
		return doc

	def ask(self, session: requests.Session, url: str, sent: dict) -> requests.Response:
		"""By GET or POST, as a form or as JSON, now and then by the wrong one."""
		way = self.chance.random()
		if way < 0.25:
			return session.get(url, params=as_form(sent))
		if way < 0.4:
			return session.post(url, data=as_form(sent))
		headers = {"Content-Type": "application/json"}
		method = "GET" if way > 0.8 else "POST"
		return session.request(method, url, data=as_json(sent), headers=headers)


def as_form(sent: dict) -> dict:
	"""`sent` as the address or a form has it, shorter than what a server takes of an address."""
	shown = {
		name: value if isinstance(value, str) else json.dumps(value)
		for name, value in sent.items()
		if value is not None
	}
	return {name: value[:2000] for name, value in shown.items()}


def test_the_ledger_still_proves(people, unharmed):
	"""After all that: a verification of every membership finds nothing."""
	site = people.shop.site
	run = site.ask("POST", "/api/method/loyalty_app.api.runs.start", data={"kind": "Verification"})["message"]
	deadline = time.monotonic() + 120
	while (found := site.get("Loyalty Ledger Run", run))["status"] not in ("Done", "Failed"):
		assert time.monotonic() < deadline, {key: value for key, value in found.items() if value}
		time.sleep(0.5)
	assert (found["status"], found["faults"]) == ("Done", 0), found
