"""What the benchmarks' command lines share."""

import argparse
import time

import frappe


def parser_of(doc: str) -> argparse.ArgumentParser:
	"""The parser of a benchmark that is described by `doc` and runs on a site."""
	parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
	parser.add_argument("--site", required=True)
	return parser


def connect(site: str) -> None:
	frappe.init(site=site)
	frappe.connect()


def speed() -> float:
	"""Millions of additions that this Python does in a second now: servers that are shared with others have slow hours."""
	begun, total = time.perf_counter(), 0
	for number in range(3_000_000):
		total += number
	return 3 / (time.perf_counter() - begun)
