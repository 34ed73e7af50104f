"""Limits of keys and deadlines of requests, told alike in both lanes."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from time import monotonic

import msgspec
import pytest

from api.http.app import build_app
from api.http.server import open_door
from engine import Engine, Settings, open_engine
from engine.access import KeyLimit
from tests.api.conftest import Door, Shop
from tests.api.guarded import Keyed, Operator, bearer, operator_of, seconds_until
from tests.api.http.test_bulk import NDJSON, results
from tests.api.http.test_bulk import order as line_of
from tests.api.http.test_lanes import Client, order_body, post
from tests.api.metrics.exposed import scrape, value
from tests.conftest import Service
from tests.engine.small_network import assert_balanced, put_network

LANES = {"fast": b"X-Lane: fast", "aiohttp": b"Connection: close"}
KEEP: dict[str, dict[str, str]] = {"fast": {}, "aiohttp": {"Connection": "close"}}


@pytest.fixture
async def served(empty_store_url: str) -> AsyncIterator[tuple[Engine, tuple[str, int]]]:
    """An engine with stock, behind a door in this process."""
    async with open_engine(Settings(redis_url=empty_store_url, port=0, queue_orders_max=3)) as engine:
        await put_network(engine, {("x", "A"): 1_000})
        async with open_door(build_app(engine), engine) as url:
            host, _, port = url.removeprefix("http://").partition(":")
            yield engine, (host, int(port))


async def until_queued(engine: Engine, orders: int) -> None:
    """Wait until so many orders wait for their batch."""
    async with asyncio.timeout(10):
        while engine.intake.queued < orders:
            await asyncio.sleep(0.005)


@pytest.mark.parametrize("lane", LANES)
async def test_an_order_that_did_not_begin_in_time_is_told_so(
    served: tuple[Engine, tuple[str, int]], lane: str
) -> None:
    """That request holds nothing, and the same order may come again."""
    engine, address = served
    client = await Client.of(address)
    async with engine.intake.exclusive:
        client.writer.write(post(order_body("late"), b"Stockade-Timeout-Ms: 20", LANES[lane]))
        await until_queued(engine, 1)
        await asyncio.sleep(0.05)
    status, headers, body = await client.answer()
    problem = msgspec.json.decode(body)
    assert (status, problem["type"], problem["retryable"]) == (503, "deadline-exceeded", True)
    assert "This request held nothing." in problem["detail"]
    assert (headers["retry-after"], problem["request_id"]) == ("1", headers["x-request-id"])
    await client.close()
    assert await engine.order("late") is None
    again = await Client.of(address)
    again.writer.write(post(order_body("late"), b"Stockade-Timeout-Ms: 60000", LANES[lane]))
    assert (await again.answer())[0] == 201
    await again.close()
    await assert_balanced(engine, units_reserved=1)


@pytest.mark.parametrize("lane", LANES)
async def test_an_order_too_many_is_refused_before_it_is_read(
    served: tuple[Engine, tuple[str, int]], lane: str
) -> None:
    """And the answer names its request, whatever the caller calls it."""
    engine, address = served
    waiting, refused = [await Client.of(address) for _ in range(3)], await Client.of(address)
    async with engine.intake.exclusive:
        for number, client in enumerate(waiting):
            client.writer.write(post(order_body(f"one-{number}")))
        await until_queued(engine, 3)
        refused.writer.write(post(b"no order at all", b'X-Request-Id: a"b\\c', LANES[lane]))
        status, headers, body = await refused.answer()
        problem = msgspec.json.decode(body)
        assert (status, problem["type"], headers["retry-after"]) == (503, "overloaded", "1")
        assert problem["request_id"] == headers["x-request-id"] == 'a"b\\c'
        assert headers["content-type"] == "application/problem+json"
    assert [(await client.answer())[0] for client in waiting] == [201] * 3
    for client in (*waiting, refused):
        await client.close()


@pytest.mark.parametrize("lane", LANES)
async def test_a_held_order_that_is_turned_away_is_not_told_that_nothing_is_held(
    served: tuple[Engine, tuple[str, int]], lane: str
) -> None:
    """A shop that lost its first answer would give up, and the stock stay held: by either reason it is to ask again."""
    engine, address = served
    client = await Client.of(address)
    client.writer.write(post(order_body("held")))
    assert (await client.answer())[0] == 201
    async with engine.intake.exclusive:
        client.writer.write(post(order_body("held"), b"Stockade-Timeout-Ms: 20", b"X-Lane: fast"))
        await until_queued(engine, 1)
        others = [await Client.of(address) for _ in range(2)]
        for number, other in enumerate(others):
            other.writer.write(post(order_body(f"other-{number}")))
        await until_queued(engine, 3)
        again = await Client.of(address)
        again.writer.write(post(order_body("held"), LANES[lane]))
        told = [await again.answer()]
        await asyncio.sleep(0.05)
    told.append(await client.answer())
    problems = [msgspec.json.decode(body) for _, _, body in told]
    assert [problem["type"] for problem in problems] == ["overloaded", "deadline-exceeded"]
    for problem in problems:
        assert "Nothing was held" not in problem["detail"]
        assert "This request held nothing. Send the same order again" in problem["detail"]
    assert (await engine.order("held")) is not None
    for one in (client, again, *others):
        await one.close()


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[tuple[Door, Operator, str]]:
    """A service with goods and a key for everything, and who makes more keys."""
    service = Service(tmp_path / "store", STOCKADE_KEY_RATE_PER_S="1000")
    open_door_ = Door(service.start())
    shop = Shop(open_door_, "L")
    sku = shop.sku(on_hand={shop.warehouse(): 10_000})
    operator = operator_of(service.data_dir)
    key = operator.create("orders", "read")
    seconds_until(lambda: open_door_.call("GET", "/v1/tariff").status == 401)
    yield Keyed(service.url, key), operator, sku
    service.stop()


def test_a_key_beyond_its_limit_is_told_when_it_may_go_on(guarded: tuple[Door, Operator, str]) -> None:
    """In either lane, on every route, and as soon as the limit is changed; other keys go on."""
    door, operator, sku = guarded
    hasty = operator.create("orders", "read", limit=KeyLimit(rate_per_s=0.01, burst=6))
    headers = bearer(hasty)
    seconds_until(lambda: door.call("GET", "/v1/tariff", headers=headers).status != 401)
    shop = Shop(door, "R")
    statuses = [door.call("POST", "/v1/orders", shop.order((sku, 1)), headers).status for _ in range(5)]
    assert statuses == [201] * 5
    for more in KEEP.values():
        answer = door.call("POST", "/v1/orders", shop.order((sku, 1)), headers | more)
        assert answer.problem(429, "rate-limited")["retryable"]
        assert 90 < int(answer.headers["Retry-After"]) <= 100
    door.call("GET", "/v1/tariff", headers=headers).problem(429, "rate-limited")
    door.call("POST", "/v1/orders:bulk", line_of("b", sku), headers | NDJSON).problem(429, "rate-limited")
    assert door.call("GET", "/livez", headers=headers).status == 200
    assert shop.post(shop.order((sku, 1))).status == 201
    numbers = scrape(door)
    assert value(numbers, "stockade_turned_away_total", reason="rate-limited") == 4
    assert value(numbers, "stockade_orders_total", outcome="rate-limited") == 0
    operator.does(lambda engine: engine.limit_key(hasty.key.id, KeyLimit(0)))
    seconds_until(lambda: door.call("GET", "/v1/tariff", headers=headers).status != 429)


def test_orders_in_bulk_are_paced_and_none_is_refused(guarded: tuple[Door, Operator, str]) -> None:
    """Each line is one: the body is read as fast as the key may send, to its end."""
    door, operator, sku = guarded
    slow = bearer(operator.create("orders", limit=KeyLimit(rate_per_s=100, burst=20)))
    seconds_until(lambda: door.call("POST", "/v1/orders:bulk", b"", slow | NDJSON).status == 200)
    body = b"\n".join(line_of(f"paced-{number}", sku) for number in range(80))
    began = monotonic()
    answer = door.call("POST", "/v1/orders:bulk", body, slow | NDJSON)
    seconds = monotonic() - began
    assert [row["outcome"] for row in results(answer)] == ["reserved"] * 80
    assert seconds >= (80 - 20) / 100


def test_processes_of_one_service_share_a_limit(tmp_path: Path, empty_store_url: str) -> None:
    """Whichever of them a request meets."""
    environment = {
        "REDIS_URL": empty_store_url,
        "STOCKADE_RUN_DIR": str(tmp_path / "run"),
        "STOCKADE_KEY_RATE_PER_S": "0.001",
        "STOCKADE_KEY_BURST": "10",
    }
    with contextlib.ExitStack() as stack:
        doors = []
        for number in range(2):
            service = Service(tmp_path / f"unused-{number}", **environment)
            doors.append(Door(service.start()))
            stack.callback(service.stop)
        statuses = [doors[number % 2].call("GET", "/v1/tariff").status for number in range(30)]
        # No key: all callers have one limit together.
        assert statuses == [404] * 10 + [429] * 20
        assert doors[0].call("GET", "/livez").status == 200
