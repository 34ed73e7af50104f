"""Reads the head of a request, and says whether it is so plain that the fast lane may take it.

httptools (the parser of Node.js) reads it. Anything that could mean two things to two readers is left to aiohttp: a
second header of one name, a transfer coding, an expectation, an upgrade, a content coding, a connection that is to end.
"""

import httptools
from msgspec import Struct

ORDERS_LINE = b"POST /v1/orders HTTP/1.1\r\n"
HEAD_END = b"\r\n\r\n"
HEAD_BYTES_MAX = 4_096
"""Longer heads are aiohttp's, which takes twice as much a line."""
HEADERS_MAX = 100
KNOWN_MAX = 1_024
KNOWN_BYTES_MAX = 1_024
"""Heads that are kept as they were read: clients send the same again and again. A longer one is read each time."""

_LEFT_TO_AIOHTTP = frozenset({"transfer-encoding", "content-encoding", "expect", "upgrade", "te", "trailer"})
_LENGTH_DIGITS_MAX = 10


class Head(Struct, frozen=True):
    """The head of a plain POST /v1/orders."""

    headers: dict[str, str]
    """By names in lower case."""
    content_length: int


class Heads:
    """Reads heads, and knows those that came before."""

    def __init__(self) -> None:
        self._known: dict[bytes, Head | None] = {}

    def read(self, head: bytes) -> Head | None:
        """A head with its empty line; None if it is aiohttp's."""
        try:
            return self._known[head]
        except KeyError:
            read = _read(head)
        if len(head) <= KNOWN_BYTES_MAX:
            if len(self._known) >= KNOWN_MAX:
                self._known.clear()
            self._known[head] = read
        return read


class _Collected:
    """What httptools calls."""

    __slots__ = ("complete", "headers", "twice")

    def __init__(self) -> None:
        self.headers: dict[str, str] = {}
        self.twice = False
        self.complete = False

    def on_header(self, name: bytes, value: bytes) -> None:
        key = name.lower().decode("latin-1")
        self.twice |= key in self.headers
        self.headers[key] = value.decode("utf-8", "surrogateescape")

    def on_headers_complete(self) -> None:
        self.complete = True


def _read(head: bytes) -> Head | None:
    collected = _Collected()
    parser = httptools.HttpRequestParser(collected)
    try:
        parser.feed_data(head)
    except (httptools.HttpParserError, httptools.HttpParserUpgrade):
        return None
    headers = collected.headers
    length = headers.get("content-length", "")
    plain = (
        head.startswith(ORDERS_LINE)
        and collected.complete
        and not collected.twice
        and len(headers) <= HEADERS_MAX
        and parser.get_method() == b"POST"
        and parser.should_keep_alive()
        and not parser.should_upgrade()
        and headers.get("connection", "keep-alive").lower() == "keep-alive"
        and headers.get("host")
        and length.isascii()
        and length.isdigit()
        and len(length) <= _LENGTH_DIGITS_MAX
        and _LEFT_TO_AIOHTTP.isdisjoint(headers)
    )
    return Head(headers, int(length)) if plain else None
