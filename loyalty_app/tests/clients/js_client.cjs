// What test_js_client.py runs: frappe-js-sdk, from the packages in LOYALTY_NODE_MODULES, against a site.
// Prints one line of JSON: what came of each step.
const { join } = require("node:path");
const { FrappeApp } = require(join(process.env.LOYALTY_NODE_MODULES, "frappe-js-sdk"));
const given = JSON.parse(process.argv[2]);
const V1 = "loyalty_app.api.v1.";

async function app() {
	if (given.sign_in === "token") {
		return new FrappeApp(given.url, { useToken: true, token: () => `${given.key}:${given.secret}`, type: "token" });
	}
	const answer = await fetch(`${given.url}/api/method/login`, {
		method: "POST",
		headers: { "Content-Type": "application/json" },
		body: JSON.stringify({ usr: given.name, pwd: given.password }),
	});
	// a browser keeps the cookies itself
	const cookies = answer.headers.getSetCookie().map((cookie) => cookie.split(";")[0]).join("; ");
	return new FrappeApp(given.url, undefined, undefined, { Cookie: cookies });
}

async function main() {
	const frappe = await app();
	const call = frappe.call(), db = frappe.db();
	const told = {};
	const adjustment = { customer: given.member, points: 25, reason: "Goodwill", explanation: "x", submit: true };
	adjustment.idempotency_key = given.idempotency_key;
	told.membership = (await call.get(V1 + "membership", { customer: given.member })).message;
	told.quote = (
		await call.post(V1 + "quote", {
			customer: given.member,
			items: [{ item_code: given.item, qty: 2, rate: 50 }],
		})
	).message;
	told.first = (await call.post(V1 + "adjust", adjustment)).message;
	told.second = (await call.post(V1 + "adjust", adjustment)).message;
	told.reused = await call.post(V1 + "adjust", { ...adjustment, points: 26 }).catch((error) => error);
	told.unknown = await call.get(V1 + "membership", { customer: "No Such" }).catch((error) => error);
	told.entries = await db.getDocList("Loyalty Point Entry", {
		fields: ["loyalty_points", "entry_type"],
		filters: [["customer", "=", given.member]],
		orderBy: { field: "loyalty_points", order: "desc" },
		limit: 5,
	});
	told.draft = await db.createDoc("Loyalty Point Adjustment", {
		customer: given.member,
		points: -5,
		reason: "Correction",
		explanation: "By frappe-js-sdk",
	});
	told.submitted = await db.updateDoc("Loyalty Point Adjustment", told.draft.name, { docstatus: 1 });
	told.after = (await call.get(V1 + "membership", { customer: given.member })).message;
	console.log(JSON.stringify(told));
}

main().catch((error) => {
	console.error(error);
	process.exit(1);
});
