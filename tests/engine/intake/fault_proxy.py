"""Stands between an engine and its store, and breaks the connection at the worst moments. Bytes pass otherwise.

It repeats nothing and changes no byte: a network does not either.
"""

import asyncio
import contextlib
from pathlib import Path
from random import Random
from typing import Literal, Self
from urllib.parse import unquote, urlsplit

COMMIT = b"stockade_commit"
CHUNK_BYTES = 1 << 20
SLICES_MAX = 64
"""Pieces that one chunk is cut into: the rest of it passes whole."""
LATE_REPLY_S = 5.0

Fault = Literal["cut_before", "cut_after", "stall"]
Fate = Literal["pass", "delay", "slice", "cut_before", "cut_after", "freeze"]


class Weather:
    """What becomes of chunks, on every connection and both ways, drawn by a seed.

    `delay` holds one up, `slice` passes it in pieces of a few bytes, `cut_before` and `cut_after` break the connection
    instead of passing it or when it was passed, `freeze` leaves it half open: from here on nothing comes through, and
    nobody is told.
    """

    def __init__(
        self,
        seed: int = 0,
        *,
        shares: dict[Fate, float] | None = None,
        delay_ms: float = 0,
        jitter_ms: float = 0,
        slice_bytes_max: int = 8,
    ) -> None:
        """`shares` of chunks; the others pass. A delay lasts `delay_ms` and up to `jitter_ms` more."""
        self.met: dict[Fate, int] = {}
        self._random = Random(seed)
        self._shares = shares or {}
        self._delay_ms = delay_ms
        self._jitter_ms = jitter_ms
        self._slice_bytes_max = slice_bytes_max

    def fate(self) -> Fate:
        """Of the next chunk."""
        at = self._random.random()
        for fate, share in self._shares.items():
            at -= share
            if at < 0:
                self.met[fate] = self.met.get(fate, 0) + 1
                return fate
        return "pass"

    def delay_s(self) -> float:
        """How long the next delay lasts."""
        return (self._delay_ms + self._jitter_ms * self._random.random()) / 1000

    def slices(self, chunk: bytes) -> list[bytes]:
        """The chunk in pieces."""
        pieces, at = [], 0
        while at < len(chunk) and len(pieces) < SLICES_MAX:
            size = self._random.randint(1, self._slice_bytes_max)
            pieces.append(chunk[at : at + size])
            at += size
        return [*pieces, chunk[at:]] if at < len(chunk) else pieces


CALM = Weather()


class FaultProxy:
    """`async with FaultProxy(store_url, path) as proxy: Settings(redis_url=proxy.url)`.

    Faults wait in `faults` for the next commits, one each: `cut_before` the store sees it, `cut_after` it was sent on
    but before its reply is passed back, `stall` it until `release` is set, whoever waits for it by then. `weather`
    meets everything else, too.
    """

    def __init__(self, store_url: str, path: Path) -> None:
        self.url = f"unix://{path}"
        self.faults: list[Fault] = []
        self.weather = CALM
        self.met = 0
        """Faults that commits have met."""
        self.release = asyncio.Event()
        self.late_replies: list[bytes] = []
        """What the store answered to commits that were stalled."""
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
        try:
            if self._store.scheme == "unix":
                store = await asyncio.open_unix_connection(unquote(self._store.path))
            else:
                store = await asyncio.open_connection(self._store.hostname, self._store.port or 6379)
        except OSError:
            writer.transport.abort()
            return
        line = _Line(self, (reader, writer), store)
        pumps = {asyncio.create_task(line.commands()), asyncio.create_task(line.replies())}
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            # Ended by `__aexit__`; a task of asyncio's own server must not end as cancelled.
            pass
        finally:
            for pump in pumps:
                pump.cancel()
            for end in (writer, store[1]):
                end.transport.abort()


class _Line:
    """One connection, both ways."""

    def __init__(
        self,
        proxy: FaultProxy,
        client: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        store: tuple[asyncio.StreamReader, asyncio.StreamWriter],
    ) -> None:
        self._proxy = proxy
        self._client = client
        self._store = store
        self._cut = False
        self._late: asyncio.Event | None = None

    async def commands(self) -> None:
        """What the client sends, until either end breaks off."""
        proxy, (reader, _), (_, writer) = self._proxy, self._client, self._store
        with contextlib.suppress(OSError):
            while chunk := await reader.read(CHUNK_BYTES):
                if COMMIT in chunk and proxy.faults:
                    fault = proxy.faults.pop(0)
                    proxy.met += 1
                    if fault == "cut_before":
                        return
                    self._cut = fault == "cut_after"
                    if fault == "stall":
                        await proxy.release.wait()
                        self._late = asyncio.Event()
                        writer.write(chunk)
                        # The client has hung up long ago, and the line with it, were it not for this wait.
                        await asyncio.wait_for(self._late.wait(), LATE_REPLY_S)
                        continue
                if not await self._pass(chunk, reader, writer):
                    return

    async def replies(self) -> None:
        """What the store answers, until either end breaks off."""
        (_, writer), (reader, _) = self._client, self._store
        with contextlib.suppress(OSError):
            while chunk := await reader.read(CHUNK_BYTES):
                if self._cut:
                    return
                if self._late is not None:
                    self._proxy.late_replies.append(chunk)
                    self._late.set()
                if not await self._pass(chunk, reader, writer):
                    return

    async def _pass(self, chunk: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        weather = self._proxy.weather
        fate = weather.fate()
        if fate == "cut_before":
            return False
        if fate == "freeze":
            while await reader.read(CHUNK_BYTES):
                pass
            return False
        if fate == "delay":
            await asyncio.sleep(weather.delay_s())
        for piece in weather.slices(chunk) if fate == "slice" else [chunk]:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0)
        if fate == "cut_after" and writer is self._store[1]:
            self._cut = True
            return True
        return fate != "cut_after"
