"""Writes an answer as the bytes of an HTTP response."""

import time
from collections.abc import Mapping
from email.utils import formatdate
from http import HTTPStatus

from api.http.answer import JSON, REPLAYED, Answer

_LINES = {status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode() for status in HTTPStatus}


class Replies:
    """Answers as bytes. The date is written anew each second, and common headers but once."""

    def __init__(self) -> None:
        self._common = {id(headers): _fields(headers) for headers in (JSON, REPLAYED)}
        self._second = 0
        self._tail = b""

    def encode(self, answer: Answer, request_id: str, *, close: bool = False) -> bytes:
        """The whole response."""
        return b"%b%b%bX-Request-Id: %b\r\nContent-Length: %d\r\n%b%b\r\n%b" % (
            _LINES[answer.status],
            self._common.get(id(answer.headers)) or _fields(answer.headers),
            b"" if answer.location is None else b"Location: %b\r\n" % answer.location.encode(),
            request_id.encode(),
            len(answer.body),
            self._date(),
            b"Connection: close\r\n" if close else b"",
            answer.body,
        )

    def _date(self) -> bytes:
        second = int(time.time())
        if second != self._second:
            self._second = second
            self._tail = f"Date: {formatdate(second, usegmt=True)}\r\n".encode()
        return self._tail


def _fields(headers: Mapping[str, str]) -> bytes:
    return "".join([f"{name}: {value}\r\n" for name, value in headers.items()]).encode("latin-1")
