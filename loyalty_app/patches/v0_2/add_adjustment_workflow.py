"""A workflow for approving adjustments, switched off; a new site gets it when the app is installed."""

from loyalty_app.setup.workflow import make_workflow


def execute():
	make_workflow()
