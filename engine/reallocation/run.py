"""One re-allocation, as its caller holds it: what it found, and what can be done with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from engine.reallocation.model import ReallocationPlan, ReallocationRequest, ReallocationStatus, State
from engine.reallocation.moves import Moves, Untouched
from engine.reallocation.summary import summary

if TYPE_CHECKING:
    from engine.reallocation.room import ReallocationRoom

T = TypeVar("T")

Progress = Callable[[ReallocationStatus], object]


class Reallocation:
    """A run of one store, as it stood when it was last looked at. Others may go on with it meanwhile."""

    def __init__(self, room: ReallocationRoom, status: ReallocationStatus) -> None:
        self._room = room
        self.status = status
        """How it stood when it was last looked at."""
        self._moves: Moves | None = None
        self._unserved: Untouched | None = None

    @property
    def id(self) -> str:
        """Names it."""
        return self.status.id

    @property
    def state(self) -> State:
        """Where it stands."""
        return self.status.state

    @property
    def request(self) -> ReallocationRequest:
        """What was asked."""
        return self.status.request

    @property
    def plan(self) -> ReallocationPlan | None:
        """What was worked out; None before."""
        return self.status.plan

    @property
    def moves(self) -> Moves:
        """The moves of its plan, as columns. `load` must have been awaited; `Engine.reallocate` does."""
        return _loaded(self._moves)

    @property
    def unserved(self) -> Untouched:
        """Orders that its plan leaves unserved, and why; as `moves`."""
        return _loaded(self._unserved)

    def summary(self) -> str:
        """A few lines for people."""
        return summary(self.status)

    async def load(self) -> None:
        """Read moves and unserved orders from the store. Raises StoreError."""
        self._moves, self._unserved = await self._room.rows(self.id)

    async def skipped(self) -> Untouched:
        """Orders that were skipped as it was applied, and why. Raises StoreError."""
        return await self._room.skipped(self.id)

    async def refresh(self) -> ReallocationStatus:
        """Look how it stands. Raises StoreError."""
        self.status = await self._room.status(self.id)
        return self.status

    async def apply(self, *, progress: Progress | None = None) -> ReallocationStatus:
        """Do what is planned, from where it was left; of one that is applied nothing is left.

        Orders that changed since are skipped, and told. `progress` is called with a status a few times a second.
        Raises ReallocationState for a run that is cancelled, failed or rolled back, StoreError (`resume` goes on).
        """
        self.status = await self._room.apply(self.id, progress)
        return self.status

    async def resume(self, *, progress: Progress | None = None) -> ReallocationStatus:
        """Go on with what was under way: planning, applying or rolling back. Otherwise as `apply`."""
        self.status = await self._room.resume(self.id, progress)
        return self.status

    async def cancel(self) -> ReallocationStatus:
        """Have no more of it done; what is applied stays. Raises ReallocationState for one that is over."""
        self.status = await self._room.cancel(self.id)
        return self.status

    async def rollback(self, *, progress: Progress | None = None) -> ReallocationStatus:
        """Put orders back to where they were, those that nothing has happened to since. Otherwise as `apply`."""
        self.status = await self._room.roll_back(self.id, progress)
        return self.status

    async def begin_apply(self) -> ReallocationStatus:
        """Apply in the background while the engine is open; `refresh` tells how far it is, the log what went wrong.

        Raises ReallocationState as `apply`, StoreError.
        """
        self.status = await self._room.begin_apply(self.id)
        return self.status

    async def begin_rollback(self) -> ReallocationStatus:
        """Roll back in the background, as `begin_apply`."""
        self.status = await self._room.begin_roll_back(self.id)
        return self.status


def _loaded(rows: T | None) -> T:
    if rows is None:
        raise RuntimeError("the rows of a re-allocation are there after `await run.load()`")
    return rows
