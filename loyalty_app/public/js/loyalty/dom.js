// Elements are built, never pasted together as HTML: names of customers, tiers and programs stay text.

export function el(tag, attributes = {}, ...children) {
	const node = document.createElement(tag);
	for (const [name, value] of Object.entries(attributes)) {
		if (value === null || value === undefined || value === false) continue;
		if (name === "onclick") node.addEventListener("click", value);
		else node.setAttribute(name, value === true ? "" : value);
	}
	node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== ""));
	return node;
}

export function link(doctype, name, text) {
	return el("a", { href: frappe.utils.get_form_link(doctype, name) }, text || name);
}

export function pill(text, color) {
	return el("span", { class: `indicator-pill no-indicator-dot ${color}` }, el("span", { dir: "auto" }, text));
}

// Changes the text only when it is another one: a live region says it again with every change.
export function say(node, text) {
	if (node.textContent !== text) node.textContent = text;
}
