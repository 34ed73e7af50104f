"""A server that answers as a test plants it, whatever bytes and when; on real sockets, in a thread of its own."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

import uvloop

from engine.tasks import end_task

OK = b"HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{}"


class Planted:
    """One request as it came, and the way back."""

    def __init__(self, number: int, head: bytes, body: bytes, writer: asyncio.StreamWriter) -> None:
        self.number, self.head, self.body, self.writer = number, head, body, writer

    async def answer(self, *pieces: bytes) -> None:
        """Send pieces, each by itself."""
        for piece in pieces:
            self.writer.write(piece)
            await self.writer.drain()
            await asyncio.sleep(0)

    def cut(self) -> None:
        """End the connection here."""
        self.writer.close()

    def reset(self) -> None:
        """End it with a reset."""
        self.writer.transport.abort()


Answering = Callable[[Planted], Awaitable[None]]


@contextmanager
def planted(answering: Answering) -> Iterator[str]:
    """A server that answers each request by `answering`; yields its URL."""
    ready = threading.Event()
    found: list[tuple[str, asyncio.AbstractEventLoop, asyncio.Event]] = []

    async def serve() -> None:
        numbers = iter(range(1 << 60))
        stop = asyncio.Event()
        connections: set[asyncio.Task[None]] = set()

        async def connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            connections.add(task)
            try:
                while not writer.is_closing():
                    head = await reader.readuntil(b"\r\n\r\n")
                    length = next(
                        (int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")),
                        0,
                    )
                    body = await reader.readexactly(length)
                    await answering(Planted(next(numbers), head, body, writer))
            except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
                # The client, or the test, is done; a task of asyncio's own server must not end as cancelled.
                pass
            finally:
                writer.transport.abort() if stop.is_set() else writer.close()
                connections.discard(task)

        server = await asyncio.start_server(connection, "127.0.0.1", 0, backlog=1_024)
        port = server.sockets[0].getsockname()[1]
        found.append((f"http://127.0.0.1:{port}", asyncio.get_running_loop(), stop))
        ready.set()
        await stop.wait()
        server.close()
        await asyncio.gather(*(end_task(task) for task in list(connections)))
        # uvloop's loop cannot be closed before its transports are.
        await asyncio.wait_for(server.wait_closed(), 5)

    thread = threading.Thread(target=lambda: uvloop.run(serve()))
    thread.start()
    assert ready.wait(10)
    url, loop, stop = found[0]
    try:
        yield url
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(20)
        assert not thread.is_alive()
