"""Opens a store again that broke off or was exchanged, and loads everything anew before anything is sold."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from engine.errors import StoreUnsupported
from engine.intake import Acknowledged, Intake, LostOrders, Replica, restore
from engine.policy import PoliciesInForce
from engine.status import State
from engine.store import Place, Store
from engine.tasks import Supervise, end_task

POLL_S = 0.1

log = structlog.get_logger(__name__)


class Recovery:
    """The one of an engine, whoever waits for it; it has the engine's state."""

    def __init__(
        self,
        store: Store,
        replica: Replica,
        policies: PoliciesInForce,
        acknowledged: Acknowledged,
        *,
        limit_s: float,
        intake: Callable[[], Intake],
        supervise: Supervise,
        revive: Callable[[], Awaitable[None]] | None,
    ) -> None:
        """`limit_s`: how long callers wait. `revive` starts the store again if it is ours and has ended."""
        self.state = State.RECOVERING
        self.lost_orders = LostOrders()
        """Acknowledged orders that a replica which took over did not have, and that could not be restored."""
        self.lost_changes = 0
        """Changes that the view had seen, and that the store has lost."""
        self._store = store
        self._replica = replica
        self._policies = policies
        self._acknowledged = acknowledged
        self._limit_s = limit_s
        self._intake = intake
        self._supervise = supervise
        self._revive = revive
        self._task: asyncio.Task[None] | None = None

    @property
    def under_way(self) -> bool:
        """Whether the store is being opened again."""
        return self._task is not None and not self._task.done()

    async def end(self) -> None:
        """Stop it, if it is under way."""
        if self._task is not None:
            await end_task(self._task)

    async def recover(self, *, for_ever: bool = False) -> bool:
        """Wait until the store is open and loaded again: `store_recovery_ms` at most, or as long as it takes.

        Returns whether it is. If not, orders are refused at once from here on, until it is.
        """
        if self._task is None or self._task.done():
            if self.state is State.CLOSED:
                return False
            self.state = State.RECOVERING
            self._task = self._supervise(self._reopen())
        task = self._task
        limit_s = None if for_ever else self._limit_s
        done, _ = await asyncio.wait([task], timeout=limit_s)
        if not done:
            intake = self._intake()
            intake.unreachable = intake.unreachable or "The store is being opened again."
        return bool(done) and not task.cancelled() and task.exception() is None

    async def _reopen(self) -> None:
        """The one recovery under way, whoever waits for it."""
        intake, patience_ends = self._intake(), asyncio.get_running_loop().time() + self._limit_s
        while True:
            try:
                if self._revive is not None:
                    await self._revive()
                await self._store.ping()
                # Between two batches: neither the store's epoch nor our numbers may change under one.
                async with intake.exclusive:
                    await self._open_and_load()
                break
            except Exception as error:
                # A later release has the store: that does not pass by itself.
                hopeless = isinstance(error, StoreUnsupported)
                if hopeless or asyncio.get_running_loop().time() >= patience_ends:
                    if intake.unreachable is None:
                        log.error("the store is out of reach", error=str(error))
                    intake.unreachable = str(error)
                await asyncio.sleep(POLL_S)
        intake.unreachable = None
        if self.state is not State.CLOSED:
            self.state = State.READY

    async def _open_and_load(self) -> None:
        try:
            known = dict(zip(self._epochs(), self._replica.positions, strict=False))
            await self._store.open()
            await self._count_lost_changes(known)
            # Before anything is sold: what was promised comes first.
            await restore(self._store, self._acknowledged, self.lost_orders)
            await self._replica.load()
            await self._policies.resume()
        except BaseException:
            # Whatever it was: nothing may be sold by what was loaded before.
            self._store.distrust()
            raise

    def _epochs(self) -> list[tuple[int, bytes]]:
        return [(partition.number, partition.last_epoch) for partition in self._store.partitions]

    async def _count_lost_changes(self, known: dict[tuple[int, bytes], Place]) -> None:
        """Say how many changes, of whatever kind and by whomever, this process has seen that the store lacks now."""
        for partition, name in zip(self._store.partitions, self._epochs(), strict=True):
            place = known.get(name)
            lost = place.n - (await partition.feed.position()).n if place is not None else 0
            if lost > 0:
                self.lost_changes += lost
                log.error(
                    "the store lacks changes that it had: a replica took over, or a backup was put back. Orders are"
                    " restored; look for other changes with `stockade audit`",
                    partition=partition.number,
                    changes=lost,
                )
