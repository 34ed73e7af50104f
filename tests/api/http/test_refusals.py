"""Refusals are told at once unless they come by the thousand: then later, so that orders have their time."""

import asyncio

from api.http.fast.refusals import AT_ONCE_FIRST, AT_ONCE_PER_ORDER, PERIOD_S, Refusals


class Asking:
    """Callers that ask again as soon as they are refused."""

    def __init__(self, callers: int, orders_per_s: int) -> None:
        self._loop = asyncio.get_running_loop()
        self._began = self._loop.time()
        self._orders_per_s = orders_per_s
        self.told = 0
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
        self._loop.call_soon(self.ask)


async def test_callers_that_ask_on_and_on_are_answered_later() -> None:
    """So many for each order that is taken, and each caller once a period: what they cost is bounded."""
    asking = Asking(callers=100, orders_per_s=1_000)
    await asyncio.sleep(3.5 * PERIOD_S)
    asking.stopped = True
    periods = 5
    assert asking.told <= AT_ONCE_FIRST + periods * (100 + AT_ONCE_PER_ORDER * 1_000 * 2 * PERIOD_S)
    assert asking.told >= AT_ONCE_FIRST
    asking.refusals.release()


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
