"""One service of so many workers, measured: ramp, sweep, restart, audit."""

import asyncio
import time
from collections.abc import Callable

from msgspec import Struct

from loadtest.audit.finding import RunAudit
from loadtest.capacity.audit import CampaignAudit
from loadtest.capacity.knee import knee_of
from loadtest.capacity.measure import Where, measure
from loadtest.capacity.point import Point
from loadtest.capacity.ramp import peak_of, ramp
from loadtest.capacity.result import Asked, Peak, Session
from loadtest.capacity.schedule import (
    OVERHEAD_S,
    audit_s,
    extras_s,
    point_s,
    ramp_step_s,
    turns,
    warmup_s,
)
from loadtest.capacity.site import Site, Tell
from loadtest.capacity.workload import Workload
from loadtest.load import NoRun
from loadtest.load_plan import Arrivals, Closed, Poisson

AUDIT_STOPPED_S = 10.0
"""For the audit of a run that was stopped."""
INTERRUPTED = "It was interrupted."
LATE_S = 1.0
"""How much later than planned a point may end without being left out."""


class Stopped(Exception):
    """No more is measured; the message says why."""


class Clock(Struct, frozen=True):
    """When the whole run began, as `time.monotonic` tells it."""

    begun_s: float

    @property
    def at_s(self) -> float:
        """Seconds since then."""
        return time.monotonic() - self.begun_s


class SessionRun:
    """Measures, and has at any time what was measured so far. `next_number` numbers the points of all sessions."""

    def __init__(
        self,
        site: Site,
        workload: Workload,
        asked: Asked,
        *,
        workers: int,
        clock: Clock,
        next_number: Callable[[], int],
        tell: Tell,
    ) -> None:
        self.ramp: list[Point] = []
        self.sweep: list[Point] = []
        self.peak: Peak | None = None
        self._found = RunAudit(broken=INTERRUPTED)
        self.audit = CampaignAudit(site.rig, workload, seed=asked.seed, alone=site.own)
        self._site, self._workload, self._asked, self._workers = site, workload, asked, workers
        self._clock, self._next_number, self._tell = clock, next_number, tell

    async def run(self, ends_s: float) -> None:
        """Ramp and sweep, by the clock's `ends_s`. Raises Stopped."""
        session_s = max(1.0, ends_s - self._clock.at_s)
        step_s = min(ramp_step_s(session_s), self._asked.point_s or session_s)

        async def step(connections: int, repeat: int) -> Point:
            point = await self._point(Closed(), step_s, repeat=repeat, connections=connections)
            self.ramp.append(point)
            self._tell(f"{self._words} closed loop, {connections} connections: {_told(point)}")
            return point

        await ramp(step, connections_max=self._asked.connections, repeats=self._asked.repeats)
        self.peak = peak_of(self.ramp, self._asked.seed)
        if self.peak is None:
            raise Stopped("Nothing was accepted.")
        told = "at least " if self.peak.at_least else ""
        self._tell(f"{self._words} peak: {told}{self.peak.orders_per_s:,.0f} orders a second.")
        await self._sweep(self.peak, ends_s - audit_s(session_s) - extras_s(session_s))

    async def _sweep(self, peak: Peak, ends_s: float) -> None:
        order = turns(self._asked.loads, self._asked.repeats, self._asked.seed + self._workers)
        given_s = self._asked.point_s
        whole_s = given_s or point_s(ends_s - self._clock.at_s, len(order))
        for place, turn in enumerate(order):
            # On a busy machine points take longer than planned: later ones are then shorter, before any is left out.
            whole_s = given_s or min(whole_s, point_s(ends_s - self._clock.at_s, len(order) - place))
            if place and self._clock.at_s + whole_s > ends_s + LATE_S:
                raise Stopped(f"There was no time for {len(order) - place} of {len(order)} points of the sweep.")
            rate = max(0.1, turn.share * peak.requests_per_s)
            point = await self._point(Poisson(rate), whole_s, repeat=turn.repeat, share=turn.share)
            self.sweep.append(point)
            self._tell(f"{self._words} {place + 1} of {len(order)}, {turn.share:.0%} of the peak: {_told(point)}")

    async def _point(
        self,
        arrivals: Arrivals,
        whole_s: float,
        *,
        repeat: int,
        share: float | None = None,
        connections: int | None = None,
    ) -> Point:
        number, warm_s = self._next_number(), warmup_s(whole_s)
        workload = self._workload
        if connections is not None:
            workload = workload.with_connections(connections)
        seed = self._asked.seed * 10_000 + number
        plan = workload.plan(number, arrivals, seconds=whole_s - warm_s, warmup_s=warm_s, seed=seed)
        where = Where(number, self._clock.at_s, repeat, share, workload.orders_per_request)
        try:
            measured = await measure(self._site.rig, plan, where)
        except NoRun as error:
            raise Stopped(f"The load could not be sent: {error}") from None
        self.audit.add(plan.id_prefix, measured.recorded)
        if measured.interrupted:
            raise Stopped(INTERRUPTED)
        # What the point left behind is served before the next one begins.
        await asyncio.sleep(OVERHEAD_S / 3)
        return measured.point

    @property
    def _words(self) -> str:
        return f"{self._workers} {'worker' if self._workers == 1 else 'workers'},"

    @property
    def points(self) -> list[Point]:
        """All that was measured."""
        return [*self.ramp, *self.sweep]

    async def look_back(self, seconds_max: float) -> None:
        """Find out whether what was told meanwhile is so."""
        found = await self.audit.end(seconds_max)
        if self._site.store_audit is not None:
            found = await self._site.store_audit(found)
        self._found = found

    @property
    def session(self) -> Session:
        """What was measured, and what was found of it."""
        return Session(
            workers=self._workers,
            ramp=self.ramp,
            sweep=self.sweep,
            peak=self.peak,
            knee=knee_of(self.sweep, self._asked.p99_ms, self._asked.seed),
            audit=self._found,
        )


def _told(point: Point) -> str:
    bound = f"; GENERATOR-BOUND ({', '.join(point.generator_bound)})" if point.generator_bound else ""
    turned = point.overloaded_share + point.failed_share
    away = f", {turned:.1%} turned away or failed" if turned else ""
    return f"{point.goodput_per_s:,.0f} orders a second accepted, p99 {point.p99_ms:,.1f} ms{away}{bound}"
