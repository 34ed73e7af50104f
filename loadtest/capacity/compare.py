"""Tells what became worse from one result to another, beyond what repeats of the same thing differ by. Pure."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal, TypedDict

import numpy as np
from msgspec import Struct

from engine.errors import FieldError, InvalidInput
from loadtest.capacity.knee import by_load, knee_of
from loadtest.capacity.point import Point
from loadtest.capacity.result import Asked, CapacityResult, Interval, Session
from loadtest.capacity.spread import interval, median, resampled

TOLERANCE = 0.05
"""Less than this is nobody's concern, however sure."""
LATENCY_LOADS = (0.25, 0.55)
"""Shares of the peak of the old result at which latency is compared: beyond, it tells of the peak."""
SHARE_APART_MAX = 0.001
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


def check_comparable(file: Path, old: CapacityResult, asked: Asked, *, cpu_model: str, cores: int) -> None:
    """Raises InvalidInput, which names the fields in which the runs cannot be held against each other."""
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
    if not {one.workers for one in old.sessions} & set(asked.workers):
        told = f"{[one.workers for one in old.sessions]}, and here {asked.workers}: none is in both"
        wrong.append(FieldError(str(file), f"/sessions: workers {told}"))
    if wrong:
        raise InvalidInput(tuple(wrong))


def compared(old: CapacityResult, new: CapacityResult, *, tolerance: float) -> Compared:
    """All that is in both."""
    before = {one.workers: one for one in old.sessions}
    rows = [
        row
        for after in new.sessions
        if (was := before.get(after.workers)) is not None
        for row in _rows(was, after, seed=new.asked.seed, p99_ms=old.asked.p99_ms, tolerance=tolerance)
    ]
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
    for name in ("kernel", "python", "store", "durable", "stockade"):
        was, now = getattr(old.machine, name), getattr(new.machine, name)
        if was != now:
            notes.append(f"{name}: {was}, and now {now}.")
    if old.incomplete or new.incomplete:
        notes.append("One of the two is incomplete: only what is in both was compared.")
    return Compared(rows=rows, worse=worse, notes=notes, unjudged=2 * unknown >= max(1, len(rows)))


def _rows(old: Session, new: Session, *, seed: int, p99_ms: float, tolerance: float) -> Iterator[Row]:
    words = f"{new.workers} {'worker' if new.workers == 1 else 'workers'}"

    def row(what: str, unit: str, was: Sequence[float], now: Sequence[float], *, less_is_better: bool) -> Iterator[Row]:
        was, now = [one for one in was if one > 0], [one for one in now if one > 0]
        if was and now:
            told = _row(was, now, seed=seed, tolerance=tolerance, less_is_better=less_is_better)
            yield Row(what=f"{words}: {what}", unit=unit, old=median(was), new=median(now), **told)

    if old.peak is not None and new.peak is not None and not old.peak.at_least and not new.peak.at_least:
        peak = row("the peak", "orders a second", old.peak.measured, new.peak.measured, less_is_better=False)
        yield from peak
    # A repeat's own knee: repeats are what tells noise from change.
    knees = (_knees(old.sweep, p99_ms, seed), _knees(new.sweep, p99_ms, seed))
    yield from row(f"load with p99 of {p99_ms:g} ms at most", "orders a second", *knees, less_is_better=False)
    for share in LATENCY_LOADS:
        was, now = _at(old.sweep, share), _at_rate(new, old, share)
        for name, unit in (("p50_ms", "ms"), ("p99_ms", "ms")):
            what = f"{name.removesuffix('_ms')} at {share:.0%} of the old peak"
            values = [[float(getattr(point, name)) for point in points] for points in (was, now)]
            yield from row(what, unit, *values, less_is_better=True)
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
    """Each repeat's own."""
    groups = [[point for point in points if point.repeat == repeat] for repeat in {point.repeat for point in points}]
    knees = [knee_of(group, p99_ms, seed) for group in groups]
    return [knee.per_s for knee in knees if knee is not None and knee.per_s is not None]


def _at(points: Sequence[Point], share: float) -> list[Point]:
    """Those at a share of the peak, or of the nearest below it."""
    groups = by_load(points)
    below = [one for one in groups if one <= share + SHARE_APART_MAX]
    return groups[max(below)] if below else []


def _at_rate(new: Session, old: Session, share: float) -> list[Point]:
    """Points of the new run of about the load that those of the old one had: not more, so that it is not judged worse
    for a higher peak, of which it does the same share."""
    was = _at(old.sweep, share)
    if not was:
        return []
    load = median([point.offered_per_s for point in was])
    groups = list(by_load(new.sweep).values())
    near = [group for group in groups if 0.5 * load <= median([point.offered_per_s for point in group]) <= 1.05 * load]
    return max(near, key=lambda group: median([point.offered_per_s for point in group])) if near else []


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
