import sys

if sys.version_info < (3, 11):
	sys.stderr.write("Python 3.11 or newer is needed, this is Python %d.%d.%d.\n" % sys.version_info[:3])  # noqa: UP031
	raise SystemExit(2)

from sandbox.engine.cli import main

raise SystemExit(main())
