"""The chain of steps: what runs again, and what an interrupt leaves behind."""

import pytest

from sandbox.engine.errors import SandboxError
from sandbox.engine.setup import app_hash
from sandbox.engine.steps import Chain, Step


@pytest.fixture
def chain(tmp_path):
	"""Three steps, the third standing on the first; each writes its own file."""
	(tmp_path / "stamps").mkdir()
	(tmp_path / "input").write_text("one")
	log = []

	def step(key, needs=(), inputs=()):
		def act(before):
			log.append((key, before))
			if (tmp_path / f"{key} breaks").exists():
				raise SandboxError("broken")
			(tmp_path / key).write_text("made")

		return Step(key, key, act, lambda: inputs, needs, tmp_path / key)

	steps = [step("a", inputs=[tmp_path / "input"]), step("b"), step("c", needs=("a",))]
	chain = Chain(steps, tmp_path / "stamps", out=lambda text: None)
	chain.log, chain.folder = log, tmp_path
	return chain


def test_everything_runs_once(chain):
	assert chain.run() == ["a", "b", "c"]
	assert chain.run() == []
	assert chain.due() == []


def test_a_changed_input_runs_only_what_depends_on_it(chain):
	chain.run()
	(chain.folder / "input").write_text("two")
	assert chain.run() == ["a", "c"]
	# each was told that it had finished before
	assert chain.log[-2:] == [("a", True), ("c", True)]


def test_an_interrupted_step_runs_again_from_scratch(chain):
	(chain.folder / "b breaks").touch()
	with pytest.raises(SandboxError):
		chain.run()
	(chain.folder / "b breaks").unlink()
	assert chain.run() == ["b", "c"]
	assert ("b", True) not in chain.log


def test_a_change_that_is_interrupted_is_not_taken_for_done(chain):
	chain.run()
	(chain.folder / "input").write_text("two")
	(chain.folder / "a breaks").touch()
	with pytest.raises(SandboxError):
		chain.run()
	(chain.folder / "a breaks").unlink()
	(chain.folder / "input").write_text("one")
	assert chain.run() == ["a"]
	assert chain.log[-1] == ("a", False)


def test_a_result_that_was_deleted_is_made_again(chain):
	chain.run()
	(chain.folder / "b").unlink()
	assert chain.run() == ["b"]


def test_a_step_sees_what_an_earlier_one_made(tmp_path):
	(tmp_path / "made").write_text("old")
	ran = []
	steps = [
		Step("make", "make", lambda before: (tmp_path / "made").write_text("new")),
		Step("use", "use", lambda before: ran.append(1), lambda: [tmp_path / "made"]),
	]
	chain = Chain(steps, tmp_path, out=lambda text: None)
	chain.run()
	assert chain.run() == [] and ran == [1]


def test_what_makes_an_app_install_again(tmp_path):
	def write(name, text):
		path = tmp_path / name
		path.parent.mkdir(parents=True, exist_ok=True)
		path.write_text(text)

	write("hooks.py", "a = 1")
	write("app/doctype/thing/thing.json", "{}")
	write("app/doctype/thing/thing.py", "pass")
	write("setup/install.py", "pass")
	write("setup/doctype/company/company.py", "pass")
	before = app_hash(tmp_path)
	for harmless in (
		"app/doctype/thing/thing.py",
		"setup/doctype/company/company.py",
		"public/js/a.json",
		"api.py",
	):
		write(harmless, "changed")
		assert app_hash(tmp_path) == before, harmless
	for matters in (
		"hooks.py",
		"app/doctype/thing/thing.json",
		"setup/install.py",
		"patches/v1/new.py",
		"patches.txt",
	):
		write(matters, "changed")
		assert app_hash(tmp_path) != before, matters
		before = app_hash(tmp_path)
