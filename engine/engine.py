"""The engine's public face: opens a store, keeps planner and replica alive, and offers every operation."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from enum import StrEnum
from functools import partial
from typing import Any

import msgspec
import structlog

from engine.access import AccessRoom, ApiKey, KeyLimit, KeyScope, NewKey
from engine.audit import AuditReport, OversellWatch, RepairReport, audit_store, repair_store
from engine.config import Settings, load_settings
from engine.errors import (
    FieldError,
    InvalidInput,
    NoStoreThere,
    StockadeError,
    StoreChanged,
    StoreError,
    StoreUnavailable,
    StoreUnsupported,
)
from engine.feed.event import EventReader
from engine.feed.followers import IDLE_MS, Followers
from engine.feed.pages import Feed
from engine.feed.retention import Retention
from engine.intake import (
    REFUSALS,
    Acknowledged,
    ExceededLimit,
    Intake,
    LostOrders,
    Lot,
    Outcome,
    Overloaded,
    PurchaseLimit,
    Refused,
    Replica,
    Terms,
    end_task,
    expected_day,
    read_capacities,
    refused_of,
    restore,
    settle_due,
)
from engine.life.change import Change
from engine.life.orders import OrderLife
from engine.life.transition import channel_of
from engine.model import (
    Allocation,
    CostMatrix,
    DistanceMatrix,
    HeldLine,
    Line,
    MatrixOf,
    Moved,
    Movement,
    Order,
    Sku,
    StockCount,
    Tariff,
    Warehouse,
)
from engine.model.event import Event, EventPage, Follower
from engine.model.rules import check_order
from engine.model.tariff_rules import check_matrix, check_tariff, check_warehouse
from engine.planner import CostDefaults, Planner, Prices, Record, canonical_bytes
from engine.policy import PoliciesInForce
from engine.policy.watch import LOOK_S
from engine.stock.assortment import AssortmentRoom
from engine.stock.room import CellPage, StockRoom
from engine.store import (
    Backlog,
    Bound,
    EmbeddedServer,
    Partition,
    Place,
    Store,
    StoreDescription,
    choose_store,
    holds_store,
    running_at,
)

RECOVERY_POLL_S = 0.1
TEND_POLL_S = 0.25
"""How often holds and leases that ran out are looked for: so much later, at the most, does an unpaid hold end."""
EXPIRE_ORDERS_MAX = 500

QUOTE_READS_MAX = 4
"""Quotes that may look at the store at once: each keeps orders waiting for one round trip."""

log = structlog.get_logger(__name__)


class State(StrEnum):
    """Where the engine stands."""

    READY = "ready"
    RECOVERING = "recovering"
    CLOSED = "closed"
    FAILED = "failed"
    """A bug or a panic stopped the intake: only a restart helps."""


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """The engine in numbers."""

    state: State
    cells: int
    skus: int
    warehouses: int
    queued: int
    """Orders that wait for the next batch."""
    view_lag_ms: float
    """The greatest age at which a change by others got into this process's view, of the last 10 seconds."""
    events_behind: int
    """Changes that were in the store at the last look, a second ago at most, and are not in the view."""
    lost_orders: int = 0
    """Acknowledged orders that the store lost since this process started; `Engine.lost_orders` names them."""
    lost_changes: int = 0
    """Changes of any kind that this process had seen in the store, and that the store lost."""
    policy_version: str
    """Of the policies in force."""
    policy_fingerprint: str
    """Of what they say: the same in every process that plans alike."""
    policies_error: str | None = None
    """What is wrong with the file of policies as it is now, or why it is not what is in force."""


class Quoted(msgspec.Struct, frozen=True):
    """A plan with its explanation, as JSON; nothing is held. `backordered` where the order would wait for stock."""

    json: bytes


class NotQuoted(msgspec.Struct, frozen=True):
    """No plan: why, as JSON with the explanation, and as what the order itself would be told."""

    json: bytes
    refusal: Refused


class Engine:
    """One process's engine. Make it with `open_engine`; it belongs to one event loop."""

    def __init__(
        self, settings: Settings, store: Store, *, revive: Callable[[], Awaitable[None]] | None = None
    ) -> None:
        """`revive` starts the store again if it is ours and has ended."""
        self.settings = settings
        self.store = store
        self.planner = Planner(
            currency=settings.currency,
            default_policy=settings.policy,
            defaults=CostDefaults(
                fixed_cost=settings.fixed_cost, unit_cost=settings.unit_cost, cost_per_km=settings.cost_per_km
            ),
        )
        self.policies = PoliciesInForce(
            store, settings.policies_file, settings.policy, put_in_force=self.planner.set_policies
        )
        """The policies in force."""
        self.replica = Replica(self.planner, store, read_policies=self.policies.refresh)
        self.lost_orders = LostOrders()
        """Acknowledged orders that a replica which took over did not have, and that could not be restored."""
        self.lost_changes = 0
        """Changes that the view had seen, and that the store has lost."""
        self._acknowledged = Acknowledged(settings.reconcile_orders_max)
        self.intake = Intake(
            self.planner,
            store,
            queue_orders_max=settings.queue_orders_max,
            batch_orders_max=settings.batch_orders_max,
            bulk_batch_orders_max=settings.bulk_batch_orders_max,
            terms=Terms(
                burst_s=settings.queue_wait_ms_max / 1000,
                standing_s=settings.queue_standing_ms / 1000,
                order_s=settings.order_wait_ms_max / 1000,
            ),
            recover=self._recover,
            recovering=lambda: self._recovery is not None and not self._recovery.done(),
            loads=lambda: self.replica.loads,
            acknowledged=self._acknowledged,
        )
        self._stock = StockRoom(self.planner, store, exclusive=self.intake.exclusive)
        self.life = OrderLife(
            store, self.planner, exclusive=self.intake.exclusive, recover=self._recover, clock=self.intake.clock
        )
        reader = EventReader(self.planner, self.replica)
        self.feed = Feed(store, self.replica, reader)
        self._followers = Followers(store, self.feed, reader)
        self._retention = Retention(store, settings, self.replica.freshness)
        self._assortment = AssortmentRoom(self.planner, store, self.replica)
        self.access = AccessRoom(store, settings)
        """API keys, and whose a request is."""
        self._revive = revive
        self._state = State.RECOVERING
        self._recovery: asyncio.Task[None] | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._quote_reads = asyncio.Semaphore(QUOTE_READS_MAX)

    async def start(self, *, background: bool = True, load: bool = True) -> None:
        """Load everything and, unless this is for a single look, follow the store and end holds."""
        await self.access.look()
        if load:
            self.policies.open(is_service=background)
            await self.replica.load()
            await self.policies.begin()
        self._state = State.READY
        if background:
            followers: list[Callable[[], Awaitable[None]]] = [self.replica.follow_catalogue]
            followers += [
                partial(self.replica.follow_partition, partition.number) for partition in self.store.partitions
            ]
            self._tasks = [self._supervised(self._follow(follower)) for follower in followers]
            self._tasks.append(self._supervised(self._tend()))
            self._tasks.append(self._supervised(self._follow_policies()))
            self._tasks.append(self._supervised(self.access.follow()))
            self.feed.follows_view = True

    async def close(self) -> None:
        """Answer everybody who waits, for `drain_s` at most, then stop."""
        self._state = State.CLOSED
        self.feed.stop_waiting()
        await self.intake.close(drain_s=self.settings.drain_s)
        for task in self._tasks:
            await end_task(task)
        await self.policies.close()
        # Last, for those could have begun it.
        if self._recovery is not None:
            await end_task(self._recovery)

    @property
    def state(self) -> State:
        """Where the engine stands."""
        return State.FAILED if self.intake.failed else self._state

    @property
    def status(self) -> Status:
        """The engine in numbers."""
        return Status(
            state=self.state,
            cells=self.planner.core.cell_count,
            skus=len(self.planner.skus),
            warehouses=len(self.planner.warehouses),
            queued=self.intake.queued,
            lost_orders=self.lost_orders.count,
            lost_changes=self.lost_changes,
            view_lag_ms=self.replica.freshness.lag_ms,
            events_behind=self.replica.freshness.events_behind,
            policy_version=self.policies.book.version,
            policy_fingerprint=self.policies.book.fingerprint,
            policies_error=self.policies.error,
        )

    async def ping(self) -> None:
        """Return when the store answers. Raises StoreError."""
        await self.store.ping()

    async def library_version(self) -> int:
        """Version of the function library that the store has now. Raises StoreError."""
        return await self.store.library_version()

    async def unpaid_holds(self) -> int:
        """Orders that the store holds until they are paid or their hold ends. Raises StoreError."""
        return await self.store.unpaid_holds()

    async def stream_backlog(self) -> Backlog:
        """What waits in the stream of orders. Raises StoreError."""
        return await self.store.stream.backlog()

    def oversell_watch(self, cells_per_s: int) -> OversellWatch:
        """A watch for oversold units, to be run by whoever wants it; see engine.audit.oversell."""
        return OversellWatch(self.store, cells_per_s)

    # Orders

    def submit(self, order: Order, *, source: str = "", deadline_s: float | None = None) -> asyncio.Future[Outcome]:
        """Reserve an order's stock. The outcome is a value; see engine.intake.outcome.

        `source`: whose it is, as an API key's id; none takes another's place. `deadline_s`: when it must have begun to
        be planned, by the event loop's clock; without one it has `order_wait_ms_max`.
        """
        return self.intake.submit(order, source=source, deadline_s=deadline_s)

    def turned_away(self, source: str = "", *, deadline_s: float | None = None) -> Overloaded | None:
        """What `submit` would tell an order for want of room or time, before it is read; see Intake.turned_away."""
        return self.intake.turned_away(source, deadline_s=deadline_s)

    async def reserve(self, order: Order) -> Outcome:
        """`submit` for callers in Python: checks the order's rules first. Raises InvalidInput, EngineClosed."""
        return await self.intake.submit(check_order(order))

    async def submit_lot(self, lines: bytes, *, channel: str | None = None, source: str = "") -> Lot:
        """Reserve orders that come together, as whole lines of JSON; see engine.intake.lot. Raises EngineClosed."""
        return await self.intake.submit_lot(lines, channel=channel, source=source)

    async def quote(self, order: Order) -> Quoted | NotQuoted | PurchaseLimit:
        """Plan an order without holding anything, and say why. Raises InvalidInput.

        `proven` in its explanation is among plans that split no line which one warehouse holds whole, and that take
        substitutes for nothing but what the network lacks.
        """
        core, canonical = self.planner.core, canonical_bytes(order)
        now_ms, day = self.intake.clock.now_ms(), self.intake.clock.day()
        self.planner.keep_calendars(now_ms)
        word, payload = core.quote(canonical, day, now_ms)
        bends = order.allow_partial or order.allow_substitutes
        if word in REFUSALS or word == "backorder" or (word == "quoted" and bends):
            # The view only advises: before a no, or a part of one, look at the store.
            async with self._quote_reads, self.intake.exclusive:
                for partition, cells in self.store.by_owner(self.planner.cells_of(order)).items():
                    event, rows = await partition.cells.read(cells, for_sale=True)
                    self.planner.set_levels([(row.cell, row.free) for row in rows], event)
                await read_capacities(self.store, self.planner, day)
                self.planner.keep_calendars(now_ms)
                word, payload = self.planner.core.quote(canonical, day, now_ms)
            if word == "backorder":
                expected = await expected_day(self.store, *payload, today=day)
                word, payload = self.planner.core.quote(canonical, day, now_ms, expected)
        if word == "quoted":
            return Quoted(payload)
        if word in REFUSALS:
            json, refused = payload
            return NotQuoted(json, refused_of(word, refused))
        if word == "limit":
            return PurchaseLimit(tuple(ExceededLimit(*row) for row in payload))
        raise InvalidInput(tuple(FieldError(*row) for row in payload))

    async def order_json(self, order_id: str) -> bytes | None:
        """The Allocation of an order as JSON, None when there is none."""
        (record,) = await self.store.read_orders([order_id])
        return None if record is None else self.planner.core.allocation_json(order_id, record)

    async def is_of_channel(self, order_id: str, channel: str) -> bool:
        """Whether there is such an order, and of this channel, which no change of an order changes."""
        (record,) = await self.store.read_orders([order_id])
        return record is not None and channel_of(record) == channel

    async def order(self, order_id: str) -> Allocation | None:
        """The Allocation of an order, None when there is none."""
        json = await self.order_json(order_id)
        return None if json is None else msgspec.json.decode(json, type=Allocation)

    async def orders(self) -> AsyncIterator[tuple[Allocation, Record]]:
        """Every order that the store keeps and that can be read, in no order; `audit` names the others."""
        for partition in self.store.partitions:
            async for page in partition.orders.scan():
                for order_id, stored in page:
                    try:
                        record, json = Record(stored), self.planner.core.allocation_json(order_id, stored)
                    except ValueError as error:
                        log.warning("an order's record cannot be read", order_id=order_id, error=str(error))
                        continue
                    yield msgspec.json.decode(json, type=Allocation), record

    async def bind_key(self, name: str, content: bytes) -> Bound:
        """Let a request's key be that of its content, for `idempotency_keys_s`. Raises StoreError."""
        return await self.store.request_keys.bind(name, content, kept_s=self.settings.idempotency_keys_s)

    async def release_key(self, name: str, content: bytes) -> None:
        """A request was refused: its key is free, unless a twin of it was not. Raises StoreError."""
        await self.store.request_keys.release(name, content)

    # Changes of orders. Their outcomes are values; see engine.life.change. They raise InvalidInput and StoreError.

    async def confirm(self, order_id: str, *, transition_id: str | None = None, version: int | None = None) -> Change:
        """Make an unpaid order's hold last."""
        return await self.life.confirm(order_id, transition_id=transition_id, version=version)

    async def cancel(self, order_id: str, *, transition_id: str | None = None, version: int | None = None) -> Change:
        """Give back what an order holds of which nothing has left."""
        return await self.life.cancel(order_id, transition_id=transition_id, version=version)

    async def extend(
        self, order_id: str, hold_seconds: int, *, transition_id: str, version: int | None = None
    ) -> Change:
        """Have an unpaid order's hold end so many seconds from now."""
        return await self.life.extend(order_id, hold_seconds, transition_id=transition_id, version=version)

    async def ship(
        self,
        order_id: str,
        *,
        transition_id: str,
        lines: Sequence[HeldLine] | None = None,
        version: int | None = None,
    ) -> Change:
        """Let units of a confirmed order leave: those that lines name, or all that are left."""
        return await self.life.ship(order_id, lines, transition_id=transition_id, version=version)

    async def split(
        self, order_id: str, into: str, lines: Sequence[HeldLine], *, transition_id: str, version: int | None = None
    ) -> Change:
        """Make units of an order an order of their own, whose id is `order_id`, a slash and a name."""
        return await self.life.split(order_id, into, lines, transition_id=transition_id, version=version)

    async def amend(
        self, order_id: str, lines: Sequence[Line], *, transition_id: str, version: int | None = None
    ) -> Change:
        """Give an order of which nothing has left other lines, planned anew."""
        return await self.life.amend(order_id, lines, transition_id=transition_id, version=version)

    # Catalogue

    async def put_skus(self, skus: Sequence[Sku]) -> None:
        """Add or replace SKUs. Raises InvalidInput for components and substitutes that break a rule."""
        await self._assortment.check(skus)
        async with self.intake.exclusive:
            await self.store.catalogue.put_skus([(sku.sku, msgspec.json.encode(sku)) for sku in skus])
            await self.replica.catch_up_catalogue()

    async def put_warehouses(self, warehouses: Sequence[Warehouse]) -> None:
        """Add or replace warehouses. Raises InvalidInput for a time zone that is not known, or lacks."""
        for index, row in enumerate(warehouses):
            check_warehouse(row, f"/{index}")
        async with self.intake.exclusive:
            await self.store.catalogue.put_warehouses([(row.id, msgspec.json.encode(row)) for row in warehouses])
            await self.replica.catch_up_catalogue()

    async def put_tariff(self, tariff: Tariff) -> None:
        """Replace the tariff. Raises InvalidInput, which names each field and its rule."""
        check_tariff(tariff)
        async with self.intake.exclusive:
            await self.store.catalogue.put_tariff(msgspec.json.encode(tariff))
            await self.replica.catch_up_catalogue()

    async def set_distances(self, matrix: DistanceMatrix | None) -> None:
        """Replace your own distances, which come before the great circle; None: have none. Raises InvalidInput.

        `matrix_of` makes a matrix of a CSV file, an array or a frame.
        """
        await self._set_matrix("distance", matrix)

    async def set_costs(self, matrix: CostMatrix | None) -> None:
        """Replace your own freight costs, which come before the tariff; otherwise as `set_distances`."""
        await self._set_matrix("cost", matrix)

    async def set_prices(self, prices: Prices | None) -> None:
        """Have this process choose warehouses by cost and opportunity prices, and book the cost; None: by cost alone.

        They are advice, kept in memory only. Raises InvalidInput.
        """
        async with self.intake.exclusive:
            self.planner.set_prices(prices)

    async def _set_matrix(self, of: MatrixOf, matrix: DistanceMatrix | CostMatrix | None) -> None:
        if matrix is not None:
            check_matrix(matrix, is_warehouse=self.planner.warehouses.__contains__)
        async with self.intake.exclusive:
            await self.store.catalogue.put_matrix(of, msgspec.json.encode(matrix) if matrix is not None else b"")
            await self.replica.catch_up_catalogue()

    # Stock

    async def set_stock(self, rows: Sequence[StockCount]) -> None:
        """Set counts, every row or none.

        Raises InvalidInput, StockBelowReserved for a count below what is held, StockRefused for one that pools of
        channels stand in the way of, StockUnderChange.
        """
        await self._stock.set_stock(rows)
        found = {self.planner.core.warehouse_number(row.warehouse) for row in rows}
        self.planner.counted({number: self.intake.clock.now_ms() for number in found if number is not None})

    async def move(self, movement: Movement) -> Moved:
        """Do a movement of stock, every row or none; the same id again changes nothing.

        Raises InvalidInput, StockRefused (what the rows met instead), MovementConflict, StockUnderChange.
        """
        return await self._stock.move(movement)

    async def stock(
        self, *, sku: str | None = None, warehouse: str | None = None, cursor: str | None = None, limit: int = 500
    ) -> CellPage:
        """A page of cells as the store has them now. Raises InvalidInput for an unknown name or a strange cursor."""
        return await self._stock.page(sku=sku, warehouse=warehouse, cursor=cursor, limit=limit)

    # Events

    async def events(self, *, after: str | None = None, limit: int = 100, wait_ms: int = 0) -> EventPage:
        """A page of what changed; see Feed.page."""
        return await self.feed.page(after, limit=limit, wait_ms=wait_ms)

    def follow_events(self, after: str | None = None) -> AsyncIterator[Event]:
        """What changed and what will; see Feed.follow."""
        return self.feed.follow(after)

    async def followers(self) -> tuple[Follower, ...]:
        """Registered followers, and how far each is."""
        return await self._followers.all()

    async def register_follower(self, name: str, *, from_start: bool = False) -> None:
        """Have no event dropped from here on (`from_start`: from the oldest kept on) that it has not acknowledged."""
        await self._followers.register(name, from_start=from_start)

    async def remove_follower(self, name: str) -> None:
        """Let go what a follower has not read."""
        await self._followers.remove(name)

    async def read_as(
        self, follower: str, consumer: str, *, limit: int = 100, wait_ms: int = 0, idle_ms: int = IDLE_MS
    ) -> tuple[Event, ...]:
        """The next events for one consumer of a follower, to be acknowledged; see Followers.read_as."""
        return await self._followers.read_as(follower, consumer, limit=limit, wait_ms=wait_ms, idle_ms=idle_ms)

    async def acknowledge(self, follower: str, events: Sequence[str]) -> int:
        """A follower is done with events, by id; returns how many were open."""
        return await self._followers.acknowledge(follower, events)

    # API keys

    async def create_key(
        self,
        name: str,
        scopes: Sequence[KeyScope],
        *,
        channel: str | None = None,
        signed: bool = False,
        expires_in_s: float | None = None,
        limit: KeyLimit | None = None,
    ) -> NewKey:
        """Make a key for callers over HTTP; see AccessRoom.create."""
        return await self.access.create(
            name, scopes, channel=channel, signed=signed, expires_in_s=expires_in_s, limit=limit
        )

    async def limit_key(self, key_id: str, limit: KeyLimit | None) -> ApiKey:
        """Change how many requests a key may send; see AccessRoom.limit."""
        return await self.access.limit(key_id, limit)

    async def keys(self) -> tuple[ApiKey, ...]:
        """Every key that was made, the oldest first."""
        return await self.access.all()

    async def rotate_key(self, key_id: str, *, overlap_s: float = 0) -> NewKey:
        """Give a key another secret; see AccessRoom.rotate."""
        return await self.access.rotate(key_id, overlap_s=overlap_s)

    async def forget_key(self, key_id: str) -> ApiKey:
        """Strike a key that has ended off the list; see AccessRoom.forget."""
        return await self.access.forget(key_id)

    async def revoke_key(self, key_id: str, *, former_only: bool = False) -> ApiKey:
        """Have a key, or only its former secret, taken no more; see AccessRoom.revoke."""
        return await self.access.revoke(key_id, former_only=former_only)

    # Operations

    async def describe_store(self) -> StoreDescription:
        """What the store is and promises."""
        return await self.store.describe()

    async def audit(self) -> AuditReport:
        """Prove that the books balance, or say what differs; see engine.audit."""
        return await audit_store(self.store)

    async def repair(self, *, dry_run: bool) -> RepairReport:
        """Set what the audit derives from reservations, or only say what would be set; see engine.audit.repair."""
        return await repair_store(self.store, dry_run=dry_run)

    async def _follow(self, follower: Callable[[], Awaitable[None]]) -> None:
        # Not for ever: where no store listens, a closing engine would neither recover nor wait in here.
        while self._state is not State.CLOSED:
            loads = self.replica.loads
            try:
                await follower()
            except (StoreUnavailable, StoreChanged) as error:
                log.warning("lost the store's events", error=str(error))
            except Exception:
                log.exception("an event could not be applied: loading anew")
            # Unless the intake has met the same break before, and everything is loaded again already.
            if self.replica.loads == loads or self._state is not State.READY:
                await self._recover(for_ever=True)

    async def _follow_policies(self) -> None:
        """Take the file of policies anew when it changes. Each batch is planned in one go, so by one version."""
        while True:
            await asyncio.sleep(LOOK_S)
            try:
                await self.policies.look()
            except StoreError as error:
                log.warning("changed policies wait for the store", error=str(error))

    async def _tend(self) -> None:
        """End holds, and settle what other processes left behind: every process does, so none is missed."""
        while True:
            await asyncio.sleep(TEND_POLL_S)
            # Each by itself: a partition that cannot be had keeps no other waiting.
            duties: list[Awaitable[object]] = [self._end_holds(partition) for partition in self.store.partitions]
            duties += [settle_due(self.store), self._retention.tend()]
            for error in await asyncio.gather(*duties, return_exceptions=True):
                if isinstance(error, StoreChanged):
                    await self._recover(for_ever=True)
                elif isinstance(error, StockadeError):
                    log.warning("the store could not be tended", error=str(error))
                elif isinstance(error, Exception):
                    log.error("the store could not be tended", exc_info=error)
                elif error is not None and isinstance(error, BaseException):
                    raise error

    async def _end_holds(self, partition: Partition) -> None:
        while await partition.orders.expire(EXPIRE_ORDERS_MAX) == EXPIRE_ORDERS_MAX:
            pass

    async def _recover(self, *, for_ever: bool = False) -> bool:
        """Wait until the store is open and loaded again: `store_recovery_ms` at most, or as long as it takes.

        Returns whether it is. If not, orders are refused at once from here on, until it is.
        """
        if self._recovery is None or self._recovery.done():
            if self._state is State.CLOSED:
                return False
            self._state = State.RECOVERING
            self._recovery = self._supervised(self._reopen())
        recovery = self._recovery
        limit_s = None if for_ever else self.settings.store_recovery_ms / 1000
        done, _ = await asyncio.wait([recovery], timeout=limit_s)
        if not done:
            self.intake.unreachable = self.intake.unreachable or "The store is being opened again."
        return bool(done) and not recovery.cancelled() and recovery.exception() is None

    async def _reopen(self) -> None:
        """The one recovery under way, whoever waits for it."""
        patience_ends = asyncio.get_running_loop().time() + self.settings.store_recovery_ms / 1000
        while True:
            try:
                if self._revive is not None:
                    await self._revive()
                await self.store.ping()
                # Between two batches: neither the store's epoch nor our numbers may change under one.
                async with self.intake.exclusive:
                    await self._open_and_load()
                break
            except Exception as error:
                # A later release has the store: that does not pass by itself.
                hopeless = isinstance(error, StoreUnsupported)
                if hopeless or asyncio.get_running_loop().time() >= patience_ends:
                    if self.intake.unreachable is None:
                        log.error("the store is out of reach", error=str(error))
                    self.intake.unreachable = str(error)
                await asyncio.sleep(RECOVERY_POLL_S)
        self.intake.unreachable = None
        if self._state is not State.CLOSED:
            self._state = State.READY

    async def _open_and_load(self) -> None:
        try:
            known = dict(zip(self._epochs(), self.replica.positions, strict=False))
            await self.store.open()
            await self._count_lost_changes(known)
            # Before anything is sold: what was promised comes first.
            await restore(self.store, self._acknowledged, self.lost_orders)
            await self.replica.load()
            await self.policies.resume()
        except BaseException:
            # Whatever it was: nothing may be sold by what was loaded before.
            self.store.distrust()
            raise

    def _epochs(self) -> list[tuple[int, bytes]]:
        return [(partition.number, partition.last_epoch) for partition in self.store.partitions]

    async def _count_lost_changes(self, known: dict[tuple[int, bytes], Place]) -> None:
        """Say how many changes, of whatever kind and by whomever, this process has seen that the store lacks now."""
        for partition, name in zip(self.store.partitions, self._epochs(), strict=True):
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

    def _supervised(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """A task whose death by a bug is seen: the engine says that it failed, and nothing more is promised."""

        def ended(task: asyncio.Task[None]) -> None:
            if not task.cancelled() and task.exception() is not None:
                log.error("a task of the engine died", error=repr(task.exception()))
                self.intake.fail()

        task = asyncio.create_task(work)
        task.add_done_callback(ended)
        return task


@contextlib.asynccontextmanager
async def open_engine(
    settings: Settings, *, attach: bool = False, background: bool = True, load: bool = True, create: bool = True
) -> AsyncIterator[Engine]:
    """An engine on the store that the settings name, or on an embedded one that lives as long as this block.

    `attach` joins the embedded store of a service that runs on the same data directory, if there is one. Without
    `background` it neither follows the store nor ends holds: enough for a single look. Without `load` it knows neither
    catalogue nor stock: enough to audit and repair. Without `create` no embedded store is made where there was none.
    Raises InvalidInput, StoreUnavailable, StoreUnsupported, NoStoreThere or DataDirInUse.
    """
    async with contextlib.AsyncExitStack() as stack:
        url = running_at(settings.data_dir) if attach and not settings.redis_url else None
        revive: Callable[[], Awaitable[None]] | None = None
        if url is None:
            chosen = choose_store(settings.redis_url)
            if isinstance(chosen, str):
                url = chosen
            else:
                if not create and not holds_store(settings.data_dir):
                    raise NoStoreThere(settings.data_dir)
                server = EmbeddedServer(chosen, settings.data_dir, ready_timeout_s=settings.store_ready_s)
                url = (await stack.enter_async_context(server)).url
                revive = server.revive
        store = Store(
            url,
            namespace=settings.namespace,
            timeout_s=settings.store_timeout_ms / 1000,
            partitions=settings.partitions,
            replicas_acked_min=settings.replicas_acked_min,
            replica_wait_ms=settings.replica_wait_ms,
        )
        await stack.enter_async_context(store)
        engine = Engine(settings, store, revive=revive)
        await engine.start(background=background, load=load)
        stack.push_async_callback(engine.close)
        yield engine


def connect(redis_url: str | None = None, **settings: Any) -> contextlib.AbstractAsyncContextManager[Engine]:
    """`async with engine.connect("redis://...") as e:`; without a URL, as `stockade serve` chooses its store."""
    return open_engine(load_settings(redis_url=redis_url, **settings), attach=True)
