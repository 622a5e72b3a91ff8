// A request in the background: no dialog and no freezing while somebody types.
export async function request(method, args, signal) {
	const response = await fetch(`/api/method/${method}`, {
		method: "POST",
		headers: {
			Accept: "application/json",
			"Content-Type": "application/json",
			"X-Frappe-CSRF-Token": frappe.csrf_token,
		},
		body: JSON.stringify(args),
		signal,
	});
	if (!response.ok) throw new Error(`${method}: ${response.status}`);
	return (await response.json()).message;
}
