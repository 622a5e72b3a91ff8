// Asks the server about a form while it is typed, and shows what it answers to what was asked last.
import { request } from "./request";

const PAUSE = 300;

export class Preview {
	// `unknown` is shown where no answer came.
	constructor(frm, method, unknown = null) {
		this.frm = frm;
		this.method = method;
		this.unknown = unknown;
		this.look = frappe.utils.debounce(() => this.ask(), PAUSE);
	}

	// What is asked; null where there is nothing to ask yet.
	question() {
		return { doc: this.frm.doc };
	}

	// What the answer depends on, as text: who knows that asks nothing twice. Otherwise each call asks.
	depends_on() {}

	// Called before something is asked.
	asking() {}

	// Called where the same is asked already.
	unchanged() {}

	async ask() {
		if (!this.frm.doc || !$(this.frm.wrapper).is(":visible")) return;
		const facts = this.depends_on();
		if (facts !== undefined && facts === this.asked) {
			this.unchanged();
			return;
		}
		this.asked = facts;
		this.waiting?.abort();
		const question = this.question();
		if (!question) {
			this.show(null);
			return;
		}
		this.waiting = new AbortController();
		this.asking();
		let answer;
		try {
			answer = await request(this.method, question, this.waiting.signal);
		} catch (error) {
			if (error.name === "AbortError") return;
			answer = this.unknown;
		}
		// what was asked may have changed meanwhile, without an event that says so
		if (facts !== this.depends_on()) {
			this.asked = null;
			this.look();
			return;
		}
		this.show(answer);
	}
}
