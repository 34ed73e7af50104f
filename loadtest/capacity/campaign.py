"""A whole run: a session for each number of workers, then what they tell together. Whatever ends it early is noted."""

import asyncio
import itertools
import random
import time
from collections.abc import Callable, Coroutine, Iterator
from datetime import UTC, datetime
from typing import Any

import aiohttp
import msgspec
from msgspec import Struct

from engine.errors import StockadeError
from loadtest.capacity import extras
from loadtest.capacity.machine import fingerprint
from loadtest.capacity.point import TEXT_LETTERS_MAX
from loadtest.capacity.result import FORMAT, VERSION, Asked, CapacityResult, Growth, Machine, Restart, Session
from loadtest.capacity.scaling import fit_of
from loadtest.capacity.schedule import SPARE_S, audit_s, needed_s
from loadtest.capacity.session import AUDIT_STOPPED_S, INTERRUPTED, Clock, SessionRun, Stopped
from loadtest.capacity.site import OpenSite, Site, Tell
from loadtest.capacity.workload import Workload, words_of
from loadtest.client import UnexpectedAnswer
from loadtest.scenarios import Scenario
from loadtest.scenarios.goods import put_goods

SHORT_S = 60.0
"""A session of no more time measures the cost of cells by fewer of them."""
BROKEN: tuple[type[Exception], ...] = (
    StockadeError,
    aiohttp.ClientError,
    UnexpectedAnswer,
    TimeoutError,
    OSError,
    msgspec.DecodeError,
)
"""How a service may fail under whoever measures it."""


class Terms(Struct, frozen=True, kw_only=True):
    """What a run is made of."""

    asked: Asked
    scenario: Scenario
    """With ample stock: see workload.py."""
    command: str
    new_prefix: Callable[[], str]
    key: str | None = None
    signing_secret: str | None = None
    country: str | None = None


class Campaign:
    """Runs it once."""

    def __init__(self, terms: Terms, open_site: OpenSite, tell: Tell, clock: Clock) -> None:
        self._terms, self._open, self._tell, self._clock = terms, open_site, tell, clock
        self._ends_s = terms.asked.minutes * 60 - SPARE_S
        self._sessions: list[Session] = []
        self._machine: Machine | None = None
        self._growth: Growth | None = None
        self._restart: Restart | None = None
        self._stopped: list[str] = []
        self._notes: list[str] = []

    async def run(self) -> CapacityResult | None:
        """The result, marked where it is incomplete; None where nothing was measured before it was interrupted.

        Raises what the first service could not be started or asked for.
        """
        asked = self._terms.asked
        started_at = datetime.now(UTC).isoformat(timespec="seconds")
        order = sorted(set(asked.workers))
        random.Random(asked.seed).shuffle(order)
        numbers = itertools.count()
        for place, workers in enumerate(order):
            left_s = self._ends_s - self._clock.at_s
            if place and left_s < needed_s(1, 1, 1):
                self._stopped.append(f"There was no time for {_workers(workers)}.")
                continue
            ends_s = self._clock.at_s + left_s / (len(order) - place)
            try:
                await self._session(workers, ends_s, numbers)
            except asyncio.CancelledError:
                if (task := asyncio.current_task()) is not None:
                    task.uncancel()
                self._stopped.append(INTERRUPTED)
            except BROKEN as error:
                if not self._sessions:
                    raise
                self._stopped.append(f"{_workers(workers)}: {str(error) or type(error).__name__}"[:500])
            if self.interrupted:
                break
        return self._result(started_at)

    async def _session(self, workers: int, ends_s: float, numbers: Iterator[int]) -> None:
        terms = self._terms
        self._tell(f"{_workers(workers)}: starting, and putting goods there ...")
        async with self._open(workers) as site:
            if self._machine is None:
                self._machine = await fingerprint(site.rig.client, "own" if site.own else "remote")
            workload = await self._workload(site)
            run = SessionRun(
                site,
                workload,
                terms.asked,
                workers=workers,
                clock=self._clock,
                next_number=lambda: next(numbers),
                tell=self._tell,
            )
            await run.audit.begin()
            begun_s, first = self._clock.at_s, workers == min(terms.asked.workers)
            await self._done(run.run(ends_s), workers)
            if not run.points:
                return
            if first and not self.interrupted:
                await self._done(self._kill_store(site, workload, run), workers)
            self._tell("Auditing what was told ...")
            audit_max_s = AUDIT_STOPPED_S if self.interrupted else audit_s(ends_s - begun_s)
            await self._done(run.look_back(audit_max_s), workers)
            self._sessions.append(run.session)
            if first:
                self._growth = extras.growth_of(run.points, orders=run.audit.acknowledged, own=site.own)
        if first and site.own and not self.interrupted:
            await self._done(self._measure_cells(workload.id_prefix, short=ends_s - begun_s <= SHORT_S), workers)

    @property
    def interrupted(self) -> bool:
        """Whether somebody ended it early."""
        return INTERRUPTED in self._stopped

    @property
    def why_stopped(self) -> str:
        """Why not all of it was measured, in words; empty where all was."""
        return " ".join(dict.fromkeys(self._stopped))[:TEXT_LETTERS_MAX]

    async def _done(self, work: Coroutine[Any, Any, None], workers: int) -> None:
        """Do some work; where it ends early, what was measured before stays, and why is noted."""
        try:
            await work
        except Stopped as error:
            told = str(error)
            self._stopped.append(told if told == INTERRUPTED else f"{_workers(workers)}: {told}")
        except asyncio.CancelledError:
            if (task := asyncio.current_task()) is not None:
                task.uncancel()
            self._stopped.append(INTERRUPTED)
        except BROKEN as error:
            self._stopped.append(f"{_workers(workers)}: {str(error) or type(error).__name__}"[:500])

    async def _workload(self, site: Site) -> Workload:
        terms = self._terms
        prefix, catalogue = terms.new_prefix(), terms.scenario.document.catalogue
        assert catalogue is not None, "asked for by workload.ample"
        goods = await put_goods(site.rig.client, catalogue, prefix=prefix, country=terms.country)
        return Workload(
            scenario=terms.scenario,
            goods=goods,
            url=site.rig.url,
            id_prefix=prefix,
            connections=terms.asked.connections,
            threads=terms.asked.threads,
            key=terms.key,
            signing_secret=terms.signing_secret,
        )

    async def _kill_store(self, site: Site, workload: Workload, run: SessionRun) -> None:
        if site.kill_store is None:
            return
        self._tell("Killing the store, to see how long it is missed ...")
        self._restart = await extras.restart_store(site, workload, orders=run.audit.acknowledged)
        told = "it did not come back" if self._restart is None else f"orders again after {self._restart.seconds:.2f} s"
        self._tell(f"The store was killed: {told}.")

    async def _measure_cells(self, prefix: str, *, short: bool) -> None:
        """On a fresh service: one that has been under load has memory to spare, in which they would not show."""
        self._tell("Putting cells into another service, to see what they take ...")
        async with self._open(1) as site:
            cells = await extras.cells_cost(site, prefix, short=short)
        if self._growth is not None:
            self._growth = msgspec.structs.replace(self._growth, cells=cells)

    def _result(self, started_at: str) -> CapacityResult | None:
        terms, machine = self._terms, self._machine
        if machine is None or not self._sessions:
            return None
        return CapacityResult(
            format=FORMAT,
            version=VERSION,
            started_at=started_at,
            seconds=self._clock.at_s,
            command=terms.command,
            asked=terms.asked,
            machine=machine,
            load=words_of(terms.scenario)[:TEXT_LETTERS_MAX],
            incomplete=self.why_stopped or None,
            sessions=sorted(self._sessions, key=lambda one: one.workers),
            fit=fit_of(self._sessions, terms.asked.seed, machine),
            growth=self._growth,
            restart=self._restart,
            notes=[*self._notes, *_notes(self._sessions, machine)],
        )


def _workers(count: int) -> str:
    return f"{count} {'worker' if count == 1 else 'workers'}"


OTHERS_CORES_MAX = 0.25
"""More than so much of a processor for others, in the middle of the points, and figures are not the service's alone."""


def _notes(sessions: list[Session], machine: Machine) -> list[str]:
    notes = []
    points = [point for one in sessions for point in (*one.ramp, *one.sweep)]
    others = sorted(point.others_cores for point in points if point.others_cores is not None)
    if others and others[len(others) // 2] > OTHERS_CORES_MAX:
        notes.append(
            f"Others took {others[len(others) // 2]:.2f} processors of this machine meanwhile (in the middle of the"
            f" points; {others[-1]:.2f} at the most): on a quiet one the figures are better."
        )
    if bound := sum(bool(point.generator_bound) for point in points):
        notes.append(f"{bound} of {len(points)} points were limited by the generator and count for nothing.")
    if machine.service == "remote":
        notes.append(
            "The service was seen from outside: its processor time and memory are those that it tells of itself, its"
            " store and its disk were not seen, neither was it killed, and the machine below is the generator's."
        )
    return notes


def begun() -> Clock:
    """A clock that starts now."""
    return Clock(time.monotonic())
