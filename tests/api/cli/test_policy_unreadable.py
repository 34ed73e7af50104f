"""Policies in a store that this release cannot read: shown all the same, with what is wrong and what to do."""

from pathlib import Path

import msgspec

from engine import Settings, open_engine
from engine.policy import StoredBook
from tests.api.conftest import run

LATER = 'version = "9"\n[policies.p]\nobjective = "greenest"\n'
RIGHT = 'version = "10"\n[policies.p]\nobjective = "cheapest"\n[[rules]]\nname = "r"\nuse = "p"\nchannels = ["app"]\n'


async def put(data_dir: Path, content: bytes) -> None:
    """Have a store with policies that a later release put there."""
    async with open_engine(Settings(data_dir=data_dir), background=False, load=False) as engine:
        await engine.store.catalogue.put_policies("9", "abc", content, go_back=True)


async def test_what_a_later_release_put_there_is_shown_with_what_is_wrong(tmp_path: Path) -> None:
    """On the way out: others are published from standard input, or none are left."""
    store = tmp_path / "store"
    row = StoredBook(version="9", fingerprint="abc", default="cheapest", text=LATER)
    await put(store, msgspec.json.encode(row))
    shown = run("policy", "show", "--data-dir", store)
    said = " ".join(shown.err.split())
    assert (shown.code, shown.out) == (1, LATER)
    assert "line 3: policies.p.objective: must be one of cheapest, " in said
    assert "stockade policy publish FILE" in said
    assert "stockade policy withdraw" in said
    machine = run("policy", "show", "--json", "--data-dir", store)
    assert (machine.code, machine.json["text"], machine.json["mistakes"][0]["line"]) == (1, LATER, 3)
    published = run("policy", "publish", "-", "--data-dir", store, given=RIGHT)
    assert (published.code, "Version 10" in published.out) == (0, True), published.err
    assert run("policy", "show", "--data-dir", store).out == RIGHT


async def test_what_is_no_book_at_all_is_told_with_what_to_do(tmp_path: Path) -> None:
    """There is nothing to show."""
    await put(tmp_path / "store", b"[]")
    shown = run("policy", "show", "--data-dir", tmp_path / "store")
    said = " ".join(shown.err.split())
    assert (shown.code, shown.out) == (2, "")
    assert "are not such as this release knows" in said
    assert "stockade policy withdraw" in said


def test_a_file_from_standard_input_is_named_and_counted(tmp_path: Path) -> None:
    """One rule is one rule."""
    wrong = run("policy", "publish", "-", "--data-dir", tmp_path / "store", given=LATER)
    assert (wrong.code, "-:3: policies.p.objective: must be one of" in " ".join(wrong.err.split())) == (2, True)
    assert not (tmp_path / "store").exists()
    assert "; 1 rule." in " ".join(run("policy", "check", "-", given=RIGHT).out.split())


def test_a_file_of_policies_that_is_not_there_is_told_with_the_setting(tmp_path: Path) -> None:
    """Nobody remembers what a shell was given yesterday."""
    missing = tmp_path / "gone.toml"
    told = run("policy", "compare", "--sample", "--count", "1", STOCKADE_POLICIES_FILE=str(missing))
    said = " ".join(told.err.split())
    assert told.code == 2
    assert f"{missing}: is the file of policies (STOCKADE_POLICIES_FILE, or an option), and cannot be read" in said
