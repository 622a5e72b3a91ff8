"""Libraries: what a plain machine does not have, and what changed since the fork was made."""


def mend(tree):
	tree.sub(
		"__init__.py",
		'__version__ = "15.0.0-dev"',
		'__version__ = "15.0.0"',
		"a development version comes before the version, and apps ask for 15 at least",
	)
	tree.sub(
		"__init__.py",
		"import click\n",
		"import sandbox.lanes.mariadb.frame.libraries\nimport click\n",
		"optional client libraries (300 MB) are imported at module level",
	)
	tree.sub(
		"utils/typing_validations.py",
		"class FrappePydanticConfig:\n\tarbitrary_types_allowed = True\n",
		'FrappePydanticConfig = {"arbitrary_types_allowed": True}\n',
		"pydantic no longer takes a class here",
	)
