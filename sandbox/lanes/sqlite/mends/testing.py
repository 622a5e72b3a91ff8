"""The test runner and its base classes."""


def mend(tree):
	tree.sub(
		"testing/result.py",
		"category=warnings.DeprecationWarning",
		"category=DeprecationWarning",
		"the runner died on its first line",
	)
	tree.sub(
		"tests/__init__.py",
		"from frappe.tests.compat import (\n\tIntegrationTestCase,\n\tFrappeTestCase,\n\tUnitTestCase,\n)",
		"from sandbox.lanes.sqlite.frame.testcases import FrappeTestCase, IntegrationTestCase, UnitTestCase",
		"the base classes are stubs without change_settings, freeze_time, query counts and roll back",
	)
	tree.append(
		"tests/utils.py",
		"from sandbox.lanes.sqlite.frame.testcases import FrappeTestCase, change_settings, timeout  # noqa: E402, F401",
		"tests import them from here",
	)
	for name in ("change_settings", "timeout"):
		tree.function(
			"tests/classes/context_managers.py",
			name,
			f"from sandbox.lanes.sqlite.frame.testcases import {name}",
			"a stub that did nothing",
		)
	tree.sub(
		"tests/utils.py",
		"\tfrappe.flags.in_test = enable\n",
		"\tfrappe.in_test = frappe.flags.in_test = enable\n",
		"a request made by a test did not know that it is one",
	)
