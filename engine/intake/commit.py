"""Puts a planned batch to the store: one call where one partition has it all, else prepare, decide and tell.

Decides nothing itself: what a partition refused is the core's to settle. Every wait is one call's, which is bounded.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import msgspec
import structlog

from engine.errors import StoreError
from engine.intake.acknowledged import Acknowledged
from engine.planner import Batch, Planner
from engine.store import CommitReply, Store

LEASE_MS = 10_000
"""How long a partition holds stock that no home has decided about: longer than both calls may take."""

ATTEMPTS = 3
"""Place of the attempts in the arguments of a preparation."""

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


async def commit_batch(
    store: Store,
    planner: Planner,
    batch: Batch,
    acknowledged: Acknowledged,
    *,
    made_ms: int,
    other: Callable[[], Batch | None],
) -> tuple[list[Reply], list[StoreError]]:
    """Ask all partitions of a batch; returns the replies of the homes, and what broke off. Raises NotPrepared.

    `made_ms`, of the store's clock, goes into the records of the orders. `other` tells what else is planned by now.
    """
    core = planner.core
    if prepares := batch.prepares:
        asked = {number: batch.prepare_args(number) for number in prepares}
        prepared, errors = await _gather(
            prepares, lambda number: store.partitions[number].crossing.prepare(asked[number], LEASE_MS)
        )
        for reply in prepared:
            core.settle_prepare(batch, reply, other())
        if errors:
            # No home was asked: what those who answered hold can go at once. The others give it back with the lease.
            await tell(store, [], [(number, _attempts(asked[number])) for number, *_ in prepared], [])
            raise NotPrepared(errors)
    all_args = {number: batch.commit_args(number, made_ms) for number in batch.commits}
    replies, errors = await _gather(
        batch.commits, lambda number: store.partitions[number].orders.commit(all_args[number])
    )
    for number, _, _, outcomes, _, records in replies:
        home = store.partitions[number]
        acknowledged.note(number, home.epoch, home.ticket, all_args[number], outcomes, records)
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


def _attempts(prepare_args: Sequence[bytes]) -> list[str]:
    names: list[str] = msgspec.msgpack.decode(prepare_args[ATTEMPTS])
    return names


async def _gather(
    numbers: Sequence[int], ask: Callable[[int], Awaitable[CommitReply]]
) -> tuple[list[Reply], list[StoreError]]:
    if len(numbers) == 1:
        # The common case, without tasks of its own.
        try:
            answers: list[CommitReply | BaseException] = [await ask(numbers[0])]
        except StoreError as error:
            return [], [error]
    else:
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
