"""Reads a recorded trace: when requests came, and their bodies where they were recorded."""

from collections.abc import Iterable

import msgspec
from msgspec import Struct

TIMES_MAX = 5_000_000


class _Sent(Struct):
    """A line of a load test's record, or of a trace from elsewhere."""

    at_s: float | None = None
    intended_us: int | None = None
    retries: int = 0
    request: str | None = None


class TraceError(Exception):
    """A line is no part of a trace."""


class RecordedTrace(Struct, frozen=True):
    """Times in seconds after the first one, ascending; and a body for each, or none at all."""

    at_s: list[float]
    bodies: list[str] | None


_line = msgspec.json.Decoder(float | _Sent)


def read_trace(lines: Iterable[bytes]) -> RecordedTrace:
    """A trace of lines of JSON: seconds, `{"at_s": seconds, "request"?: body}`, or a load test's record.

    Raises TraceError, which names the line.
    """
    rows: list[tuple[float, int, str | None]] = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            found = _line.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise TraceError(f"line {number}: {error}") from None
        one = found if isinstance(found, _Sent) else _Sent(at_s=found)
        # What was sent again then will be sent again now, if it has to be.
        if one.retries:
            continue
        at_s = one.at_s if one.intended_us is None else one.intended_us / 1e6
        if at_s is None:
            raise TraceError(f"line {number}: has neither at_s nor intended_us")
        rows.append((at_s, number, one.request))
        if len(rows) > TIMES_MAX:
            raise TraceError(f"line {number}: is beyond the {TIMES_MAX:,} requests that a trace may have")
    if not rows:
        raise TraceError("has no requests")
    rows.sort(key=lambda row: row[:2])
    bodies = [body for _, _, body in rows if body is not None]
    return RecordedTrace([at_s - rows[0][0] for at_s, _, _ in rows], bodies if len(bodies) == len(rows) else None)
