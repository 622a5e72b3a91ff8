"""Calls from outside: whitelisted methods and their argument types."""


def mend(tree):
	tree.sub(
		"utils/typing_validations.py",
		"\tannotations = func.__annotations__\n",
		"\tfrom sandbox.lanes.sqlite.frame.calls import annotations_of\n\n\tannotations = annotations_of(func)\n",
		"the fork made all annotations text, which switched off casting and checking: '0' counted as true",
	)
