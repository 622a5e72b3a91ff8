"""For tools that still read setup.py (older `bench` takes the app's name from here); pyproject.toml has the rest."""

from setuptools import find_packages, setup

setup(
	name="loyalty_app",
	packages=find_packages(include=["loyalty_app", "loyalty_app.*"]),
	include_package_data=True,
)
