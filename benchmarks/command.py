"""What the benchmarks' command lines share."""

import argparse

import frappe


def parser_of(doc: str) -> argparse.ArgumentParser:
	"""The parser of a benchmark that is described by `doc` and runs on a site."""
	parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
	parser.add_argument("--site", required=True)
	return parser


def connect(site: str) -> None:
	frappe.init(site=site)
	frappe.connect()
