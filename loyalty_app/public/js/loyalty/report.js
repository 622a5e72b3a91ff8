// What the scripts of the reports share: filters, cells, links from one report to another.
import { day, entry_color, number } from "./format";

function who() {
	return [
		{ fieldname: "company", label: __("Company"), fieldtype: "Link", options: "Company" },
		{
			fieldname: "loyalty_program",
			label: __("Loyalty Program"),
			fieldtype: "Link",
			options: "Loyalty Program",
			get_query: () => {
				const company = frappe.query_report.get_filter_value("company");
				return { filters: company ? { company } : {} };
			},
		},
		{ fieldname: "customer", label: __("Customer"), fieldtype: "Link", options: "Customer" },
	];
}

// the filters of the workspace's charts
function of_charts() {
	return who()
		.slice(0, 2)
		.map(({ get_query, ...filter }) => filter);
}

function period(first, last) {
	return [
		{ fieldname: "from_date", label: __("From Date"), fieldtype: "Date", default: first, reqd: 1 },
		{ fieldname: "to_date", label: __("To Date"), fieldtype: "Date", default: last, reqd: 1 },
	];
}

function rows() {
	return {
		fieldname: "rows",
		label: __("Rows at Most"),
		fieldtype: "Select",
		options: [1000, 5000, 20000, 50000].map((most) => ({
			value: String(most),
			label: __("At most {0} rows", [number(most)]),
		})),
		default: "1000",
	};
}

// the values of these filters of the report shown, as far as they are set
function filters(...names) {
	const set = names.map((name) => [name, frappe.query_report.get_filter_value(name)]);
	return Object.fromEntries(set.filter(([, value]) => value));
}

function cell(value, row, column, data, default_formatter) {
	const missing = value === null || value === undefined || value === "";
	if (column.fieldtype === "Date" && !missing && String(value).startsWith("9999-12-31")) {
		return day(String(value).slice(0, 10));
	}
	// what there is nothing of is empty, not 0.0 %
	if (missing && ["Percent", "Int", "Currency"].includes(column.fieldtype)) return "";
	const shown = as_text(value, row, column, data, default_formatter);
	return data && data.bold && shown ? `<b>${shown}</b>` : shown;
}

function as_text(value, row, column, data, default_formatter) {
	if (column.fieldtype === "Int") return `<div class="text-right">${number(value)}</div>`;
	// names and remarks are text, whatever is in them; a total leads nowhere
	if (column.fieldtype === "Data" || (data && data.bold && column.fieldtype === "Link")) {
		return frappe.utils.escape_html(value ?? "");
	}
	return default_formatter(value, row, column, data);
}

function link(shown, report, filters) {
	const query = new URLSearchParams(filters).toString();
	const url = `${frappe.router.make_url(["query-report", report])}?${query}`;
	return `<a class="loyalty-drill" href="${frappe.utils.escape_html(url)}">${shown}</a>`;
}

function pill(shown, data) {
	const color = data.deleted ? "red" : entry_color(data.entry_type);
	return `<span class="indicator-pill ${color}">${shown}</span>`;
}

// Below the bars of a report's chart over time: as many of the labels as there is room for, rather than all cut off.
function name_some_bars() {
	const { chart } = frappe.query_report;
	if (!chart?.config || chart.config.xIsSeries) return;
	chart.config.xIsSeries = 1;
	chart.draw(true);
}

export const report = { cell, filters, link, name_some_bars, of_charts, period, pill, rows, who };
