"""Writes an answer as the bytes of an HTTP response."""

import time
from collections.abc import Mapping
from email.utils import formatdate
from http import HTTPStatus

from aiohttp.http import SERVER_SOFTWARE

from api.http.answer import Answer

_LINES = {status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode() for status in HTTPStatus}


class Replies:
    """Answers as bytes. The date changes each second, the head of answers with the same headers does not."""

    def __init__(self) -> None:
        self._second = 0
        self._tail = b""

    def encode(self, answer: Answer, request_id: str, *, close: bool = False) -> bytes:
        """The whole response."""
        return b"%b%bX-Request-Id: %b\r\nContent-Length: %d\r\n%b%b\r\n%b" % (
            _LINES[answer.status],
            _fields(answer.headers),
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
            self._tail = f"Date: {formatdate(second, usegmt=True)}\r\nServer: {SERVER_SOFTWARE}\r\n".encode()
        return self._tail


def _fields(headers: Mapping[str, str]) -> bytes:
    return "".join([f"{name}: {value}\r\n" for name, value in headers.items()]).encode("latin-1")
