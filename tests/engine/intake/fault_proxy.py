"""Stands between an engine and its store, and breaks the connection at the worst moments. Bytes pass otherwise."""

import asyncio
import contextlib
from pathlib import Path
from typing import Literal, Self
from urllib.parse import unquote, urlsplit

COMMIT = b"stockade_commit"
CHUNK_BYTES = 1 << 20

Fault = Literal["cut_before", "cut_after", "stall"]


class FaultProxy:
    """`async with FaultProxy(store_url, path) as proxy: Settings(redis_url=proxy.url)`.

    Faults wait in `faults` for the next commits, one each: `cut_before` the store sees it, `cut_after` it was sent on
    but before its reply is passed back, `stall` it until `release` is set, whoever waits for it by then.
    """

    def __init__(self, store_url: str, path: Path) -> None:
        self.url = f"unix://{path}"
        self.faults: list[Fault] = []
        self.met = 0
        """Faults that commits have met."""
        self.release = asyncio.Event()
        self._store = urlsplit(store_url)
        self._path = path
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_unix_server(self._serve, self._path)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        self.release.set()
        for task in self._connections:
            task.cancel()
        if self._connections:
            await asyncio.wait(self._connections)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)
        if self._store.scheme == "unix":
            store_reader, store_writer = await asyncio.open_unix_connection(unquote(self._store.path))
        else:
            store_reader, store_writer = await asyncio.open_connection(self._store.hostname, self._store.port or 6379)
        cut = asyncio.Event()
        pumps = {
            asyncio.create_task(self._commands(reader, store_writer, cut)),
            asyncio.create_task(_replies(store_reader, writer, cut)),
        }
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            # Ended by `__aexit__`; a task of asyncio's own server must not end as cancelled.
            pass
        finally:
            for pump in pumps:
                pump.cancel()
            for end in (writer, store_writer):
                end.transport.abort()

    async def _commands(self, reader: asyncio.StreamReader, store: asyncio.StreamWriter, cut: asyncio.Event) -> None:
        with contextlib.suppress(OSError):
            while chunk := await reader.read(CHUNK_BYTES):
                if COMMIT in chunk and self.faults:
                    fault = self.faults.pop(0)
                    self.met += 1
                    if fault == "cut_before":
                        return
                    if fault == "cut_after":
                        cut.set()
                    if fault == "stall":
                        await self.release.wait()
                store.write(chunk)
                await store.drain()


async def _replies(store: asyncio.StreamReader, writer: asyncio.StreamWriter, cut: asyncio.Event) -> None:
    with contextlib.suppress(OSError):
        while chunk := await store.read(CHUNK_BYTES):
            if cut.is_set():
                return
            writer.write(chunk)
            await writer.drain()
