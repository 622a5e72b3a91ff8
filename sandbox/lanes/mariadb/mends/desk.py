"""The desk in the browser."""

JS = "public/js"


def mend(tree):
	tree.sub(
		f"{JS}/frappe/socketio_client.js",
		"\t\tthis.connect();\n\t\tthis.socket.emit(event, ...args);\n",
		"\t\tif (!this.socket) return;\n\t\tthis.connect();\n\t\tthis.socket.emit(event, ...args);\n",
		"without socket.io no list was drawn",
	)
	tree.sub(
		f"{JS}/onboarding_tours/onboarding_tours.js",
		'\tif (route[0] === "") return;\n',
		'\tif (!route || route[0] === "") return;\n',
		"a page that is slow to find its route had an error",
	)
	tree.sub(
		f"{JS}/frappe/form/controls/int.js",
		"document.activeElement.select();",
		"document.activeElement.select?.();",
		"who left a number for something that is no input at once had an error",
	)
