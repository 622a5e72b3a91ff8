"""The Point of Sale asks for promotion codes, as it does on a site that installs the app anew."""

from loyalty_app.setup.pos_settings import ask_for_code


def execute():
	ask_for_code()
