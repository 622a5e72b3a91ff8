"""Sites are folders with databases: copied whole or not at all, renamed with the folder, dropped with it."""

import json

import pytest

from sandbox.lanes.base import CONFIG
from sandbox.lanes.mariadb import databases

STATEMENTS = (
	"CREATE TABLE `tabA Name` (name VARCHAR(140) PRIMARY KEY, n DECIMAL(21,9), day DATETIME(6), UNIQUE u (n))",
	"INSERT INTO `tabA Name` VALUES ('é`\\\\ \\'x', 0.100000000, '2026-01-02 03:04:05.678901'), ('null', NULL, NULL)",
	"CREATE TABLE counted (id BIGINT AUTO_INCREMENT PRIMARY KEY)",
	"INSERT INTO counted VALUES (NULL), (NULL), (NULL)",
	"CREATE TABLE words (w TEXT, FULLTEXT KEY (w)) ENGINE=MyISAM",
	"INSERT INTO words VALUES ('loyalty')",
	"CREATE SEQUENCE a_seq START WITH 5 INCREMENT BY 2 CACHE 10 CYCLE",
	"DO NEXTVAL(a_seq)",
)


def database(lane, site: str) -> str:
	return json.loads((lane.places.site(site) / CONFIG).read_text())["db_name"]


def rows(lane, site: str, statement: str) -> list:
	return lane.server.sql(f"USE `{database(lane, site)}`", statement)


@pytest.fixture
def lane(small):
	"""The small lane with one site."""
	with small.database():
		small.new_site("one", {"admin_password": "admin"})
		small.server.sql(f"USE `{database(small, 'one')}`", *STATEMENTS)
		yield small
		for folder in list(small.places.sites.iterdir()):
			small.drop_site(folder.name)
		assert databases.names(small.server) == set()


def test_a_copy_is_exact(lane):
	(lane.places.site("one") / "private").mkdir()
	(lane.places.site("one") / "private" / "file").write_text("kept")
	lane.copy_site("one", "two")
	assert (lane.places.site("two") / "private" / "file").read_text() == "kept"
	assert database(lane, "two") != database(lane, "one")
	for statement in (
		"SELECT name, n, day FROM `tabA Name` ORDER BY name",
		"SELECT COUNT(*), MAX(id) FROM counted",
		"SELECT w FROM words WHERE MATCH (w) AGAINST ('loyalty' IN BOOLEAN MODE)",
	):
		assert rows(lane, "two", statement) == rows(lane, "one", statement) != []
	for table in ("`tabA Name`", "counted", "words", "a_seq"):
		assert rows(lane, "two", f"SHOW CREATE TABLE {table}") == rows(
			lane, "one", f"SHOW CREATE TABLE {table}"
		)
	# as after a restart, what the server had set aside of a sequence is left out
	assert int(rows(lane, "two", "SELECT NEXTVAL(a_seq)")[0][0]) >= int(
		rows(lane, "one", "SELECT NEXTVAL(a_seq)")[0][0]
	)
	rows(lane, "two", "DELETE FROM counted")
	assert rows(lane, "one", "SELECT COUNT(*) FROM counted") == [["3"]]


def test_a_copy_replaces_what_was_there(lane):
	lane.copy_site("one", "two")
	before = database(lane, "two")
	lane.copy_site("one", "two")
	assert databases.names(lane.server) == {database(lane, "one"), database(lane, "two")}
	assert before not in databases.names(lane.server)


def test_a_copy_that_breaks_off_leaves_what_was_there(lane, monkeypatch):
	lane.copy_site("one", "two")
	before = database(lane, "two")

	def killed(*arguments):
		raise KeyboardInterrupt

	with monkeypatch.context() as broken:
		broken.setattr(lane.server, "copy", killed)
		with pytest.raises(KeyboardInterrupt):
			lane.copy_site("one", "two")
		with pytest.raises(KeyboardInterrupt):
			lane.copy_site("one", "three")
	assert database(lane, "two") == before and rows(lane, "two", "SELECT COUNT(*) FROM counted") == [["3"]]
	assert not lane.places.site("three").exists()
	assert len(databases.names(lane.server)) == 3
	lane.copy_site("one", "three")
	assert databases.names(lane.server) == {database(lane, site) for site in ("one", "two", "three")}


def test_a_drop_that_breaks_off_is_made_up_for(lane, monkeypatch):
	lane.copy_site("one", "two")

	def killed(*arguments):
		raise KeyboardInterrupt

	with monkeypatch.context() as broken:
		broken.setattr(databases, "drop", killed)
		with pytest.raises(KeyboardInterrupt):
			lane.drop_site("two")
	assert not lane.places.site("two").exists()
	lane.copy_site("one", "three")
	assert databases.names(lane.server) == {database(lane, "one"), database(lane, "three")}


def test_a_move_takes_the_data_along(lane):
	lane.copy_site("one", "two")
	name = database(lane, "two")
	lane.copy_site("one", "three")
	lane.move_site("two", "three")
	assert database(lane, "three") == name
	assert databases.names(lane.server) == {database(lane, "one"), name}


def test_a_sites_user_sees_that_site_alone(lane):
	lane.copy_site("one", "two")
	name = database(lane, "two")
	assert lane.server.sql(f"SHOW GRANTS FOR `{name}`@127.0.0.1")[1:] == [
		[f"GRANT ALL PRIVILEGES ON `{name.replace('_', chr(92) + '_')}`.* TO `{name}`@`127.0.0.1`"]
	]


def test_without_its_data_directory_no_site_is_there(lane):
	"""Somebody deleted the folder: the step that makes it anew lets the sites be made anew."""
	lane.copy_site("one", "two")
	(step,) = lane.database_steps()
	assert step.result == lane.server.data
	folders = [lane.places.site("one"), lane.places.site("two")]
	lane.server.initialise, before = (lambda: None), lane.server.initialise
	try:
		step.act(True)
	finally:
		lane.server.initialise = before
	assert not any(folder.exists() for folder in folders)
	for name in databases.names(lane.server):
		databases.drop(lane.server, name)
