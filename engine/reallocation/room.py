"""Re-allocations of one store: begun, planned, applied, taken back. Whoever died in between, any process goes on.

planning -> planned -> applying -> applied -> rolling_back -> rolled_back
                              \\-> cancelled -^
"""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import msgspec
import structlog

from engine.errors import (
    InvalidInput,
    ReallocationBusy,
    ReallocationConflict,
    ReallocationStale,
    ReallocationState,
    StockadeError,
    StoreError,
)
from engine.intake.clock import DAY_MS, StoreClock
from engine.planner import Planner
from engine.reallocation.applying import OnChunk
from engine.reallocation.check import check_request
from engine.reallocation.days import Days
from engine.reallocation.document import RunDocument, alive, failed, forth, only, tried
from engine.reallocation.keeping import keep_plan
from engine.reallocation.model import ReallocationRequest, ReallocationStatus, State
from engine.reallocation.moves import Moves, Untouched
from engine.reallocation.planning import Planning
from engine.reallocation.run import Progress, Reallocation
from engine.reallocation.runs import Runs
from engine.reallocation.spanning import Spanning
from engine.reallocation.ways import Ways
from engine.slices import SLICE_S, Slices
from engine.store import Store
from engine.tasks import end_task

BEHIND_MAX = 8
"""Runs in the background of a process from which on no more are taken."""
BEHIND_AT_ONCE = 4
"""Of these, runs that are worked on; the others wait for a turn."""
PROGRESS_S = 0.25
"""How often progress is told."""

ALIVE_MS = 10_000
"""How long a try to plan a run is waited for without a word of it."""

log = structlog.get_logger(__name__)


class ReallocationRoom:
    """Re-allocations of one store. All of it raises StoreError."""

    def __init__(
        self,
        store: Store,
        planner: Planner,
        *,
        exclusive: asyncio.Lock,
        recover: Callable[[], Awaitable[bool]],
        clock: StoreClock,
        catch_up: Callable[[], Awaitable[None]],
    ) -> None:
        """`exclusive` and `recover` as the intake has them; `clock` is the store's; `catch_up` as `Days` has it."""
        self._store = store
        self._planner = planner
        self._clock = clock
        self._runs = Runs(store)
        self._planning = Planning(store, planner, exclusive=exclusive, clock=clock, slices=Slices(rest_s=SLICE_S))
        days = Days(planner, catch_up)
        self._ways = Ways(store, self._runs, days, Spanning(store, planner, days, exclusive=exclusive, recover=recover))
        self._behind: dict[asyncio.Task[object], tuple[str, str]] = {}
        self._turns = asyncio.Semaphore(BEHIND_AT_ONCE)
        self._under_way: set[str] = set()
        """Runs that this process plans."""

    async def begin(self, request: ReallocationRequest) -> Reallocation:
        """Note a run, to be planned. Raises InvalidInput, ReallocationConflict."""
        request = check_request(request)
        run_id = request.id or secrets.token_hex(8)
        request = msgspec.structs.replace(request, id=run_id)
        found = await self._runs.read(run_id)
        if found is None:
            self._planning.check(request)
            document = RunDocument(id=run_id, state="planning", request=request, created_at_ms=self._clock.now_ms())
            found = await self._runs.add(document)
        if found.request != request:
            raise ReallocationConflict(run_id)
        return Reallocation(self, await self._runs.status(found))

    async def find(self, run_id: str) -> Reallocation | None:
        """A run; None where there is none of this id."""
        document = await self._runs.read(run_id)
        return None if document is None else Reallocation(self, await self._runs.status(document))

    async def all(self) -> tuple[ReallocationStatus, ...]:
        """Every run that is kept, the newest first."""
        return tuple([await self._runs.status(document) for document in await self._runs.all()])

    async def status(self, run_id: str) -> ReallocationStatus:
        """How a run stands."""
        return await self._runs.status(await self._document(run_id))

    async def rows(self, run_id: str) -> tuple[Moves, Untouched]:
        """Moves and unserved orders of a run's plan."""
        document = await self._document(run_id)
        return await self._runs.moves(document), await self._runs.unserved(document)

    async def skipped(self, run_id: str) -> Untouched:
        """Orders that were skipped as a run was applied."""
        return await self._runs.skipped(await self._document(run_id))

    async def plan(self, run_id: str, progress: Progress | None = None) -> ReallocationStatus:
        """Work a run out, and keep the plan; nothing for one that is planned. Raises InvalidInput.

        One that another task or process works out is waited for: were it begun again whenever somebody asks again, a
        long one would never end.
        """
        token = secrets.token_hex(6)
        while True:
            now_ms = self._clock.now_ms()
            document = await self._runs.change(run_id, tried(token, now_ms=now_ms, until_ms=now_ms + ALIVE_MS))
            if document is not None:
                break
            status = await self.status(run_id)
            if status.state != "planning":
                return status
            await asyncio.sleep(PROGRESS_S)
        if progress is not None:
            progress(await self._runs.status(document))
        former = document.tokens[:-1]
        self._under_way.add(run_id)
        living = asyncio.create_task(self._keep_alive(run_id, token))
        try:
            worked = await self._planning.work_out(document.request, lambda: run_id in self._under_way)
        except InvalidInput as error:
            await self._runs.change(run_id, failed(token, str(error)))
            raise
        else:
            if worked is not None:
                await keep_plan(self._store, self._runs, run_id, token, worked)
        finally:
            self._under_way.discard(run_id)
            await end_task(living)
        for old in former:
            await self._runs.drop_token(run_id, old)
        status = await self.status(run_id)
        if progress is not None:
            progress(status)
        return status

    async def _keep_alive(self, run_id: str, token: str) -> None:
        """Say that a try goes on, until it is ended or does not count any more."""
        while True:
            await asyncio.sleep(ALIVE_MS / 1000 / 4)
            try:
                if await self._runs.change(run_id, alive(token, self._clock.now_ms() + ALIVE_MS)) is None:
                    return
            except StoreError as error:
                log.warning("a re-allocation is planned, but the store could not be told", run=run_id, error=str(error))

    async def go_on(self, run_id: str, *, dry_run: bool) -> None:
        """Plan a run and, without `dry_run`, apply it."""
        status = await self.plan(run_id)
        if not dry_run and status.state in ("planned", "applying"):
            await self.apply(run_id, None)

    async def apply(self, run_id: str, progress: Progress | None) -> ReallocationStatus:
        """Do what is planned; see Reallocation.apply."""
        await self._check_current(run_id)
        document = await self._move_on(run_id, "applied", ("planned", "applying"), "applying", done="applied")
        if document.state == "applying":
            await self._ways.there(document, self._teller(run_id, progress))
            await self._runs.change(run_id, only("applying", "applied"))
        return await self._told(run_id, progress)

    async def roll_back(self, run_id: str, progress: Progress | None) -> ReallocationStatus:
        """Put orders back to where they were; see Reallocation.rollback."""
        allowed: tuple[State, ...] = ("applied", "cancelled", "rolling_back")
        document = await self._move_on(run_id, "rolled back", allowed, "rolling_back", done="rolled_back")
        if document.state == "rolling_back":
            await self._ways.back(document, self._teller(run_id, progress))
            await self._runs.change(run_id, only("rolling_back", "rolled_back"))
        return await self._told(run_id, progress)

    async def resume(self, run_id: str, progress: Progress | None) -> ReallocationStatus:
        """Go on with what was under way."""
        document = await self._document(run_id)
        match document.state:
            case "planning":
                return await self.plan(run_id, progress)
            case "applying":
                return await self.apply(run_id, progress)
            case "rolling_back":
                return await self.roll_back(run_id, progress)
        return await self._runs.status(document)

    async def cancel(self, run_id: str) -> ReallocationStatus:
        """Have no more of a run done; see Reallocation.cancel."""
        allowed: tuple[State, ...] = ("planning", "planned", "applying")
        document = await self._move_on(run_id, "cancelled", allowed, "cancelled", done="cancelled")
        self._under_way.discard(run_id)
        if document.token:
            await self._runs.stop(forth(run_id, document.token))
        return await self.status(run_id)

    async def forget(self, run_id: str) -> None:
        """Let a run go, and all that is kept of it."""
        await self._runs.forget(run_id)

    def check_behind(self) -> None:
        """Raises ReallocationBusy where no more work in the background is taken."""
        if len(self._behind) >= BEHIND_MAX:
            raise ReallocationBusy(len(self._behind))

    async def begin_apply(self, run_id: str) -> ReallocationStatus:
        """As `apply`, in the background: the run stands at it when this returns. Raises ReallocationBusy, too."""
        self.check_behind()
        await self._check_current(run_id)
        document = await self._move_on(run_id, "applied", ("planned", "applying"), "applying", done="applied")
        if document.state == "applying":
            self.behind(self.apply(run_id, None), run_id, "apply")
        return await self.status(run_id)

    async def begin_roll_back(self, run_id: str) -> ReallocationStatus:
        """As `roll_back`, in the background, as `begin_apply`."""
        self.check_behind()
        allowed: tuple[State, ...] = ("applied", "cancelled", "rolling_back")
        document = await self._move_on(run_id, "rolled back", allowed, "rolling_back", done="rolled_back")
        if document.state == "rolling_back":
            self.behind(self.roll_back(run_id, None), run_id, "roll_back")
        return await self.status(run_id)

    def behind(self, work: Coroutine[Any, Any, object], run_id: str, what: str) -> None:
        """Have work on a run go on in the background, once: who asks again has what is under way go on."""
        if (run_id, what) in self._behind.values():
            work.close()
            return
        task = asyncio.get_running_loop().create_task(self._in_turn(work))
        self._behind[task] = run_id, what
        task.add_done_callback(self._ended)

    async def _in_turn(self, work: Coroutine[Any, Any, object]) -> None:
        try:
            async with self._turns:
                await work
        finally:
            # Of one that never had its turn.
            work.close()

    async def close(self) -> None:
        """Leave everything as it stands; any process goes on with `resume`."""
        await asyncio.gather(*(end_task(task) for task in list(self._behind)))

    def _ended(self, task: asyncio.Task[object]) -> None:
        run_id, _ = self._behind.pop(task)
        if task.cancelled() or (error := task.exception()) is None:
            return
        if isinstance(error, StockadeError):
            log.warning("a re-allocation stopped; resume it", run=run_id, error=str(error))
        else:
            log.error("a re-allocation stopped", run=run_id, exc_info=error)

    async def _document(self, run_id: str) -> RunDocument:
        document = await self._runs.read(run_id)
        if document is None:
            raise ReallocationState(run_id, "forgotten", "used", ("kept",))
        return document

    async def _check_current(self, run_id: str) -> None:
        """Raises ReallocationStale where a plan that nobody applied yet is of another day, or of other warehouses."""
        document = await self._document(run_id)
        if document.state != "planned" or document.plan is None:
            return
        if document.plan.planned_at_ms // DAY_MS != self._clock.now_ms() // DAY_MS:
            raise ReallocationStale(run_id, "it was planned on another day (UTC), whose capacities it counts on")
        for change in document.plan.by_warehouse:
            found = self._planner.warehouses.get(change.warehouse)
            if change.units_in and (found is None or not found.enabled):
                raise ReallocationStale(run_id, f"{change.warehouse}, to which it moves orders, serves nothing now")

    async def _move_on(
        self, run_id: str, asked: str, allowed: tuple[State, ...], to: State, *, done: State
    ) -> RunDocument:
        """Bring a run to a state; one that is `done` already stays so. Raises ReallocationState."""
        refused: list[State] = []

        def move(document: RunDocument) -> RunDocument | None:
            refused.clear()
            if document.state == done:
                return None
            if document.state not in allowed:
                refused.append(document.state)
                return None
            return msgspec.structs.replace(document, state=to)

        moved = await self._runs.change(run_id, move)
        if refused:
            raise ReallocationState(run_id, refused[0], asked, allowed)
        return await self._document(run_id) if moved is None else moved

    def _teller(self, run_id: str, progress: Progress | None) -> OnChunk | None:
        if progress is None:
            return None
        loop = asyncio.get_running_loop()
        told_s = loop.time()

        async def tell() -> None:
            nonlocal told_s
            if loop.time() - told_s >= PROGRESS_S:
                progress(await self.status(run_id))
                told_s = loop.time()

        return tell

    async def _told(self, run_id: str, progress: Progress | None) -> ReallocationStatus:
        status = await self.status(run_id)
        if progress is not None:
            progress(status)
        return status
