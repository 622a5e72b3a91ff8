"""frappe-js-sdk, the JavaScript client of Frappe's REST API, run by Node (js_client.cjs)."""

import json
import os
import shutil
import subprocess
import uuid
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("js_client.cjs")


@pytest.mark.parametrize("sign_in", ["token", "session"])
def test_the_javascript_client(sign_in, user, member, shop):
	if not os.environ.get("LOYALTY_NODE_MODULES"):
		pytest.skip("LOYALTY_NODE_MODULES not set: no frappe-js-sdk to test with")
	given = vars(user) | {"sign_in": sign_in, "member": member, "item": shop.item}
	given["idempotency_key"] = str(uuid.uuid4())
	run = subprocess.run(
		[shutil.which("node"), SCRIPT, json.dumps(given)], capture_output=True, text=True, timeout=120
	)
	assert run.returncode == 0, run.stderr
	told = json.loads(run.stdout)
	assert (told["membership"]["balance"], told["membership"]["tier"]) == (100, "Silver")
	assert (told["quote"]["total"], told["quote"]["earning"]["points"]) == (100, 10)
	assert told["first"]["status"] == "Submitted"
	assert told["first"] == told["second"]
	assert (told["reused"]["httpStatus"], told["reused"]["code"]) == (409, "idempotency_key_reused")
	assert (told["unknown"]["httpStatus"], told["unknown"]["code"]) == (404, "not_found")
	assert "No Such" in told["unknown"]["detail"]
	assert told["entries"] == [
		{"loyalty_points": 100, "entry_type": "Earned"},
		{"loyalty_points": 25, "entry_type": "Adjusted"},
	]
	assert (told["draft"]["docstatus"], told["submitted"]["docstatus"]) == (0, 1)
	assert told["after"]["balance"] == 120
