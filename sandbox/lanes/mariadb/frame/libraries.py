"""Lets the engine be imported without the clients of services that nothing in the sandbox talks to.

Imported before anything else of the engine.
"""

from sandbox.lanes.fork.libraries import GOOGLE, stub

stub(
	GOOGLE
	| {
		"apiclient": {},
		"apiclient.http": {"MediaFileUpload": None},
		"boto3": {},
		"botocore": {},
		"botocore.exceptions": {"ClientError": type("ClientError", (Exception,), {})},
		"dropbox": {},
		"posthog": {"Posthog": None},
	}
)
