"""What a membership remembers has changed: the balance is of all open lots, and the latest posting date is new."""

from loyalty_app.ledger import rebuild


def execute():
	rebuild()
