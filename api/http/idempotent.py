"""An `Idempotency-Key` on requests that aiohttp read."""

from aiohttp import web

from api.http.problems import Problem
from api.idempotency import HEADER, read_key


def key_of(request: web.Request) -> str | Problem | None:
    """The request's key; of one that came twice, what is wrong with that."""
    found = request.headers.getall(HEADER, ())
    return read_key(", ".join(found) if found else None)
