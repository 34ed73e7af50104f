"""Reads the file of a result, or says what is wrong with it by field and rule."""

from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from engine.errors import FieldError, InvalidInput
from engine.model.wire_error import field_error
from loadtest.capacity.result import FORMAT, VERSION, CapacityResult

FILE_BYTES_MAX = 64 * 1024 * 1024


class _Head(Struct):
    format: Any = None
    version: Any = None


def read_result(file: Path) -> CapacityResult:
    """Raises InvalidInput, which names the file, the field and the rule."""
    try:
        with file.open("rb") as opened:
            data = opened.read(FILE_BYTES_MAX + 1)
    except OSError as error:
        raise _wrong(file, f"cannot be read: {error.strerror}") from None
    if len(data) > FILE_BYTES_MAX:
        raise _wrong(file, f"is longer than {FILE_BYTES_MAX:,} bytes: no result is")
    try:
        head = msgspec.json.decode(data, type=_Head)
    except msgspec.ValidationError:
        raise _wrong(file, "must be an object: the file that `stockade capacity run` wrote") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _wrong(file, f"is not JSON: {error}") from None
    if head.format != FORMAT:
        raise _wrong(file, f'/format: must be "{FORMAT}": it is no file that `stockade capacity run` wrote')
    if head.version != VERSION:
        raise _wrong(file, f"/version: is {head.version!r:.40}; this release reads {VERSION}: run it again")
    try:
        result = msgspec.json.decode(data, type=CapacityResult)
    except msgspec.ValidationError as error:
        found = field_error(error, CapacityResult)
        raise _wrong(file, f"{found.pointer}: {found.message}") from None
    except (msgspec.DecodeError, RecursionError) as error:
        raise _wrong(file, f"is not JSON: {error}") from None
    if mistakes := _rules(result):
        raise InvalidInput(tuple(FieldError(str(file), f"{pointer}: {rule}") for pointer, rule in mistakes))
    return result


def _rules(result: CapacityResult) -> list[tuple[str, str]]:
    """What the shape cannot say."""
    found = []
    seen: set[int] = set()
    for place, session in enumerate(result.sessions):
        if session.workers in seen:
            found.append((f"/sessions/{place}/workers", f"{session.workers} are there twice"))
        seen.add(session.workers)
        for name, points in (("ramp", session.ramp), ("sweep", session.sweep)):
            loop = "closed" if name == "ramp" else "open"
            for at, point in enumerate(points):
                pointer = f"/sessions/{place}/{name}/{at}"
                if point.loop != loop:
                    found.append((f"{pointer}/loop", f'must be "{loop}"'))
                if not point.seconds:
                    found.append((f"{pointer}/seconds", "must be above 0"))
                if loop == "open" and point.share is None:
                    found.append((f"{pointer}/share", "is missing"))
                if not point.p50_ms <= point.p99_ms <= point.p999_ms:
                    found.append((f"{pointer}/p99_ms", "must not be below p50_ms, nor above p999_ms"))
    return found[:20]


def _wrong(file: Path, rule: str) -> InvalidInput:
    return InvalidInput((FieldError(str(file), rule),))
