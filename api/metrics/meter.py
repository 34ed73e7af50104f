"""Keeps one worker's numbers: looks after the store in the background, and tells them to whoever asks."""

import asyncio
import contextlib
import platform
import time
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import structlog

from api.metrics.counts import Counts
from api.metrics.exposition import exposition
from api.metrics.gauges import snapshot_of
from api.metrics.run_dir import RunDirectory
from api.metrics.snapshot import Loss, Snapshot, add_up, with_loss
from engine import Engine, __version__
from engine.audit import OversellWatch
from engine.errors import FieldError, InvalidInput, StoreError
from engine.tasks import end_task

if TYPE_CHECKING:
    from api.http.fast import Door

WRITE_S = 1.0
LOOK_S = 5.0
DUTY_POLL_S = 1.0
"""How soon another worker takes over what the one on duty did that has ended."""

log = structlog.get_logger(__name__)


class Meter:
    """The numbers of this process and, where it has a run directory, of all that share it."""

    def __init__(self, engine: Engine, counts: Counts) -> None:
        self.counts = counts
        self.dropped_lines = 0
        """Lines about requests that the log did not get."""
        self.draining = False
        """Whether the service is about to stop."""
        self._engine = engine
        self._door: Door | None = None
        self._directory: RunDirectory | None = None
        self._started_at = time.time()
        self._library = ""
        self._store_up = True
        """An engine is not open before the store answered."""
        self._holds = 0
        self._stream = {f"stockade_stream_{name}": 0.0 for name in ("orders", "oldest_seconds", "dead_letters")}
        self._losses: list[Loss] = []
        cells_per_s = engine.settings.oversell_cells_per_s
        self._oversell = engine.oversell_watch(cells_per_s) if cells_per_s else None

    @contextlib.asynccontextmanager
    async def running(self, door: "Door") -> AsyncIterator[None]:
        """Measure, and tell the other workers. Raises InvalidInput for a run directory that cannot be used."""
        self._door = door
        run_dir = self._engine.settings.run_dir
        if run_dir is not None:
            try:
                self._directory = await asyncio.to_thread(RunDirectory, run_dir)
            except OSError as error:
                problem = FieldError("STOCKADE_RUN_DIR", f"cannot be used: {error}")
                raise InvalidInput((problem,)) from None
        duties = [self._look_after_store(), self._tell_others()]
        if self._oversell is not None:
            duties.append(self._sweep(self._oversell))
        tasks = [asyncio.create_task(duty) for duty in duties]
        for task in tasks:
            task.add_done_callback(_ended)
        try:
            yield
        finally:
            for task in tasks:
                await end_task(task)
            if self._directory is not None:
                with contextlib.suppress(OSError):
                    self._directory.write(self.snapshot())
                self._directory.close()

    def snapshot(self) -> Snapshot:
        """This worker's numbers as they are now."""
        told = snapshot_of(self.counts, self._engine, self._door, draining=self.draining)
        told.told_at_s = time.monotonic()
        told.losses = self._noticed_losses()
        told.counters["stockade_log_lines_dropped"] = float(self.dropped_lines)
        told.gauges["stockade_start_time_seconds"] = self._started_at
        told.gauges["stockade_store_up"] = float(self._store_up)
        told.gauges["stockade_unpaid_holds"] = float(self._holds)
        told.gauges |= self._stream
        told.gauges["stockade_oversell_check_enabled"] = float(self._oversell is not None)
        if self._oversell is not None:
            told.counters["stockade_oversell_check_cells"] = float(self._oversell.cells)
            told.counters["stockade_oversell_checks"] = float(self._oversell.sweeps)
            told.gauges["stockade_oversold_units"] = float(self._oversell.oversold_units)
            told.gauges["stockade_oversell_check_completed_timestamp_seconds"] = self._oversell.swept_at
        return told

    def _noticed_losses(self) -> list[Loss]:
        if more := self._engine.lost_changes - sum(changes for _, changes in self._losses):
            self._losses = with_loss(self._losses, time.time(), more)
        return self._losses

    async def text(self, accept: str) -> tuple[str, bytes]:
        """The content type and the numbers of all workers, in the form that an `Accept` header asks for."""
        # Some milliseconds, which orders need not wait for.
        return await asyncio.to_thread(self._text, self.snapshot(), accept)

    def _text(self, own: Snapshot, accept: str) -> tuple[str, bytes]:
        sum_ = add_up([own])
        if self._directory is not None:
            try:
                sum_ = self._directory.everybody(own)
            except OSError as error:
                log.warning("the other workers' numbers cannot be read", error=str(error))
        build = {"version": __version__, "python": platform.python_version(), "library": self._library}
        return exposition(sum_, build, accept)

    async def _look_after_store(self) -> None:
        while True:
            try:
                self._library = str(await self._engine.library_version())
                await self._engine.ping()
                self._holds = await self._engine.unpaid_holds()
                backlog = await self._engine.stream_backlog()
                self._stream = {
                    "stockade_stream_orders": float(backlog.orders),
                    "stockade_stream_oldest_seconds": backlog.age_s(self._engine.intake.clock.now_ms()),
                    "stockade_stream_dead_letters": float(backlog.dead),
                }
                self._store_up = True
            except StoreError:
                self._store_up = False
            await asyncio.sleep(LOOK_S)

    async def _tell_others(self) -> None:
        directory, failed = self._directory, False
        while directory is not None:
            try:
                await asyncio.to_thread(directory.write, self.snapshot())
                failed = False
            except OSError as error:
                if not failed:
                    log.warning("the other workers cannot be told our numbers", error=str(error))
                failed = True
            await asyncio.sleep(WRITE_S)

    async def _sweep(self, watch: OversellWatch) -> None:
        # One worker is enough, as the cells are the same; which one has it, another process decides.
        while self._directory is not None and not await asyncio.to_thread(self._directory.on_duty):  # noqa: ASYNC110
            await asyncio.sleep(DUTY_POLL_S)
        await watch.run()


def _ended(task: asyncio.Task[None]) -> None:
    # A bug in what watches is none in what is watched: that goes on.
    if not task.cancelled() and task.exception() is not None:
        log.error("the service is not measured any more as it was", exc_info=task.exception())
