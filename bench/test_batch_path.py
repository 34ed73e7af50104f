"""What each stage of a batch costs: decode, canonical bytes, plan, pack, commit, settle; and the whole of it.

Batches of two-line orders on the sample network, every cell well stocked. Divide by the batch size for one order.
"""

import asyncio
import itertools
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from engine import Engine, Settings, open_engine
from engine.model import Line, Order, ShipTo, StockCount
from engine.model.limits import ON_HAND_MAX
from engine.planner import canonical_bytes
from engine.sample import load_network

SIZES = (50, 200, 1000)
_numbers = itertools.count()
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Order).decode


def make_orders(count: int) -> list[Order]:
    """Two-line orders with ids that were never used."""
    network = load_network()
    skus, cities = [sku.sku for sku in network.skus if not sku.purchase_limit], network.cities
    orders = []
    for _ in range(count):
        number = next(_numbers)
        city = cities[number * 7 % len(cities)]
        lines = (Line(skus[number % len(skus)], 1), Line(skus[(number * 3 + 1) % len(skus)], 2))
        ship_to = ShipTo(lat=city.lat, lon=city.lon, country="CN")
        orders.append(
            Order(order_id=f"bench-{number}", channel="app", customer=f"c-{number}", ship_to=ship_to, lines=lines)
        )
    return orders


class Bench:
    """An engine on an embedded store, driven step by step from synchronous benchmarks."""

    def __init__(self, data_dir: Path) -> None:
        self.runner = asyncio.Runner()
        self._context = open_engine(Settings(data_dir=data_dir))
        self.engine: Engine = self.runner.run(self._context.__aenter__())
        self.runner.run(self._fill())

    async def _fill(self) -> None:
        network = load_network()
        await self.engine.put_warehouses(network.warehouses)
        await self.engine.put_skus(network.skus)
        await self.engine.put_tariff(network.tariff)
        cells = [
            StockCount(sku=sku.sku, warehouse=warehouse.id, on_hand=ON_HAND_MAX)
            for sku in network.skus
            for warehouse in network.warehouses
        ]
        await self.engine.set_stock(cells)

    def close(self) -> None:
        """Close the engine and its store."""
        self.runner.run(self._context.__aexit__(None, None, None))
        self.runner.close()


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """One engine for the module."""
    one = Bench(tmp_path_factory.mktemp("bench") / "store")
    yield one
    one.close()


@pytest.mark.parametrize("size", SIZES)
def test_decode_json(benchmark: BenchmarkFixture, size: int) -> None:
    """Bodies to typed orders."""
    bodies = [_encode(order) for order in make_orders(size)]
    benchmark(lambda: [_decode(body) for body in bodies])


@pytest.mark.parametrize("size", SIZES)
def test_canonical_bytes(benchmark: BenchmarkFixture, size: int) -> None:
    """Orders to what crosses into Rust."""
    orders = make_orders(size)
    benchmark(lambda: [canonical_bytes(order) for order in orders])


@pytest.mark.parametrize("size", SIZES)
def test_plan(benchmark: BenchmarkFixture, bench: Bench, size: int) -> None:
    """Plan a batch in Rust, through Python; given back afterwards."""
    core = bench.engine.planner.core
    intakes = [(canonical_bytes(order), 0, 0, False) for order in make_orders(size)]

    def plan() -> None:
        batch, _ = core.plan(intakes)
        core.abandon(batch)

    benchmark(plan)


@pytest.mark.parametrize("size", SIZES)
def test_pack(benchmark: BenchmarkFixture, bench: Bench, size: int) -> None:
    """The commit's arguments of a planned batch."""
    core = bench.engine.planner.core
    batch, _ = core.plan([(canonical_bytes(order), 0, 0, False) for order in make_orders(size)])
    benchmark(batch.commit_args, 0)
    core.abandon(batch)


@pytest.mark.parametrize("fsync", ["always", "off"])
@pytest.mark.parametrize("size", SIZES)
def test_commit(benchmark: BenchmarkFixture, bench: Bench, size: int, fsync: str) -> None:
    """One commit call: client, wire, store, and the disk unless off."""
    store, core, run = bench.engine.store, bench.engine.planner.core, bench.runner.run
    commit = store.partitions[0].orders.commit

    def prepare() -> tuple[tuple[list[bytes]], dict[str, object]]:
        batch, _ = core.plan([(canonical_bytes(order), 0, 0, False) for order in make_orders(size)])
        return (batch.commit_args(0),), {}

    if fsync == "off":
        run(store.wire.command("CONFIG", "SET", "appendonly", "no"))
    try:
        benchmark.pedantic(
            lambda args: run(commit(args)), setup=prepare, rounds=100, warmup_rounds=5
        )
    finally:
        run(store.wire.command("CONFIG", "SET", "appendonly", "yes"))


@pytest.mark.parametrize("size", SIZES)
def test_whole_intake(benchmark: BenchmarkFixture, bench: Bench, size: int) -> None:
    """`size` orders submitted at once until all have their durable answer."""
    run, intake = bench.runner.run, bench.engine.intake

    async def submit(orders: list[Order]) -> None:
        await asyncio.gather(*(intake.submit(order) for order in orders))

    benchmark.pedantic(
        lambda orders: run(submit(orders)), setup=lambda: ((make_orders(size),), {}), rounds=50, warmup_rounds=3
    )
