"""Draws what loyalty adds to a submit from benchmarks/results/submit_overhead.json, for the README.

	python benchmarks/chart.py

Plain text, no library: an SVG of two panels, one for a submit that earns and one for a submit that redeems, each with the
milliseconds that this app and ERPNext's built-in code add, by the number of the customer's entries. Both axes are
logarithmic: the built-in code grows with history. Colours follow the reader's light or dark page.
"""

import json
import math
from pathlib import Path
from xml.sax.saxutils import escape

HERE = Path(__file__).parent
RESULTS = HERE / "results" / "submit_overhead.json"
CHART = HERE.parent / "docs" / "images" / "submit-overhead.svg"

WIDTH, HEIGHT = 880, 400
LEFT, TOP, PANEL, DEPTH, GAP = 88, 74, 330, 240, 92
PANELS = (("earn", "A submit that earns"), ("redeem", "A submit that redeems over 3 lots"))
SERIES = (("builtin", "ERPNext's built-in"), ("app", "Loyalty App"))

STYLE = """
	.paper { fill: #ffffff } .grid { stroke: #e1e4e8 } .axis { stroke: #8c959f }
	text { font: 13px system-ui, "Segoe UI", Helvetica, Arial, sans-serif; fill: #57606a }
	.title { font-weight: 600; font-size: 15px; fill: #1f2328 } .value { font-weight: 600 }
	.app { stroke: #0b7a4b; fill: #0b7a4b } .builtin { stroke: #b3420b; fill: #b3420b }
	text.app, text.builtin { stroke: none } polyline { fill: none !important; stroke-width: 2.5 }
	@media (prefers-color-scheme: dark) {
		.paper { fill: #0d1117 } .grid { stroke: #30363d } .axis { stroke: #8b949e }
		text { fill: #9da7b1 } .title { fill: #e6edf3 }
		.app { stroke: #3fb984; fill: #3fb984 } .builtin { stroke: #f0883e; fill: #f0883e }
	}
"""


def main():
	CHART.write_text(chart(json.loads(RESULTS.read_text())))
	print(CHART)


def chart(results: dict) -> str:
	"""The SVG that shows `results`."""
	shown = [
		max(side[kind]["median"], 0.1)
		for kind, _title in PANELS
		for name, _label in SERIES
		for side in results[name]
	]
	lowest, highest = math.floor(math.log10(min(shown))), math.ceil(math.log10(max(shown)))
	highest = max(highest, lowest + 1)

	def across(panel: int, size: int) -> float:
		first, last = (math.log10(results["sizes"][i]) for i in (0, -1))
		share = (math.log10(size) - first) / ((last - first) or 1)
		return LEFT + panel * (PANEL + GAP) + 18 + share * (PANEL - 36)

	def down(value: float) -> float:
		share = (math.log10(max(value, 0.1)) - lowest) / (highest - lowest)
		return TOP + DEPTH * (1 - share)

	parts = []
	for number, (kind, title) in enumerate(PANELS):
		begin = LEFT + number * (PANEL + GAP)
		parts.append(text(begin, TOP - 20, title, "title"))
		for power in range(lowest, highest + 1):
			y = down(10**power)
			parts.append(f'<line class="grid" x1="{begin}" x2="{begin + PANEL}" y1="{y:.1f}" y2="{y:.1f}"/>')
			parts.append(text(begin - 8, y + 4, f"{10.0**power:,g} ms", anchor="end"))
		for size in results["sizes"]:
			parts.append(text(across(number, size), TOP + DEPTH + 22, f"{size:,}", anchor="middle"))
		scale = f"entries of the customer, of {sum(results['sizes']):,} on the site"
		parts.append(text(begin + PANEL / 2, TOP + DEPTH + 44, scale, anchor="middle"))
		parts.append(
			f'<line class="axis" x1="{begin}" x2="{begin + PANEL}" y1="{TOP + DEPTH}" y2="{TOP + DEPTH}"/>'
		)
		for name, _label in SERIES:
			points = [
				(across(number, size), down(side[kind]["median"]), side[kind]["median"])
				for size, side in zip(results["sizes"], results[name])
			]
			line = " ".join(f"{x:.1f},{y:.1f}" for x, y, _value in points)
			parts.append(f'<polyline class="{name}" points="{line}"/>')
			for x, y, value in points:
				parts.append(f'<circle class="{name}" cx="{x:.1f}" cy="{y:.1f}" r="4"/>')
				is_below = name == "app" and y + 21 < TOP + DEPTH
				shift = 21 if is_below else -11
				parts.append(text(x, y + shift, number_of(value), f"value {name}", "middle"))
	for number, (name, label) in enumerate(SERIES):
		x = LEFT + number * 170
		parts.append(f'<circle class="{name}" cx="{x + 5}" cy="22" r="5"/>')
		parts.append(text(x + 16, 27, label))
	parts.append(
		text(WIDTH - 12, 27, "milliseconds that loyalty adds, median; lower is better", anchor="end")
	)
	versions = results["versions"]
	parts.append(
		text(
			12,
			HEIGHT - 10,
			f"Frappe {versions['frappe']}, ERPNext {versions['erpnext']}, {versions['database']},"
			f" {results['machine']['cores']} cores; benchmarks/submit_overhead.py, {results['measured_at']}",
		)
	)
	return (
		f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img"'
		f' aria-label="What loyalty adds to a submit, by the number of entries the customer has">\n'
		f"<style>{STYLE}</style>\n"
		f'<rect class="paper" width="{WIDTH}" height="{HEIGHT}" rx="6"/>\n' + "\n".join(parts) + "\n</svg>\n"
	)


def text(x: float, y: float, said: str, style: str = "", anchor: str = "start") -> str:
	return f'<text class="{style}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(said)}</text>'


def number_of(value: float) -> str:
	return f"{value:,.0f}" if value >= 10 else f"{value:.1f}"


if __name__ == "__main__":
	main()
