"""A file that is no result, or a wrong one, is told by field and rule; a right one is read as it was written."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from engine.errors import InvalidInput
from loadtest.capacity.read import read_result
from tests.loadtest.capacity.results import result, session

WHOLE = result(session(1, 4_000), session(2, 7_000))
RIGHT = msgspec.json.encode(WHOLE)


def changed(*path: str | int, to: Any = None, drop: bool = False) -> bytes:
    """The file with one field that is another."""
    whole = json.loads(RIGHT)
    at = whole
    for step in path[:-1]:
        at = at[step]
    if drop:
        del at[path[-1]]
    else:
        at[path[-1]] = to
    return json.dumps(whole).encode()


def told(tmp_path: Path, data: bytes) -> str:
    """What is said of it."""
    file = tmp_path / "result.json"
    file.write_bytes(data)
    with pytest.raises(InvalidInput) as error:
        read_result(file)
    assert all(one.pointer == str(file) for one in error.value.errors)
    return " ".join(one.message for one in error.value.errors)


def test_a_result_is_read_as_it_was_written(tmp_path: Path) -> None:
    """Every field of it."""
    file = tmp_path / "result.json"
    file.write_bytes(RIGHT)
    assert read_result(file) == WHOLE


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (b"", "is not JSON"),
        (b"[1, 2]", "must be an object"),
        (b"{}", "/format"),
        (b"\xff\xfe", "is not JSON"),
        (b'{"format": "stockade-capacity", "version": ' + b"[" * 100_000, "is not JSON"),
        (changed("format", to="other"), "/format"),
        (changed("version", to=2), "/version: is 2; this release reads 1"),
        (changed("version", to="x" * 10_000), "/version"),
        (changed("asked", "p99_ms", to=0), "/asked/p99_ms"),
        (changed("asked", "workers", to=[]), "/asked/workers"),
        (changed("asked", "workers", 0, to=10**30), "/asked/workers"),
        (changed("sessions", 0, "sweep", 2, "p99_ms", to=-1), "/sessions/0/sweep/2/p99_ms"),
        (changed("sessions", 0, "sweep", 2, "p99_ms", to=1e300), "/sessions/0/sweep/2/p99_ms"),
        (changed("sessions", 0, "sweep", 2, "p99_ms", to="fast"), "/sessions/0/sweep/2/p99_ms"),
        (changed("sessions", 0, "sweep", 2, "p99_ms", drop=True), "/sessions/0/sweep/2/p99_ms: is missing"),
        (changed("sessions", 0, "sweep", 2, "p99_ms", to=0.001), "must not be below p50_ms"),
        (changed("sessions", 0, "sweep", 2, "seconds", to=0), "/sessions/0/sweep/2/seconds: must be above 0"),
        (changed("sessions", 0, "sweep", 2, "share", to=None), "/sessions/0/sweep/2/share"),
        (changed("sessions", 0, "ramp", 0, "loop", to="open"), "/sessions/0/ramp/0/loop"),
        (changed("sessions", 1, "workers", to=1), "/sessions/1/workers"),
        (changed("sessions", 0, "peak", "measured", to=[]), "/sessions/0/peak/measured"),
        (changed("sessions", to=[]), "/sessions"),
        (changed("machine", "cores", to=0), "/machine/cores"),
        (changed("machine", "host", to="mine"), "/machine/host"),
        (changed("growth", "cells", "cells", to=0), "/growth/cells/cells"),
        (RIGHT[: len(RIGHT) // 2], "is not JSON"),
        (RIGHT.replace(b'"seed":1', b'"seed":NaN'), "is not JSON"),
    ],
    ids=range(27),
)
def test_a_wrong_file_is_told_by_field_and_rule(tmp_path: Path, data: bytes, word: str) -> None:
    """Neither a trace of Python, nor a guess."""
    found = told(tmp_path, data)
    assert word in found
    assert len(found) < 5_000


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    """By its name."""
    with pytest.raises(InvalidInput, match="cannot be read"):
        read_result(tmp_path / "none.json")
    with pytest.raises(InvalidInput, match="cannot be read"):
        read_result(tmp_path)
