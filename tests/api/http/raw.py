"""Raw bytes to the door, so that a test decides in which pieces they come, and what is read when."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass

import msgspec
from aiohttp import web

from api.http.aiohttp_lane import DOOR
from api.http.app import build_app
from api.http.fast import Door
from api.http.fast.door import KEEPALIVE_S
from api.http.keys import WATCH
from api.http.reader import readers
from api.http.server import open_door
from engine import Engine, Settings, open_engine
from tests.engine.small_network import put_network

WAIT_S = 10.0
CONNECTIONS_MAX = 20
READ_S = 1.0
"""How long these services wait for a request; the least that there is."""
QUIET_S = 0.3
"""How long an answer that does not come is waited for."""

KERNEL_BYTES = 16_384

HOST = b"Host: stockade\r\n"


def order_body(order_id: str, sku: str = "x") -> bytes:
    """An order of one unit."""
    body = {"order_id": order_id, "ship_to": {"lat": 30, "lon": 110}, "lines": [{"sku": sku, "quantity": 1}]}
    return msgspec.json.encode(body)


def post(body: bytes, *fields: bytes, line: bytes = b"POST /v1/orders HTTP/1.1", host: bytes = HOST) -> bytes:
    """A request with a right Content-Length."""
    head = line + b"\r\n" + host + b"".join(field + b"\r\n" for field in fields)
    return head + b"Content-Length: %d\r\n\r\n" % len(body) + body


@dataclass
class Doors:
    """One engine behind the product's door, and behind aiohttp alone."""

    engine: Engine
    app: web.Application
    """That of the product's."""
    door: Door
    ours: tuple[str, int]
    aiohttp: tuple[str, int]


@contextlib.asynccontextmanager
async def open_doors(store_url: str, *, drain_s: float = 5) -> AsyncIterator[Doors]:
    """Both, on an engine with stock."""
    settings = Settings(
        redis_url=store_url, port=0, request_read_s=READ_S, connections_max=CONNECTIONS_MAX, drain_s=drain_s
    )
    async with open_engine(settings) as engine:
        await put_network(engine, {("x", "A"): 1_000})
        app = build_app(engine)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        assert runner.server is not None
        make_reader = readers(runner.server, app[WATCH], keepalive_s=KEEPALIVE_S)
        alone = await asyncio.get_running_loop().create_server(make_reader, "127.0.0.1", 0)
        served = build_app(engine)
        listening = socket.socket()
        # Those that it accepts inherit it: a client that does not read is noticed after kilobytes, not megabytes.
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, KERNEL_BYTES)
        listening.bind(("127.0.0.1", 0))
        async with open_door(served, engine, [listening]) as url:
            host, _, port = url.removeprefix("http://").partition(":")
            yield Doors(engine, served, served[DOOR], (host, int(port)), alone.sockets[0].getsockname()[:2])
        alone.close()
        await runner.cleanup()


class Client:
    """Raw bytes out, answers in."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    @classmethod
    async def of(cls, address: tuple[str, int]) -> "Client":
        """Connected."""
        return cls(*await asyncio.open_connection(*address))

    async def answer(self) -> tuple[int, dict[str, str], bytes]:
        """The next one."""
        async with asyncio.timeout(WAIT_S):
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            first, *lines = head.split("\r\n")[:-2]
            headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
            body = await self.reader.readexactly(int(headers.get("content-length", 0)))
        return int(first.split()[1]), headers, body

    async def ended(self) -> bool:
        """Whether the other side closes, without another byte."""
        try:
            async with asyncio.timeout(QUIET_S):
                return await self.reader.read(1) == b""
        except TimeoutError:
            return False
        except ConnectionError:
            return True

    async def close(self) -> None:
        """Gone."""
        self.writer.close()
