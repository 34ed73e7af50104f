"""aiohttp's reader of requests, as this service has it: what it cannot read is a problem like any other.

It also knows how many requests it has that lack their answers, so that a client that shuts its side gets all of them.
"""

import asyncio
from collections.abc import Awaitable, Callable

import structlog
from aiohttp import HttpVersion10, StreamReader, web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.http_parser import RawRequestMessage
from aiohttp.web_protocol import RequestHandler

from api.http.fast.reply import Replies
from api.http.problems import Problem
from api.http.request_id import HEADER, request_id_of
from api.metrics.counts import UNREAD
from api.watch import Watch

LINGER_S = 2.0
"""How long a client that was answered, or cut off, in mid-body may go on sending: it would lose the answer else."""
LINE_BYTES_MAX = 8_190
FIELDS_MAX = 128

_BROKEN = Problem(
    "broken-http",
    f"This cannot be read as HTTP/1.1, or is more than is read: lines and fields of a head may have {LINE_BYTES_MAX}"
    f" bytes, and there may be {FIELDS_MAX} fields.",
)

log = structlog.get_logger(__name__)


class Reader(RequestHandler):
    """The protocol of one connection."""

    __slots__ = ("_answered", "_last", "_replies", "_watch", "body", "client_ended")

    def __init__(self, server: web.Server, watch: Watch, replies: Replies, *, keepalive_s: float) -> None:
        super().__init__(
            server,
            loop=asyncio.get_running_loop(),
            access_log=None,  # type: ignore[arg-type] # as aiohttp itself says it
            keepalive_timeout=keepalive_s,
            max_line_size=LINE_BYTES_MAX,
            max_field_size=LINE_BYTES_MAX,
            max_headers=FIELDS_MAX,
            # Nothing is unpacked: what comes compressed is refused by its header.
            auto_decompress=False,
            lingering_time=LINGER_S,
        )
        self._watch = watch
        self._replies = replies
        self._answered = 0
        self._last = False
        """Whether the connection ends once what came has its answers."""
        self.body: StreamReader | None = None
        """That of the last request that began to be served."""
        self.client_ended = False
        """Whether the client has shut its side, and sends no more."""

    async def start(self) -> None:
        """Serve what comes; nothing where the client has gone before it began, which aiohttp takes for a bug."""
        if self.transport is not None:
            await super().start()

    def data_received(self, data: bytes) -> None:
        """Read what came; a body that breaks in the middle of it ends there."""
        super().data_received(data)
        request = self._current_request
        # What cannot be read is queued behind the request whose body it is a part of.
        if request is not None and self._messages and not isinstance(self._messages[-1][0], RawRequestMessage):
            _break_off(request, "the body is no chunks")

    def eof_received(self) -> bool:  # type: ignore[override] # a transport asks; that of aiohttp never keeps it
        """The client sends no more: whether the connection is kept for what it asked before."""
        self.client_ended = True
        request = self._current_request
        if request is not None:
            self.check_whole(request)
        return self.under_way

    @property
    def under_way(self) -> bool:
        """Whether a request, of which at least the head has come, has no answer yet."""
        return self._request_count > self._answered

    @property
    def heads(self) -> int:
        """Requests of which at least the head has come, or that cannot be read."""
        return self._request_count

    @property
    def between(self) -> bool:
        """Whether what comes next is the head of a request: no rest of the body of one, be it answered or not."""
        return not self.under_way and (self.body is None or self.body.is_eof())

    def end_soon(self) -> None:
        """Have the connection end with the answer to what came."""
        self._last = True

    def check_whole(self, request: web.BaseRequest) -> None:
        """Have nobody wait for the rest of a body of which no more can come."""
        if self.client_ended:
            _break_off(request, "the client ended in mid-body")

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        """Write an answer; after the last one that a client can get, the connection ends."""
        if self._last and self._answered + 1 >= self._request_count:
            resp.force_close()
        found = await super().finish_response(request, resp, start_time)
        self._answered += 1
        if (self.client_ended or self._last) and self._answered >= self._request_count:
            found[0].force_close()
        return found

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,  # noqa: ARG002 - it quotes what was sent
    ) -> web.StreamResponse:
        """The answer to what could not be read, or to an error that nobody expected; the connection ends with it."""
        if request.writer.output_size > 0:
            raise ConnectionError("an answer has begun, so no other one can be sent")
        request_id = request_id_of(None)
        if status < 500:
            return self.refused(_BROKEN, request_id)
        log.error("a request failed", path=request.path, request_id=request_id, exc_info=exc)
        problem = Problem("internal-error", "The error is in the service's log, under the request id.")
        return self.refused(problem, request_id)

    def refused(self, problem: Problem, request_id: str, *, last: bool = True) -> web.StreamResponse:
        """An answer in HTTP/1.1 whatever was asked in, the `last` one of the connection or not."""
        answer = problem.answer(request_id)
        self._watch.observe(UNREAD, answer.status, problem.type, 0.0, request_id, {})
        return _Ready(self._replies.encode(answer, request_id, close=last), last=last)


def _break_off(request: web.BaseRequest, why: str) -> None:
    if not request.content.is_eof():
        request.content.set_exception(web.RequestPayloadError(why))
        request.content.feed_eof()


class _Ready(web.StreamResponse):
    """An answer that is bytes already: one to what was not read as HTTP/1.1 would be in HTTP/1.0 else."""

    def __init__(self, data: bytes, *, last: bool) -> None:
        super().__init__()
        self._data = data
        self._keep_alive = not last

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        if request.transport is not None:
            request.transport.write(self._data)
        return None

    async def write_eof(self, data: bytes = b"") -> None:
        """All of it was written."""


def readers(server: web.Server, watch: Watch, *, keepalive_s: float) -> Callable[[], Reader]:
    """What makes the protocol of a connection of this server."""
    replies = Replies()
    server.request_handler = _told(server.request_handler)
    return lambda: Reader(server, watch, replies, keepalive_s=keepalive_s)


def client_ended(request: web.Request) -> bool:
    """Whether the client of a request has shut its side."""
    protocol = request.protocol
    return isinstance(protocol, Reader) and protocol.client_ended


_Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


def _told(handle: _Handler) -> _Handler:
    """A server's handler that answers with problems also what aiohttp refuses before it looks for a route."""

    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        reader = request.protocol
        assert isinstance(reader, Reader), "it is the protocol of this server"
        if reader.transport is None:
            # Its client has gone before it began: as if it had not come.
            return _Ready(b"", last=True)
        if request.version < HttpVersion10:
            # What a line without a version is read as: HTTP/0.9 had no headers, and changed nothing.
            return reader.refused(_BROKEN, request_id_of(None))
        reader.body = request.content
        reader.check_whole(request)
        try:
            if not request.headers.get("Expect", "").isascii():
                # aiohttp would quote it, and stumble over what is no text.
                raise web.HTTPExpectationFailed
            return await handle(request)
        except web.HTTPExpectationFailed:
            problem = Problem("unknown-expectation", "Of what may be expected, only 100-continue is known.")
            last = not request.keep_alive
            return reader.refused(problem, request_id_of(request.headers.get(HEADER)), last=last)

    return handler
