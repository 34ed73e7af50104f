"""kill -9 of the service and of its store in mid-sale: what was acknowledged stays, and nothing is held twice.

STOCKADE_CRASH_KILLS sets how many processes are killed in all. A sale goes on through ROUND_KILLS of them on one data
directory; then its books are checked, and the next begins on another, so that files stay small however long it takes.
"""

import asyncio
import itertools
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from random import Random
from time import monotonic

import pytest
from redis.asyncio import Redis
from redis.exceptions import RedisError

from engine.store.address import socket_path, socket_url
from loadtest.client import Client
from tests.e2e.forked_service import ForkedService, forked_service
from tests.e2e.sale import CONNECTIONS, Sale, fill, run_together

KILLS = int(os.environ.get("STOCKADE_CRASH_KILLS", "20"))
ROUND_KILLS = 25
ROUND_ORDERS = 4_000
"""Orders that the stock of a round is made for; hot products run out before."""
SEED = 20_261_111
SALE_S_MAX = 0.4
START_S = 0.5
"""About how long a start takes: a kill within it comes at any instant of that."""
REWRITE_SHARE = 0.25
"""Kills before which the store begins to write its file anew."""


class Victim:
    """A service that is sold through while it is killed; each way to kill returns how many processes died."""

    def __init__(self, service: ForkedService, sale: Sale, random: Random) -> None:
        self.service = service
        self.sale = sale
        self.random = random
        self._selling: asyncio.Task[None] | None = None
        self._end = asyncio.Event()

    async def sell(self) -> None:
        """Begin the sale on a service that listens, and return at a random instant of it."""
        if self._selling is None:
            url = await asyncio.to_thread(self.service.ready)
            self._end.clear()
            self._selling = asyncio.create_task(self._sell(url))
        await self.some_time(SALE_S_MAX)
        if self.random.random() < REWRITE_SHARE:
            await self._rewrite()

    async def _sell(self, url: str) -> None:
        async with Client(url, connections=CONNECTIONS) as client:
            await run_together(partial(self.sale.sell, client, self._end))

    async def _rewrite(self) -> None:
        try:
            async with Redis.from_url(socket_url(socket_path(self.service.data_dir))) as client:
                await client.execute_command("BGREWRITEAOF")
        except RedisError:
            # It is not up again yet, or rewrites already.
            return

    async def some_time(self, seconds_max: float) -> None:
        """Let a random time go by."""
        await asyncio.sleep(self.random.random() * seconds_max)

    async def hang_up(self) -> None:
        """Have the clients go home when they have heard what became of their requests, which may be nothing."""
        if self._selling is not None:
            self._end.set()
            await self._selling
            self._selling = None

    async def kill_service(self) -> int:
        """Its store is told by the kernel, and ends in order."""
        await self.sell()
        self.service.kill()
        await self.hang_up()
        self.service.launch()
        return 1

    async def kill_store(self) -> int:
        """The service starts it again."""
        await self.sell()
        pid = self.service.store_pid
        if not self.service.kill_store():
            return 0
        await asyncio.to_thread(self.service.await_another_store, pid)
        return 1

    async def kill_both(self) -> int:
        """As when the machine goes down, but for what its disk had not written."""
        await self.sell()
        self.service.kill(with_store=True)
        await self.hang_up()
        self.service.launch()
        return 2

    async def kill_service_at_start(self) -> int:
        """And again before it is ready: in its imports, its load, its first orders."""
        killed = await self.kill_service()
        await self.some_time(START_S)
        self.service.kill()
        self.service.launch()
        return killed + 1

    async def kill_store_at_start(self) -> int:
        """And again as soon as there is a process: it loads its file."""
        killed = await self.kill_store()
        await self.some_time(START_S / 10)
        return killed + self.service.kill_store()


WAYS = (
    Victim.kill_service,
    Victim.kill_store,
    Victim.kill_both,
    Victim.kill_service_at_start,
    Victim.kill_store_at_start,
)


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The service takes every STOCKADE_ variable for a setting of its own."""
    for name in ("STOCKADE_CRASH_KILLS", "STOCKADE_TEST_REDIS_URL"):
        monkeypatch.delenv(name, raising=False)


async def test_service_and_store_killed_in_mid_sale_lose_and_double_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """At random instants: before the commit, in it, between the store's reply and ours, after it, and at starts."""
    random = Random(SEED)
    began, killed, acknowledged, unanswered = monotonic(), 0, 0, 0
    for number in itertools.count():
        wanted = min(ROUND_KILLS, KILLS - killed)
        if wanted <= 0:
            break
        sale = Sale(SEED + number)
        with round_dir(tmp_path / str(number)) as data_dir:
            killed += await sell_through(data_dir, sale, random, kills=wanted)
            totals = await sale.check_books(data_dir)
        totals.check()
        acknowledged += totals.acknowledged
        unanswered += totals.unanswered
        with capsys.disabled():
            print(
                f"\n{killed}/{KILLS} kills in {monotonic() - began:.0f} s: {acknowledged} answers acknowledged,"
                f" {unanswered} requests unanswered; this round {totals.orders} orders held, {totals.refused} refused,"
                f" {totals.lost} lost, {totals.oversold} oversold, {totals.doubled} doubled",
                end="",
            )
    assert unanswered


async def sell_through(data_dir: Path, sale: Sale, random: Random, *, kills: int) -> int:
    """Sell while processes are killed, then settle with every client; returns how many were killed."""
    await fill(data_dir, ROUND_ORDERS, SEED)
    killed = 0
    with forked_service(data_dir) as service:
        service.launch()
        victim = Victim(service, sale, random)
        while killed < kills:
            killed += await random.choice(WAYS)(victim)
        await victim.sell()
        await victim.hang_up()
        service.kill()
        service.launch()
        url = await asyncio.to_thread(service.ready)
        async with Client(url, connections=CONNECTIONS) as client:
            await run_together(partial(sale.settle, client))
            await sale.check_promises(client)
    return killed


@contextmanager
def round_dir(path: Path) -> Iterator[Path]:
    """A data directory that is removed after the round, unless that failed."""
    yield path
    shutil.rmtree(path)
