// What the form scripts share. doctype_js in hooks.py names those of ERPNext's forms; ours lie beside their doctypes.
import { show_outcome } from "./loyalty/adjustment";
import { follow_ledger_at_counter } from "./loyalty/counter";
import { begin_for_everybody } from "./loyalty/everybody";
import { day, number } from "./loyalty/format";
import { invoice_events } from "./loyalty/invoice";
import {
	enrol,
	follow_enrolment,
	show_program_help,
	show_program_standing,
	show_program_terms,
} from "./loyalty/program";
import { show_promotion_terms, show_promotions_given } from "./loyalty/promotion";
import { follow_run } from "./loyalty/run";
import { report } from "./loyalty/report";
import { show_statement } from "./loyalty/statement";
import { show_summary } from "./loyalty/summary_on_form";

frappe.provide("loyalty_app");
Object.assign(loyalty_app, {
	begin_for_everybody,
	day,
	enrol,
	follow_enrolment,
	follow_ledger_at_counter,
	follow_run,
	invoice_events,
	number,
	report,
	show_outcome,
	show_program_help,
	show_program_standing,
	show_program_terms,
	show_promotion_terms,
	show_promotions_given,
	show_statement,
	show_summary,
});
