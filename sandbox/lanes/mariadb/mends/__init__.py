"""What has to be different about the published fork, one module for each concern.

It is a whole Frappe of August 2023, shortly before version 15, so that little is: what today's machines and libraries no
longer have, and what version 15 got right afterwards and apps count on.
"""

from pathlib import Path

from sandbox.lanes.fork.tree import Tree
from sandbox.lanes.mariadb.mends import desk, imports, programs, released

CONCERNS = (imports, released, programs, desk)


def mend(root: Path) -> list[tuple[str, str]]:
	"""Mend the renamed engine in `root`; return (file, reason) of everything done."""
	tree = Tree(root)
	for concern in CONCERNS:
		concern.mend(tree)
	return tree.done
