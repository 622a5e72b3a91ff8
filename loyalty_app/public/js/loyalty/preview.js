// Asks the server about a form while it is typed, and shows what it answers to what was asked last.
import { request } from "./request";

const PAUSE = 300;

export class Preview {
	constructor(frm, method) {
		this.frm = frm;
		this.method = method;
		this.look = frappe.utils.debounce(() => this.ask(), PAUSE);
	}

	// What is asked; null where there is nothing to ask yet.
	question() {
		return { doc: this.frm.doc };
	}

	async ask() {
		if (!$(this.frm.wrapper).is(":visible")) return;
		this.waiting?.abort();
		const question = this.question();
		if (!question) {
			this.show(null);
			return;
		}
		this.waiting = new AbortController();
		try {
			this.show(await request(this.method, question, this.waiting.signal));
		} catch (error) {
			if (error.name !== "AbortError") this.show(null);
		}
	}
}
