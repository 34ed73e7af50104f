"""Holds a key to one content. That nothing is done twice is the promise of the id, which the key is without one."""

import contextlib
from collections.abc import Awaitable, Callable

from api.http.answer import Answer
from api.http.problems import Problem, ProblemType
from engine import Bound, Engine
from engine.access import Principal
from engine.errors import EngineClosed, MovementConflict, StockadeError, StoreError

REUSED = Problem(
    "idempotency-key-reused",
    "This Idempotency-Key came with another content before. Give a new request a new key.",
)
_UNSURE: tuple[ProblemType, ...] = ("store-unavailable", "shutting-down", "internal-error")
"""After these the request may have been done."""


def resource_of(principal: Principal, path: str) -> str:
    """What keys are told apart by: whose they are, and what they are for."""
    return f"{principal.key_id or ''}\n{path}"


async def once(
    engine: Engine,
    key: str | None,
    own_id: str | None,
    *,
    resource: str,
    content: bytes,
    conflict: ProblemType,
    do: Callable[[], Awaitable[Answer | Problem]],
) -> Answer | Problem:
    """What `do` answers, unless the key belongs to another content.

    `own_id` is that of the request: where it is the key itself, the id alone decides, and nothing is kept for the key.
    `resource`, of `resource_of`, is what keys are told apart by, `conflict` how `do` says that the id is another
    content's. A twin under way is waited for by `do`. A request that is refused for certain has not used its key up,
    unless a twin was done. Raises what `do` raises, StoreError.
    """
    if key is None:
        return await do()
    if key == own_id:
        return await _under_key(do, conflict)
    name = f"{resource}\n{key}"
    if await engine.bind_key(name, content) is Bound.OTHER:
        return REUSED
    try:
        answered = await do()
    except (StoreError, EngineClosed):
        raise
    except StockadeError:
        await _release(engine, name, content)
        raise
    if isinstance(answered, Problem) and answered.type not in _UNSURE:
        await _release(engine, name, content)
    return answered


async def _under_key(do: Callable[[], Awaitable[Answer | Problem]], conflict: ProblemType) -> Answer | Problem:
    try:
        answered = await do()
    except MovementConflict:
        return REUSED
    return told_of_key(answered, conflict)


def told_of_key(answered: Answer | Problem, conflict: ProblemType) -> Answer | Problem:
    """An answer where the key is the id: that the id is another content's is told of the key."""
    return REUSED if isinstance(answered, Problem) and answered.type == conflict else answered


async def _release(engine: Engine, name: str, content: bytes) -> None:
    # What it was refused for holds all the same; the key is forgotten in a day.
    with contextlib.suppress(StoreError):
        await engine.release_key(name, content)
