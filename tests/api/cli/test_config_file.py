"""Settings from a file, as the commands take it."""

from pathlib import Path

import msgspec
import pytest

from tests.api.conftest import make_store, run


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file of settings."""
    one = tmp_path / "stockade.toml"
    one.write_text('currency = "EUR"\nqueue_orders_max = 77\ndata_dir = "store"\n')
    return one


def test_doctor_tells_each_setting_and_where_it_is_from(file: Path) -> None:
    """Of file, environment and default, the one in force is not to be guessed."""
    make_store(file.parent / "store")
    finished = run("doctor", "--config", file, "--json", STOCKADE_DRAIN_S="3")
    assert finished.code == 0, finished.err
    told = msgspec.json.decode(finished.out)
    assert (told["settings"]["currency"], told["sources"]["currency"]) == ("EUR", f"{file}:1: currency")
    assert (told["settings"]["drain_s"], told["sources"]["drain_s"]) == (3.0, "STOCKADE_DRAIN_S")
    assert (told["settings"]["port"], told["sources"]["port"]) == (8080, "default")
    assert told["settings"]["data_dir"] == str(file.parent / "store")


def test_a_wrong_file_keeps_the_service_from_starting(file: Path) -> None:
    """With its line, before a store is opened."""
    file.write_text("port = 99999\n")
    finished = run("serve", STOCKADE_CONFIG=str(file))
    assert (finished.code, finished.out) == (2, "")
    assert f"{file}:1: port" in "".join(finished.err.split("\n"))
    assert not (file.parent / "store").exists()


def test_a_run_directory_that_cannot_be_had_keeps_the_service_from_starting(file: Path) -> None:
    """Workers that do not know of each other would each tell a part of the truth."""
    finished = run("serve", "--port", "0", "--config", file, STOCKADE_RUN_DIR=str(file / "run"))
    assert (finished.code, finished.out) == (2, "")
    assert "STOCKADE_RUN_DIR" in finished.err
