"""Refusals are told at once unless they come by the thousand: then later, so that orders have their time."""

import asyncio

import pytest

from api.http.fast import refusals
from api.http.fast.refusals import (
    AT_ONCE_FIRST,
    AT_ONCE_MIN,
    AT_ONCE_PER_ORDER,
    HELD_TOLD_MIN,
    PERIOD_S,
    TICKS,
    Refusals,
)
from api.http.principal import GATE
from api.rate_limit import Limiter, OwnTimes
from engine.access import KeyLimit
from tests.api.http.raw import HOST, Client, Doors, order_body, post

WAIT_S = 10.0
TARIFF = b"GET /v1/tariff HTTP/1.1\r\n" + HOST + b"\r\n"


class Asking:
    """Callers that ask again as soon as they are refused."""

    def __init__(self, callers: int, orders_per_s: int) -> None:
        self._loop = asyncio.get_running_loop()
        self._began = self._loop.time()
        self._orders_per_s = orders_per_s
        self.told = 0
        self.in_a_row = self.most_in_a_row = 0
        """Told without a turn of the event loop between."""
        self.stopped = False
        self.refusals = Refusals(self.served)
        for _ in range(callers):
            self.ask()

    def served(self) -> int:
        """Orders that were taken meanwhile."""
        return int((self._loop.time() - self._began) * self._orders_per_s)

    def ask(self) -> None:
        """One of them asks."""
        if not self.stopped:
            self.refusals.tell(self._answered)

    def _answered(self) -> None:
        self.told += 1
        if not self.in_a_row:
            self._loop.call_soon(self._turned)
        self.in_a_row += 1
        self.most_in_a_row = max(self.most_in_a_row, self.in_a_row)
        self._loop.call_soon(self.ask)

    def _turned(self) -> None:
        self.in_a_row = 0


async def test_callers_that_ask_on_and_on_are_answered_later() -> None:
    """So many for each order that is taken, and each caller once a period: what they cost is bounded."""
    asking = Asking(callers=100, orders_per_s=1_000)
    await asyncio.sleep(3.5 * PERIOD_S)
    asking.stopped = True
    periods = 5
    assert asking.told <= AT_ONCE_FIRST + periods * (100 + max(AT_ONCE_MIN, AT_ONCE_PER_ORDER * 1_000 * 2 * PERIOD_S))
    assert asking.told >= AT_ONCE_FIRST
    asking.refusals.release()


async def test_what_is_held_back_costs_no_more_with_more_connections() -> None:
    """Of ten thousand that ask again at once, so many are told in a period, some at a time, and each in its turn."""
    asking = Asking(callers=10_000, orders_per_s=0)
    first, asking.most_in_a_row = asking.told, 0
    assert first == AT_ONCE_FIRST
    loop = asyncio.get_running_loop()
    began = loop.time()
    await asyncio.sleep(4 * PERIOD_S)
    asking.stopped = True
    # The first period tells none of them, and the last one may have begun.
    periods = (loop.time() - began) / PERIOD_S
    assert HELD_TOLD_MIN <= asking.told - first <= periods * HELD_TOLD_MIN
    # A loop that comes late does two of them at once.
    assert asking.most_in_a_row <= 2 * HELD_TOLD_MIN / TICKS
    told, held = asking.told, asking.refusals.held
    assert 10_000 - HELD_TOLD_MIN <= held <= 10_000
    asking.refusals.release()
    assert asking.told == told + held


async def test_who_waited_longest_is_told_first() -> None:
    """Who asks again goes behind the others, and what was taken lately is shared by all of them."""
    told: list[int] = []
    served = 0
    one = Refusals(lambda: served)
    for number in range(AT_ONCE_FIRST + 3_000):
        one.tell(lambda number=number: told.append(number))  # type: ignore[misc]
    served = 300
    async with asyncio.timeout(WAIT_S):
        while len(told) <= AT_ONCE_FIRST:
            await asyncio.sleep(0.001)
    # Of four for each order, all go to those that wait.
    one.tell(lambda: told.append(-1))
    assert told[-1] != -1
    async with asyncio.timeout(WAIT_S):
        while one.held:
            await asyncio.sleep(0.01)
    assert told == [*range(AT_ONCE_FIRST + 3_000), -1]


@pytest.mark.parametrize("lane", [b"X-Lane: fast", b"Connection: close", b"Expect: 100-continue"])
async def test_refusals_are_held_back_in_every_lane(doors: Doors, monkeypatch: pytest.MonkeyPatch, lane: bytes) -> None:
    """On every route, whatever they are for: by the slow way they cost the more."""
    monkeypatch.setattr(refusals, "PERIOD_S", 4 * WAIT_S)
    for _ in range(AT_ONCE_FIRST):
        doors.door.refusals.tell(lambda: None)
    doors.engine.intake.patience.limit = 0
    ordering, reading = await Client.of(doors.ours), await Client.of(doors.ours)
    ordering.writer.write(post(order_body("held-back"), lane))
    await until_held(doors, 1)
    doors.app[GATE].limiter = Limiter(OwnTimes(), KeyLimit(0.001, 1))
    for _ in range(2):
        reading.writer.write(TARIFF)
    assert (await reading.answer())[0] == 404
    await until_held(doors, 2)
    doors.door.refusals.release()
    assert (await reading.answer())[0] == 429
    status, _, body = await ordering.answer()
    while status == 100:
        status, _, body = await ordering.answer()
    assert (status, b'"overloaded"' in body) == (503, True)
    for client in (ordering, reading):
        await client.close()


async def until_held(doors: Doors, count: int) -> None:
    """Wait until so many refusals are held back."""
    async with asyncio.timeout(WAIT_S):
        while doors.door.refusals.held < count:
            await asyncio.sleep(0.005)


async def test_a_few_refusals_are_told_at_once() -> None:
    """And after a quiet period as many as at first."""
    told: list[int] = []
    one = Refusals(lambda: 0)
    for number in range(AT_ONCE_FIRST):
        one.tell(lambda number=number: told.append(number))  # type: ignore[misc]
    assert told == list(range(AT_ONCE_FIRST))
    one.tell(lambda: told.append(-1))
    assert told[-1] != -1
    await asyncio.sleep(2.5 * PERIOD_S)
    assert told[-1] == -1
    for number in range(AT_ONCE_FIRST):
        one.tell(lambda number=number: told.append(number))  # type: ignore[misc]
    assert len(told) == 2 * AT_ONCE_FIRST + 1
    one.release()


async def test_nobody_is_held_back_when_the_service_stops() -> None:
    """All get their answers."""
    told: list[int] = []
    one = Refusals(lambda: 0)
    for number in range(AT_ONCE_FIRST + 50):
        one.tell(lambda number=number: told.append(number))  # type: ignore[misc]
    one.release()
    assert told == list(range(AT_ONCE_FIRST + 50))
