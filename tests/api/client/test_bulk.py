"""Bulks: orders stream out while results stream in, in bounded memory, and every order gets its result once."""

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Iterator

import pytest

from api.client import AsyncStockade, BulkResult, ClientError, InsufficientStock, NoAnswer, Stockade, Unauthorized
from api.client.window import LOT_ORDERS, WINDOW_ORDERS_MAX
from engine.model import Order
from tests.api.client.conftest import ALLOCATION, QUICK, Client, an_order
from tests.api.client.misbehaving import Connection, Misbehaving, Received, Step, answer, misbehaving, problem

ORDERS = 5_000


class BulkService:
    """What the contract says of POST /v1/orders:bulk, for orders of any content; breaks off where it is told to."""

    def __init__(self, *, breaks_after: tuple[int, ...] = ()) -> None:
        self.taken: set[str] = set()
        self._breaks_after = list(breaks_after)
        """Of one connection after the other: how many results until it ends, without its last chunk."""

    def __call__(self, connection: Connection, _: Received | None) -> None:
        """Serve one body."""
        left = self._breaks_after.pop(0) if self._breaks_after else None
        connection.sock.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        rest = b""
        while data := connection.chunk():
            *lines, rest = (rest + data).split(b"\n")
            results = [self._result(json.loads(line)["order_id"]) for line in lines]
            if left is not None and len(results) > left:
                # Orders were taken whose results nobody hears.
                self._write(connection, b"".join(results[:left]) + results[left][:10])
                connection.reset()
                return
            left = None if left is None else left - len(results)
            self._write(connection, b"".join(results))
        connection.sock.sendall(b"0\r\n\r\n")

    def _write(self, connection: Connection, data: bytes) -> None:
        if data:
            connection.sock.sendall(b"%x\r\n%b\r\n" % (len(data), data))

    def _result(self, order_id: str) -> bytes:
        if order_id.startswith("no"):
            refused = problem(409, "insufficient-stock", shortages=[{"sku": "S"}])
            return json.dumps({"outcome": "rejected", "order_id": order_id, **refused}).encode() + b"\n"
        outcome = "replayed" if order_id in self.taken else "reserved"
        self.taken.add(order_id)
        return json.dumps({"outcome": outcome, **ALLOCATION, "order_id": order_id}).encode() + b"\n"


def refuse(step: Step) -> Step:
    """Take the whole body, and answer as if there were no bulk."""

    def refused(connection: Connection, request: Received | None) -> None:
        while connection.chunk():
            pass
        step(connection, request)

    return refused


def orders(count: int = ORDERS) -> Iterator[Order]:
    """Some."""
    return (an_order(f"o{number}") for number in range(count))


async def test_each_order_gets_its_result_in_its_place(client: Client) -> None:
    """Refusals among them, as exceptions that are values."""
    with misbehaving(BulkService()) as server:
        async with client(server.url, api_key="k") as call:
            found: list[BulkResult] = await call("bulk", [an_order("a"), an_order("no"), an_order("b")])
    assert [(one.order_id, one.outcome) for one in found] == [("a", "reserved"), ("no", "rejected"), ("b", "reserved")]
    assert found[0].allocation is not None
    assert found[0].allocation.order_id == "a"
    assert isinstance(found[1].problem, InsufficientStock)
    assert found[1].problem.shortages == [{"sku": "S"}]
    (request,) = server.received
    assert (request.method, request.target) == ("POST", "/v1/orders:bulk")
    assert request.headers["content-type"] == "application/x-ndjson"
    assert request.headers["authorization"] == "Bearer k"


async def test_none_is_no_request(client: Client) -> None:
    """Nobody is asked nothing."""
    with misbehaving(BulkService()) as server:
        async with client(server.url) as call:
            assert await call("bulk", []) == []
    assert server.received == []


@pytest.mark.parametrize("breaks_after", [(0,), (1, 700, 3), (4_999,)])
async def test_after_a_break_the_rest_is_sent_again(client: Client, breaks_after: tuple[int, ...]) -> None:
    """What had been taken unheard is a replay; no order lacks its result, and none has two."""
    service = BulkService(breaks_after=breaks_after)
    with misbehaving(service) as server:
        async with client(server.url) as call:
            found = await call("bulk", orders())
    assert [one.order_id for one in found] == [order.order_id for order in orders()]
    assert {one.outcome for one in found} == {"reserved", "replayed"}
    assert len(server.received) == len(breaks_after) + 1
    assert len(service.taken) == ORDERS


async def test_a_service_that_always_breaks_is_given_up(client: Client) -> None:
    """As many tries without a result as any call has."""
    with misbehaving(BulkService(breaks_after=(0,) * 100)) as server:
        async with client(server.url) as call:
            with pytest.raises(NoAnswer):
                await call("bulk", orders(10))
    assert len(server.received) == QUICK.attempts_max


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ((answer(401, problem(401, "unauthorized")),), Unauthorized),
        ((answer(503, problem(503, "overloaded", retryable=True), Retry_After="0"), None), None),
    ],
)
async def test_a_refusal_of_the_whole_is_that_of_any_call(
    client: Client, steps: tuple[Step | None, ...], expected: type[ClientError] | None
) -> None:
    """Told, or waited for."""
    with misbehaving(*(refuse(step) if step else BulkService() for step in steps)) as server:
        async with client(server.url) as call:
            if expected is None:
                assert len(await call("bulk", orders(10))) == 10
            else:
                with pytest.raises(expected):
                    await call("bulk", orders(10))


async def test_orders_are_taken_only_as_fast_as_results_come(client: Client) -> None:
    """However many there are, and however slow the service."""
    made = 0

    def counted() -> Iterator[Order]:
        nonlocal made
        for order in orders(10 * WINDOW_ORDERS_MAX):
            made += 1
            yield order

    with misbehaving(BulkService()) as server:
        async with client(server.url) as call:
            assert len(await call("bulk", counted(), first=1)) == 1
    assert made <= WINDOW_ORDERS_MAX + 3 * LOT_ORDERS


async def test_what_the_source_raises_comes_after_all_results(client: Client) -> None:
    """Orders that were made are not left in doubt by one that could not be."""

    def broken() -> Iterator[Order]:
        yield from orders(3)
        raise RuntimeError("no more")

    service = BulkService()
    with misbehaving(service) as server:
        async with client(server.url) as call:
            with pytest.raises(RuntimeError, match="no more"):
                await call("bulk", broken())
    assert len(service.taken) == 3


async def test_a_source_may_be_asynchronous_and_slow() -> None:
    """Each order goes when it is there: the next one is made only after its result is heard."""
    heard = 0

    async def one_by_one() -> AsyncIterator[Order]:
        for number in range(5):
            while heard < number:
                await asyncio.sleep(0)
            yield an_order(f"o{number}")

    with misbehaving(BulkService()) as server:
        async with AsyncStockade(server.url, retry=QUICK) as stockade:
            async for _ in stockade.bulk(one_by_one()):
                heard += 1
    assert heard == 5
    assert len(server.received) == 1


async def test_a_bulk_cannot_be_signed(client: Client) -> None:
    """It says so, rather than that the service refuses it."""
    async with client("http://127.0.0.1:9", signing_secret="s") as call:
        with pytest.raises(ClientError, match="sign"):
            await call("bulk", orders(1))


def test_no_thread_stays_behind() -> None:
    """Also when nobody listens to the end."""
    before = {thread.name for thread in threading.enumerate()}
    server = Misbehaving(BulkService())
    with Stockade(server.url) as stockade:
        results = stockade.bulk(orders())
        next(results)
        results.close()
    server.close()
    assert not [thread for thread in threading.enumerate() if thread.name not in before and "_send" in thread.name]
