"""Long work on the event loop in slices: between two of them everybody else has a turn."""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from time import perf_counter
from typing import TypeVar

T = TypeVar("T")

SLICE_S = 0.001


class Slices:
    """Whoever has long work takes turns here: however many they are, the loop stands still for one slice at a time."""

    def __init__(self, *, rest_s: float = 0.0) -> None:
        """`rest_s`: how long others have between two slices at the least, where the work is not waited for."""
        self._turn = asyncio.Lock()
        self._rest_s = rest_s

    async def each(self, items: Iterable[T], work: Callable[[T], object]) -> None:
        """Do the work on each item; a slice ends with the item in which its time is over."""
        rest = iter(items)
        whole = False
        while not whole:
            async with self._turn:
                whole = _slice(rest, work)
            # Whoever waits for the turn has it next, and whoever is served by the loop before that.
            await asyncio.sleep(self._rest_s)


def _slice(rest: Iterator[T], work: Callable[[T], object]) -> bool:
    """One slice; whether that was all."""
    end_s = perf_counter() + SLICE_S
    for item in rest:
        work(item)
        if perf_counter() >= end_s:
            return False
    return True
