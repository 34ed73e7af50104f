"""Works a run out: chooses orders, has them assigned, and has the planner make true moves of that. Changes nothing.

Orders go on coming meanwhile: what needs the planner goes in slices on the event loop, the assignment on threads of its
own. The stock is what the view knows; where that is stale, the store says so when the plan is applied.
"""

import asyncio
import os
from collections import defaultdict
from collections.abc import Callable
from time import perf_counter
from typing import Any

import msgspec
from msgspec import Struct

from engine.batch_assign import BatchAssignment, assign_batch
from engine.batch_problem import BatchProblem
from engine.errors import FieldError, InvalidInput
from engine.intake import read_capacities
from engine.intake.clock import StoreClock
from engine.planner import COST_SCALE, CoreReallocation, Planner
from engine.reallocation.model import ORDERS_MAX, ReallocationPlan, ReallocationRequest
from engine.reallocation.moves import Moves, Untouched
from engine.reallocation.spanning import Apart
from engine.slices import Slices
from engine.store import Store, home_of, partition_of_counter

ROWS_A_STEP = 200
"""Orders whose moves are told at once: less than a millisecond."""

COUNTERS_A_CALL = 500

CHUNK_ORDERS = 16
"""Orders moved in one call: a millisecond or two of the store's time, which orders that come wait for."""


class Worked(Struct, frozen=True):
    """What was worked out."""

    plan: ReallocationPlan
    moves: Moves
    unserved: Untouched
    chunks: list[tuple[int, bytes, int]]
    """Partition, rows, orders."""
    apart: list[Apart]
    """Moves that span partitions."""


class Planning:
    """Plans runs on one store."""

    def __init__(
        self, store: Store, planner: Planner, *, exclusive: asyncio.Lock, clock: StoreClock, slices: Slices
    ) -> None:
        """`exclusive` as the intake has it; `clock` is the store's."""
        self._store = store
        self._planner = planner
        self._exclusive = exclusive
        self._clock = clock
        self._slices = slices

    def check(self, request: ReallocationRequest) -> None:
        """Whether the names that a request has are known. Raises InvalidInput."""
        self._arguments(request)

    async def work_out(self, request: ReallocationRequest, going_on: Callable[[], bool]) -> Worked | None:
        """Plan a run; None when `going_on` says no before it is done. Raises InvalidInput, StoreError."""
        began, planner, now_ms = perf_counter(), self._planner, self._clock.now_ms()
        async with self._exclusive:
            planner.keep_calendars(now_ms)
            # The planner goes on to a day and an instant with a plan, even of nothing.
            planner.core.plan([], self._clock.day(), now_ms)
        await read_capacities(self._store, planner, self._clock.day())
        core = CoreReallocation(now_ms=now_ms, orders_max=ORDERS_MAX, **self._arguments(request))
        for partition in self._store.partitions:
            async for page in partition.orders.scan():
                await self._slices.each(page, lambda row: core.look(planner.core, *row))
                if not going_on():
                    return None
        core.leave_out_limited(await self._counted(core.purchases()))
        core.freeze(planner.core)
        assigned = await asyncio.to_thread(_assign, core, request) if len(core) else None
        if not going_on():
            return None
        if assigned is not None:
            count = await asyncio.to_thread(core.begin, assigned.line, assigned.warehouse, assigned.quantity)
            await self._slices.each(range(count), lambda _: core.place(planner.core))
        homes, partitions = list[int](), len(self._store.partitions)
        moved = await asyncio.to_thread(core.settle)
        await self._slices.each(moved, lambda order_id: homes.append(home_of(order_id, partitions)))
        chunks, spanning = await asyncio.to_thread(core.sequence, homes, partitions, CHUNK_ORDERS)
        told = msgspec.json.decode(core.told(planner.core))
        for row in told["by_warehouse"]:
            found = planner.warehouses.get(row["warehouse"])
            row["lat"], row["lon"] = (found.lat, found.lon) if found is not None else (0.0, 0.0)
        plan = msgspec.convert(
            {
                **told,
                "planned_at_ms": now_ms,
                "planned_in_s": perf_counter() - began,
                "assignment_cost": 0 if assigned is None else assigned.cost // COST_SCALE,
                "assignment_bound": 0 if assigned is None else assigned.bound // COST_SCALE,
            },
            type=ReallocationPlan,
        )
        moves, fields = Moves(), Moves.__struct_fields__

        def add_moves(first: int) -> None:
            for name, column in zip(fields, core.moves(planner.core, first, ROWS_A_STEP), strict=True):
                getattr(moves, name).extend(column)

        await self._slices.each(range(0, plan.orders_moved, ROWS_A_STEP), add_moves)
        rows = core.unserved()
        return Worked(
            plan=plan,
            moves=moves,
            unserved=Untouched(order_id=[row[0] for row in rows], why=[row[1] for row in rows]),
            chunks=chunks,
            apart=[Apart(*move) for move in spanning],
        )

    async def _counted(self, names: list[str]) -> list[tuple[str, int]]:
        """What counters of customers' purchases stand at."""
        owned, partitions = defaultdict[int, list[str]](list), self._store.partitions
        for name in names:
            owned[partition_of_counter(name, len(partitions))].append(name)
        counted = list[tuple[str, int]]()
        for number, some in owned.items():
            for start in range(0, len(some), COUNTERS_A_CALL):
                page = some[start : start + COUNTERS_A_CALL]
                counted += zip(page, await partitions[number].orders.read_counters(page), strict=True)
        return counted

    def _arguments(self, request: ReallocationRequest) -> dict[str, Any]:
        """What the core is told of a request, names as numbers. Raises InvalidInput."""
        core, errors = self._planner.core, list[FieldError]()

        def number(pointer: str, name: str, find: Callable[[str], int | None], kind: str) -> int:
            found = find(name)
            if found is None:
                errors.append(FieldError(pointer, f'unknown {kind} "{name}"'))
                return 0
            return found

        def numbers(field: str, find: Callable[[str], int | None], kind: str) -> list[int]:
            names = getattr(request, field)
            return [number(f"/{field}/{place}", name, find, kind) for place, name in enumerate(names)]

        down = request.warehouse_down
        arguments: dict[str, Any] = {
            "down": None if down is None else number("/warehouse_down", down, core.warehouse_number, "warehouse"),
            "excluded": numbers("excluded_warehouses", core.warehouse_number, "warehouse"),
            "warehouses": numbers("warehouses", core.warehouse_number, "warehouse"),
            "skus": numbers("skus", core.sku_number, "SKU"),
            "countries": request.countries,
            "regions": request.regions,
            "backordered": request.backordered,
            "all_open": request.all_open,
            "move_penalty": request.move_penalty,
            "moves_max": request.max_moves,
            "shipments_max": request.max_shipments,
        }
        if request.older_than_s is not None:
            arguments["taken_until_ms"] = self._clock.now_ms() - 1_000 * request.older_than_s
        if errors:
            raise InvalidInput(tuple(errors))
        return arguments


def _assign(core: CoreReallocation, request: ReallocationRequest) -> BatchAssignment:
    columns = core.columns()
    if not len(columns["capacity"]):
        columns["capacity"] = None
    # One processor is left to the orders that come.
    threads = max(1, len(os.sched_getaffinity(0)) - 1)
    problem = BatchProblem(**columns)
    return assign_batch(problem, time_limit_s=request.time_limit_s, threads=threads, seed=request.seed)
