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

// What is typed into a field is not in the document before one leaves it. ERPNext draws all fields anew, with what is in the
// document, whenever an answer of the server or a new total comes in, and Frappe selects a number then, so that the next key
// would replace it. Until one leaves the field, it keeps what is being typed.
export function keep_what_is_typed(control) {
	const place = control.$wrapper[0];
	const draw = control.set_formatted_input;
	let typing_in = null;
	// by capture: before the field itself takes it over
	place.addEventListener(
		"input",
		({ target }) => {
			typing_in = control.docname;
			target.select = () => {};
		},
		true
	);
	for (const event of ["change", "focusout"]) {
		place.addEventListener(
			event,
			({ target }) => {
				typing_in = null;
				delete target.select;
			},
			true
		);
	}
	control.set_formatted_input = function (value) {
		if (!typing_in || typing_in !== control.docname) draw.call(control, value);
	};
}
