"""Programs the engine starts."""

FRAME = "from sandbox.lanes.fork.printing import"
PDF = "wkhtmltopdf is gone from Debian; Chromium is here for the browser tests anyway"
NAMES = "MariaDB's programs no longer go by MySQL's names, which Debian 13 does not have"


def mend(tree):
	tree.function("utils/pdf.py", "get_pdf", f"{FRAME} get_pdf", PDF)
	tree.sub(
		"utils/pdf.py",
		"from distutils.version import LooseVersion\n",
		"",
		"Python 3.12 has no distutils; it was for wkhtmltopdf's version",
	)
	tree.sub(
		"utils/backups.py",
		'("mysqldump", which("mysqldump"))',
		'("mariadb-dump", which("mariadb-dump"))',
		NAMES,
	)
	tree.sub("database/db_manager.py", "{pipe} mysql -u", "{pipe} mariadb -u", NAMES)
	tree.sub(
		"utils/scheduler.py",
		"\t\tsites = get_sites()\n",
		'\t\tsites = [os.environ["FRAPPE_SITE"]] if "FRAPPE_SITE" in os.environ else get_sites()\n',
		"scheduled jobs ran on the sites that others are copied from, too",
	)
