"""A bulk for threads: the caller's thread makes lines and reads results, one more sends."""

import contextlib
import http.client
import queue
import threading
import time
from collections.abc import Generator, Iterable, Iterator, Mapping
from itertools import islice

from api.client.calls import BULK, Reply
from api.client.connections import BROKEN, Connections
from api.client.results import BulkResult
from api.client.retry import Retry
from api.client.window import BULK_HEADERS, LOT_ORDERS, Window, bulk_attempts
from engine.model import Order

PIECE_BYTES = 256 * 1024


def send_bulk(
    connections: Connections, headers: Mapping[str, str], orders: Iterable[Order], retry: Retry
) -> Generator[BulkResult, None, None]:
    """What became of each order. Raises as Stockade.bulk does; what `orders` raises, after all results."""
    source = _Source(orders)
    window = Window()
    attempts = bulk_attempts(retry)
    while True:
        if not window and not window.add(source.lot()):
            break
        attempts.begin()
        try:
            with _exchange(connections, {**headers, **BULK_HEADERS}, retry.attempt_s) as exchange:
                exchange.send(window.again())
                # First all that may be sent: a proxy may keep the answer until it has the whole body.
                _fill(exchange, window, source)
                response = exchange.response()
                if response.status != 200:
                    reply = Reply(response.status, response.read(), False, response.getheader("Retry-After"))
                    pause_s = attempts.pause_after(reply)
                else:
                    while data := response.read1(PIECE_BYTES):
                        for result in window.feed(data):
                            attempts.progressed()
                            yield result
                        _fill(exchange, window, source)
                    if window:
                        raise http.client.IncompleteRead(b"")
                    continue
        except BROKEN as error:
            pause_s = attempts.pause_after_break(error, sent=True)
        time.sleep(pause_s)
    source.raise_failure()


def _fill(exchange: "_Exchange", window: Window, source: "_Source") -> None:
    while not source.exhausted and not window.full:
        exchange.send(window.add(source.lot()))
    if source.exhausted:
        exchange.end()


class _Source:
    """Orders in lots; what goes wrong in making them is kept for the end."""

    def __init__(self, orders: Iterable[Order]) -> None:
        self._orders = iter(orders)
        self._failure: Exception | None = None
        self.exhausted = False

    def lot(self) -> list[Order]:
        """The next orders; none when there are no more."""
        found: list[Order] = []
        try:
            for order in islice(self._orders, LOT_ORDERS):
                found.append(order)
        except Exception as error:
            self._failure = error
        self.exhausted = self.exhausted or len(found) < LOT_ORDERS
        return found

    def raise_failure(self) -> None:
        """Raise what the caller's orders raised."""
        if self._failure is not None:
            raise self._failure


class _Exchange:
    """One request whose body is still being made. The sender is a thread, so that neither side waits for the other."""

    def __init__(self, connection: http.client.HTTPConnection) -> None:
        self._connection = connection
        self._sock = connection.sock
        self._pieces: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._ended = False
        self._thread = threading.Thread(target=self._send, daemon=True)
        self._thread.start()

    def send(self, data: bytes) -> None:
        """Have data sent, after what came before."""
        if data:
            self._pieces.put(b"%x\r\n%b\r\n" % (len(data), data))

    def end(self) -> None:
        """Have the body ended."""
        if not self._ended:
            self._ended = True
            self._pieces.put(b"0\r\n\r\n")
            self._pieces.put(None)

    def response(self) -> http.client.HTTPResponse:
        """The answer, as soon as it begins."""
        return self._connection.getresponse()

    def close(self) -> None:
        """End the connection, and the thread with it."""
        self._pieces.put(None)
        with contextlib.suppress(OSError):
            # Wakes a thread that waits to send.
            self._sock.shutdown(2)
        self._thread.join()
        self._connection.close()

    def _send(self) -> None:
        # Where it cannot send, the answer says why, or breaks off.
        with contextlib.suppress(OSError):
            while (piece := self._pieces.get()) is not None:
                self._sock.sendall(piece)


@contextlib.contextmanager
def _exchange(connections: Connections, headers: Mapping[str, str], seconds: float) -> Iterator[_Exchange]:
    connection = connections.fresh(seconds)
    connection.putrequest("POST", BULK, skip_accept_encoding=True)
    for name, value in {**headers, "Transfer-Encoding": "chunked"}.items():
        connection.putheader(name, value)
    connection.endheaders()
    exchange = _Exchange(connection)
    try:
        yield exchange
    finally:
        exchange.close()
