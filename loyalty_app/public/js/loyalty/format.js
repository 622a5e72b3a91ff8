const NEVER = "9999-12-31";

// In Arabic text a sign would wander behind its number, and a date's days, months and years change places, were this
// mark not before them.
function left_to_right(text) {
	return frappe.utils.is_rtl() ? `\u200e${text}` : text;
}

// A name in another script keeps to itself what stands beside it, a sign or a number.
export function isolated(text) {
	return frappe.utils.is_rtl() ? `\u2068${text}\u2069` : text;
}

export function number(value) {
	const text = format_number(value, null, 0);
	return value < 0 ? left_to_right(text) : text;
}

export function percent(value) {
	return format_number(value, null, value % 1 ? 2 : 0);
}

// As many decimals as there are.
export function quantity(value) {
	return format_number(value, null, String(flt(value, 6)).split(".")[1]?.length || 0);
}

export function points(value) {
	return Math.abs(value) === 1 ? __("{0} point", [number(value)]) : __("{0} points", [number(value)]);
}

export function signed(value) {
	return value > 0 ? left_to_right(`+${number(value)}`) : number(value);
}

export function money(value, currency) {
	return format_currency(value, currency);
}

export function day(date) {
	return !date || date === NEVER ? __("Never") : left_to_right(frappe.datetime.str_to_user(date));
}

export function commas(parts) {
	return parts.reduce((told, part) => (told ? __("{0}, {1}", [told, part], "list") : part), "");
}

export function entry_color(type) {
	return { Earned: "green", Redeemed: "blue", Expired: "gray", Adjusted: "purple" }[type] || "gray";
}
