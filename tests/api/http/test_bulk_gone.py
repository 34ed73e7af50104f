"""Of a body in bulk whose client has gone, what no batch has is left alone, and counted."""

import asyncio
from collections.abc import Callable

import pytest

from engine.intake import flow
from tests.api.http.raw import HOST, WAIT_S, Client, Doors, order_body
from tests.api.metrics.exposed import numbers_of, value
from tests.engine.small_network import put_stock

LINES = 2_000
"""Fewer than are read ahead of their results, and some batches of BATCH_BYTES."""
BATCH_BYTES = 16 * 1024


async def until(holds: Callable[[], bool]) -> None:
    """Wait for it."""
    async with asyncio.timeout(WAIT_S):
        while not holds():
            await asyncio.sleep(0.01)


async def test_orders_in_bulk_of_a_client_that_has_gone_are_left_and_counted(
    doors: Doors, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is held, whether anybody heard of it or not, and what was left are all that there were, in /metrics, too."""
    monkeypatch.setattr(flow, "BULK_BATCH_BYTES_MAX", BATCH_BYTES)
    engine = doors.engine
    await put_stock(engine, {("x", "A"): LINES})
    body = b"\n".join(order_body(f"gone-{number}") for number in range(LINES)) + b"\n"
    client = await Client.of(doors.ours)
    async with engine.intake.exclusive:
        # Longer than it is: the client means to send more.
        head = b"POST /v1/orders:bulk HTTP/1.1\r\n" + HOST + b"Content-Length: %d\r\n\r\n" % (len(body) + 1)
        client.writer.write(head + body)
        await until(lambda: engine.intake.queued == LINES)
        client.writer.transport.abort()
    reserved = 0
    async with asyncio.timeout(WAIT_S):
        # What is with the store when the queue is empty counts as neither yet.
        while reserved + engine.intake.abandoned != LINES:
            (cell,) = (await engine.stock(sku="x")).cells
            reserved = cell.reserved
    assert reserved > 0
    assert engine.intake.abandoned > 0
    scraper = await Client.of(doors.ours)
    told = (0.0, 0.0)
    async with asyncio.timeout(WAIT_S):
        # The service counts them a moment after it has settled them.
        while told != (engine.intake.abandoned, reserved):
            scraper.writer.write(b"GET /metrics HTTP/1.1\r\n" + HOST + b"\r\n")
            numbers = numbers_of((await scraper.answer())[2].decode())
            bulk = value(numbers, "stockade_orders_total", via="bulk", outcome="reserved")
            told = value(numbers, "stockade_abandoned_orders_total"), bulk
    await scraper.close()
