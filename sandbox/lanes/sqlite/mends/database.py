"""SQLite: parameters, locks, MySQL's functions."""

FILE = "database/sqlite/database.py"


def mend(tree):
	tree.sub(
		FILE,
		'\tdef execute_query(self, query, values=None):\n\t\tquery = query.replace("%s", "?")\n',
		"\tfrom sandbox.lanes.sqlite.frame.sqlite import connect, execute_query\n\n"
		'\tdef _pasting_execute_query(self, query, values=None):\n\t\tquery = query.replace("%s", "?")\n',
		"values were pasted into the statement as quoted text: 5 became '5', None became 'None'",
	)
	tree.sub(
		FILE,
		"\tdef set_execution_timeout(self, seconds: int):\n"
		'\t\tself.sql(f"PRAGMA busy_timeout = {int(seconds) * 1000}")\n',
		"\tfrom sandbox.lanes.sqlite.frame.sqlite import set_execution_timeout\n",
		"the limit for a statement was set as the time to wait for a lock",
	)
	tree.sub(
		FILE,
		'\t\ttry:\n\t\t\tself.sql("BEGIN")\n'
		"\t\texcept sqlite3.OperationalError as e:\n"
		"\t\t\tif not self.is_nested_transaction_error(e):\n\t\t\t\traise e\n",
		"",
		"a transaction begins with its first statement: begun at once, one that writes would lock others out",
	)
	tree.sub(
		FILE,
		'\t\tconn.create_function("regexp", 2, regexp)\n',
		'\t\tconn.create_function("regexp", 2, regexp)\n'
		"\t\tfrom sandbox.lanes.sqlite.frame.sqlite import add_functions\n\n"
		"\t\tadd_functions(conn)\n",
		"Frappe's own queries use CONCAT_WS, IF, NOW and other functions SQLite lacks",
	)
	tree.sub(
		"database/sqlite/schema.py",
		"\tdef alter(self):\n",
		"\tfrom sandbox.lanes.sqlite.frame.schema import alter\n\n\tdef _copying_alter(self):\n",
		"a changed table was copied into one without primary key, defaults and indexes",
	)
	tree.sub(
		"app.py",
		"\t\t# Important note:\n\t\t# this function *must* always return a response",
		"\t\tfrappe.local.answered_request = request\n\n"
		"\t\t# Important note:\n\t\t# this function *must* always return a response",
		"hooks read after the commit; that transaction has nothing left to write",
	)
