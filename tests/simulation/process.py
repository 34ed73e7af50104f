"""One process of the service, as partitions see it: the real intake and the real followers on a simulated wire."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

import msgspec

from engine.errors import StoreError
from engine.intake import Acknowledged, Intake, Terms, follow_order, settle_due
from engine.intake.commit import LEASE_MS
from engine.intake.outcome import Outcome
from engine.model import Order
from engine.planner import Record
from engine.store import Replacement, Step, StepReply
from engine.store.packed import packed_strings
from tests.simulation.net import Net
from tests.simulation.store import SimulatedServer
from tests.simulation.wire import KEYS, SimulatedStore, SimulatedWire
from tests.simulation.world import World, fill, planner_of

OPEN_TRIES_MAX = 3
STEP_TRIES_MAX = 2


class Process:
    """Alive until `crash`. What it does goes on whenever a message of it is answered."""

    def __init__(
        self,
        name: str,
        world: World,
        net: Net,
        servers: Sequence[SimulatedServer],
        *,
        sells: bool,
    ) -> None:
        """`sells`: whether it will take orders; one that only settles need not know the levels."""
        self.name = name
        self.crashed = False
        self.opened = False
        self._world = world
        self._loop = net.loop
        self._servers = servers
        self._wire = SimulatedWire(net, name)
        self.store = SimulatedStore(self._wire, name, world.partitions)
        self._planner = planner_of()
        self._recovery: asyncio.Task[bool] | None = None
        self._recovering = False
        self._sells = sells
        self._loads = 0
        self._amends = 0
        self.settled: int | None = None
        """How much the last settling found, once it has ended well."""
        self._intake = Intake(
            self._planner,
            self.store,
            queue_orders_max=100,
            batch_orders_max=8,
            bulk_batch_orders_max=8,
            # No schedule is about how long orders wait.
            terms=Terms(burst_s=3_600, standing_s=3_600, order_s=3_600),
            recover=self._recover,
            recovering=lambda: self._recovering,
            loads=lambda: self._loads,
            acknowledged=Acknowledged(0),
        )
        self._tasks: set[asyncio.Task[Any]] = set()

    def crash(self) -> None:
        """No line of it runs from here on; what it sent is on its way."""
        self.crashed = True
        self._wire.dead = True

    def begin(self) -> None:
        """Open the store."""
        self._do(self._recover())

    def submit(self, order: Order, answered: Callable[[Outcome | BaseException], None]) -> None:
        """Reserve an order."""

        def done(answer: "asyncio.Future[Outcome]") -> None:
            if not self.crashed:
                error = answer.exception()
                answered(error if error is not None else answer.result())

        self._intake.submit(order).add_done_callback(done)

    def settle(self) -> None:
        """Settle what others left."""
        self.settled = None
        self._do(self._settle())

    def expire(self) -> None:
        """End holds."""
        self._do(self._expire())

    def step(
        self, what: Step, order_id: str, transition: str, detail: object, stepped: Callable[[StepReply], None]
    ) -> None:
        """One transition of an order."""
        self._do(self._step(what, order_id, transition, detail, stepped))

    def amend(
        self, order_id: str, transition: str, gains: int, loses: int | None, replaced: Callable[[str], None]
    ) -> None:
        """Have an order hold one unit more of a cell, and none of another."""
        self._do(self._amend(order_id, transition, gains, loses, replaced))

    def _do(self, work: Coroutine[Any, Any, Any]) -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: "asyncio.Task[Any]") -> None:
        self._tasks.discard(task)
        error = task.exception()
        if error is not None and not isinstance(error, StoreError) and not self.crashed:
            self._loop.failures.append({"message": f"a task of {self.name} died", "exception": error})

    async def _settle(self) -> None:
        self.settled = await settle_due(self.store)

    async def _expire(self) -> None:
        for partition in self.store.partitions:
            await partition.orders.expire(10)

    async def _step(
        self, what: Step, order_id: str, transition: str, detail: object, stepped: Callable[[StepReply], None]
    ) -> None:
        reply: StepReply | None = None
        for _ in range(STEP_TRIES_MAX):
            try:
                reply = await self.store.home(order_id).orders.step(
                    what, order_id, transition, version=None, detail=detail
                )
                break
            except StoreError:
                continue
        if reply is not None:
            stepped(reply)
            if reply.record:
                await follow_order(self.store, order_id)

    async def _amend(
        self, order_id: str, transition: str, gains: int, loses: int | None, replaced: Callable[[str], None]
    ) -> None:
        store = self.store
        home = store.home(order_id)
        stored = (await home.orders.read([order_id]))[0]
        record = Record(stored) if stored is not None else None
        if stored is None or record is None or not record.holds_stock or record.shipped:
            return
        held = dict(record.held)
        held[gains] = held.get(gains, 0) + 1
        if loses is not None and loses != gains:
            held.pop(loses, None)
        flat = [part for pair in sorted(held.items()) for part in pair]
        rest = self._servers[0].call("simulation_rest", [], (stored, msgspec.msgpack.encode(flat)))
        owner = store.owner(gains)
        attempt = ""
        if owner is not home:
            self._amends += 1
            attempt = f"@{self.name}.amend-{self._amends}"
            # Tickets are for one call at a time.
            async with self._intake.exclusive:
                reply = await owner.crossing.prepare(_prepare_args(attempt, order_id, home.number, gains), LEASE_MS)
            if reply.outcomes:
                return
        reply = await home.orders.replace(
            transition,
            [Replacement(order_id, record.version, rest)],
            event="amend",
            reason="",
            limits={},
            attempt=attempt,
        )
        replaced(reply.letter)
        if reply.letter in ("A", "R"):
            await follow_order(store, order_id)
        elif attempt:
            await owner.crossing.follow([attempt], [])

    async def _recover(self) -> bool:
        """As the engine's: one recovery, whoever waits for it."""
        if self._recovery is None or self._recovery.done():
            self._recovering = True
            self._recovery = self._loop.create_task(self._reopen())
        await asyncio.wait([self._recovery])
        return self._recovery.result()

    async def _reopen(self) -> bool:
        for _ in range(OPEN_TRIES_MAX):
            try:
                # As the engine does: between two batches.
                async with self._intake.exclusive:
                    await self.store.open()
                    if self._sells:
                        self._load()
            except StoreError:
                self.store.distrust()
            else:
                self._recovering, self.opened = False, True
                return True
        return False

    def _load(self) -> None:
        """What Replica.load does, with the network known and the levels read between two messages."""
        planner = self._planner.blank()
        planner.set_partitions(self._world.partitions, self.store.writer)
        fill(planner, self._world)
        for number, server in enumerate(self._servers):
            epoch = self.store.partitions[number].epoch
            _, event, page = server.call("stockade_scan_free", KEYS[number], (epoch, self.name, 0, 1_000))
            planner.core.load_levels(page, event)
        self._planner.become(planner)
        self._loads += 1


def _prepare_args(attempt: str, order_id: str, home: int, cell: int) -> list[bytes]:
    """What Batch.prepare_args would be for one unit of one cell."""
    pack = msgspec.msgpack.encode
    kept = pack([order_id, home, [cell, 1], []])
    return [
        pack([str(cell)]),
        pack([1]),
        b"",
        pack([attempt]),
        packed_strings([attempt.encode(), kept]),
        pack([1, 1, 1]),
    ]
