"""What the published fork broke and how it is put right, one module for each concern.

A mend is a checked edit of the renamed tree with its reason. Code longer than a line or two is not pasted into
the engine: it stands in sandbox/lanes/sqlite/frame and the engine imports it.
"""

from pathlib import Path

from sandbox.lanes.fork.tree import Tree
from sandbox.lanes.sqlite.mends import apps, calls, database, imports, jobs, printing, site, testing

CONCERNS = (imports, site, apps, calls, database, jobs, printing, testing)


def mend(root: Path) -> list[tuple[str, str]]:
	"""Mend the renamed engine in `root`; return (file, reason) of everything done."""
	tree = Tree(root)
	for concern in CONCERNS:
		concern.mend(tree)
	return tree.done
