"""Databases of sites: each has a user of the same name, as Frappe wants it."""

from sandbox.lanes.mariadb.server import HOST, Server

SYSTEM = ("information_schema", "mysql", "performance_schema", "sys")


def create(server: Server, config: dict) -> None:
	"""Make an empty database with its user, by what site_config.json says."""
	name, password = config["db_name"], config["db_password"]
	# an underscore of a GRANT stands for any character
	pattern = name.replace("_", r"\_")
	server.sql(
		f"CREATE DATABASE `{name}`",
		f"CREATE OR REPLACE USER `{name}`@{HOST} IDENTIFIED BY '{password}'",
		f"GRANT ALL ON `{pattern}`.* TO `{name}`@{HOST}",
	)


def drop(server: Server, name: str) -> None:
	"""Drop a database and its user, as far as they are there."""
	server.sql(f"DROP DATABASE IF EXISTS `{name}`", f"DROP USER IF EXISTS `{name}`@{HOST}")


def names(server: Server) -> set[str]:
	"""Return the names of the databases that belong to sites."""
	return {name for (name,) in server.sql("SHOW DATABASES")} - set(SYSTEM)
