"""Databases of sites: made, copied, dropped. Each has a user of the same name, as Frappe wants it."""

from sandbox.lanes.mariadb.server import HOST, Server

OURS = ("information_schema", "mysql", "performance_schema", "sys")


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
	return {name for (name,) in server.sql("SHOW DATABASES")} - set(OURS)


def copy(server: Server, source: str, target: str) -> None:
	"""Copy tables and sequences of a database nobody writes to into an empty one.

	On one connection and within the server: half the time of a dump that is read back.
	"""
	found = server.sql(
		f"SELECT table_type, table_name FROM information_schema.tables WHERE table_schema = '{source}'"
	)
	tables = [name for kind, name in found if kind == "BASE TABLE"]
	sequences = [name for kind, name in found if kind == "SEQUENCE"]
	server.sql(
		# rows of an empty table are then loaded without an undo record for each
		"SET SESSION unique_checks = 0, foreign_key_checks = 0, sql_mode = 'NO_AUTO_VALUE_ON_ZERO'",
		*(f"CREATE TABLE `{target}`.`{t}` LIKE `{source}`.`{t}`" for t in tables),
		*(_sequence(server, source, target, s) for s in sequences),
		"START TRANSACTION",
		*(f"INSERT INTO `{target}`.`{t}` SELECT * FROM `{source}`.`{t}`" for t in tables),
		"COMMIT",
	)


def _sequence(server: Server, source: str, target: str, name: str) -> str:
	((following, low, high, start, step, cache, cycle),) = server.sql(
		"SELECT next_not_cached_value, minimum_value, maximum_value, start_value, increment, cache_size, cycle_option "
		f"FROM `{source}`.`{name}`"
	)
	return (
		f"CREATE SEQUENCE `{target}`.`{name}` START WITH {start} MINVALUE {low} MAXVALUE {high} INCREMENT BY {step} "
		f"CACHE {cache} {'CYCLE' if cycle == '1' else 'NOCYCLE'};\n"
		f"DO SETVAL(`{target}`.`{name}`, {following}, 0)"
	)
