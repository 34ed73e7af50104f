"""A server that answers every request after a fixed delay: what tools tell of it is known beforehand.

`python -m bench.delayed_service MILLISECONDS` prints its URL, and serves until SIGTERM.
"""

import asyncio
import signal
import sys
from typing import cast

import uvloop

ANSWER = b"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"


class Delayed(asyncio.Protocol):
    """One connection; a request a time, each within one segment."""

    def __init__(self, delay_s: float) -> None:
        self._delay_s = delay_s
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        # uvloop's transports have the methods, but not the base class.
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, _: bytes) -> None:
        """Answer later."""
        asyncio.get_running_loop().call_later(self._delay_s, self._answer)

    def _answer(self) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(ANSWER)


async def run(delay_s: float) -> None:
    """Serve until SIGTERM."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    server = await loop.create_server(lambda: Delayed(delay_s), "127.0.0.1", 0, backlog=1_024)
    host, port = server.sockets[0].getsockname()[:2]
    print(f"http://{host}:{port}", flush=True)
    await stop.wait()
    server.close()


if __name__ == "__main__":
    uvloop.run(run(float(sys.argv[1]) / 1_000))
