"""Runs tests with Frappe's own runner on the site named by FRAPPE_SITE, and counts.

usage: python -m sandbox.inside.runner [--app A] [--module M] [--doctype D] [--test T …] [--case C]
       [--without PACKAGE …] [--report FILE]
"""

import argparse
import inspect
import json
import os
import sys
import unittest

import frappe


def main(arguments: list[str]) -> int:
	"""Run the tests asked for; return 0 when all passed and at least one ran."""
	parser = argparse.ArgumentParser(prog="sandbox/bench run-tests")
	parser.add_argument("--app")
	parser.add_argument("--module")
	parser.add_argument("--doctype")
	parser.add_argument("--test", action="append", default=[], help="name of a test method; may be repeated")
	parser.add_argument("--case", help="name of a TestCase in --module")
	parser.add_argument("--failfast", action="store_true")
	parser.add_argument("--profile", action="store_true")
	parser.add_argument("--without", action="append", default=[], help="package whose tests are left out")
	parser.add_argument("--report", help="file for the counts, as JSON")
	options = parser.parse_args(arguments)

	results = _remember_results()
	_leave_out(tuple(options.without))
	runner = _frappe_runner()
	site = os.environ["FRAPPE_SITE"]
	frappe.init(site)
	asked = {
		"site": site,
		"app": options.app,
		"module": options.module,
		"doctype": options.doctype,
		"tests": tuple(options.test),
		"case": options.case,
		"failfast": options.failfast,
		"profile": options.profile,
	}
	known = inspect.signature(runner).parameters
	code = 0
	try:
		runner(**{name: value for name, value in asked.items() if name in known})
	except SystemExit as e:
		code = e.code or 0

	report = summary(results)
	if options.report:
		with open(options.report, "w") as f:
			json.dump(report, f)
	print(f"\n{report['passed']} passed, {len(report['failed'])} failed, {len(report['skipped'])} skipped")
	ran = report["passed"] + len(report["failed"]) + len(report["skipped"])
	if not ran:
		print("no test ran", file=sys.stderr)
	return code or (1 if report["failed"] or not ran else 0)


def summary(results: list[unittest.TestResult]) -> dict:
	"""Return {passed: number, failed: [[test, traceback]], skipped: [[test, reason]]}."""
	failed = [[str(test), text] for r in results for test, text in (*r.failures, *r.errors)]
	failed += [
		[str(test), "passed, though marked as an expected failure"]
		for r in results
		for test in r.unexpectedSuccesses
	]
	skipped = [[str(test), reason] for r in results for test, reason in r.skipped]
	ran = sum(r.testsRun for r in results)
	# an error in setUpClass is no test that ran
	tests = {str(t) for r in results for t, _ in (*r.failures, *r.errors) if isinstance(t, unittest.TestCase)}
	not_passed = len(tests) + len(skipped) + sum(len(r.unexpectedSuccesses) for r in results)
	return {"passed": max(ran - not_passed, 0), "failed": failed, "skipped": skipped}


def _remember_results() -> list[unittest.TestResult]:
	"""Collect what unittest's runner returns: Frappe's own leaves by sys.exit when a test failed."""
	results = []
	run = unittest.TextTestRunner.run

	def remembering(self, test):
		result = run(self, test)
		results.append(result)
		return result

	unittest.TextTestRunner.run = remembering
	return results


def _leave_out(packages: tuple[str, ...]) -> None:
	"""Let the loader find no tests in these packages: another part of the suite runs them."""
	load = unittest.TestLoader.loadTestsFromModule

	def filtering(self, module, *args, **kwargs):
		left_out = any(module.__name__ == p or module.__name__.startswith(f"{p}.") for p in packages)
		return unittest.TestSuite() if left_out else load(self, module, *args, **kwargs)

	unittest.TestLoader.loadTestsFromModule = filtering


def _frappe_runner():
	try:
		from frappe.cli_impl.testing import main
	except ImportError:
		from frappe.test_runner import main
	return main


if __name__ == "__main__":
	sys.exit(main(sys.argv[1:]))
