"""Writes an answer as the bytes of an HTTP response."""

import time
from collections.abc import Mapping
from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus

import msgspec
from msgspec import Struct

from api.http.answer import JSON, REPLAYED, Answer
from api.http.problems import Problem, ProblemType

PROBLEMS_READY = 256
"""Problems that are kept as bytes: those with details of their own push others out."""
_MARK = "the id of the request"
encode_text = msgspec.json.Encoder().encode

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

    def encode_problem(self, problem: Problem, request_id: str, *, close: bool = False) -> bytes:
        """The same of a problem. Those of overload come by the thousand, and differ in nothing but the request."""
        if problem.errors or problem.members is not None or problem.headers is not None:
            return self.encode(problem.answer(request_id), request_id, close=close)
        ready = _ready(problem.type, problem.detail, problem.retry_after_s)
        told = encode_text(request_id)
        return b"%bX-Request-Id: %b\r\nContent-Length: %d\r\n%b%b\r\n%b%b%b" % (
            ready.head,
            request_id.encode(),
            ready.length + len(told),
            self._date(),
            b"Connection: close\r\n" if close else b"",
            ready.before,
            told,
            ready.after,
        )

    def _date(self) -> bytes:
        second = int(time.time())
        if second != self._second:
            self._second = second
            self._tail = f"Date: {formatdate(second, usegmt=True)}\r\n".encode()
        return self._tail


class _Ready(Struct, frozen=True):
    """A problem as bytes, but for the request's id, which stands in the body between `before` and `after`."""

    head: bytes
    before: bytes
    after: bytes
    length: int


@lru_cache(PROBLEMS_READY)
def _ready(type_: ProblemType, detail: str, retry_after_s: int | None) -> _Ready:
    answer = Problem(type_, detail, retry_after_s=retry_after_s).answer(_MARK)
    before, found, after = answer.body.rpartition(encode_text(_MARK))
    assert found, "every problem names its request"
    return _Ready(_LINES[answer.status] + _fields(answer.headers), before, after, len(before) + len(after))


def _fields(headers: Mapping[str, str]) -> bytes:
    return "".join([f"{name}: {value}\r\n" for name, value in headers.items()]).encode("latin-1")
