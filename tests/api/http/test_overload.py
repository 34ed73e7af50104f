"""A service that is offered three times what it can do, over sockets: only yes and "come back", and no order lost.

The load is open: requests are sent when they are due, whether the ones before were answered or not.
"""

import asyncio
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.api.conftest import Door, Shop
from tests.api.guarded import operator_of
from tests.api.http.test_lanes import Client, order_body, post
from tests.api.metrics.exposed import scrape, value
from tests.conftest import Service

CONNECTIONS = 120
PEAK_S = 1.0
OVER_S = 3.0
TIMES = 3
TICK_S = 0.01
RECOVERED_S = 2.0
CALM = 20
"""Orders in a row that are taken: then it has recovered."""


class Told(NamedTuple):
    """An answer, and how long it took from when it was due."""

    status: int
    retry_after: str | None
    seconds: float


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Service]:
    """A service that commits one order a call: so slow that a test can offer it more than it can do."""
    one = Service(tmp_path / "store", STOCKADE_BATCH_ORDERS_MAX="1", STOCKADE_LOG_SAMPLE="0")
    one.start()
    yield one
    one.stop()


class Load:
    """Orders on many connections."""

    def __init__(self, clients: list[Client], sku: str) -> None:
        self._clients = clients
        self._sku = sku
        self._sent = 0
        self.told: list[Told] = []

    async def closed(self, seconds: float) -> float:
        """Orders a second where each connection sends its next one once it has its answer."""
        loop = asyncio.get_running_loop()
        began = loop.time()

        async def one(client: Client) -> int:
            count = 0
            while loop.time() < began + seconds:
                self._send(client)
                status, headers, _ = await client.answer()
                self.told.append(Told(status, headers.get("retry-after"), 0.0))
                count += status == 201
            return count

        taken = sum(await asyncio.gather(*map(one, self._clients)))
        return taken / (loop.time() - began)

    async def open(self, rate: float, seconds: float) -> None:
        """So many orders a second, however fast they are answered; returns when all are."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        due: list[asyncio.Queue[float | None]] = [asyncio.Queue() for _ in self._clients]

        async def read(client: Client, sent: "asyncio.Queue[float | None]") -> None:
            while (at := await sent.get()) is not None:
                status, headers, _ = await client.answer()
                self.told.append(Told(status, headers.get("retry-after"), loop.time() - at))

        readers = [asyncio.create_task(read(*pair)) for pair in zip(self._clients, due, strict=True)]
        count = 0
        while (now := loop.time()) < began + seconds:
            while count < (now - began) * rate:
                place = count % len(self._clients)
                self._send(self._clients[place])
                due[place].put_nowait(began + count / rate)
                count += 1
            await asyncio.sleep(TICK_S)
        for queue in due:
            queue.put_nowait(None)
        await asyncio.gather(*readers)

    async def recovery(self) -> float:
        """Seconds until orders that come one by one are taken, CALM in a row."""
        loop = asyncio.get_running_loop()
        began = calm_since = loop.time()
        in_a_row = 0
        while in_a_row < CALM:
            self._send(self._clients[0])
            status, headers, _ = await self._clients[0].answer()
            self.told.append(Told(status, headers.get("retry-after"), 0.0))
            if status == 201:
                in_a_row += 1
            else:
                in_a_row, calm_since = 0, loop.time()
        return calm_since - began

    def _send(self, client: Client) -> None:
        self._sent += 1
        client.writer.write(post(order_body(f"load-{self._sent}", self._sku)))


@pytest.mark.slow
def test_three_times_what_it_can_do_is_a_yes_or_come_back(small: Service) -> None:
    """It goes on at its peak, tells each other caller when to come, has recovered at once, and what it took is kept."""
    door = Door(small.url)
    shop = Shop(door, "O")
    sku = shop.sku(on_hand={shop.warehouse(): 1_000_000})

    async def run() -> tuple[Load, float, float, float]:
        host, _, port = small.url.removeprefix("http://").partition(":")
        clients = [await Client.of((host, int(port))) for _ in range(CONNECTIONS)]
        load = Load(clients, sku)
        peak = await load.closed(PEAK_S)
        before = sum(one.status == 201 for one in load.told)
        await load.open(TIMES * peak, OVER_S)
        went_on = (sum(one.status == 201 for one in load.told) - before) / OVER_S
        recovered_s = await load.recovery()
        for client in clients:
            await client.close()
        return load, peak, went_on, recovered_s

    load, peak, went_on, recovered_s = asyncio.run(run())
    counts = Counter(one.status for one in load.told)
    assert counts.keys() == {201, 503}, counts
    assert all(1 <= int(one.retry_after or 0) <= 60 for one in load.told if one.status == 503)
    assert went_on > 0.3 * peak, (peak, went_on)
    assert recovered_s < RECOVERED_S
    numbers = scrape(door)
    assert value(numbers, "stockade_turned_away_total") == counts[503]
    report = operator_of(small.data_dir).does(lambda engine: engine.audit())
    assert report.differences == ()
    assert report.units_reserved == counts[201]
