"""The buyers notice a service that lies, stalls or breaks; each fault is planted in a server of the test's own."""

import itertools
from collections import Counter
from collections.abc import Awaitable, Callable

import msgspec
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from loadtest.client import Client, UnexpectedAnswer
from loadtest.sale import SaleLog, SentOrder, run_sale, units_sold
from loadtest.summary import sku_sales

Handler = Callable[[web.Request], Awaitable[web.Response]]


def allocation(order_id: str, warehouse: str) -> bytes:
    """An Allocation of one unit of tea."""
    shipment = {"warehouse": warehouse, "lines": [{"sku": "tea", "quantity": 1}], "cost": 1, "distance_km": 1.0}
    return msgspec.json.encode({"order_id": order_id, "status": "confirmed", "cost": 1, "shipments": [shipment]})


async def sale_against(handler: Handler, orders: list[str], *, connections: int = 1) -> SaleLog:
    """A sale of the given order ids against a server that answers as `handler` does."""
    app = web.Application()
    app.router.add_post("/v1/orders", handler)
    async with TestServer(app) as server, Client(str(server.make_url("")), connections=connections) as client:
        bodies = [SentOrder(one, msgspec.json.encode({"order_id": one}), "Wuhan") for one in orders]
        return await run_sale(client, bodies, connections=connections)


async def test_a_replay_that_differs_from_the_first_answer_is_noticed() -> None:
    """A retry that is told another warehouse means that the order was taken twice, or that an answer lied."""
    warehouses = itertools.cycle(["W1", "W2"])

    async def lies(request: web.Request) -> web.Response:
        body = await request.json()
        return web.Response(status=200, body=allocation(body["order_id"], next(warehouses)))

    log = await sale_against(lies, ["a", "a"])
    assert log.contradictions == ["a"]


async def test_oversold_answers_are_found_out() -> None:
    """A service that accepts without stock is caught by counting promises against what was on hand."""

    async def accepts_everything(request: web.Request) -> web.Response:
        body = await request.json()
        return web.Response(status=201, body=allocation(body["order_id"], "W1"))

    log = await sale_against(accepts_everything, [str(number) for number in range(20)], connections=4)
    (sale,) = sku_sales(log.accepted, on_hand={("tea", "W1"): 15}, demanded=units_sold_by_sku(log), names={})
    assert (sale.sold, sale.oversold) == (20, 5)


async def test_broken_answers_are_failures_and_refusals_are_told_apart() -> None:
    """500 and a cut connection count as failed; a problem counts under its type."""
    answers = itertools.cycle([500, 409, 0])

    async def breaks(request: web.Request) -> web.Response:
        status = next(answers)
        if status == 0:
            assert request.transport is not None
            request.transport.close()
        return web.Response(status=status or 500, body=b'{"type": "insufficient-stock"}')

    log = await sale_against(breaks, [str(number) for number in range(9)])
    assert log.offered == 9
    assert log.refused == {"insufficient-stock": 3}
    assert sum(log.failed.values()) == 6


async def test_a_refused_put_raises_with_what_was_said() -> None:
    """Filling the store must not go on as if nothing were."""
    app = web.Application()
    async with TestServer(app) as server, Client(str(server.make_url("")), connections=1) as client:
        with pytest.raises(UnexpectedAnswer, match="404"):
            await client.put("/v1/stock", [])


def units_sold_by_sku(log: SaleLog) -> Counter[str]:
    """Units promised, by SKU."""
    total: Counter[str] = Counter()
    for (sku, _), units in units_sold(log.accepted).items():
        total[sku] += units
    return total
