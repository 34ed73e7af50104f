"""Commands on a store that cannot be had: soon an exit 2, and what to do."""

import socket
from collections.abc import Iterator
from pathlib import Path
from time import monotonic

import pytest

from tests.api.conftest import run, run_all

GIVE_UP_S = 10.0


@pytest.fixture
def closed_port() -> int:
    """A port where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port where somebody listens who never answers."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        yield int(taken.getsockname()[1])


def test_a_store_that_refuses_is_told_with_what_to_do(closed_port: int) -> None:
    """The address is wrong or the store is down: the message names the address."""
    began = monotonic()
    url = f"redis://127.0.0.1:{closed_port}/0"
    finished = run("serve", "--port", "0", "--redis-url", url)
    assert (finished.code, finished.out) == (2, "")
    assert f"127.0.0.1:{closed_port}" in finished.err
    assert "Check its address" in finished.err
    assert "Traceback" not in finished.err
    assert monotonic() - began < GIVE_UP_S


def test_doctor_shows_the_settings_of_a_store_out_of_reach(closed_port: int) -> None:
    """They may be what is wrong; but for the password."""
    url = f"redis://:secret@127.0.0.1:{closed_port}/0"
    finished = run("doctor", "--json", REDIS_URL=url)
    assert (finished.code, finished.err) == (1, "")
    assert finished.json["settings"]["redis_url"] == finished.json["found"]["url"] == url.replace(":secret", "***")
    assert "Check its address" in finished.json["advice"][0]
    assert "secret" not in finished.out


def test_a_store_that_never_answers_is_given_up(silent_port: int) -> None:
    """A firewall that swallows packets must not look like a slow start."""
    began = monotonic()
    finished = run("audit", REDIS_URL=f"redis://127.0.0.1:{silent_port}/0", STOCKADE_STORE_TIMEOUT_MS="500")
    assert finished.code == 2
    assert "does not answer" in finished.err
    assert monotonic() - began < GIVE_UP_S


def test_an_address_that_is_none_is_wrong_input() -> None:
    """A typing error in REDIS_URL gets a sentence, not a traceback."""
    for finished in run_all(("doctor", "--redis-url", url) for url in ("127.0.0.1:6379", "redis://127.0.0.1:99999")):
        assert finished.code == 2, finished.err
        assert "Traceback" not in finished.err
        assert "redis://" in finished.err or "REDIS_URL" in finished.err


def test_a_data_directory_that_cannot_be_made_is_told_with_what_to_do(tmp_path: Path) -> None:
    """A file stands where the directory should."""
    (tmp_path / "taken").touch()
    finished = run("doctor", "--data-dir", tmp_path / "taken")
    assert finished.code == 2
    assert str(tmp_path / "taken") in finished.err
    assert "--data-dir" in finished.err
