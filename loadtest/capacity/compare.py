"""Tells what became worse from one result to another, beyond what repeats of the same thing differ by. Pure."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal, TypedDict

import msgspec
import numpy as np
from msgspec import Struct

from engine.errors import FieldError, InvalidInput
from loadtest.capacity.knee import by_load, counts, knee_of
from loadtest.capacity.point import Point
from loadtest.capacity.result import Asked, CapacityResult, Interval, Session
from loadtest.capacity.spread import interval, median, resampled

TOLERANCE = 0.05
"""Less than this is nobody's concern, however sure."""
LATENCY_LOADS = (0.25, 0.55)
"""Shares of the peak of the old result at which latency is compared: beyond, it tells of the peak."""
SHARE_APART_MAX = 0.001
NEAR = 1.05
"""A load that lies so little beyond those that were measured is taken for the last of them."""
NEVER_BOTH = 1e-9

Verdict = Literal["better", "same", "worse", "unknown"]


class Row(Struct, frozen=True, kw_only=True):
    """One figure in both."""

    what: str
    unit: str
    old: float
    new: float
    ratio: float
    """New to old."""
    interval: Interval | None
    verdict: Verdict


class _Told(TypedDict):
    ratio: float
    interval: Interval | None
    verdict: Verdict


class Compared(Struct, frozen=True, kw_only=True):
    """What came of it."""

    rows: list[Row]
    worse: list[str]
    """In words."""
    notes: list[str]
    unjudged: bool
    """At least half of the rows could not be judged: nobody may take that for good news."""


def check_comparable(
    file: Path, old: CapacityResult, asked: Asked, workers: Sequence[int], *, cpu_model: str, cores: int
) -> None:
    """Raises InvalidInput, which names the fields in which the runs cannot be held against each other.

    `workers`: the numbers of them in the new run.
    """
    differ = [
        ("/machine/cpu_model", old.machine.cpu_model, cpu_model),
        ("/machine/cores", old.machine.cores, cores),
        ("/asked/scenario", old.asked.scenario, asked.scenario),
    ]
    rule = "figures of the two have no meaning for each other"
    wrong = [
        FieldError(str(file), f"{pointer}: is {was!r}, and here {now!r}: {rule}")
        for pointer, was, now in differ
        if was != now
    ]
    if not {one.workers for one in old.sessions} & set(workers):
        told = f"{[one.workers for one in old.sessions]}, and here {list(workers)}: none is in both"
        wrong.append(FieldError(str(file), f"/sessions: workers {told}"))
    if wrong:
        raise InvalidInput(tuple(wrong))


def compared(old: CapacityResult, new: CapacityResult, *, tolerance: float) -> Compared:
    """All that is in both."""
    before = {one.workers: one for one in old.sessions}
    found = [
        row
        for after in new.sessions
        if (was := before.get(after.workers)) is not None
        for row in _rows(was, after, seed=new.asked.seed, p99_ms=old.asked.p99_ms, tolerance=tolerance)
    ]
    rows, lacking = [row for row in found if isinstance(row, Row)], [row for row in found if isinstance(row, str)]
    worse = [
        f"{row.what} became worse: {row.old:,.4g} to {row.new:,.4g} {row.unit} ({row.ratio - 1:+.1%})."
        for row in rows
        if row.verdict == "worse"
    ]
    notes = []
    unknown = sum(row.verdict == "unknown" for row in rows)
    if unknown:
        told = "of what was measured once, or of which one repeat counts, nobody knows what is noise"
        notes.append(f"{unknown} of {len(rows)} figures were not judged: {told}. Give --repeats 3 or more.")
    if lacking:
        notes.append(f"Only one of the two has figures that count of: {'; '.join(lacking)}.")
    if not rows:
        notes.append("Nothing is in both: there is nothing to compare.")
    for name in ("kernel", "python", "store", "durable", "stockade"):
        was, now = getattr(old.machine, name), getattr(new.machine, name)
        if was != now:
            notes.append(f"{name}: {was}, and now {now}.")
    if old.incomplete or new.incomplete:
        notes.append("One of the two is incomplete: only what is in both was compared.")
    return Compared(
        rows=rows, worse=worse, notes=notes, unjudged=2 * (unknown + len(lacking)) >= max(1, len(found)) or not rows
    )


def _rows(old: Session, new: Session, *, seed: int, p99_ms: float, tolerance: float) -> Iterator[Row | str]:
    """Figures, and the names of those that only one of the two has."""
    words = f"{new.workers} {'worker' if new.workers == 1 else 'workers'}"

    def row(
        what: str, unit: str, was: Sequence[float], now: Sequence[float], *, less_is_better: bool
    ) -> Iterator[Row | str]:
        if was and now and median(was) > 0:
            told = _row(was, now, seed=seed, tolerance=tolerance, less_is_better=less_is_better)
            yield Row(what=f"{words}: {what}", unit=unit, old=median(was), new=median(now), **told)
        elif was or now:
            yield f"{words}: {what}"

    if old.peak is not None and new.peak is not None and not old.peak.at_least and not new.peak.at_least:
        peak = row("the peak", "orders a second", old.peak.measured, new.peak.measured, less_is_better=False)
        yield from peak
    # A repeat's own knee: repeats are what tells noise from change.
    knees = (_knees(old.sweep, p99_ms, seed), _knees(new.sweep, p99_ms, seed))
    for one in row(f"load with p99 of {p99_ms:g} ms at most", "orders a second", *knees, less_is_better=False):
        # Of what was not measured to its end nobody knows that it became worse.
        open_end = isinstance(one, Row) and one.verdict == "worse" and new.knee is not None and new.knee.at_least
        yield msgspec.structs.replace(one, verdict="unknown") if open_end and isinstance(one, Row) else one
    for share in LATENCY_LOADS:
        points = _at(old.sweep, share)
        if not points:
            continue
        load = median([point.offered_per_s for point in points])
        for name in ("p50_ms", "p99_ms"):
            what = f"{name.removesuffix('_ms')} at {load:,.0f} orders a second ({share:.0%} of the old peak)"
            was = [float(getattr(point, name)) for point in points]
            yield from row(what, "ms", was, _at_rate(new.sweep, load, name), less_is_better=True)
    for role, what in (("service", "processor time of the service"), ("store", "processor time of the store")):
        values = [_cpu_us(session.sweep, role) for session in (old, new)]
        yield from row(f"{what} an order", "µs", *values, less_is_better=True)


def _row(was: Sequence[float], now: Sequence[float], *, seed: int, tolerance: float, less_is_better: bool) -> _Told:
    ratio = median(now) / median(was)
    if min(len(was), len(now)) < 2:
        return _Told(ratio=ratio, interval=None, verdict="unknown")
    draws = resampled([was, now], seed)
    span = interval(draws[:, 1] / np.maximum(draws[:, 0], NEVER_BOTH))
    verdict: Verdict = "same"
    if span.low > 1 and ratio > 1 + tolerance:
        verdict = "worse" if less_is_better else "better"
    elif span.high < 1 and ratio < 1 - tolerance:
        verdict = "better" if less_is_better else "worse"
    return _Told(ratio=ratio, interval=span, verdict=verdict)


def _knees(points: Sequence[Point], p99_ms: float, seed: int) -> list[float]:
    """Each repeat's own; 0 of one that met the objective at no load. One of which no point counts has none."""
    groups = [[point for point in points if point.repeat == repeat] for repeat in {point.repeat for point in points}]
    knees = [knee_of(group, p99_ms, seed) for group in groups]
    return [knee.per_s or 0.0 for knee in knees if knee is not None]


def _at(points: Sequence[Point], share: float) -> list[Point]:
    """Those at a share of the peak, or of the nearest below it."""
    groups = by_load(points)
    below = [one for one in groups if one <= share + SHARE_APART_MAX]
    return groups[max(below)] if below else []


def _at_rate(points: Sequence[Point], load: float, name: str) -> list[float]:
    """What each repeat had at a load, by a straight line on a scale of factors between its points around that.

    Of another load it would tell of that: the new run does the same shares of another peak.
    """
    found = []
    for repeat in sorted({point.repeat for point in points}):
        curve = sorted(
            (one.offered_per_s, getattr(one, name)) for one in points if one.repeat == repeat and counts(one)
        )
        curve = [(offered, value) for offered, value in curve if value > 0]
        if curve and curve[0][0] / NEAR <= load <= curve[-1][0] * NEAR:
            loads, values = np.array(curve).T
            found.append(float(np.exp(np.interp(load, loads, np.log(values)))))
    return found


def _cpu_us(points: Sequence[Point], role: str) -> list[float]:
    """Microseconds an order, at the highest load of a peak's 80 % or less."""
    roles = ("service", "worker") if role == "service" else (role,)
    groups = {share: group for share, group in by_load(points).items() if share <= 0.8 + SHARE_APART_MAX}
    if not groups:
        return []
    return [
        1e6 * sum(one.cpu_cores for one in point.processes if one.role in roles) / point.goodput_per_s
        for point in groups[max(groups)]
        if point.goodput_per_s and any(one.role in roles for one in point.processes)
    ]
