"""The engine's public face: opens a store, keeps planner and replica alive, and offers every operation."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from enum import StrEnum
from functools import partial
from typing import Any, NoReturn

import msgspec
import structlog

from engine.audit import AuditReport, audit_store
from engine.config import Settings, load_settings
from engine.errors import (
    FieldError,
    InvalidInput,
    StockadeError,
    StockBelowReserved,
    StoreChanged,
    StoreUnavailable,
    StoreUnsupported,
)
from engine.intake import ExceededLimit, Intake, Outcome, PurchaseLimit, Replica, end_task, settle_due
from engine.model import Allocation, Cell, Order, Sku, StockCount, Tariff, Warehouse
from engine.model.rules import check_order, check_rows
from engine.planner import CostDefaults, Planner, Record, canonical_bytes, cell_number
from engine.store import CellRow, EmbeddedServer, Store, StoreDescription, choose_store, running_at

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


class Quoted(msgspec.Struct, frozen=True):
    """A plan with its explanation, as JSON; nothing is held."""

    json: bytes


class NotQuoted(msgspec.Struct, frozen=True):
    """No plan: the shortages and the explanation, as JSON. `spread` as in InsufficientStock."""

    json: bytes
    spread: bool


class CellPage(msgspec.Struct, frozen=True):
    """Cells in the order of their numbers, and the cursor of the next page, if there is one."""

    cells: tuple[Cell, ...]
    cursor: str | None


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
        self.replica = Replica(self.planner, store)
        self.intake = Intake(
            self.planner,
            store,
            queue_orders_max=settings.queue_orders_max,
            batch_orders_max=settings.batch_orders_max,
            recover=self._recover,
            recovering=lambda: self._recovery is not None and not self._recovery.done(),
            loads=lambda: self.replica.loads,
        )
        self._revive = revive
        self._state = State.RECOVERING
        self._recovery: asyncio.Task[None] | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._quote_reads = asyncio.Semaphore(QUOTE_READS_MAX)

    async def start(self, *, background: bool = True) -> None:
        """Load everything and, unless this is for a single look, follow the store and end holds."""
        await self.replica.load()
        self._state = State.READY
        if background:
            followers: list[Callable[[], Awaitable[None]]] = [self.replica.follow_catalogue]
            followers += [
                partial(self.replica.follow_partition, partition.number) for partition in self.store.partitions
            ]
            self._tasks = [self._supervised(self._follow(follower)) for follower in followers]
            self._tasks.append(self._supervised(self._tend()))

    async def close(self) -> None:
        """Answer everybody who waits, for `drain_s` at most, then stop."""
        self._state = State.CLOSED
        await self.intake.close(drain_s=self.settings.drain_s)
        for task in self._tasks:
            await end_task(task)
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
        )

    async def ping(self) -> None:
        """Return when the store answers. Raises StoreError."""
        await self.store.ping()

    # Orders

    def submit(self, order: Order) -> asyncio.Future[Outcome]:
        """Reserve an order's stock. The outcome is a value; see engine.intake.outcome."""
        return self.intake.submit(order)

    async def reserve(self, order: Order) -> Outcome:
        """`submit` for callers in Python: checks the order's rules first. Raises InvalidInput, EngineClosed."""
        return await self.intake.submit(check_order(order))

    async def quote(self, order: Order) -> Quoted | NotQuoted | PurchaseLimit:
        """Plan an order without holding anything, and say why. Raises InvalidInput."""
        core, canonical = self.planner.core, canonical_bytes(order)
        word, payload = core.quote(canonical)
        if word in ("short", "too_spread") or (word == "quoted" and order.allow_partial):
            # The view only advises: before a no, or a part of one, look at the store.
            async with self._quote_reads, self.intake.exclusive:
                for partition, cells in self.store.by_owner(self.planner.cells_of(order)).items():
                    event, rows = await partition.cells.read(cells, for_sale=True)
                    self.planner.set_levels([(row.cell, row.free) for row in rows], event)
                word, payload = self.planner.core.quote(canonical)
        if word == "quoted":
            return Quoted(payload)
        if word in ("short", "too_spread"):
            return NotQuoted(payload, spread=word == "too_spread")
        if word == "limit":
            return PurchaseLimit(tuple(ExceededLimit(*row) for row in payload))
        raise InvalidInput(tuple(FieldError(*row) for row in payload))

    async def order_json(self, order_id: str) -> bytes | None:
        """The Allocation of an order as JSON, None when there is none."""
        (record,) = await self.store.read_orders([order_id])
        return None if record is None else self.planner.core.allocation_json(order_id, record)

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

    # Catalogue

    async def put_skus(self, skus: Sequence[Sku]) -> None:
        """Add or replace SKUs."""
        async with self.intake.exclusive:
            numbers = await self.store.catalogue.put_skus([(sku.sku, msgspec.json.encode(sku)) for sku in skus])
            self.planner.put_skus(zip(numbers, skus, strict=True))

    async def put_warehouses(self, warehouses: Sequence[Warehouse]) -> None:
        """Add or replace warehouses."""
        async with self.intake.exclusive:
            numbers = await self.store.catalogue.put_warehouses(
                [(row.id, msgspec.json.encode(row)) for row in warehouses]
            )
            self.planner.put_warehouses(zip(numbers, warehouses, strict=True))

    async def put_tariff(self, tariff: Tariff) -> None:
        """Replace the parcel tariff. Raises InvalidInput when its zones do not ascend."""
        reaches = [zone.max_km for zone in tariff.zones]
        if reaches != sorted(set(reaches)):
            raise InvalidInput((FieldError("/zones", "max_km must grow from each zone to the next"),))
        async with self.intake.exclusive:
            await self.store.catalogue.put_tariff(msgspec.json.encode(tariff))
            self.planner.set_tariff(tariff)

    # Stock

    async def set_stock(self, rows: Sequence[StockCount]) -> None:
        """Set counts, every row or none. Raises InvalidInput, or StockBelowReserved for a count below what is held."""
        check_rows(rows)
        # The numbers hold as long as nothing is loaded anew, which takes the same lock.
        async with self.intake.exclusive:
            cells = self._cells_of(rows)
            partition = self.store.partitions[0]
            event, levels, refused = await partition.movements.set_stock(
                cells, [row.on_hand for row in rows], [-1 if row.safety is None else row.safety for row in rows]
            )
            if refused:
                raise StockBelowReserved(tuple(refused))
            self.planner.set_levels(list(zip(cells, levels, strict=True)), event)

    def _cells_of(self, rows: Sequence[StockCount]) -> list[int]:
        errors: list[FieldError] = []
        cells: list[int] = []
        core = self.planner.core
        for index, row in enumerate(rows):
            sku, warehouse = core.sku_number(row.sku), core.warehouse_number(row.warehouse)
            if sku is None:
                errors.append(FieldError(f"/{index}/sku", f'unknown SKU "{row.sku}"'))
            if warehouse is None:
                errors.append(FieldError(f"/{index}/warehouse", f'unknown warehouse "{row.warehouse}"'))
            if sku is not None and warehouse is not None:
                cells.append(cell_number(sku=sku, warehouse=warehouse))
        if errors:
            raise InvalidInput(tuple(errors))
        return cells

    async def stock(
        self, *, sku: str | None = None, warehouse: str | None = None, cursor: str | None = None, limit: int = 500
    ) -> CellPage:
        """A page of cells as the store has them now. Raises InvalidInput for an unknown name or a strange cursor."""
        core = self.planner.core
        sku_number = core.sku_number(sku) if sku is not None else None
        warehouse_number = core.warehouse_number(warehouse) if warehouse is not None else None
        if sku is not None and sku_number is None:
            _invalid("/sku", f'unknown SKU "{sku}"')
        if warehouse is not None and warehouse_number is None:
            _invalid("/warehouse", f'unknown warehouse "{warehouse}"')
        if cursor is not None and not (cursor.isascii() and cursor.isdigit() and len(cursor) <= 15):
            _invalid("/cursor", "is none that an earlier page gave")
        start = int(cursor) if cursor is not None else 0
        known = core.known_cells(sku=sku_number, warehouse=warehouse_number, start=start, limit=limit + 1)
        page, more = known[:limit], known[limit:]
        rows = await self.store.read_cells(page)
        return CellPage(tuple(self._cell(row) for row in rows), str(more[0]) if more else None)

    def _cell(self, row: CellRow) -> Cell:
        sku, warehouse = self.planner.core.cell_names(row.cell) or ("?", "?")
        return Cell(
            sku=sku,
            warehouse=warehouse,
            on_hand=row.on_hand,
            reserved=row.on_hand - row.safety - row.free,
            safety=row.safety,
            available=row.free,
        )

    # Operations

    async def describe_store(self) -> StoreDescription:
        """What the store is and promises."""
        return await self.store.describe()

    async def audit(self) -> AuditReport:
        """Prove that the books balance, or say what differs; see engine.audit."""
        return await audit_store(self.store, self.planner)

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

    async def _tend(self) -> None:
        """End holds, and settle what other processes left behind: every process does, so none is missed."""
        while True:
            await asyncio.sleep(TEND_POLL_S)
            try:
                for partition in self.store.partitions:
                    while await partition.orders.expire(EXPIRE_ORDERS_MAX) == EXPIRE_ORDERS_MAX:
                        pass
                await settle_due(self.store)
            except StoreChanged:
                await self._recover(for_ever=True)
            except StockadeError as error:
                log.warning("the store could not be tended", error=str(error))
            except Exception:
                log.exception("the store could not be tended")

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
            await self.store.open()
            await self.replica.load()
        except BaseException:
            # Whatever it was: nothing may be sold by what was loaded before.
            self.store.distrust()
            raise

    def _supervised(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """A task whose death by a bug is seen: the engine says that it failed, and nothing more is promised."""

        def ended(task: asyncio.Task[None]) -> None:
            if not task.cancelled() and task.exception() is not None:
                log.error("a task of the engine died", error=repr(task.exception()))
                self.intake.fail()

        task = asyncio.create_task(work)
        task.add_done_callback(ended)
        return task


def _invalid(pointer: str, message: str) -> NoReturn:
    raise InvalidInput((FieldError(pointer, message),))


@contextlib.asynccontextmanager
async def open_engine(settings: Settings, *, attach: bool = False, background: bool = True) -> AsyncIterator[Engine]:
    """An engine on the store that the settings name, or on an embedded one that lives as long as this block.

    `attach` joins the embedded store of a service that runs on the same data directory, if there is one. Without
    `background` it neither follows the store nor ends holds: enough for a single look. Raises InvalidInput,
    StoreUnavailable, StoreUnsupported or DataDirInUse.
    """
    async with contextlib.AsyncExitStack() as stack:
        url = running_at(settings.data_dir) if attach and not settings.redis_url else None
        revive: Callable[[], Awaitable[None]] | None = None
        if url is None:
            chosen = choose_store(settings.redis_url)
            if isinstance(chosen, str):
                url = chosen
            else:
                server = EmbeddedServer(chosen, settings.data_dir, ready_timeout_s=settings.store_ready_s)
                url = (await stack.enter_async_context(server)).url
                revive = server.revive
        store = Store(
            url,
            namespace=settings.namespace,
            timeout_s=settings.store_timeout_ms / 1000,
            partitions=settings.partitions,
        )
        await stack.enter_async_context(store)
        engine = Engine(settings, store, revive=revive)
        await engine.start(background=background)
        stack.push_async_callback(engine.close)
        yield engine


def connect(redis_url: str | None = None, **settings: Any) -> contextlib.AbstractAsyncContextManager[Engine]:
    """`async with engine.connect("redis://...") as e:`; without a URL, as `stockade serve` chooses its store."""
    return open_engine(load_settings(redis_url=redis_url, **settings), attach=True)
