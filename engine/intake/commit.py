"""Puts a planned batch to the store: one call where one partition has it all, else prepare, decide and tell.

Decides nothing itself: what a partition refused is the core's to settle. Every wait is one call's, which is bounded.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence

import structlog

from engine.errors import StoreError
from engine.planner import Batch, Planner
from engine.store import CommitReply, Store

LEASE_MS = 10_000
"""How long a partition holds stock that no home has decided about: longer than both calls may take."""

log = structlog.get_logger(__name__)

Reply = tuple[int, int, bytes, bytes, bytes, list[bytes]]
"""A reply as the core takes it; engine/_core.pyi says what it holds."""

Told = list[tuple[int, list[str]]]
"""Names, by partition."""


class NotPrepared(Exception):
    """A partition could not be asked to hold stock: nothing was decided about any order of the batch."""

    def __init__(self, errors: Sequence[StoreError]) -> None:
        super().__init__(str(errors[0]))
        self.errors = tuple(errors)


class StoreClock:
    """The store's clock as this process reckons it: what the last reply showed, and what went by since.

    What goes by is told by a clock that nobody sets: when this machine's is set right, or wrong, no order hears of it.
    """

    def __init__(self) -> None:
        self._ahead_ms = time.time_ns() // 1_000_000 - _passing_ms()

    def now_ms(self) -> int:
        """Milliseconds since 1970."""
        return _passing_ms() + self._ahead_ms

    def learn(self, now_ms: int) -> None:
        """Take over what a reply says."""
        self._ahead_ms = now_ms - _passing_ms()


def _passing_ms() -> int:
    return time.monotonic_ns() // 1_000_000


async def commit_batch(
    store: Store, planner: Planner, batch: Batch, clock: StoreClock
) -> tuple[list[Reply], list[StoreError]]:
    """Ask all partitions of a batch; returns the replies of the homes, and what broke off. Raises NotPrepared."""
    core = planner.core
    if prepares := batch.prepares:
        prepared, errors = await _gather(
            prepares, lambda number: store.partitions[number].crossing.prepare(batch.prepare_args(number), LEASE_MS)
        )
        for reply in prepared:
            core.settle_prepare(batch, reply)
        if errors:
            # Whatever was prepared is given back when its lease has run out.
            raise NotPrepared(errors)
    made_ms = clock.now_ms()
    replies, errors = await _gather(
        batch.commits, lambda number: store.partitions[number].orders.commit(batch.commit_args(number, made_ms))
    )
    if replies:
        clock.learn(replies[0][1])
    return replies, errors


async def tell(store: Store, sealed: Told, dropped: Told, followed: Told) -> None:
    """Tell other partitions what was decided. What does not reach them, they ask for when its lease runs out."""
    try:
        await asyncio.gather(
            *(store.partitions[number].crossing.seal(attempts) for number, attempts in sealed),
            *(store.partitions[number].crossing.follow(attempts, []) for number, attempts in dropped),
        )
        await asyncio.gather(
            *(store.partitions[number].crossing.followed([(name, 1) for name in names]) for number, names in followed)
        )
    except StoreError as error:
        log.warning("other partitions will learn later what was decided", error=str(error))


async def _gather(
    numbers: Sequence[int], ask: Callable[[int], Awaitable[CommitReply]]
) -> tuple[list[Reply], list[StoreError]]:
    answers = await asyncio.gather(*(ask(number) for number in numbers), return_exceptions=True)
    replies: list[Reply] = []
    errors: list[StoreError] = []
    for number, answer in zip(numbers, answers, strict=True):
        if isinstance(answer, StoreError):
            errors.append(answer)
        elif isinstance(answer, BaseException):
            raise answer
        else:
            replies.append((number, answer.now_ms, answer.event, answer.outcomes, answer.levels, answer.records))
    return replies, errors
