"""One peer as a process of its own: `python -m bench.peers.service KIND FOLDER`. Until SIGTERM, or its starter's end.

Prints one line: its address, that of its books, its store's process, and what it is, all by tabs.
"""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from importlib.metadata import version
from pathlib import Path

import msgspec
import uvloop
from aiohttp import web
from redis.asyncio import Redis

from api.http.app import build_app
from api.http.server import open_door
from api.logs import log_to_standard_error
from bench.peers import goods
from bench.peers.front import Front
from bench.peers.postgres_server import NoPostgres, running
from bench.peers.postgres_shop import PostgresShop
from bench.peers.redis_shop import RedisShop
from bench.peers.shop import Books, Shop
from engine import Engine, Settings, open_engine
from engine.errors import StockadeError
from engine.sample import load_network
from engine.store import EmbeddedServer
from engine.store.binary import find_binary
from engine.store.launch import end_with

KINDS = ("postgres", "postgres-function", "redis", "stockade")


async def serve(kind: str, folder: Path) -> None:
    """Until SIGTERM."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    log_to_standard_error()
    cores = sorted(os.sched_getaffinity(0))
    async with AsyncExitStack() as stack:
        if kind == "stockade":
            engine = await stack.enter_async_context(_stockade(folder))
            os.sched_setaffinity(0, cores[:1])
            store_pid = int((folder / "lock").read_text("utf-8"))
            os.sched_setaffinity(store_pid, cores[-1:])
            about = f"Stockade {version('stockade')}, {await _store_version(engine.store.url)}"
            books = await stack.enter_async_context(_listening(_audit_app(engine)))
            url = await stack.enter_async_context(open_door(build_app(engine), engine))
        else:
            shop, store_pid, about = await _shop(kind, folder, cores[-1], stack)
            os.sched_setaffinity(0, cores[:1])
            url = books = await stack.enter_async_context(_listening(Front(shop).app()))
        print("\t".join((url, books, str(store_pid), about)), flush=True)
        await stop.wait()


async def _shop(kind: str, folder: Path, core: int, stack: AsyncExitStack) -> tuple[Shop, int, str]:
    shop: PostgresShop | RedisShop
    if kind == "redis":
        server = await stack.enter_async_context(EmbeddedServer(find_binary(), folder))
        assert server.pid is not None, "it has just been started"
        os.sched_setaffinity(server.pid, {core})
        shop, pid = RedisShop(server.url), server.pid
        about = f"{await _store_version(server.url)}, redis-py {version('redis')}"
    else:
        # Its processes may use what the service leaves of its core, too: they are what takes most of the time.
        postgres = stack.enter_context(running(folder))
        shop, pid = PostgresShop(postgres.socket_folder, function=kind == "postgres-function"), postgres.pid
        about = f"{postgres.version}, asyncpg {version('asyncpg')}"
    await shop.prepare()
    stack.push_async_callback(shop.close)
    return shop, pid, f"{about}, aiohttp {version('aiohttp')}"


@asynccontextmanager
async def _stockade(folder: Path) -> AsyncIterator[Engine]:
    settings = Settings(data_dir=folder, port=0, log_sample=0, log_slow_ms=3_600_000)
    async with open_engine(settings) as engine:
        network = load_network()
        await engine.put_warehouses(network.warehouses)
        await engine.put_skus(goods.skus())
        await engine.put_tariff(network.tariff)
        await engine.set_stock(goods.stock())
        yield engine


def _audit_app(engine: Engine) -> web.Application:
    async def books(_: web.Request) -> web.Response:
        report = await engine.audit()
        beyond = [one for one in report.differences if one.kind in ("oversold", "negative")]
        told = Books(
            orders=report.orders,
            units=report.units_reserved,
            oversold=sum(max(1, abs(one.found - one.expected)) for one in beyond),
            astray=report.difference_count - len(beyond),
        )
        return web.Response(body=msgspec.json.encode(told), content_type="application/json")

    app = web.Application()
    app.router.add_get("/bench/books", books)
    return app


@asynccontextmanager
async def _listening(app: web.Application) -> AsyncIterator[str]:
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0, backlog=1024).start()
        host, port = runner.addresses[0][:2]
        yield f"http://{host}:{port}"
    finally:
        await runner.cleanup()


async def _store_version(url: str) -> str:
    async with Redis.from_url(url) as client:
        info = await client.info("server")
    name = info.get("server_name", "redis").capitalize()
    return f"{name} {info.get('valkey_version', info['redis_version'])}"


def main() -> int:
    """The exit code: 3 where there is no store to run."""
    kind, folder = sys.argv[1], Path(sys.argv[2])
    end_with(os.getppid())
    try:
        uvloop.run(serve(kind, folder))
    except (NoPostgres, StockadeError) as error:
        print(error, file=sys.stderr)
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
