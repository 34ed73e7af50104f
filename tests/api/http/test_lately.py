"""What anybody may ask costs the store little, however often it is asked."""

import asyncio

import pytest

from api.http import lately
from api.http.lately import Lately


class Asked:
    """Counts, and answers when it is let."""

    def __init__(self) -> None:
        self.times = 0
        self.may = asyncio.Event()

    async def __call__(self) -> int:
        self.times += 1
        await self.may.wait()
        if self.times == 3:
            raise OSError("gone")
        return self.times


async def test_all_who_ask_at_once_get_one_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also those who ask soon after; one who gives up takes it from nobody, and an error is nobody's for long."""
    ask = Asked()
    one = Lately(ask)
    asking = [asyncio.ensure_future(one.get()) for _ in range(5)]
    await asyncio.sleep(0)
    asking.pop().cancel()
    ask.may.set()
    assert await asyncio.gather(*asking) == [1] * 4
    assert await one.get() == 1
    monkeypatch.setattr(lately, "KEPT_S", 0.0)
    assert await one.get() == 2
    with pytest.raises(OSError, match="gone"):
        await one.get()
    assert await one.get() == 4


async def test_an_answer_that_takes_long_is_not_asked_for_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """A store that is slow must not be asked ever more often."""
    monkeypatch.setattr(lately, "KEPT_S", 0.0)
    ask = Asked()
    one = Lately(ask)
    asking = [asyncio.ensure_future(one.get())]
    for _ in range(5):
        await asyncio.sleep(0.001)
        asking.append(asyncio.ensure_future(one.get()))
    ask.may.set()
    assert await asyncio.gather(*asking) == [1] * 6
