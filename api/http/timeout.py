"""Reads `Stockade-Timeout-Ms`: how long a caller gives its order until it has begun to be planned."""

import re

from aiohttp import web

from api.http.problems import Problem

HEADER = "Stockade-Timeout-Ms"
MS_MAX = 60_000

_NUMBER = re.compile(r"[1-9][0-9]{0,4}", re.ASCII)
_RULE = f"{HEADER} must be a whole number of milliseconds, 1 to {MS_MAX}."


def read_timeout(text: str | None) -> float | Problem | None:
    """Seconds; None where there is no header. One that came twice is given joined by commas."""
    if text is None:
        return None
    if _NUMBER.fullmatch(text) is None or int(text) > MS_MAX:
        return Problem("invalid-timeout", _RULE)
    return int(text) / 1000


def timeout_of(request: web.Request) -> float | Problem | None:
    """The same of a request that aiohttp read."""
    found = request.headers.getall(HEADER, ())
    return read_timeout(", ".join(found) if found else None)
