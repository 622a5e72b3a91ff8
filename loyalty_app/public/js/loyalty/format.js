const NEVER = "9999-12-31";

export function number(value) {
	return format_number(value, null, 0);
}

export function percent(value) {
	return format_number(value, null, value % 1 ? 2 : 0);
}

export function points(value) {
	return Math.abs(value) === 1 ? __("{0} point", [number(value)]) : __("{0} points", [number(value)]);
}

export function signed(value) {
	return value > 0 ? `+${number(value)}` : number(value);
}

export function money(value, currency) {
	return format_currency(value, currency);
}

export function day(date) {
	return !date || date === NEVER ? __("Never") : frappe.datetime.str_to_user(date);
}

export function entry_color(type) {
	return { Earned: "green", Redeemed: "blue", Expired: "gray", Adjusted: "purple" }[type] || "gray";
}
