"""Both clients, called alike."""

import asyncio
import inspect
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from itertools import islice
from typing import Any

import pytest

from api.client import AsyncStockade, Retry, Stockade
from engine.model import Line, Order, ShipTo

QUICK = Retry(attempts_max=4, deadline_s=10, attempt_s=2, backoff_s=0.01, backoff_max_s=0.05)


class Caller:
    """Calls a method of either client; what iterates comes as a list."""

    def __init__(self, client: Stockade | AsyncStockade) -> None:
        self.client = client

    async def __call__(self, name: str, *args: Any, first: int | None = None, **kwargs: Any) -> Any:
        """`first`: of an iterator only so many."""
        method = getattr(self.client, name)
        if isinstance(self.client, Stockade):
            return await asyncio.to_thread(self._blocking, method, first, *args, **kwargs)
        found = method(*args, **kwargs)
        if inspect.isawaitable(found):
            return await found
        rows = []
        async for row in found:
            rows.append(row)
            if len(rows) == first:
                break
        return rows

    @staticmethod
    def _blocking(method: Callable[..., Any], first: int | None, *args: Any, **kwargs: Any) -> Any:
        found = method(*args, **kwargs)
        return list(islice(found, first)) if isinstance(found, Iterator) else found


Client = Callable[..., AbstractAsyncContextManager[Caller]]


@pytest.fixture(params=["threads", "asyncio"])
def client(request: pytest.FixtureRequest) -> Client:
    """Makes a client of a URL."""

    @asynccontextmanager
    async def made(url: str, **options: Any) -> AsyncIterator[Caller]:
        options.setdefault("retry", QUICK)
        if request.param == "threads":
            with Stockade(url, **options) as blocking:
                yield Caller(blocking)
        else:
            async with AsyncStockade(url, **options) as asynchronous:
                yield Caller(asynchronous)

    return made


def an_order(order_id: str = "o", sku: str = "S", quantity: int = 1, **fields: Any) -> Order:
    """An order of one line."""
    return Order(order_id=order_id, ship_to=ShipTo(31.0, 121.0), lines=(Line(sku, quantity),), **fields)


ALLOCATION = {
    "order_id": "o",
    "status": "confirmed",
    "version": 1,
    "shipments": [],
    "unfilled": [],
    "cost": 0,
    "currency": "CNY",
}
