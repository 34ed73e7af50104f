"""The engine's public face: keeps planner and replica alive, and offers every operation. `open_engine` makes one."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from typing import Any

import msgspec
import structlog

from engine.access import AccessRoom, ApiKey, KeyChanges, KeyLimit, KeyScope, NewKey
from engine.audit import AuditReport, OversellWatch, RepairReport, audit_store, repair_store
from engine.config import Settings
from engine.definitions import DefinitionRoom
from engine.feed.event import EventReader
from engine.feed.followers import IDLE_MS, Followers
from engine.feed.pages import Feed
from engine.feed.retention import Retention
from engine.intake import Acknowledged, Intake, Lot, Outcome, Overloaded, PurchaseLimit, Replica, Terms
from engine.life.change import Change
from engine.life.orders import OrderLife
from engine.life.transition import channel_of
from engine.model import (
    Allocation,
    CostMatrix,
    DistanceMatrix,
    HeldLine,
    Line,
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
from engine.planner import CostDefaults, Planner, Prices, Record
from engine.policy import PoliciesInForce
from engine.quote_looks import QuoteLooks
from engine.quotes import NotQuoted, Quoted, QuoteRoom
from engine.reallocation import Reallocation, ReallocationRequest, ReallocationRoom, ReallocationStatus
from engine.reallocation.check import make_request
from engine.reallocation.filling import Filling
from engine.reallocation.run import Progress
from engine.recovery import Recovery
from engine.refresher import PriceRefresher
from engine.status import State, Status
from engine.stock.room import CellPage, StockRoom
from engine.store import Backlog, Bound, Store, StoreDescription
from engine.tasks import supervised
from engine.upkeep import Upkeep

log = structlog.get_logger(__name__)


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
        acknowledged = Acknowledged(settings.reconcile_orders_max)
        self._recovery = Recovery(
            store,
            self.replica,
            self.policies,
            acknowledged,
            limit_s=settings.store_recovery_ms / 1000,
            intake=lambda: self.intake,
            supervise=self._supervise,
            revive=revive,
        )
        self.lost_orders = self._recovery.lost_orders
        """Acknowledged orders that a replica which took over did not have, and that could not be restored."""
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
            recover=self._recovery.recover,
            recovering=lambda: self._recovery.under_way,
            loads=lambda: self.replica.loads,
            acknowledged=acknowledged,
        )
        exclusive, clock = self.intake.exclusive, self.intake.clock
        self._stock = StockRoom(self.planner, store, exclusive=exclusive)
        self.life = OrderLife(store, self.planner, exclusive=exclusive, recover=self._recovery.recover, clock=clock)
        self._reallocations = ReallocationRoom(
            store,
            self.planner,
            exclusive=exclusive,
            recover=self._recovery.recover,
            clock=clock,
            catch_up=self.replica.catch_up_catalogue,
        )
        self.quote_looks = QuoteLooks(self.planner, store, self.intake)
        """Who looks at the store before a quote says no."""
        self._quotes = QuoteRoom(self.planner, store, looks=self.quote_looks, clock=clock)
        self._definitions = DefinitionRoom(self.planner, store, self.replica, exclusive=exclusive)
        reader = EventReader(self.planner, self.replica)
        self.feed = Feed(store, self.replica, reader)
        self._followers = Followers(store, self.feed, reader)
        self.access = AccessRoom(store, settings)
        """Whose a request is, by its API key."""
        self._keys = KeyChanges(store, self.access)
        retention = Retention(store, settings, self.replica.freshness)
        self.prices = (
            PriceRefresher(
                settings,
                store,
                self.planner,
                self.feed,
                clock=clock,
                catalogue=lambda: (self.replica.loads, self.replica.catalogue_position),
                set_prices=self._definitions.set_prices,
            )
            if settings.prices == "forecast"
            else None
        )
        """What prices the stock for orders to come; None where the settings have it off."""
        filling = Filling(store, self._reallocations, clock=clock, arrivals=lambda: self.replica.arrivals)
        self._upkeep = Upkeep(
            store,
            self.replica,
            self.policies,
            self.access,
            retention,
            self._recovery,
            self._supervise,
            filling if settings.fill_backorders else None,
            self.prices,
        )

    async def start(self, *, background: bool = True, load: bool = True) -> None:
        """Load everything and, unless this is for a single look, follow the store and end holds."""
        await self.access.look()
        if load:
            self.policies.open(is_service=background)
            await self.replica.load()
            await self.policies.begin()
        self._recovery.state = State.READY
        if background:
            self._upkeep.begin()
            self.feed.follows_view = True

    async def close(self) -> None:
        """Answer everybody who waits, for `drain_s` at most, then stop."""
        self._recovery.state = State.CLOSED
        self.feed.stop_waiting()
        await self._reallocations.close()
        await self.intake.close(drain_s=self.settings.drain_s)
        await self._upkeep.end()
        await self.access.close()
        await self.policies.close()
        # Last, for those could have begun it.
        await self._recovery.end()

    @property
    def state(self) -> State:
        """Where the engine stands."""
        return State.FAILED if self.intake.failed else self._recovery.state

    @property
    def lost_changes(self) -> int:
        """Changes that the view had seen, and that the store has lost."""
        return self._recovery.lost_changes

    @property
    def status(self) -> Status:
        """The engine in numbers."""
        prices = None if self.prices is None else self.prices.status
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
            prices_age_s=None if prices is None else prices.age_s,
            prices_error=None if prices is None else prices.error,
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

    async def quote(self, order: Order, *, source: str = "") -> Quoted | NotQuoted | PurchaseLimit:
        """Plan an order without holding anything, and say why; see QuoteRoom.quote. Raises InvalidInput, QuotesBusy."""
        return await self._quotes.quote(order, source)

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

    # Re-allocation of open orders; see engine.reallocation. Runs raise StoreError.

    async def reallocate(
        self,
        request: ReallocationRequest | None = None,
        *,
        dry_run: bool = False,
        progress: Progress | None = None,
        **fields: Any,
    ) -> Reallocation:
        """Look anew at open orders, chosen by fields of a ReallocationRequest, and move those better served elsewhere.

        With `dry_run` nothing is changed: the run is kept, to be looked at and applied later, by any process. The same
        `id` again goes on with that run. `progress` is called with a ReallocationStatus now and then. Raises
        InvalidInput, ReallocationConflict for an `id` of another request.
        """
        run = await self._reallocations.begin(make_request(request, fields))
        run.status = await self._reallocations.plan(run.id, progress)
        if not dry_run and run.state in ("planned", "applying"):
            await run.apply(progress=progress)
        await run.load()
        return run

    async def begin_reallocation(self, request: ReallocationRequest, *, dry_run: bool = True) -> Reallocation:
        """As `reallocate`, but it goes on in the background, as long as the engine is open; `refresh` tells how far."""
        self._reallocations.check_behind()
        run = await self._reallocations.begin(request)
        self._reallocations.behind(self._reallocations.go_on(run.id, dry_run=dry_run), run.id, "plan")
        return run

    async def reallocation(self, run_id: str) -> Reallocation | None:
        """A run, None when there is none of this id, or not any more. Its rows are there after its `load`."""
        return await self._reallocations.find(run_id)

    async def reallocations(self) -> tuple[ReallocationStatus, ...]:
        """Every run that is kept, the newest first: the last 50."""
        return await self._reallocations.all()

    # What the network is made of; see engine.definitions.

    async def put_skus(self, skus: Sequence[Sku]) -> None:
        """Add or replace SKUs. Raises InvalidInput for components and substitutes that break a rule."""
        await self._definitions.put_skus(skus)

    async def put_warehouses(self, warehouses: Sequence[Warehouse]) -> None:
        """Add or replace warehouses. Raises InvalidInput for a time zone that is not known, or lacks."""
        await self._definitions.put_warehouses(warehouses)

    async def put_tariff(self, tariff: Tariff) -> None:
        """Replace the tariff. Raises InvalidInput, which names each field and its rule."""
        await self._definitions.put_tariff(tariff)

    async def set_distances(self, matrix: DistanceMatrix | None) -> None:
        """Replace your own distances, which come before the great circle; None: have none. Raises InvalidInput.

        `matrix_of` makes a matrix of a CSV file, an array or a frame.
        """
        await self._definitions.set_distances(matrix)

    async def set_costs(self, matrix: CostMatrix | None) -> None:
        """Replace your own freight costs, which come before the tariff; otherwise as `set_distances`."""
        await self._definitions.set_costs(matrix)

    async def set_prices(self, prices: Prices | None) -> None:
        """Have this process choose warehouses by cost and opportunity prices, and book the cost; None: by cost alone.

        They are advice, kept in memory only. Raises InvalidInput.
        """
        await self._definitions.set_prices(prices)

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
        """Make a key for callers over HTTP; see KeyChanges.create."""
        return await self._keys.create(
            name, scopes, channel=channel, signed=signed, expires_in_s=expires_in_s, limit=limit
        )

    async def limit_key(self, key_id: str, limit: KeyLimit | None) -> ApiKey:
        """Change how many requests a key may send; see KeyChanges.limit."""
        return await self._keys.limit(key_id, limit)

    async def keys(self) -> tuple[ApiKey, ...]:
        """Every key that was made, the oldest first; of one millisecond, by id."""
        return await self.access.all()

    async def rotate_key(self, key_id: str, *, overlap_s: float = 0) -> NewKey:
        """Give a key another secret; see KeyChanges.rotate."""
        return await self._keys.rotate(key_id, overlap_s=overlap_s)

    async def forget_key(self, key_id: str) -> ApiKey:
        """Strike a key that has ended off the list; see KeyChanges.forget."""
        return await self._keys.forget(key_id)

    async def revoke_key(self, key_id: str, *, former_only: bool = False) -> ApiKey:
        """Have a key, or only its former secret, taken no more; see KeyChanges.revoke."""
        return await self._keys.revoke(key_id, former_only=former_only)

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

    def _supervise(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        return supervised(work, self.intake.fail)
