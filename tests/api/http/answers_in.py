"""Reads all that came on one connection as the answers that it must be."""

import json
import re
from typing import NamedTuple

_FIRST = re.compile(rb"HTTP/1\.[01] ([1-5][0-9]{2}) [ -~]+")
_FIELD = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+): ?([\t -~\x80-\xff]*)")
_CHUNK = re.compile(rb"[0-9a-fA-F]+")
HEAD_END = b"\r\n\r\n"


class Found(NamedTuple):
    """One answer."""

    status: int
    headers: dict[str, str]
    body: bytes
    whole: bool
    """Whether all of it came; only of the last one it need not."""


def answers_in(data: bytes) -> list[Found]:
    """The answers, in order. AssertionError where they are not HTTP/1.1, or say what cannot be."""
    found: list[Found] = []
    while data:
        assert not found or found[-1].headers.get("connection") != "close", "an answer after the last one"
        head, end, data = data.partition(HEAD_END)
        if not end:
            found.append(Found(0, {}, head, whole=False))
            break
        first, *lines = head.split(b"\r\n")
        line = _FIRST.fullmatch(first)
        assert line is not None, first
        status, headers = int(line[1]), _headers(lines)
        if status == 100:
            continue
        if headers.get("transfer-encoding") == "chunked":
            body, data, whole = _chunked(data)
        elif "content-length" in headers:
            length = int(headers["content-length"])
            body, data = data[:length], data[length:]
            whole = len(body) == length
        else:
            # Its end is that of the connection: only HTTP/1.0 is answered so.
            assert first.startswith(b"HTTP/1.0 "), head
            body, data, whole = data, b"", False
        found.append(Found(status, headers, body, whole))
        if not whole:
            assert not data
            break
        _check(found[-1])
    return found


def _headers(lines: list[bytes]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for line in lines:
        field = _FIELD.fullmatch(line)
        assert field is not None, line
        name = field[1].decode().lower()
        assert name not in headers, name
        headers[name] = field[2].decode("latin-1")
    return headers


def _chunked(data: bytes) -> tuple[bytes, bytes, bool]:
    body = b""
    while True:
        size, end, rest = data.partition(b"\r\n")
        if not end:
            return body, b"", False
        assert _CHUNK.fullmatch(size), size
        length = int(size, 16)
        chunk = rest[:length]
        body += chunk
        if len(rest) < length + 2:
            return body, b"", False
        assert rest[length : length + 2] == b"\r\n", rest[:100]
        data = rest[length + 2 :]
        if length == 0:
            return body, data, True


def _check(found: Found) -> None:
    kind = found.headers.get("content-type", "").partition(";")[0]
    if kind == "application/problem+json":
        problem = json.loads(found.body)
        assert problem["status"] == found.status
        assert problem["type"]
        assert problem["request_id"] == found.headers["x-request-id"]
    elif kind == "application/json":
        json.loads(found.body)
    elif kind == "application/x-ndjson":
        for line in found.body.splitlines():
            json.loads(line)
    assert kind == "application/problem+json" or found.status < 400, found
