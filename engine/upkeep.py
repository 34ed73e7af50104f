"""What an engine does all the time: follows the store's news, ends holds, settles what others left behind."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

import structlog

from engine.access import AccessRoom
from engine.errors import StockadeError, StoreChanged, StoreError, StoreUnavailable
from engine.feed.retention import Retention
from engine.intake import Replica, settle_due
from engine.policy import PoliciesInForce
from engine.policy.watch import LOOK_S
from engine.reallocation.filling import Filling
from engine.recovery import Recovery
from engine.refresher import PriceRefresher
from engine.status import State
from engine.store import Partition, Store
from engine.tasks import Supervise, end_task

TEND_POLL_S = 0.25
"""How often holds and leases that ran out are looked for: so much later, at the most, does an unpaid hold end."""
EXPIRE_ORDERS_MAX = 500

log = structlog.get_logger(__name__)


class Upkeep:
    """The tasks of one engine."""

    def __init__(
        self,
        store: Store,
        replica: Replica,
        policies: PoliciesInForce,
        access: AccessRoom,
        retention: Retention,
        recovery: Recovery,
        supervise: Supervise,
        filling: Filling | None,
        prices: PriceRefresher | None,
    ) -> None:
        """`filling`: where orders that wait for stock are to be filled."""
        self._store = store
        self._replica = replica
        self._policies = policies
        self._access = access
        self._retention = retention
        self._recovery = recovery
        self._supervise = supervise
        self._filling = filling
        self._prices = prices
        self._tasks: list[asyncio.Task[None]] = []

    def begin(self) -> None:
        """Do it from now on."""
        followers: list[Callable[[], Awaitable[None]]] = [self._replica.follow_catalogue]
        followers += [partial(self._replica.follow_partition, partition.number) for partition in self._store.partitions]
        duties = [self._follow(follower) for follower in followers]
        duties += [self._tend(), self._follow_policies(), self._access.follow()]
        if self._filling is not None:
            duties.append(self._filling.follow())
        if self._prices is not None:
            duties.append(self._prices.run())
        self._tasks = [self._supervise(duty) for duty in duties]

    async def end(self) -> None:
        """Stop."""
        for task in self._tasks:
            await end_task(task)

    async def _follow(self, follower: Callable[[], Awaitable[None]]) -> None:
        # Not for ever: where no store listens, a closing engine would neither recover nor wait in here.
        while self._recovery.state is not State.CLOSED:
            loads = self._replica.loads
            try:
                await follower()
            except (StoreUnavailable, StoreChanged) as error:
                log.warning("lost the store's events", error=str(error))
            except Exception:
                log.exception("an event could not be applied: loading anew")
            # Unless the intake has met the same break before, and everything is loaded again already.
            if self._replica.loads == loads or self._recovery.state is not State.READY:
                await self._recovery.recover(for_ever=True)

    async def _follow_policies(self) -> None:
        """Take the file of policies anew when it changes. Each batch is planned in one go, so by one version."""
        while True:
            await asyncio.sleep(LOOK_S)
            try:
                await self._policies.look()
            except StoreError as error:
                log.warning("changed policies wait for the store", error=str(error))

    async def _tend(self) -> None:
        """End holds, and settle what other processes left behind: every process does, so none is missed."""
        while True:
            await asyncio.sleep(TEND_POLL_S)
            # Each by itself: a partition that cannot be had keeps no other waiting.
            duties: list[Awaitable[object]] = [self._end_holds(partition) for partition in self._store.partitions]
            duties += [settle_due(self._store), self._retention.tend()]
            for error in await asyncio.gather(*duties, return_exceptions=True):
                if isinstance(error, StoreChanged):
                    await self._recovery.recover(for_ever=True)
                elif isinstance(error, StockadeError):
                    log.warning("the store could not be tended", error=str(error))
                elif isinstance(error, Exception):
                    log.error("the store could not be tended", exc_info=error)
                elif error is not None and isinstance(error, BaseException):
                    raise error

    async def _end_holds(self, partition: Partition) -> None:
        while await partition.orders.expire(EXPIRE_ORDERS_MAX) == EXPIRE_ORDERS_MAX:
            pass
