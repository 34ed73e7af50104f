"""Long work in slices: others have their turn, and, where it is not waited for, as much time as it."""

import asyncio
import itertools
from collections.abc import Awaitable
from time import perf_counter

import pytest

from engine.slices import SLICE_S, Slices

ITEMS = 200
ITEM_S = 0.0005


def spin(_: object) -> None:
    """Take the loop for a while."""
    end_s = perf_counter() + ITEM_S
    while perf_counter() < end_s:
        pass


async def turns_beside(work: Awaitable[None]) -> int:
    """How often somebody else who asks again at once had a turn meanwhile."""
    task, turns = asyncio.ensure_future(work), 0
    while not task.done():
        await asyncio.sleep(0)
        turns += 1
    return turns


async def test_everything_is_done_once_in_its_order() -> None:
    """However it is sliced."""
    done: list[int] = []

    def note(item: int) -> None:
        done.append(item)
        spin(item)

    await Slices().each(range(ITEMS), note)
    assert done == list(range(ITEMS))


async def test_others_have_a_turn_after_each_slice() -> None:
    """So that nobody waits longer than for one."""
    turns = await turns_beside(Slices().each(range(ITEMS), spin))
    assert turns >= ITEMS * ITEM_S / SLICE_S / 3


async def test_work_that_rests_leaves_others_as_much_time_as_it_takes() -> None:
    """They have many turns in a row, not one between two slices."""
    began_s = perf_counter()
    turns = await turns_beside(Slices(rest_s=SLICE_S).each(range(ITEMS), spin))
    assert perf_counter() - began_s >= 1.4 * ITEMS * ITEM_S
    assert turns > 5 * ITEMS


async def test_two_long_works_take_turns() -> None:
    """Together they keep the loop for one slice at a time."""
    slices, seen = Slices(), list[str]()

    def of(name: str) -> None:
        seen.append(name)
        spin(name)

    await asyncio.gather(slices.each(["a"] * ITEMS, of), slices.each(["b"] * ITEMS, of))
    changes = sum(one != other for one, other in itertools.pairwise(seen))
    assert changes >= ITEMS * ITEM_S / SLICE_S / 3


async def test_work_that_fails_fails_its_caller_and_holds_nobody_up() -> None:
    """The turn goes on."""
    slices = Slices()
    with pytest.raises(ZeroDivisionError):
        await slices.each([1, 0], lambda item: 1 / item)
    async with asyncio.timeout(5):
        await slices.each([1], spin)
