"""A file of policies that changes: taken when it is right, told when it is not."""

import asyncio
import contextlib
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


def version_of(watch: PolicyWatch) -> str | None:
    """Of the file's book."""
    return watch.book and watch.book.version


async def test_a_changed_file_is_taken_once(file: Path) -> None:
    """And an unchanged one is not even read."""
    watch = opened(file)
    assert (version_of(watch), await watch.changed()) == ("1", False)
    put(file, text("2", 5))
    assert (await watch.changed(), version_of(watch), await watch.changed()) == (True, "2", False)


async def test_a_wrong_file_leaves_what_was_there_and_is_told(file: Path) -> None:
    """Until it is mended, or gone back to what it was."""
    watch = opened(file)
    put(file, text("2") + "colour = 1\n")
    assert (await watch.changed(), version_of(watch)) == (False, "1")
    assert watch.error is not None
    assert f"{file}:5: policies.a.colour" in watch.error
    put(file, text("3"))
    assert (await watch.changed(), version_of(watch), watch.error is None) == (True, "3", True)
    os.unlink(file)
    assert (await watch.changed(), version_of(watch)) == (False, "3")
    assert watch.error is not None
    put(file, text("3"))
    assert (await watch.changed(), watch.error is None) == (False, True)


async def test_a_file_that_says_the_same_in_other_words_has_not_changed(file: Path) -> None:
    """A comment means nothing."""
    watch = opened(file)
    put(file, "# a comment\n" + text("1"))
    assert (await watch.changed(), watch.error) == (False, None)
    put(file, text("1", 5))
    assert (await watch.changed(), watch.error) == (True, None)


def test_a_file_that_is_wrong_at_the_start_stops_it(file: Path) -> None:
    """Nothing is to be planned by others than are asked for."""
    put(file, "version = 1")
    with pytest.raises(InvalidInput, match=r"policies\.toml:1"):
        opened(file)


async def test_without_a_file_nothing_changes() -> None:
    """There is nothing to look at."""
    watch = opened(None)
    assert (await watch.changed(), watch.book) == (False, None)


def put_pipe(file: Path) -> None:
    """A file in the place of the old one whose reader waits until somebody writes it."""
    fresh = file.with_suffix(".new")
    os.mkfifo(fresh)
    os.replace(fresh, file)


async def test_others_go_on_while_the_file_is_read(file: Path) -> None:
    """A long file takes half a second, and orders do not wait for it."""
    watch = opened(file)
    put_pipe(file)
    looking = asyncio.create_task(watch.changed())
    # Were the file read in the loop, nobody would ever write it.
    await asyncio.to_thread(file.write_text, text("2"), "utf-8")
    assert (await looking, version_of(watch)) == (True, "2")


async def test_a_reading_that_nobody_waits_for_ends_before_the_next_and_before_the_end(file: Path) -> None:
    """Two at once would share the content of this pipe, and neither have a whole file."""
    watch = opened(file)
    put_pipe(file)
    given_up, looking = asyncio.create_task(watch.changed()), asyncio.create_task(watch.changed())
    await asyncio.sleep(0)
    given_up.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await given_up
    closing = asyncio.create_task(watch.close())
    await asyncio.sleep(0)
    assert not closing.done()
    await asyncio.to_thread(file.write_text, text("2"), "utf-8")
    await closing
    await asyncio.to_thread(file.write_text, text("3"), "utf-8")
    assert (await looking, version_of(watch)) == (True, "3")
