"""A file of policies that changes: taken when it is right, told when it is not."""

import os
from pathlib import Path

import pytest

from engine.errors import InvalidInput
from engine.policy import PolicyWatch


def text(version: str, penalty: int = 0) -> str:
    """A file of one policy."""
    return f'version = "{version}"\n[policies.a]\nobjective = "cheapest"\nsplit_penalty = {penalty}\n'


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A right one."""
    file = tmp_path / "policies.toml"
    file.write_text(text("1"), "utf-8")
    return file


def put(file: Path, content: str) -> None:
    """As editors and configuration tools do: a new file in the place of the old one."""
    fresh = file.with_suffix(".new")
    fresh.write_text(content, "utf-8")
    os.replace(fresh, file)


def opened(file: Path | None) -> PolicyWatch:
    """A watch that has read its file."""
    watch = PolicyWatch(file, "cheapest")
    watch.open()
    return watch


def test_a_changed_file_is_taken_once(file: Path) -> None:
    """And an unchanged one is not even read."""
    watch = opened(file)
    assert (watch.book.version, watch.changed()) == ("1", False)
    put(file, text("2", 5))
    assert (watch.changed(), watch.book.version, watch.changed()) == (True, "2", False)


def test_a_wrong_file_leaves_what_was_there_and_is_told(file: Path) -> None:
    """Until it is mended, or gone back to what it was."""
    watch = opened(file)
    put(file, text("2") + "colour = 1\n")
    assert (watch.changed(), watch.book.version) == (False, "1")
    assert watch.error is not None
    assert f"{file}:5: policies.a.colour" in watch.error
    put(file, text("3"))
    assert (watch.changed(), watch.book.version, watch.error) == (True, "3", None)
    file.unlink()
    assert (watch.changed(), watch.book.version) == (False, "3")
    assert watch.error is not None
    put(file, text("3"))
    assert (watch.changed(), watch.error) == (False, None)


def test_one_version_is_one_content(file: Path) -> None:
    """Orders name the version they were planned by: two meanings of it would tell nothing."""
    watch = opened(file)
    put(file, text("1", 5))
    assert (watch.changed(), watch.error is None) == (False, False)
    put(file, "# a comment means nothing\n" + text("1"))
    assert (watch.changed(), watch.error) == (False, None)


def test_a_file_that_is_wrong_at_the_start_stops_it(file: Path) -> None:
    """Nothing is to be planned by others than are asked for."""
    put(file, "version = 1")
    with pytest.raises(InvalidInput, match=r"policies\.toml:1"):
        opened(file)


def test_without_a_file_nothing_changes() -> None:
    """The built-in policies are there."""
    watch = opened(None)
    assert (watch.changed(), watch.book.version) == (False, "built-in")
